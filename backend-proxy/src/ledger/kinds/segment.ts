/** A segment: a part of what an attempt costs. */
import {
  type AttemptId,
  type ClusterId,
  type MicroUsd,
  type NodeId,
  attemptIdSchema,
  clusterIdSchema,
  nodeIdSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { amount, clusterKind, integer, text } from '../kind.ts';
import { type AttemptRecord, attempts } from './attempt.ts';
import { milliseconds } from './stored.ts';

/**
 * A stretch of time at one price (`rate`), an amount paid at once on top of it (`once`), or the least that the attempt's
 * hours cost, which count towards it (`floor`). Cost is a pure function of these.
 */
export interface SegmentRecord {
  readonly attemptId: AttemptId;
  readonly nodeId: NodeId;
  readonly clusterId: ClusterId;
  /** 0, 1, 2… inside its attempt. */
  readonly index: number;
  readonly kind: 'rate' | 'once' | 'floor';
  /** Micro-USD an hour for `rate`, else micro-USD. */
  readonly amountMicroUsd: MicroUsd;
  readonly label: string;
  readonly startMs: number;
  /** Null while it runs. Equal to `startMs` but for `rate`. */
  readonly endMs: number | null;
}

const segmentRecordSchema = z.object({
  attemptId: attemptIdSchema,
  nodeId: nodeIdSchema,
  clusterId: clusterIdSchema,
  index: z.number().int(),
  kind: z.enum(['rate', 'once', 'floor']),
  amountMicroUsd: z.bigint(),
  label: z.string(),
  startMs: milliseconds,
  endMs: milliseconds.nullable(),
}) satisfies z.ZodType<SegmentRecord>;

/** Its columns are all there is of it, as costs are added up from them. */
export const segments = clusterKind<SegmentRecord>({
  name: 'segments',
  schema: segmentRecordSchema,
  key: ['attempt_id', 'index'],
  content: 'columns',
  columns: {
    attempt_id: text('attemptId'),
    index: integer('index'),
    node_id: text('nodeId'),
    cluster_id: text('clusterId', { isIndexed: true }),
    kind: text('kind'),
    amount_micro_usd: amount('amountMicroUsd'),
    label: text('label'),
    start_ms: integer('startMs'),
    end_ms: integer('endMs', { isNullable: true }),
  },
  parent: {
    kind: attempts,
    keyOf: ({ attemptId }) => attemptId,
    column: 'attempt_id',
    agrees: ({ clusterId }, attempt: AttemptRecord) => attempt.clusterId === clusterId,
  },
  orphaned: 'Its purchase’s row is not there.',
  goesWith: 'cluster_id',
});
