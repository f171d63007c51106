/**
 * Several jobs that one approval begins one after the other: the values of a sweep, or the commands of a list. Each rents its
 * own machine as any job that rents; all together cost no more than their budget. `ARCHITECTURE.md`, “Several jobs by one yes”.
 */
import * as z from 'zod';
import { jobIdSchema, jobNameSchema } from './ids.ts';
import { microUsdSchema } from './money.ts';

/** Of one approval. */
export const MOST_QUEUED = 200;
export const MOST_AT_ONCE = 20;
/** After so long no job of a queue begins any more, where nobody says how long. */
export const USUAL_QUEUE_MS = 24 * 3_600_000;
export const LONGEST_QUEUE_MS = 30 * 24 * 3_600_000;

/** What one approval of several jobs covers; each job has limits of its own beside. */
export const queueLimitsSchema = z.object({
  /** All jobs together, with all their machines. */
  budgetMicroUsd: microUsdSchema,
  mostAtOnce: z.number().int().min(1).max(MOST_AT_ONCE),
  /** None begins any more when so much time is over since the approval. */
  withinMs: z.number().int().min(60_000).max(LONGEST_QUEUE_MS),
});
export type QueueLimits = z.infer<typeof queueLimitsSchema>;

/** A job's place among those that were approved with it. */
export const jobQueueSchema = queueLimitsSchema.extend({
  /** The same for all of them, and for none else. */
  id: jobIdSchema,
  name: jobNameSchema,
  /** From 1 on. */
  place: z.number().int(),
  of: z.number().int(),
  /** What it was given that others were not, for people: `lr=0.001, steps=20`. */
  label: z.string(),
});
export type JobQueue = z.infer<typeof jobQueueSchema>;
