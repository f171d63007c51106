/** `hitch stop`: save, destroy, confirm. */
import { type Cluster, isGone } from '@hitch/contract';
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
  losses: Losses,
  input: StopInput,
): Promise<readonly string[] | null> {
  const { io } = context;
  if (input.saveAll) {
    return losses.paths;
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
      `Stopping ${cluster.name} would lose work, and there is no terminal to ask on; it was not stopped. ${losses.words}`,
      { next: 'Add --save-all to save that too, or --yes to stop without it.' },
    );
  }
  io.note(io.styleError('yellow', '⚠'), ` ${cluster.name}: ${losses.words}`);
  const said = (await ask(io, '[s]ave these and stop, [d]estroy without them, [K]eep it running? '))
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
  let code: ExitCode = EXIT.ok;
  // All are told to stop before the first is waited for: waiting costs.
  const stopping = [];
  for (const [index, cluster] of found.entries()) {
    if (isGone(cluster)) {
      if (json) {
        io.jsonLine({ type: 'gone', cluster });
      } else {
        io.line(`${cluster.name} is gone already.`);
      }
      continue;
    }
    const savePaths = await agree(context, cluster, losses[index] ?? NOTHING_LOST, input);
    if (savePaths === null) {
      io.line(`${cluster.name} goes on running.`);
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
  summary: 'save as asked, destroy the machines, wait until they are confirmed gone',
  examples: [
    ['hitch stop llm-dev', 'asks where work would be lost; the record stays and can be started again'],
    ['hitch stop llm-dev --save-all', 'also saves what was not named to be saved'],
    ['hitch stop llm-dev --yes', 'for scripts: saves what was named, loses the rest'],
    ['hitch stop llm-dev --skip-save', 'at once, without fetching anything; ends a save that goes on'],
    ['hitch stop llm-dev --no-wait', 'return at once; the daemon sees to the end'],
  ],
  options: command =>
    command
      .option('--save-all', 'save everything in the work folder that would be lost')
      .option('--yes', 'do not ask, also where work would be lost')
      .option('--skip-save', 'do not fetch what was to be saved; a save that goes on ends')
      .option('--no-wait', 'do not wait for the confirmation'),
  schema: stopSchema,
  run: stop,
});
