/** `hitch open`: a dashboard, or any other port of a cluster, in a browser. */
import {
  type Cluster,
  type ClusterPort,
  HitchError,
  NO_PORTS,
  portPlace,
  portsInOrder,
  portTitle,
} from '@hitch/contract';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { clusterRef, wholeNumber } from '../values.ts';

export const addOpen = defineCommand({
  usage: 'open <cluster>',
  summary: 'open a dashboard or another port of a cluster in the browser',
  examples: [
    ['hitch open llm-dev', 'the dashboard that is there'],
    ['hitch open llm-dev --port 6006', 'what listens on port 6006'],
    ['hitch open llm-dev --port 6006 --node 1', 'the same on another node'],
    ['hitch open llm-dev --print', 'only the address; it opens once, within a minute'],
  ],
  options: command =>
    command
      .option('--port <port>', 'which port (default: the dashboard that is known by name)')
      .option('--node <number>', 'on which node (default: 0, the head)')
      .option('--print', 'open no browser'),
  schema: z.object({
    cluster: clusterRef,
    port: wholeNumber(1, 65_535).optional(),
    node: wholeNumber(0, 100_000).optional(),
    print: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  run: async (context, { cluster: named, port, node, print, json }) => {
    const { io } = context;
    const { api } = await context.session();
    const cluster = await findCluster(api, named);
    const chosen = port === undefined ? await choose(context, cluster, node) : null;
    const place = { port: chosen?.port ?? port ?? 0, nodeIndex: chosen?.nodeIndex ?? node ?? 0 };
    const link = await api.ports.link({ clusterId: cluster.id, ...place });
    const isOpened = !print && !json && (await context.browser(link.url));
    if (json) {
      io.json({ ...place, ...link });
      return EXIT.ok;
    }
    const title = chosen === null ? '' : `${portTitle(chosen)}, `;
    io.note(
      isOpened
        ? `Opened ${title}${portPlace(place, cluster.nodes.length)} of ${cluster.name} in the browser.`
        : `Open this in a browser on this computer: ${title}${portPlace(place, cluster.nodes.length)} of ${cluster.name}. It works once, within a minute.`,
    );
    io.line(isOpened ? link.address : link.url);
    return EXIT.ok;
  },
});

/** The one that is there, or the one that is known by name. @throws HitchError where a person must say which. */
async function choose(
  { session }: Context,
  { id: clusterId, name, nodes }: Cluster,
  node: number | undefined,
): Promise<ClusterPort> {
  const { ports, missing } = await (await session()).api.ports.list({ clusterId });
  const all = portsInOrder(ports).filter(({ nodeIndex }) => node === undefined || nodeIndex === node);
  const known = all.filter(entry => entry.known !== null);
  const candidates = known.length > 0 ? known : all;
  const [first] = candidates;
  if (first === undefined) {
    throw new HitchError('NOT_FOUND', [NO_PORTS, ...missing].join(' '), {
      next: `Start a program there first, as with hitch ssh ${name}.`,
    });
  }
  if (candidates.length > 1) {
    const list = candidates.map(entry => `${portTitle(entry)} (${portPlace(entry, nodes.length)})`);
    throw new HitchError('CONFLICT', `${name} has several: ${list.join(', ')}.`, {
      next: 'Say which with --port, and --node where it is on several.',
    });
  }
  return first;
}
