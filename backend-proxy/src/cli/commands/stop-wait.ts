/** From stopping to confirmed gone. */
import { format, isGone, machinesEnd, shownName, type Cluster, type HitchApi } from '@hitch/contract';
import { followCluster } from '../clusters.ts';
import { lineWriter } from '../line-writer.ts';
import type { Context } from '../context.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';
import { writeNames } from '../screen/account.ts';
import { LiveLine } from '../screen/live-line.ts';

/** What ends with the machines, in one sentence. */
export function savingSentence(cluster: Cluster, skipSave: boolean): string {
  const { paths, toFolder } = cluster.save;
  const deleted = machinesEnd(cluster.nodes.length, cluster.ownMachines);
  if (skipSave || paths.length === 0) {
    return `Stopping ${cluster.name}: nothing is saved, ${deleted}.`;
  }
  const where = toFolder === null ? 'this computer' : toFolder;
  return `Stopping ${cluster.name}: ${paths.map(shownName).join(', ')} ${paths.length === 1 ? 'is' : 'are'} copied to ${where}, then ${deleted}.`;
}

const EVENTS_LOOKED_AT = 1_000;

/** Why not everything was saved that was to be; null when it was. */
async function notSaved(
  api: HitchApi,
  { id, save, lastEventSeq }: Cluster,
  sinceSeq: number,
): Promise<string | null> {
  if (save.paths.length === 0) {
    return null;
  }
  const afterSeq = Math.max(sinceSeq, lastEventSeq - EVENTS_LOOKED_AT);
  const events = await api.clusters.events({ clusterId: id, afterSeq, limit: EVENTS_LOOKED_AT });
  return events.findLast(({ value }) => value === 'not_saved')?.message ?? null;
}

/** What is worth a line of its own where lines cannot be rewritten: not the clock, nor how far a save is. */
const newsOf = ({ saving }: Cluster, line: string): string =>
  saving === null ? line.replace(/\d+:\d{2}(:\d{2})?/g, '') : `saving ${saving.problem ?? ''}`;

/**
 * Waits until the networks confirm that nothing is left. Ctrl-C stops the waiting, never the stopping.
 * @returns whether everything was saved that was to be.
 */
export async function finishStop(context: Context, stopping: Cluster, json: boolean): Promise<boolean> {
  const { io, clock } = context;
  const startedAt = clock.monotonic();
  const live = new LiveLine(io);
  const { api } = await context.session();
  const lineOf = await lineWriter(api, { hasClock: true });
  let told = json;
  /** A save that does not go on is waited for as long as the cap allows: who does not want that is told how to end it. */
  const tellHowToEnd = ({ name, saving }: Cluster): void => {
    if (!told && saving?.problem !== undefined && saving.problem !== null) {
      told = true;
      live.clear();
      io.note(
        `Hitch keeps trying to save as long as the spending limit allows. To stop without saving: hitch stop ${name} --skip-save`,
      );
    }
  };
  try {
    const gone = await interruptible(context.interrupts, signal =>
      followCluster(context, stopping.id, isGone, {
        afterSeq: stopping.lastEventSeq,
        signal,
        ...(json ? { event: event => io.jsonLine({ type: 'event', event }) } : {}),
        seen: cluster => {
          if (!json && !isGone(cluster)) {
            const line = lineOf(cluster, clock.now());
            live.show(format.elapsed(clock.monotonic() - startedAt), line, newsOf(cluster, line));
            tellHowToEnd(cluster);
          }
        },
      }),
    );
    live.clear();
    const problem = await notSaved(api, gone, stopping.lastEventSeq);
    if (json) {
      const copies = await api.copies.list({ clusterId: gone.id });
      const saved = copies.findLast(({ kind }) => kind === 'save');
      if (saved !== undefined) {
        await writeNames(context, saved);
        io.jsonLine({ type: 'saved', copy: saved });
      }
      io.jsonLine({ type: 'gone', cluster: gone });
    } else {
      io.line(io.style('green', '✓'), ` ${gone.name}: ${lineOf(gone, clock.now())}`);
      gone.saved.forEach(path => io.line(`  saved ${shownName(path)}`));
      if (problem !== null) {
        io.line('  ', io.style('yellow', '⚠'), ` ${problem}`);
      }
    }
    return problem === null;
  } catch (error) {
    live.clear();
    if (error instanceof InterruptedError && !json) {
      io.note(`${stopping.name} keeps stopping in the background. See it with hitch ls.`);
    }
    throw error;
  }
}
