/**
 * A job: written before its machine is asked, so that a lost answer starts none twice and none is forgotten. It stays when
 * its cluster has ended, and goes when that is taken off the list for good.
 */
import {
  type AttemptId,
  attemptIdSchema,
  type BucketCheckpoint,
  bucketCheckpointSchema,
  type ClusterId,
  clusterIdSchema,
  type JobBucket,
  jobBucketSchema,
  type JobId,
  type JobRun,
  type JobCheckpoint,
  type JobQueue,
  type JobLimits,
  type JobSpec,
  type JobStage,
  type JobState,
  type QuoteId,
  type QuoteRequest,
  jobCheckpointSchema,
  jobLimitsSchema,
  jobQueueSchema,
  jobStageSchema,
  jobTemplateSchema,
  quoteIdSchema,
  quoteRequestSchema,
  jobIdSchema,
  jobNameSchema,
  microUsdSchema,
  jobRunSchema,
  jobSpecSchema,
  jobStateSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { keptKind, text } from '../kind.ts';
import { milliseconds } from './stored.ts';

/** A job that rents its own machine: what was approved, and how far it is. */
export interface JobRentalRecord {
  readonly stage: JobStage;
  readonly message: string;
  readonly approvedAtMs: number;
  /** What was shown for the first machine; null: nothing was offered, or it is used. */
  readonly quoteId: QuoteId | null;
  /** What is asked for, for each machine; its limits are those of `limits`. */
  readonly request: QuoteRequest;
  readonly limits: JobLimits;
  /** Until when it waits for a machine to be offered. */
  readonly waitsUntilMs: number | null;
  readonly replaced: number;
  /** A person stopped it. */
  readonly stopAsked: boolean;
  /** Where its files go in the work folder; null: it has none. */
  readonly target: string | null;
  readonly checkpointFolder: string | null;
  /** The newest that is here; null: none. */
  readonly checkpoint: JobCheckpoint | null;
  readonly template: { readonly id: string; readonly digest: string } | null;
  /** Those that were approved with it; null: it was approved alone. */
  readonly queue: JobQueueRecord | null;
  /** Where its checkpoints go beside this computer; null: nowhere. */
  readonly bucket: JobBucketRecord | null;
}

export interface JobBucketRecord extends JobBucket {
  /** The program that keeps them there, on the machine of the purchase that is named; null: none was begun. */
  readonly keeper: {
    readonly jobId: JobId;
    readonly attemptId: AttemptId;
    readonly signedUntilMs: number;
  } | null;
  /** The newest there, as far as it was looked at; null: none yet. */
  readonly checkpoint: BucketCheckpoint | null;
  readonly message: string;
}

export interface JobQueueRecord extends JobQueue {
  /** Each of them was approved with this spending limit; the last ones may get less of what is left of the budget. */
  readonly capMicroUsd: string;
}

export interface JobRecord {
  readonly id: JobId;
  readonly name: string;
  readonly clusterId: ClusterId;
  /** As the cluster was called then. */
  readonly clusterName: string;
  /** The purchase whose machine runs it: a cluster that is started again has another. Null: it rents, and has no machine yet. */
  readonly attemptId: AttemptId | null;
  /** The lock of its cluster's environment then; null: none, or begun by a Hitch that did not write it down. */
  readonly environmentId: string | null;
  readonly createdAtMs: number;
  readonly spec: JobSpec;
  /** What the machine is to know and has not confirmed: that it is there, that it is to end. */
  readonly owes: 'start' | 'stop' | null;
  readonly state: JobState;
  readonly message: string;
  /** As the machine said last; how far logs had grown is only as new as its last change of another kind. */
  readonly runs: readonly JobRun[];
  /** So many of them were on machines that were lost. */
  readonly runsBefore: number;
  readonly heardAtMs: number | null;
  /** Nothing more of its logs is to be fetched. */
  readonly logDone: boolean;
  /** Null: it runs on a cluster that a person rented. */
  readonly rental: JobRentalRecord | null;
}

const rentalRecordSchema = z.object({
  stage: jobStageSchema,
  message: z.string(),
  approvedAtMs: milliseconds,
  quoteId: quoteIdSchema.nullable(),
  request: quoteRequestSchema,
  limits: jobLimitsSchema,
  waitsUntilMs: milliseconds.nullable(),
  replaced: z.number().int(),
  stopAsked: z.boolean(),
  target: z.string().nullable(),
  checkpointFolder: z.string().nullable(),
  checkpoint: jobCheckpointSchema.nullable(),
  template: jobTemplateSchema.nullable(),
  bucket: jobBucketSchema
    .extend({
      keeper: z
        .object({ jobId: jobIdSchema, attemptId: attemptIdSchema, signedUntilMs: z.number() })
        .nullable(),
      checkpoint: bucketCheckpointSchema.nullable(),
      message: z.string(),
    })
    .nullable()
    .default(null),
  queue: jobQueueSchema.extend({ capMicroUsd: microUsdSchema }).nullable().default(null),
}) satisfies z.ZodType<JobRentalRecord>;

const jobRecordSchema = z.object({
  id: jobIdSchema,
  name: jobNameSchema,
  clusterId: clusterIdSchema,
  clusterName: z.string(),
  attemptId: attemptIdSchema.nullable(),
  environmentId: z.string().nullable().default(null),
  createdAtMs: milliseconds,
  spec: jobSpecSchema,
  owes: z.enum(['start', 'stop']).nullable(),
  state: jobStateSchema,
  message: z.string(),
  runs: z.array(jobRunSchema),
  runsBefore: z.number().int().default(0),
  heardAtMs: milliseconds.nullable(),
  logDone: z.boolean(),
  rental: rentalRecordSchema.nullable().default(null),
}) satisfies z.ZodType<JobRecord>;

export const jobs = keptKind<JobRecord>({
  name: 'jobs',
  since: 5,
  schema: jobRecordSchema,
  key: ['id'],
  columns: {
    id: text('id'),
    cluster_id: text('clusterId', { isIndexed: true }),
    state: text('state'),
  },
  goesWith: 'cluster_id',
});
