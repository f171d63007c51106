/** `hitch stop`: save, destroy, confirm. */
import { type Cluster, isGone, runningJobsWords } from '@hitch/contract';
import { type Losses, lossesOf } from '@hitch/contract/src/stop-plan.ts';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { ask } from '../screen/prompt.ts';
import { clusterRef } from '../values.ts';
import { finishStop, savingSentence } from './stop-wait.ts';

const stopSchema = z.object({
  clusters: z.array(clusterRef),
  skipSave: z.boolean().default(false),
  saveAll: z.boolean().default(false),
  yes: z.boolean().default(false),
  wait: z.boolean().default(true),
  json: z.boolean().default(false),
});
const NOTHING_LOST: Losses = { words: null, paths: [], counted: true };
type StopInput = z.output<typeof stopSchema>;

/** What is saved besides what was named; null: the cluster is not to be stopped. */
async function agree(
  context: Context,
  cluster: Cluster,
  losses: Losses & { readonly running: string | null },
  input: StopInput,
): Promise<readonly string[] | null> {
  const { io } = context;
  if (input.saveAll) {
    return losses.paths;
  }
  if (losses.running !== null && !input.json) {
    io.note(io.styleError('yellow', '⚠'), ` ${cluster.name}: ${losses.running}. Stopping ends what runs.`);
  }
  if (losses.words === null && losses.running !== null && io.interactive && !input.yes && !input.json) {
    const said = (await ask(io, '[s]top it all the same, [K]eep it running? ')).trim().toLowerCase();
    return said.startsWith('s') ? [] : null;
  }
  if (losses.words === null || input.skipSave || input.yes || input.json) {
    return [];
  }
  if (!io.interactive && !losses.counted) {
    // A machine that does not answer costs nevertheless.
    io.note(`${cluster.name}: ${losses.words}`);
    return [];
  }
  if (!io.interactive) {
    throw new CommandFailure(
      EXIT.declined,
      'CONFLICT',
      `Stopping ${cluster.name} would lose work, and there is no terminal to ask in, so it was not stopped. ${losses.words}`,
      { next: 'Add --save-all to save that too, or --yes to stop without it.' },
    );
  }
  io.note(io.styleError('yellow', '⚠'), ` ${cluster.name}: ${losses.words}`);
  const said = (await ask(io, '[s]ave these and stop, [d]elete them and stop, [K]eep it running? '))
    .trim()
    .toLowerCase();
  return said.startsWith('s') ? losses.paths : said.startsWith('d') ? [] : null;
}

async function stop(context: Context, input: StopInput): Promise<ExitCode> {
  const { io } = context;
  const { clusters, skipSave, wait, json } = input;
  const { api } = await context.session();
  const found = await Promise.all(clusters.map(nameOrId => findCluster(api, nameOrId)));
  const losses = await Promise.all(found.map(cluster => lossesOf(api, cluster)));
  const jobs = await Promise.all(found.map(({ id }) => api.jobs.list({ clusterId: id })));
  let code: ExitCode = EXIT.ok;
  // All are told to stop before the first is waited for: waiting costs.
  const stopping = [];
  for (const [index, cluster] of found.entries()) {
    if (isGone(cluster)) {
      if (json) {
        io.jsonLine({ type: 'gone', cluster });
      } else {
        io.line(`${cluster.name} has stopped already.`);
      }
      continue;
    }
    const running = runningJobsWords(jobs[index] ?? []);
    const savePaths = await agree(context, cluster, { ...(losses[index] ?? NOTHING_LOST), running }, input);
    if (savePaths === null) {
      io.line(`${cluster.name} keeps running.`);
      code = EXIT.declined;
      continue;
    }
    const stopped = await api.clusters.stop({
      clusterId: cluster.id,
      skipSave,
      savePaths: [...savePaths],
    });
    if (!json) {
      io.line(savingSentence(stopped, skipSave));
    }
    stopping.push(stopped);
  }
  for (const cluster of stopping) {
    if (wait) {
      code = (await finishStop(context, cluster, json)) ? code : EXIT.notAll;
    } else if (json) {
      io.jsonLine({ type: 'stopping', cluster });
    }
  }
  return code;
}

export const addStop = defineCommand({
  usage: 'stop <clusters...>',
  summary: 'stop clusters: save, delete the machines, wait for confirmation',
  examples: [
    ['hitch stop llm-dev', 'asks where work would be lost; hitch start rents it again'],
    ['hitch stop llm-dev --save-all', 'saves everything, not only the chosen paths'],
    ['hitch stop llm-dev --yes', 'for scripts: saves the chosen paths, loses the rest'],
    ['hitch stop llm-dev --skip-save', 'at once, without saving; also ends a save that is running'],
    ['hitch stop llm-dev --no-wait', 'return at once; stopping continues in the background'],
  ],
  options: command =>
    command
      .option('--save-all', 'save everything in the work folder that would be lost')
      .option('--yes', 'do not ask, even where work would be lost')
      .option('--skip-save', 'save nothing, and end a save that is running')
      .option('--no-wait', 'do not wait for the confirmation'),
  schema: stopSchema,
  run: stop,
});
