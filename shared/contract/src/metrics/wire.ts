/** Figures of a job's runs on the wire: pages of points as the agent and the daemon keep them, and series thinned for a plot. */
import * as z from 'zod';
import { MOST_SAID, saidAmount, saidMoment, saidSentence } from '../said.ts';
import { LONGEST_SERIES_NAME, MOST_POINTS, MOST_SERIES, POINT_BYTES } from './points.ts';

/**
 * Who told of a figure. `output`: a line that was printed · `pattern`: a line that a template's pattern fits · `machine`: the
 * agent's own look at GPUs, CPU and memory · `meter`: the daemon's cost.
 */
export const metricSourceSchema = z.enum([
  'tensorboard',
  'mlflow',
  'wandb',
  'trackio',
  'output',
  'pattern',
  'machine',
  'meter',
]);
export type MetricSource = z.infer<typeof metricSourceSchema>;

/** Whether a job's program told of it, and not its machine or the meter. */
export const isOwnFigure = ({ source }: { readonly source: MetricSource }): boolean =>
  source !== 'machine' && source !== 'meter';

export const seriesNameSchema = z.object({
  name: z.string().max(LONGEST_SERIES_NAME),
  source: metricSourceSchema,
});
export type SeriesName = z.infer<typeof seriesNameSchema>;

export const MOST_METRIC_NOTES = 20;
const notesSchema = z.array(saidSentence).max(MOST_METRIC_NOTES);

/** Points in one answer. */
export const MOST_POINTS_PAGE = 8_192;

export const metricPointsQuerySchema = z.object({
  /** Left out: the latest. */
  run: z.coerce.number().int().min(1).optional(),
  /** Number of the first point that is wanted. */
  from: z.coerce.number().int().min(0).default(0),
  most: z.coerce.number().int().min(1).max(MOST_POINTS_PAGE).default(MOST_POINTS_PAGE),
  /** So many names are known already; those after them are answered. */
  names: z.coerce.number().int().min(0).default(0),
});
export type MetricPointsQuery = z.output<typeof metricPointsQuerySchema>;

export const metricPointsSchema = z.object({
  run: saidAmount.int(),
  /** From the number that was asked for on, in their order; a point names its series by its place among all. */
  series: z.array(seriesNameSchema).max(MOST_SERIES),
  from: saidAmount.int(),
  /** Points (points.ts) in base64. */
  data: z.base64().max(Math.ceil((MOST_POINTS_PAGE * POINT_BYTES) / 3) * 4 + 4),
  /** Number of the point to ask for next. */
  next: saidAmount.int(),
  /** All that there are. */
  end: saidAmount.int().max(MOST_POINTS),
  /** What is to be known of them: what was cut, what could not be read. */
  notes: notesSchema,
  /** No more come of this run. */
  isOver: z.boolean(),
});
export type MetricPoints = z.infer<typeof metricPointsSchema>;

/** Series in one answer, and points of each. */
export const MOST_SERIES_PAGE = 100;
export const MOST_SHOWN_POINTS = 2_000;

export const metricsQuerySchema = z.object({
  run: z.coerce.number().int().min(1).optional(),
  /** Number of the first series that is wanted. */
  from: z.coerce.number().int().min(0).default(0),
  most: z.coerce.number().int().min(1).max(MOST_SERIES_PAGE).default(MOST_SERIES_PAGE),
  /** Points of each series: more are thinned to the lowest and the highest of as many equal parts. 0: none. */
  points: z.coerce.number().int().min(0).max(MOST_SHOWN_POINTS).default(400),
});
export type MetricsQuery = z.output<typeof metricsQuerySchema>;

/** NaN and infinite values have no place in JSON; that there are some is said. */
const value = z.number().nullable();

export const metricSeriesSchema = seriesNameSchema.extend({
  count: saidAmount.int(),
  first: value,
  last: value,
  lastStep: value,
  min: value,
  max: value,
  /** So many of its values are no numbers, the first of them at this step. */
  notFinite: saidAmount.int(),
  notFiniteAtStep: value,
  points: z.object({
    steps: z.array(value).max(MOST_SHOWN_POINTS),
    timesMs: z.array(saidMoment).max(MOST_SHOWN_POINTS),
    values: z.array(value).max(MOST_SHOWN_POINTS),
  }),
});
export type MetricSeries = z.infer<typeof metricSeriesSchema>;

export const jobMetricsSchema = z.object({
  run: saidAmount.int(),
  series: z.array(metricSeriesSchema).max(MOST_SERIES_PAGE),
  /** How many series there are in all. */
  total: saidAmount.int(),
  notes: notesSchema,
  isOver: z.boolean(),
});
export type JobMetrics = z.infer<typeof jobMetricsSchema>;

/** Values in the small curve of a list. */
export const MOST_GLANCE = 64;

/** The first figure of a job's latest run, for lists. */
export const metricGlanceSchema = z.object({
  name: z.string().max(MOST_SAID.name),
  last: value,
  step: value,
  values: z.array(z.number()).max(MOST_GLANCE),
});
export type MetricGlance = z.infer<typeof metricGlanceSchema>;
