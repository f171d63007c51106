/** `hitch ports`: what programs on a cluster listen on. */
import { NO_PORTS, portsInOrder, portTitle } from '@hitch/contract';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { writeTable } from '../screen/table.ts';
import { clusterRef } from '../values.ts';

export const addPorts = defineCommand({
  usage: 'ports <cluster>',
  summary: 'list the dashboards and other ports that programs on a cluster listen on',
  examples: [['hitch ports llm-dev', 'TensorBoard, Ray’s dashboard and whatever else listens']],
  schema: z.object({ cluster: clusterRef, json: z.boolean().default(false) }),
  run: async ({ io, session }, input) => {
    const { api } = await session();
    const { id: clusterId, name } = await findCluster(api, input.cluster);
    const found = await api.ports.list({ clusterId });
    if (input.json) {
      io.json(found);
    } else if (found.ports.length === 0) {
      io.line(NO_PORTS);
    } else {
      writeTable(io, portsInOrder(found.ports), [
        { title: 'PORT', cell: ({ port }) => port.toString(), align: 'right', priority: 1 },
        { title: 'NODE', cell: ({ nodeIndex }) => nodeIndex.toString(), align: 'right', priority: 2 },
        { title: 'WHAT', cell: portTitle, priority: 3 },
        { title: 'PROGRAM', cell: ({ process }) => process, priority: 4 },
      ]);
      io.note(`Open one with hitch open ${name} --port <port>.`);
    }
    found.missing.forEach(sentence => io.note(sentence));
    return found.missing.length === 0 ? EXIT.ok : EXIT.notAll;
  },
});
