/** A node: one place in a cluster. */
import {
  type AttemptId,
  type ClusterId,
  type NodeId,
  type NodePhase,
  type QuoteId,
  attemptIdSchema,
  clusterIdSchema,
  nodeIdSchema,
  nodePhaseSchema,
  quoteIdSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { clusterKind, text } from '../kind.ts';
import { clusters } from './cluster.ts';
import { milliseconds } from './stored.ts';

export interface NodeRecord {
  readonly id: NodeId;
  readonly clusterId: ClusterId;
  /** The yes that it is rented under; a cluster's present nodes are those of its present quote. */
  readonly quoteId: QuoteId;
  /** 0 is the head. */
  readonly index: number;
  readonly phase: NodePhase;
  readonly phaseSinceMs: number;
  /** When the present phase counts as failed. */
  readonly deadlineMs: number | null;
  readonly message: string;
  /** The attempt this node lives on, once one is owned. */
  readonly attemptId: AttemptId | null;
  /** Its agent has spoken: something of the person's may lie there. */
  readonly wasUp: boolean;
  /** Bearer of the agent on this node. */
  readonly agentToken: string;
}

const nodeRecordSchema = z.object({
  id: nodeIdSchema,
  clusterId: clusterIdSchema,
  quoteId: quoteIdSchema,
  index: z.number().int(),
  phase: nodePhaseSchema,
  phaseSinceMs: milliseconds,
  deadlineMs: milliseconds.nullable().default(null),
  message: z.string().default(''),
  attemptId: attemptIdSchema.nullable().default(null),
  // Better to wait for a machine that has nothing than not to wait for one that has.
  wasUp: z.boolean().default(true),
  agentToken: z.string(),
}) satisfies z.ZodType<NodeRecord>;

export const nodes = clusterKind<NodeRecord>({
  name: 'nodes',
  schema: nodeRecordSchema,
  key: ['id'],
  columns: { id: text('id'), cluster_id: text('clusterId', { isIndexed: true }), phase: text('phase') },
  parent: { kind: clusters, keyOf: ({ clusterId }) => clusterId, column: 'cluster_id', agrees: () => true },
  orphaned: 'Its cluster’s row is not there.',
  goesWith: 'cluster_id',
});
