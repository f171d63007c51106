/**
 * The records the daemon keeps. They live in memory (one daemon owns the store), each change is committed to the
 * store before anything acts on it, and after a crash the next daemon goes on from exactly these rows. Each kind is
 * declared in a file of its own below `kinds/` and listed here; nothing else has to know of it.
 */
import type { RecordKind } from './kind.ts';
import { attempts } from './kinds/attempt.ts';
import { clusters } from './kinds/cluster.ts';
import { hostHistories } from './kinds/host-history.ts';
import { jobs } from './kinds/job.ts';
import { nodes } from './kinds/node.ts';
import { quotes } from './kinds/quote.ts';
import { refs } from './kinds/ref.ts';
import { segments } from './kinds/segment.ts';

export type { HostKeyProof, MachineAddress, MemberRecord, SshAddress } from './kinds/address.ts';
export type { AttemptRecord, MoreTime } from './kinds/attempt.ts';
export type { Terms } from './kinds/attempt-terms.ts';
export type { ClusterRecord, Desired, Order, StopCause } from './kinds/cluster.ts';
export type { EventRecord } from './kinds/event.ts';
export type { HostHistoryRecord } from './kinds/host-history.ts';
export type { JobRecord } from './kinds/job.ts';
export type { NodeRecord } from './kinds/node.ts';
export type { QuoteRecord } from './kinds/quote.ts';
export type { RefRecord } from './kinds/ref.ts';
export type { SegmentRecord } from './kinds/segment.ts';

/** Those that are read whole when the store is opened, parents first. */
export const KINDS = {
  clusters,
  quotes,
  nodes,
  attempts,
  segments,
  refs,
  host_histories: hostHistories,
  jobs,
};

type RecordOf<K> = K extends RecordKind<infer R> ? R : never;

/** Records by the name of their kind. */
export type RecordsByKind = {
  readonly [Name in keyof typeof KINDS]: readonly RecordOf<(typeof KINDS)[Name]>[];
};

/** Kinds in the order in which they are read: no row's parent comes after it. */
export type Kinds = readonly RecordKind<object>[];

export const ALL_KINDS: Kinds = Object.values(KINDS);

/** The rows of one kind in what holds rows by the names of their kinds. */
export function rowsOf<R extends object>(kind: RecordKind<R>, rows: object): readonly R[] {
  // Under a kind's name lie its own records and nothing else.
  return (rows as Readonly<Record<string, readonly R[] | undefined>>)[kind.name] ?? [];
}
