/** An attempt: one purchase tried, with a mark of its own. */
import {
  type AttemptId,
  type AttemptState,
  type ClusterId,
  type MicroUsd,
  type NodeId,
  type Offer,
  type ProviderId,
  attemptIdSchema,
  attemptStateSchema,
  clusterIdSchema,
  nodeIdSchema,
  providerIdSchema,
} from '@hitch/contract';
import * as z from 'zod';
import { clusterKind, text } from '../kind.ts';
import { type NodeRecord, nodes } from './node.ts';
import { type MemberRecord, memberSchema } from './address.ts';
import { type HostSaid, hostSaidSchema } from './host-history.ts';
import { type Terms, termsSchema } from './attempt-terms.ts';
import { plainTerms } from '../terms.ts';
import { milliseconds, money, storedOffer } from './stored.ts';

/** More time that was bought for a machine that is sold by terms: an intent of its own, stored before it is paid. */
export interface MoreTime {
  /** When the machine would have ended without it. */
  readonly fromMs: number;
  readonly ms: number;
  readonly askedAtMs: number;
  /** `asked`: without an answer that says anything · `absent`: the network has not moved its end, and never will. */
  readonly state: 'asked' | 'bought' | 'refused' | 'absent';
  /** Looks since the visibility delay that found the end where it was. */
  readonly absentSightings: number;
}

export interface AttemptRecord {
  readonly id: AttemptId;
  /** The node that it was bought for; of several, the first. */
  readonly nodeId: NodeId;
  /** The machines of the one purchase, by their rank. What is shown and paid for them stands once, in this record. */
  readonly members: readonly MemberRecord[];
  readonly clusterId: ClusterId;
  readonly ref: string;
  /** By what its network's answers are known: its ref, or what the network makes of the whole order. */
  readonly mark: string;
  /** What its machine shows that its host key is its own, 32 random bytes in hex; of no use afterwards. Null: none was sent. */
  readonly proof: string | null;
  readonly provider: ProviderId;
  /** The offer as it was quoted, at the price of its terms; of several machines in one purchase, what all of them cost. */
  readonly offer: Offer;
  readonly terms: Terms;
  readonly state: AttemptState;
  /** Refused for a reason that passes (a rate limit): the same offer may be asked again, by another attempt. */
  readonly mayRetry: boolean;
  /**
   * Its machine was made elsewhere and taken over by a person: what it is labelled with there, which others may be labelled
   * with too, so that nothing is found by it. Null: it was bought by this purchase. `isSetUp`: Hitch works on
   * it as on what it bought; else it is counted and ended, no more.
   */
  readonly adopted: { readonly label: string | null; readonly isSetUp: boolean } | null;
  /** Refused for the login or the account: its network refuses every other offer as well. */
  readonly isOfAccount: boolean;
  /** Why its machine, which did not come up in time, was ended and another tried in its place, a sentence; null: it was not. */
  readonly notUp: string | null;
  readonly instanceId: string | null;
  /** The end time that its network was given last (ms since the epoch); null: none, or by an older Hitch. */
  readonly toldEndAtMs: number | null;
  /**
   * The key by which its machines let us in, where its network keeps keys by account: its name, which is the mark of the purchase
   * of its cluster that needed it first, and its id once it is there. Null: there is none, or none any more.
   */
  readonly accountKey: {
    readonly name: string;
    readonly id: string | null;
    readonly publicKey: string;
  } | null;
  /** When its network was last asked to let the cluster's key in to its machines, and did; null: not yet, or it takes no keys so. */
  readonly letInAtMs: number | null;
  /** Second machines of this purchase, by their ids: asked to end, not confirmed gone, what they cost not counted yet. */
  readonly seconds: readonly string[];
  /** Those of them that are gone and counted: a bill that names ids names them too. */
  readonly secondsOver: readonly string[];
  /** When the network itself ends it, as it said last; null: not that we know. */
  readonly endsAtMs: number | null;
  readonly moreTime: readonly MoreTime[];
  /** What is to cost an hour besides what its segments say, and does not cost yet: a lease to come, a GPU that boots. */
  readonly aheadPerHourMicroUsd: MicroUsd;
  /** What has left the account for it, as its network or its offer says; null: only what it costs. */
  readonly paidMicroUsd: MicroUsd | null;
  /** What of it stands in the history of its host; null: nothing. */
  readonly hostSaid: HostSaid | null;
  readonly message: string;
  readonly createdAtMs: number;
  /** Quarantine: the network's list cannot be trusted to miss the ref before this. */
  readonly visibleByMs: number | null;
  /** Times in a row that the network's list did not show it (or its get answered `gone`). */
  readonly absentSightings: number;
  readonly endedAtMs: number | null;
}

const attemptRow = z.object({
  id: attemptIdSchema,
  nodeId: nodeIdSchema,
  members: z.array(memberSchema),
  clusterId: clusterIdSchema,
  ref: z.string(),
  mark: z.string(),
  proof: z.string().nullable().default(null),
  provider: providerIdSchema,
  offer: storedOffer,
  terms: termsSchema.nullable().default(null),
  state: attemptStateSchema,
  mayRetry: z.boolean().default(false),
  adopted: z
    .object({ label: z.string().nullable(), isSetUp: z.boolean().default(false) })
    .nullable()
    .default(null),
  isOfAccount: z.boolean().default(false),
  notUp: z.string().nullable().default(null),
  instanceId: z.string().nullable().default(null),
  toldEndAtMs: milliseconds.nullable().default(null),
  accountKey: z
    .object({ name: z.string(), id: z.string().nullable(), publicKey: z.string() })
    .nullable()
    .default(null),
  letInAtMs: milliseconds.nullable().default(null),
  seconds: z.array(z.string()).default([]),
  secondsOver: z.array(z.string()).default([]),
  endsAtMs: milliseconds.nullable().default(null),
  moreTime: z
    .array(
      z.object({
        fromMs: milliseconds,
        ms: milliseconds,
        askedAtMs: milliseconds,
        state: z.enum(['asked', 'bought', 'refused', 'absent']),
        absentSightings: z.number().int(),
      }),
    )
    .default([]),
  aheadPerHourMicroUsd: money.default(0n),
  paidMicroUsd: money.nullable().default(null),
  hostSaid: hostSaidSchema.nullable().default(null),
  message: z.string().default(''),
  createdAtMs: milliseconds,
  visibleByMs: milliseconds.nullable().default(null),
  absentSightings: z.number().int().default(0),
  endedAtMs: milliseconds.nullable().default(null),
});

/** What an older program bought carries its ref as its mark, is one machine for its one node, and was sold as its offer is. */
const asOnceWritten = (row: object): object => ({
  ...('ref' in row ? { mark: row.ref } : {}),
  ...('nodeId' in row
    ? { members: [{ nodeId: row.nodeId, address: 'address' in row ? row.address : null }] }
    : {}),
  ...row,
});

const attemptRecordSchema = z
  .preprocess(row => (typeof row === 'object' && row !== null ? asOnceWritten(row) : row), attemptRow)
  .transform((row): AttemptRecord => ({
    ...row,
    terms: row.terms ?? plainTerms(row.offer),
  })) satisfies z.ZodType<AttemptRecord>;

const isOver = (state: unknown): boolean => state === 'gone' || state === 'refused';

export const attempts = clusterKind<AttemptRecord>({
  name: 'attempts',
  schema: attemptRecordSchema,
  key: ['id'],
  columns: {
    id: text('id'),
    cluster_id: text('clusterId', { isIndexed: true }),
    ref: text('ref'),
    state: text('state'),
  },
  parent: {
    kind: nodes,
    keyOf: ({ nodeId }) => nodeId,
    column: null,
    agrees: ({ clusterId }, node: NodeRecord) => node.clusterId === clusterId,
  },
  orphaned: 'Its node’s row, or a row of what it cost, is not there.',
  // What a purchase cost is not known without all of its segments: the purchase log has it looked at anew.
  standsWithout: ({ state }) => isOver(state),
  goesWith: 'cluster_id',
  mayBill: ({ ref, state }) => (isOver(state) || typeof ref !== 'string' ? null : ref),
});
