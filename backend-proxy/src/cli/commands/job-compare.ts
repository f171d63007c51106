/** `hitch job compare`: two jobs beside each other, on the screen, as Markdown, as CSV or as JSON. */
import { shownName } from '@hitch/contract';
import { type ComparedRow, comparedSections, compareJobs } from '@hitch/contract/src/job-compare.ts';
import { gatherJob } from '@hitch/contract/src/job-gather.ts';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { findJob, jobRef } from '../jobs/find-job.ts';
import { csvCell } from '../screen/csv.ts';
import { type Column, writeTable } from '../screen/table.ts';
import { oneOf } from '../values.ts';

const FORMATS = ['table', 'markdown', 'csv'] as const;

/** Nothing of it is Markdown's or a page's: a machine prints what it likes. */
const markdownCell = (text: string): string =>
  shownName(text)
    .replaceAll('\n', ' ')
    .replace(/[\\`*_{}[\]<>#|~!&]/g, found => `\\${found}`);

function write(
  { io }: Pick<Context, 'io'>,
  rows: ReturnType<typeof comparedSections>,
  [a, b]: readonly [string, string],
  how: (typeof FORMATS)[number],
): void {
  if (how === 'csv') {
    const line = (cells: readonly string[]): void => io.line(cells.map(csvCell).join(','));
    line(['section', 'name', a, b]);
    rows.forEach(([title, each]) => each.forEach(row => line([title, row.name, row.a, row.b])));
    return;
  }
  if (how === 'markdown') {
    io.line(`| | ${markdownCell(a)} | ${markdownCell(b)} |`);
    io.line('|---|---|---|');
    for (const [title, each] of rows) {
      io.line(`| **${title}** | | |`);
      each.forEach(row => io.line(`| ${[row.name, row.a, row.b].map(markdownCell).join(' | ')} |`));
    }
    return;
  }
  const columns = (title: string): Column<ComparedRow>[] => [
    { title, priority: 1, cell: ({ name }) => shownName(name) },
    { title: a, priority: 1, cell: row => shownName(row.a === '' ? '–' : row.a) },
    { title: b, priority: 1, cell: row => shownName(row.b === '' ? '–' : row.b) },
  ];
  rows.forEach(([title, each], at) => {
    if (at > 0) {
      io.line('');
    }
    writeTable(io, each, columns(title));
  });
}

export const addJobCompare = defineCommand({
  usage: 'compare <job> <other>',
  summary: 'two jobs beside each other: parameters, figures, cost, machine, packages',
  examples: [
    ['hitch job compare train train-2', 'what differs, and how each ended'],
    ['hitch job compare train train-2 --all --format csv > runs.csv', 'all of it, for a spreadsheet'],
    ['hitch job compare train train-2 --format markdown', 'for a report or an issue'],
  ],
  options: command =>
    command
      .option('--all', 'parameters and packages that are the same, too')
      .option('--format <name>', 'table, markdown or csv'),
  schema: z.object({
    job: jobRef,
    other: jobRef,
    all: z.boolean().default(false),
    format: oneOf(FORMATS).default('table'),
    json: z.boolean().default(false),
  }),
  run: async (context, input) => {
    const { io, clock } = context;
    const { api } = await context.session();
    const jobsAsked = [await findJob(api, input.job), await findJob(api, input.other)] as const;
    const [one, other] = [await gatherJob(api, jobsAsked[0]), await gatherJob(api, jobsAsked[1])];
    const comparison = compareJobs(one.compared, other.compared, clock.now());
    const notes = [...one.notes, ...other.notes];
    const jobs = [one.compared, other.compared].map(({ job: { id, name, state }, metrics }) => ({
      ...{ id, name, state, metrics },
    }));
    if (input.json) {
      io.json({ jobs, ...comparison, notes });
      return EXIT.ok;
    }
    write(
      context,
      comparedSections(comparison, input.all),
      [one.compared.job.name, other.compared.job.name],
      input.format,
    );
    notes.forEach(note => io.note(note));
    if (one.compared.metrics.length + other.compared.metrics.length === 0) {
      io.note(
        'Neither has figures. They are read from TensorBoard, MLflow, W&B and Trackio, and from printed lines like {"step": 40, "loss": 0.24}.',
      );
    }
    return EXIT.ok;
  },
});
