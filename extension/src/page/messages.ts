/**
 * What the extension and its webview say to each other. Both sides check what comes: a page is shown strangers' words,
 * and a restored one may be of another version.
 */
import {
  clusterSchema,
  jobFindsSchema,
  jobLogFactsSchema,
  jobSchema,
  microUsdSchema,
  MOST_LOG_WAIT_MS,
  eventSchema,
  offerFilterSchema,
  offerPageSchema,
  offerQuerySchema,
  parameterValueSchema,
  providerInfoSchema,
  templateDetailsSchema,
  templateInfoSchema,
} from '@hitch/contract';
import { jobMetricsSchema, MOST_SERIES_PAGE, MOST_SHOWN_POINTS } from '@hitch/contract/src/metrics/wire.ts';
import { usePageSchema, useQuerySchema } from '@hitch/contract/src/use/wire.ts';
import type { ComparedJobs } from '@hitch/contract/src/job-gather.ts';
import type { RunLimits } from '@hitch/contract/src/templates/run-wish.ts';
import * as z from 'zod';

const sortSchema = offerQuerySchema.shape.sort.unwrap();

/** A template, and what was typed into its form. */
export const templateChoiceSchema = z.object({
  template: z.string().min(1).max(4096),
  /** Null: the defaults. */
  preset: z.string().max(80).nullable(),
  values: z.record(z.string().max(80), parameterValueSchema),
  /** Of one with a command, only what was changed; the amount as it was typed. */
  limits: z
    .object({
      cap: z.string().max(40).optional(),
      timeMs: z.number().int().min(60_000).optional(),
      practice: z.boolean().optional(),
    })
    .optional(),
});
export type TemplateChoice = z.infer<typeof templateChoiceSchema>;

/** What a job of a template may cost, how long it may take, and whether it is practice. */
const runLimitsSchema = z.object({
  capMicroUsd: microUsdSchema,
  timeMs: z.number().int().min(60_000),
  practice: z.boolean(),
}) satisfies z.ZodType<RunLimits>;

/** What a page shows and keeps over a reload. */
export const placeSchema = z.discriminatedUnion('view', [
  z.object({
    view: z.literal('offers'),
    /** Null: the table's own first filter. */
    filter: offerFilterSchema.nullable(),
    sort: sortSchema,
    /** The columns that were chosen; null: as many as fit. A page of before has none. */
    columns: z.array(z.string().max(40)).max(40).nullable().default(null),
  }),
  z.object({ view: z.literal('cluster'), clusterId: z.string() }),
  z.object({ view: z.literal('job'), jobId: z.string() }),
  z.object({ view: z.literal('compare'), jobIds: z.tuple([z.string(), z.string()]).readonly() }),
  z.object({ view: z.literal('templates'), choice: templateChoiceSchema.nullable() }),
]);
export type Place = z.infer<typeof placeSchema>;

const comparedRows = z.array(z.object({ name: z.string(), a: z.string(), b: z.string() })).readonly();
const comparedJobsSchema = z.object({
  names: z.tuple([z.string(), z.string()]).readonly(),
  comparison: z.object({
    parameters: comparedRows,
    metrics: comparedRows,
    results: comparedRows,
    machine: comparedRows,
    packages: comparedRows,
  }),
  notes: z.array(z.string()).readonly(),
}) satisfies z.ZodType<ComparedJobs>;

/** What can be pressed beside the timeline. */
export const PAGE_ACTIONS = [
  'runOn',
  'terminal',
  'files',
  'extend',
  'stop',
  'cancel',
  'logs',
  'startAgain',
] as const;
export const pageActionSchema = z.enum(PAGE_ACTIONS);
export type PageAction = z.infer<typeof pageActionSchema>;

/** What can be pressed beside a job's log. */
export const jobActionSchema = z.enum(['stop', 'again', 'fetch', 'fetchCheckpoint']);
export type JobAction = z.infer<typeof jobActionSchema>;

export const toPageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('show'),
    place: placeSchema,
    /** Null while it is not known. */
    providers: z.array(providerInfoSchema).nullable(),
    /** Why the daemon cannot be asked; null while it can. */
    offline: z.string().nullable(),
  }),
  z.object({
    kind: z.literal('cluster'),
    /** Null: it is not in the list. */
    cluster: clusterSchema.nullable(),
    events: z.array(eventSchema),
  }),
  z.object({ kind: z.literal('page'), question: z.number(), page: offerPageSchema }),
  z.object({ kind: z.literal('problem'), question: z.number(), sentence: z.string() }),
  /** Null, with why: it is not known. */
  z.object({
    kind: z.literal('job'),
    job: jobSchema.nullable(),
    around: z.object({ offer: z.string().nullable(), packages: z.string() }).nullable(),
    problem: z.string().nullable(),
  }),
  /** Null, with why: it is not known. */
  z.object({
    kind: z.literal('compare'),
    jobs: comparedJobsSchema.nullable(),
    problem: z.string().nullable(),
  }),
  z.object({
    kind: z.literal('job-log'),
    question: z.number(),
    page: jobLogFactsSchema.extend({ bytes: z.instanceof(Uint8Array), next: z.number().int().min(0) }),
  }),
  z.object({ kind: z.literal('job-finds'), question: z.number(), finds: jobFindsSchema }),
  z.object({ kind: z.literal('job-metrics'), question: z.number(), metrics: jobMetricsSchema }),
  z.object({ kind: z.literal('use'), question: z.number(), page: usePageSchema }),
  z.object({
    kind: z.literal('templates'),
    /** Null while they are not known. */
    templates: z.array(templateInfoSchema).nullable(),
    choice: templateChoiceSchema.nullable(),
    offline: z.string().nullable(),
    /** What the settings say of a run. */
    own: runLimitsSchema,
  }),
  /** A run is not under way any more: its job is shown, a person said no, or why it was refused. */
  z.object({
    kind: z.literal('template-ran'),
    question: z.number(),
    problem: z.object({ field: z.string().nullable(), sentence: z.string() }).nullable(),
  }),
  z.object({ kind: z.literal('template'), question: z.number(), details: templateDetailsSchema }),
  /** Newer offers may be there: ask again for what is shown. */
  z.object({ kind: z.literal('refresh') }),
]);
export type ToPage = z.infer<typeof toPageSchema>;

export const fromPageSchema = z.discriminatedUnion('kind', [
  /** The page is there and shows nothing yet; what it kept, where it kept something. */
  z.object({ kind: z.literal('ready'), kept: placeSchema.nullable() }),
  /** What it shows now, such as another filter. */
  z.object({ kind: z.literal('keep'), place: placeSchema }),
  z.object({ kind: z.literal('query'), question: z.number(), query: offerQuerySchema }),
  /** Nobody waits for that answer any more. */
  z.object({ kind: z.literal('abort'), question: z.number() }),
  z.object({
    kind: z.literal('rent'),
    offerIds: z.array(z.string().max(200)).min(1).max(100),
    nodes: z.number().int().min(1).max(100),
    /** What the table showed, which a place does not know before somebody filters. */
    filter: offerFilterSchema,
  }),
  z.object({ kind: z.literal('ask-networks') }),
  z.object({ kind: z.literal('connect') }),
  z.object({ kind: z.literal('action'), action: pageActionSchema }),
  /** How a machine of the cluster did. */
  z.object({
    kind: z.literal('use'),
    question: z.number(),
    nodeIndex: z.number().int().min(0),
    query: useQuerySchema.pick({ scale: true, afterMs: true, withinMs: true }),
  }),
  z.object({
    kind: z.literal('job-log'),
    question: z.number(),
    query: z.object({
      run: z.number().int().min(1).optional(),
      from: z.number().int().min(0),
      waitMs: z.number().int().min(0).max(MOST_LOG_WAIT_MS),
    }),
  }),
  z.object({
    kind: z.literal('job-search'),
    question: z.number(),
    text: z.string().min(1).max(200),
    run: z.number().int().min(1),
    from: z.number().int().min(0),
  }),
  z.object({
    kind: z.literal('job-metrics'),
    question: z.number(),
    most: z.number().int().min(1).max(MOST_SERIES_PAGE),
    points: z.number().int().min(0).max(MOST_SHOWN_POINTS),
  }),
  z.object({ kind: z.literal('job-action'), action: jobActionSchema }),
  z.object({ kind: z.literal('template-show'), question: z.number(), choice: templateChoiceSchema }),
  z.object({ kind: z.literal('template-rent'), question: z.number(), choice: templateChoiceSchema }),
  /** Its quote is to be shown for the yes. */
  z.object({
    kind: z.literal('template-run'),
    question: z.number(),
    choice: templateChoiceSchema,
    limits: runLimitsSchema,
  }),
  z.object({ kind: z.literal('template-folder') }),
]);
export type FromPage = z.infer<typeof fromPageSchema>;
