/** `hitch stop`: save, destroy, confirm. */
import { isGone } from '@hitch/contract';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { clusterRef } from '../values.ts';
import { finishStop, savingSentence } from './stop-wait.ts';

export const addStop = defineCommand({
  usage: 'stop <clusters...>',
  summary: 'save as asked, destroy the machines, wait until they are confirmed gone',
  examples: [
    ['hitch stop llm-dev', 'the record stays and can be started again'],
    ['hitch stop llm-dev --skip-save', 'at once, without fetching what was to be saved'],
    ['hitch stop llm-dev --no-wait', 'return at once; the daemon sees to the end'],
  ],
  options: command =>
    command
      .option('--skip-save', 'do not fetch what was to be saved')
      .option('--no-wait', 'do not wait for the confirmation'),
  schema: z.object({
    clusters: z.array(clusterRef),
    skipSave: z.boolean().default(false),
    wait: z.boolean().default(true),
    json: z.boolean().default(false),
  }),
  run: async (context, { clusters, skipSave, wait, json }) => {
    const { io } = context;
    const { api } = await context.session();
    const found = await Promise.all(clusters.map(nameOrId => findCluster(api, nameOrId)));
    // All are told to stop before the first is waited for: waiting costs.
    const stopping = [];
    for (const cluster of found) {
      if (isGone(cluster)) {
        if (json) {
          io.jsonLine({ type: 'gone', cluster });
        } else {
          io.line(`${cluster.name} is gone already.`);
        }
        continue;
      }
      if (!json) {
        io.line(savingSentence(cluster, skipSave));
      }
      stopping.push(await api.clusters.stop({ clusterId: cluster.id, skipSave }));
    }
    for (const cluster of stopping) {
      if (wait) {
        await finishStop(context, cluster, json);
      } else if (json) {
        io.jsonLine({ type: 'stopping', cluster });
      }
    }
    return EXIT.ok;
  },
});
