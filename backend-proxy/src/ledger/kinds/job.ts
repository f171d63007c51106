/**
 * A job: written before its machine is asked, so that a lost answer starts none twice and none is forgotten. It stays when
 * its cluster has ended, and goes when that is taken off the list for good.
 */
import {
  type AttemptId,
  attemptIdSchema,
  type ClusterId,
  clusterIdSchema,
  type JobId,
  type JobRun,
  type JobSpec,
  type JobState,
  jobIdSchema,
  jobNameSchema,
  jobRunSchema,
  jobSpecSchema,
  jobStateSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { keptKind, text } from '../kind.ts';
import { milliseconds } from './stored.ts';

export interface JobRecord {
  readonly id: JobId;
  readonly name: string;
  readonly clusterId: ClusterId;
  /** As the cluster was called then. */
  readonly clusterName: string;
  /** The purchase whose machine runs it: a cluster that is started again has another. */
  readonly attemptId: AttemptId;
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
  readonly heardAtMs: number | null;
  /** Nothing more of its logs is to be fetched. */
  readonly logDone: boolean;
}

const jobRecordSchema = z.object({
  id: jobIdSchema,
  name: jobNameSchema,
  clusterId: clusterIdSchema,
  clusterName: z.string(),
  attemptId: attemptIdSchema,
  environmentId: z.string().nullable().default(null),
  createdAtMs: milliseconds,
  spec: jobSpecSchema,
  owes: z.enum(['start', 'stop']).nullable(),
  state: jobStateSchema,
  message: z.string(),
  runs: z.array(jobRunSchema),
  heardAtMs: milliseconds.nullable(),
  logDone: z.boolean(),
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
