/** An event: one transition, with a number inside its cluster. Events are only ever added, and are never all in memory. */
import {
  type AttemptId,
  type ClusterId,
  type NodeId,
  attemptIdSchema,
  clusterIdSchema,
  eventSchema,
  nodeIdSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { integer, keptKind, text } from '../kind.ts';
import { milliseconds } from './stored.ts';

export interface EventRecord {
  /** Counts over all clusters; the event cursor is made from it. */
  readonly position: number;
  readonly clusterId: ClusterId;
  readonly seq: number;
  readonly atMs: number;
  readonly kind: 'phase' | 'node' | 'attempt' | 'condition' | 'price' | 'warning' | 'saved' | 'removed';
  readonly nodeId: NodeId | null;
  readonly attemptId: AttemptId | null;
  readonly value: string;
  readonly message: string;
}

export const eventRecordSchema = z.object({
  position: z.number().int(),
  clusterId: clusterIdSchema,
  seq: z.number().int(),
  atMs: milliseconds,
  kind: eventSchema.shape.kind,
  nodeId: nodeIdSchema.nullable(),
  attemptId: attemptIdSchema.nullable(),
  value: z.string(),
  message: z.string(),
}) satisfies z.ZodType<EventRecord>;

export const events = keptKind<EventRecord>({
  name: 'events',
  schema: eventRecordSchema,
  key: ['position'],
  content: 'columns',
  columns: {
    position: integer('position'),
    cluster_id: text('clusterId'),
    seq: integer('seq'),
    at_ms: integer('atMs'),
    kind: text('kind'),
    node_id: text('nodeId', { isNullable: true }),
    attempt_id: text('attemptId', { isNullable: true }),
    value: text('value'),
    message: text('message'),
  },
});
