/**
 * A job that rents the machine that it runs on: what one approval covers, and where such a job stands. `ARCHITECTURE.md`,
 * “Jobs that rent”, has the law.
 */
import * as z from 'zod';
import { bucketStandSchema } from './job-buckets.ts';
import { jobQueueSchema } from './job-queues.ts';
import { microUsdSchema } from './money.ts';

/** In the place of lost machines a job gets others so often at most. */
export const MOST_REPLACEMENTS = 20;
/** The longest that a job may wait for a machine to be offered. */
export const MOST_JOB_WAIT_MS = 7 * 24 * 3_600_000;
/** For another machine in the place of a lost one at least so long is waited, also where the job was not to wait at first. */
export const REPLACEMENT_WAIT_MS = 10 * 60_000;
/** For so long saving is tried where nobody says how long. */
export const USUAL_SAVE_WITHIN_MS = 30 * 60_000;

/** Nothing outside of these is bought for a job. */
export const jobLimitsSchema = z.object({
  /** All its machines together, saving included. */
  capMicroUsd: microUsdSchema,
  /** Of one machine. */
  maxNodePricePerHourMicroUsd: microUsdSchema,
  /** It rents for so long at most, from its first order on; null: until the money is used up. */
  lastsMs: z.number().int().min(60_000).nullable(),
  /** When that is over, ms since the epoch; null: nothing is ordered yet, or there is no such end. */
  stopAtMs: z.number().int().nullable(),
  /** It waits so long for a machine to be offered; 0: not at all. */
  waitMs: z.number().int().min(0).max(MOST_JOB_WAIT_MS),
  /** So many machines may take the place of lost ones. */
  replacements: z.number().int().min(0).max(MOST_REPLACEMENTS),
  /** After so long the machine is deleted with what is not saved; the spending limit may come before. */
  saveWithinMs: z.number().int().min(0),
});
export type JobLimits = z.infer<typeof jobLimitsSchema>;

/**
 * `waiting`: for a machine to be offered · `renting`: one is ordered · `sending`: the job's files go there · `running`: the
 * job itself, see its state · `lost`: the machine is gone, and that is being confirmed · `ending`: what it made is saved
 * and the machine deleted · `over`: nothing is left that costs.
 */
export const jobStageSchema = z.enum(['waiting', 'renting', 'sending', 'running', 'lost', 'ending', 'over']);
export type JobStage = z.infer<typeof jobStageSchema>;

/** A checkpoint that is complete on this computer. */
export const jobCheckpointSchema = z.object({
  /** The newest file or folder in it, as it is called on the machine. */
  name: z.string(),
  files: z.number().int(),
  bytes: z.number().int(),
  /** When the machine wrote it, and when it was here. */
  writtenAtMs: z.number(),
  keptAtMs: z.number(),
  /** Where it lies on this computer, absolute. */
  folder: z.string(),
});
export type JobCheckpoint = z.infer<typeof jobCheckpointSchema>;

export const jobTemplateSchema = z.object({ id: z.string(), digest: z.string() });

export const jobRentalSchema = z.object({
  stage: jobStageSchema,
  /** What it waits for, or what went wrong, a sentence; '' where the stage says it all. */
  message: z.string(),
  limits: jobLimitsSchema,
  /** Until when it waits for a machine now; null: it does not. */
  waitsUntilMs: z.number().nullable(),
  /** Machines that have taken the place of lost ones. */
  replaced: z.number().int(),
  /** The folder that checkpoints are kept from, in the work folder; null: none. */
  checkpointFolder: z.string().nullable(),
  /** The newest that is on this computer; null: none, what there is lies on the machine alone. */
  checkpoint: jobCheckpointSchema.nullable(),
  /** The template that it was made from, with the digest of the folder that ran; null: none. */
  template: jobTemplateSchema.nullable(),
  /** The bucket that its checkpoints go to; left out: none. */
  bucket: bucketStandSchema.optional(),
  /** Those that were approved with it; left out: it was approved alone. */
  queue: jobQueueSchema.optional(),
  /** Where what it made lies on this computer, absolute. */
  saved: z.array(z.string()),
  /** Machines that exist, or may. */
  machinesLeft: z.number().int(),
});
export type JobRental = z.infer<typeof jobRentalSchema>;
