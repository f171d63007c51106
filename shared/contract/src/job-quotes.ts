/** What a job that rents is asked for with, and what a person is shown before the yes. */
import * as z from 'zod';
import { quoteRequestSchema, quoteSchema, workPathSchema } from './clusters.ts';
import { jobIdSchema, jobNameSchema } from './ids.ts';
import { jobBucketSchema } from './job-buckets.ts';
import { MOST_QUEUED, queueLimitsSchema } from './job-queues.ts';
import { jobLimitsSchema, jobTemplateSchema, MOST_JOB_WAIT_MS, MOST_REPLACEMENTS } from './job-rental.ts';
import { jobSpecSchema } from './jobs.ts';
import { parameterValueSchema } from './templates/form.ts';

export const rentedWorkSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('template'),
    /** A template's name, or the path of its folder. */
    template: z.string().min(1).max(4096),
    preset: z.string().max(80).optional(),
    values: z.record(z.string().max(80), parameterValueSchema).default({}),
  }),
  z.object({
    kind: z.literal('program'),
    /** Its folder, its outputs and the path of a notebook are those of `folder`, once that is on the machine. */
    spec: jobSpecSchema,
    /** Copied now, and sent to each machine; null: it needs no file. Absolute; from a page, inside the folder that its server shows. */
    folder: z.string().min(1).max(4096).nullable(),
    /** Kept on this computer while it runs, and sent to the machine that takes the place of a lost one. In `folder`. */
    checkpoints: workPathSchema.min(1).nullable().default(null),
  }),
]);
export type RentedWork = z.infer<typeof rentedWorkSchema>;

/** One of several jobs: what it is given in the place of what stands in `work`. */
export const queuedWorkSchema = z.object({
  label: z.string().min(1).max(300),
  /** Of a template's parameters; those that are not named are as in `work`. */
  values: z.record(z.string().max(80), parameterValueSchema).optional(),
  /** Of a program; its outputs are those in `work`. */
  spec: jobSpecSchema.optional(),
});
export type QueuedWork = z.infer<typeof queuedWorkSchema>;

export const jobQuoteRequestSchema = z.object({
  work: rentedWorkSchema,
  /** The machine and the limits. What is left as it is by itself is the template's proposal, where there is one. */
  rent: quoteRequestSchema.prefault({}),
  name: jobNameSchema.optional(),
  /** How long it may wait for a machine; 0: refused where none is offered now. */
  waitMs: z.number().int().min(0).max(MOST_JOB_WAIT_MS).default(0),
  /** Null: the template's, else none. */
  replacements: z.number().int().min(0).max(MOST_REPLACEMENTS).nullable().default(null),
  /** Null: half an hour. */
  saveWithinMs: z
    .number()
    .int()
    .min(60_000)
    .max(24 * 3_600_000)
    .nullable()
    .default(null),
  /** Where its checkpoints are kept beside this computer, also while that sleeps; null: nowhere. */
  bucket: jobBucketSchema.nullable().default(null),
  /** Several jobs instead of one, each with the limits of `rent`, called `name`-1 and so on; null: one. */
  queue: queueLimitsSchema
    .extend({ jobs: z.array(queuedWorkSchema).min(1).max(MOST_QUEUED) })
    .nullable()
    .default(null),
});
export type JobQuoteRequest = z.input<typeof jobQuoteRequestSchema>;

export const jobQuoteSchema = z.object({
  /** The job's own: approved twice it is one job. */
  id: jobIdSchema,
  name: jobNameSchema,
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
  practice: z.boolean(),
  spec: jobSpecSchema,
  limits: jobLimitsSchema,
  template: jobTemplateSchema.nullable(),
  /** What is sent to the machine. */
  files: z.number().int(),
  bytes: z.number().int(),
  /** The machine that it gets now; null: none is offered, and it waits for one. */
  quote: quoteSchema.nullable(),
  /** The confirm dialog, a line each, in the words all clients use. */
  lines: z.array(z.string()),
  /** The label of the button that says yes. */
  yes: z.string(),
  /** All jobs that the same yes begins, in their order; left out: one. The first has the quote's own id. */
  queue: queueLimitsSchema
    .extend({
      name: jobNameSchema,
      jobs: z.array(z.object({ id: jobIdSchema, name: jobNameSchema, label: z.string() })),
    })
    .optional(),
});
export type JobQuote = z.infer<typeof jobQuoteSchema>;
