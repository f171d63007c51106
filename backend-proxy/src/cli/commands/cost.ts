/** `hitch cost`: what was spent, on what. */
import { format, parseMicroUsd, showDollars, type Cluster, type Usage } from '@hitch/contract';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { showSecond } from '../screen/times.ts';
import { writeTable, type Column } from '../screen/table.ts';
import { clusterRef } from '../values.ts';
import { allRuns } from './ls.ts';

/** Below a cent to the micro-dollar: this is where people add up. */
const show = (amount: string): string => showDollars(parseMicroUsd(amount));

function monthStart(nowMs: number): number {
  const now = new Date(nowMs);
  return new Date(now.getFullYear(), now.getMonth(), 1).getTime();
}

const clusterColumns = (clusters: readonly Cluster[]): Column<Cluster>[] => [
  { title: 'Name', priority: 1, cell: ({ name, practice }) => (practice ? `${name} (practice)` : name) },
  { title: 'Spent', priority: 1, align: 'right', cell: ({ usage }) => show(format.costOfRun(usage)) },
  { title: '$/h now', priority: 2, align: 'right', cell: ({ usage }) => show(usage.ratePerHourMicroUsd) },
  { title: 'Cap', priority: 4, align: 'right', cell: ({ usage }) => show(usage.capMicroUsd) },
  ...allRuns(clusters, show),
];

/** What earlier runs cost, which the cap does not count. */
const before = ({ spentBeforeMicroUsd }: Usage): string =>
  spentBeforeMicroUsd === '0' ? '' : ` in this run, ${show(spentBeforeMicroUsd)} in earlier ones`;

type Part = Usage['parts'][number];

const partColumns = (nowMs: number): Column<Part>[] => [
  { title: 'For', priority: 1, cell: ({ label }) => label },
  { title: 'Cost', priority: 1, align: 'right', cell: ({ costMicroUsd }) => show(costMicroUsd) },
  { title: '$/h', priority: 2, align: 'right', cell: ({ ratePerHourMicroUsd }) => show(ratePerHourMicroUsd) },
  { title: 'From', priority: 4, cell: ({ startMs }) => showSecond(startMs) },
  { title: 'To', priority: 4, cell: ({ endMs }) => (endMs === null ? 'now' : showSecond(endMs)) },
  {
    title: 'Time',
    priority: 3,
    align: 'right',
    cell: ({ startMs, endMs }) => format.elapsed((endMs ?? nowMs) - startMs),
  },
];

export const addCost = defineCommand({
  usage: 'cost [cluster]',
  summary: 'show what was spent: this month, by cluster, in detail',
  examples: [
    ['hitch cost', 'this month and every cluster'],
    ['hitch cost llm-dev', 'one cluster, part by part'],
    ['hitch cost llm-dev --json', 'exact, in micro-dollars'],
  ],
  schema: z.object({ cluster: clusterRef.optional(), json: z.boolean().default(false) }),
  run: async ({ io, clock, session }, input) => {
    const { api } = await session();
    const nowMs = clock.now();
    if (input.cluster !== undefined) {
      const { id: clusterId, name } = await findCluster(api, input.cluster);
      const usage = await api.usage.get({ clusterId });
      if (input.json) {
        io.json({ cluster: name, ...usage });
        return EXIT.ok;
      }
      io.line(
        `${name}: ${show(format.costOfRun(usage))} of ${show(usage.capMicroUsd)} spent${before(usage)}, ${show(usage.ratePerHourMicroUsd)}/h now`,
      );
      if (usage.parts.length > 0) {
        writeTable(io, usage.parts, partColumns(nowMs));
      }
      return EXIT.ok;
    }
    const fromMs = monthStart(nowMs);
    const total = await api.usage.total({ fromMs, toMs: nowMs });
    const clusters = await api.clusters.list();
    if (input.json) {
      io.json({
        month: { fromMs, toMs: nowMs, ...total },
        clusters: clusters.map(({ id, name, practice, usage }) => ({ id, name, practice, usage })),
      });
      return EXIT.ok;
    }
    const month = new Date(nowMs).toLocaleString('en-US', { month: 'long' });
    io.line(`${month} ${show(total.costMicroUsd)}, ${show(total.ratePerHourMicroUsd)}/h now`);
    if (clusters.length > 0) {
      writeTable(io, clusters, clusterColumns(clusters));
    }
    return EXIT.ok;
  },
});
