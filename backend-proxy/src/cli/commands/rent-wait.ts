/** From ordered to ready: live stages, and what Ctrl-C means on the way. */
import { format, isOver, type Cluster } from '@hitch/contract';
import { followCluster } from '../clusters.ts';
import { lineWriter } from '../line-writer.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';
import { LiveLine } from '../screen/live-line.ts';
import { ask } from '../screen/prompt.ts';
import { finishStop } from './stop-wait.ts';

export interface WaitOptions {
  readonly json: boolean;
  /** Offers in the quote. */
  readonly candidates: number;
  /** Ctrl-C came while the order was on its way. */
  readonly interrupted: boolean;
}

const SETTLED = new Set<Cluster['phase']>(['ready', 'degraded', 'stopped', 'expired', 'failed', 'paused']);

const LOST = new Set<Cluster['nodes'][number]['phase']>(['failed', 'gone']);

/** What counts as news where lines cannot be rewritten. */
const newsOf = ({ phase, message, conditions, nodes }: Cluster): string =>
  [
    phase,
    message,
    conditions.kernel.status,
    conditions.engine.message,
    ...nodes.map(node => node.phase),
  ].join('|');

type Answer = 'release' | 'leave' | 'wait';

/** Enter keeps waiting: deleting and leaving something that costs both need a word. */
async function askAboutRelease({ io }: Context, cluster: Cluster): Promise<Answer> {
  const answer = await ask(
    io,
    `Cancel renting ${cluster.name}? [y] give ${cluster.nodes.length === 1 ? 'the machine' : 'the machines'} back  [n] keep ${cluster.nodes.length === 1 ? 'it' : 'them'} and exit  [Enter] keep waiting: `,
  ).catch((error: unknown) => {
    if (error instanceof InterruptedError) return 'n';
    throw error;
  });
  const letter = answer.trim().toLowerCase().charAt(0);
  return letter === 'y' ? 'release' : letter === 'n' ? 'leave' : 'wait';
}

function leave({ io }: Context, { name }: Cluster, json: boolean): ExitCode {
  if (!json) {
    io.note(
      `${name} keeps starting, and bills. See it with hitch show ${name}, stop it with hitch stop ${name}.`,
    );
  }
  return EXIT.interrupted;
}

async function afterInterrupt(context: Context, cluster: Cluster, json: boolean): Promise<ExitCode | null> {
  const answer = json || !context.io.interactive ? 'leave' : await askAboutRelease(context, cluster);
  if (answer === 'wait') {
    return null;
  }
  if (answer === 'leave') {
    return leave(context, cluster, json);
  }
  const { api } = await context.session();
  const stopping = await api.clusters.stop({ clusterId: cluster.id, skipSave: true });
  await finishStop(context, stopping, json);
  return EXIT.interrupted;
}

interface Settled {
  readonly cluster: Cluster;
  readonly line: string;
  readonly elapsed: string;
}

function report({ io }: Context, { cluster, line, elapsed }: Settled, json: boolean): ExitCode {
  if (json) {
    io.jsonLine({ type: isOver(cluster) ? 'ended' : 'ready', cluster });
  }
  if (isOver(cluster)) {
    throw new CommandFailure(EXIT.clusterFailed, 'PROVIDER_ERROR', `${cluster.name}: ${line}`, {
      next: `See why with hitch show ${cluster.name}, or try again with other offers.`,
    });
  }
  const { name } = cluster;
  if (cluster.phase === 'degraded' && cluster.nodes.some(({ phase }) => LOST.has(phase))) {
    throw new CommandFailure(
      EXIT.notAll,
      'PROVIDER_ERROR',
      `${name} is degraded: ${cluster.message === '' ? line : cluster.message}`,
      {
        next: `The other machines keep running, and bill. Replace what is lost with hitch start ${name}, or stop it with hitch stop ${name}.`,
      },
    );
  }
  if (!json) {
    io.line(io.style('green', '✓'), ` ${name} after ${elapsed}: ${line}`);
    io.line(`Run a notebook: hitch run ${name} train.ipynb`);
    io.line(`Terminal: hitch ssh ${name}   Files: hitch cp data.csv ${name}:   Stop: hitch stop ${name}`);
  }
  return EXIT.ok;
}

/** Follows a cluster that was just ordered until it works or has failed. */
export async function waitUntilReady(
  context: Context,
  created: Cluster,
  options: WaitOptions,
): Promise<ExitCode> {
  const { io, clock } = context;
  const startedAt = clock.monotonic();
  const elapsed = (): string => format.elapsed(clock.monotonic() - startedAt);
  const live = new LiveLine(io);
  const { api } = await context.session();
  const lineOf = await lineWriter(api, { candidates: options.candidates, hasClock: true });
  let cluster = created;
  let afterSeq = 0;
  let { interrupted } = options;
  for (;;) {
    if (interrupted) {
      live.clear();
      const code = await afterInterrupt(context, cluster, options.json);
      if (code !== null) return code;
    }
    try {
      const settled = await interruptible(context.interrupts, signal =>
        followCluster(context, created.id, ({ phase }) => SETTLED.has(phase), {
          afterSeq,
          signal,
          event: event => {
            afterSeq = event.seq;
            if (options.json) io.jsonLine({ type: 'event', event });
          },
          seen: latest => {
            cluster = latest;
            if (!options.json) live.show(elapsed(), lineOf(latest, clock.now()), newsOf(latest));
          },
        }),
      );
      live.clear();
      const line = lineOf(settled, clock.now());
      return report(context, { cluster: settled, line, elapsed: elapsed() }, options.json);
    } catch (error) {
      live.clear();
      if (!(error instanceof InterruptedError)) throw error;
      interrupted = true;
    }
  }
}
