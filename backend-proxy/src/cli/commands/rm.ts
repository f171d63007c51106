/** `hitch rm`: forget stopped clusters. */
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { clusterRef } from '../values.ts';

export const addRm = defineCommand({
  usage: 'rm <clusters...>',
  summary: 'remove stopped clusters from the list',
  examples: [
    ['hitch rm llm-dev', 'remove a stopped cluster; its cost stays in the totals'],
    ['hitch stop llm-dev && hitch rm llm-dev', 'stop it first, then remove it'],
  ],
  schema: z.object({ clusters: z.array(clusterRef), json: z.boolean().default(false) }),
  run: async ({ io, session }, input) => {
    const { api } = await session();
    for (const nameOrId of input.clusters) {
      const { id, name } = await findCluster(api, nameOrId);
      await api.clusters.remove({ clusterId: id });
      if (input.json) {
        io.jsonLine({ removed: name, id });
      } else {
        io.line(`Removed ${name} from the list.`);
      }
    }
    return EXIT.ok;
  },
});
