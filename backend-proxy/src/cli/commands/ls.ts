/** `hitch ls`: the clusters. */
import { agreedRate, format, isGone, type Cluster } from '@hitch/contract';
import * as z from 'zod';
import { lineWriter, type LineWriter } from '../line-writer.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { writeTable, type Column } from '../screen/table.ts';

/** `2× 1× RTX 4090, 24 GB` for two equal nodes, all titles otherwise. */
export function machinesOf(cluster: Cluster): string {
  const titles = [...new Set(cluster.nodes.map(({ title }) => title).filter(title => title !== ''))];
  const count = cluster.nodes.length;
  return count > 1 && titles.length === 1 ? `${count} × (${titles[0] ?? ''})` : titles.join(' + ');
}

/** With what all runs of a cluster cost, where some had earlier ones: the cap counts one run. */
export const allRuns = (clusters: readonly Cluster[], show: (amount: string) => string): Column<Cluster>[] =>
  clusters.every(({ usage }) => usage.spentBeforeMicroUsd === '0')
    ? []
    : [
        {
          title: 'All runs',
          priority: 4,
          align: 'right',
          cell: ({ usage }) => show(usage.accruedMicroUsd),
        },
      ];

const columns = (clusters: readonly Cluster[], lineOf: LineWriter, nowMs: number): Column<Cluster>[] => [
  { title: 'Name', priority: 1, cell: ({ name, practice }) => (practice ? `${name} (practice)` : name) },
  { title: 'State', priority: 1, cell: cluster => lineOf(cluster, nowMs) },
  { title: 'Machines', priority: 3, cell: machinesOf },
  {
    title: '$/h',
    priority: 2,
    align: 'right',
    cell: ({ usage }) => format.dollars(agreedRate(usage)),
  },
  {
    title: 'Spent',
    priority: 2,
    align: 'right',
    cell: ({ usage }) => format.dollars(format.costOfRun(usage)),
  },
  {
    title: 'Cap',
    priority: 4,
    align: 'right',
    cell: ({ usage }) => format.dollars(usage.capMicroUsd),
  },
  ...allRuns(clusters, format.dollars),
];

export const addLs = defineCommand({
  usage: 'ls',
  aliases: ['list'],
  summary: 'list your clusters (running first)',
  examples: [
    ['hitch ls', 'all clusters, stopped ones too'],
    ["hitch ls --json | jq -r '.[].name'", 'their names'],
  ],
  schema: z.object({ json: z.boolean().default(false) }),
  run: async ({ io, session }, { json }) => {
    const { api } = await session();
    const [clusters, { notices, nowMs }] = await Promise.all([api.clusters.list(), api.daemon.info()]);
    notices.forEach(notice => io.note(io.styleError('yellow', '⚠'), ` ${notice}`));
    if (json) {
      io.json(clusters);
      return EXIT.ok;
    }
    if (clusters.length === 0) {
      io.line('No clusters. Rent one with hitch rent.');
      return EXIT.ok;
    }
    const ordered = [...clusters].sort(
      (a, b) => Number(isGone(a)) - Number(isGone(b)) || b.createdAtMs - a.createdAtMs,
    );
    writeTable(io, ordered, columns(ordered, await lineWriter(api), nowMs));
    return EXIT.ok;
  },
});
