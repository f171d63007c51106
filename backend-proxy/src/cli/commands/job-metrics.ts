/** `hitch job metrics`: the figures of a run, on the screen, or every point of them for a spreadsheet or a program. */
import { HitchError, type Job, shownName } from '@hitch/contract';
import { seriesOf } from '@hitch/contract/src/job-gather.ts';
import { eachPoint } from '@hitch/contract/src/metrics/points.ts';
import { type JobMetrics, type MetricSeries, type SeriesName } from '@hitch/contract/src/metrics/wire.ts';
import * as z from 'zod';
import type { Api } from '@hitch/client-node/src/session.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { findJob, jobRef } from '../jobs/find-job.ts';
import { csvCell } from '../screen/csv.ts';
import { type Column, writeTable } from '../screen/table.ts';

type Shown = Omit<JobMetrics, 'total'>;

export const figure = (value: number | null): string =>
  value === null ? '–' : Number(value.toPrecision(6)).toString();

interface Point {
  readonly series: SeriesName;
  readonly step: number | null;
  readonly atMs: number;
  /** As a text where it is no number that JSON has: NaN, Infinity. */
  readonly value: number | 'NaN' | 'Infinity' | '-Infinity';
}

/** Every point, in the order in which it came. */
async function* pointsOf(api: Api, job: Job, run: number): AsyncGenerator<Point> {
  const names: SeriesName[] = [];
  for (let from = 0; ;) {
    const page = await api.jobs.metricPoints({ jobId: job.id, run, from, names: names.length });
    names.push(...page.series);
    const points: Point[] = [];
    eachPoint(Buffer.from(page.data, 'base64'), (of, step, atMs, value) => {
      const series = names[of];
      if (series !== undefined) {
        points.push({ series, step: Number.isFinite(step) ? step : null, atMs, value: written(value) });
      }
    });
    yield* points;
    if (page.next <= from) {
      return;
    }
    from = page.next;
  }
}

function written(value: number): Point['value'] {
  return Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

/** Of the cost's line. */
const COST_POINTS = 100;

const time = (atMs: number): string =>
  Number.isFinite(atMs) && Math.abs(atMs) <= 8.64e15 ? new Date(atMs).toISOString() : '';

async function writeCsv({ io }: Pick<Context, 'io'>, api: Api, job: Job, run: number): Promise<void> {
  io.line('figure,source,step,time,value');
  for await (const { series, step, atMs, value } of pointsOf(api, job, run)) {
    const cells = [series.name, series.source, step?.toString() ?? '', time(atMs), value.toString()];
    io.line(cells.map(csvCell).join(','));
  }
}

/** By series, as columns: what a program wants of it. */
async function asJson(api: Api, job: Job, shown: Shown): Promise<object> {
  const columns = new Map<string, { steps: unknown[]; timesMs: number[]; values: unknown[] }>();
  for await (const { series, step, atMs, value } of pointsOf(api, job, shown.run)) {
    const column = columns.get(series.name) ?? { steps: [], timesMs: [], values: [] };
    columns.set(series.name, column);
    column.steps.push(step);
    column.timesMs.push(atMs);
    column.values.push(value);
  }
  const { run, notes, isOver, series } = shown;
  // The cost is reckoned when it is asked for: it has no points of its own.
  const all = series.map(({ points, ...each }) => ({ ...each, ...(columns.get(each.name) ?? points) }));
  return { job: job.name, run, isOver, notes, series: all };
}

const columns: readonly Column<MetricSeries>[] = [
  { title: 'Figure', priority: 1, cell: ({ name }) => shownName(name) },
  { title: 'Last', priority: 1, align: 'right', cell: ({ last }) => figure(last) },
  { title: 'Step', priority: 2, align: 'right', cell: ({ lastStep }) => figure(lastStep) },
  { title: 'Lowest', priority: 2, align: 'right', cell: ({ min }) => figure(min) },
  { title: 'Highest', priority: 2, align: 'right', cell: ({ max }) => figure(max) },
  { title: 'Values', priority: 3, align: 'right', cell: ({ count }) => count.toString() },
  { title: 'From', priority: 4, cell: ({ source }) => source },
];

export const addJobMetrics = defineCommand({
  usage: 'metrics <job>',
  summary: 'the figures of a job: what it logs with TensorBoard, MLflow, W&B or Trackio, or prints',
  examples: [
    ['hitch job metrics train', 'each figure, with its last, lowest and highest value'],
    ['hitch job metrics train --csv > train.csv', 'every point of them, for a spreadsheet'],
    ['hitch job metrics train --json | jq \'.series[] | select(.name=="loss").values\'', 'one curve'],
  ],
  options: command =>
    command
      .option('--run <number>', 'of this run; the latest when left out')
      .option('--csv', 'every point, a line each: figure, source, step, time, value'),
  schema: z.object({
    job: jobRef,
    run: z.coerce.number().int().min(1).optional(),
    csv: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  run: async (context, input) => {
    const { io } = context;
    const { api } = await context.session();
    const job = await findJob(api, input.job);
    const last = Math.max(1, job.runs.at(-1)?.number ?? 1);
    if (input.run !== undefined && input.run > last) {
      throw new HitchError(
        'NOT_FOUND',
        `${job.name} has no run ${input.run.toString()}; its last is ${last.toString()}.`,
        { field: '--run' },
      );
    }
    if (input.csv && input.json) {
      throw new HitchError('BAD_INPUT', 'Give --csv or --json, not both.', { field: '--csv' });
    }
    const shown = await seriesOf(api, job, input.run, input.json ? COST_POINTS : 0);
    if (input.csv) {
      await writeCsv(context, api, job, shown.run);
    } else if (input.json) {
      io.json(await asJson(api, job, shown));
      return EXIT.ok;
    } else if (shown.series.length === 0) {
      io.line(`${job.name} has no figures${shown.isOver ? '' : ' so far'}.`);
    } else {
      writeTable(io, shown.series, columns);
    }
    shown.notes.forEach(note => io.note(shownName(note)));
    for (const { name, notFinite, notFiniteAtStep: at } of shown.series.filter(each => each.notFinite > 0)) {
      io.note(
        `${shownName(name)}: ${notFinite.toString()} values are NaN or infinite, the first${at === null ? '' : ` at step ${figure(at)}`}.`,
      );
    }
    return EXIT.ok;
  },
});
