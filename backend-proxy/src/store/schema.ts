/**
 * The tables. Columns hold what is looked for or added up; `record` holds the whole row as JSON, parsed by
 * {@link file://./rows.ts}. Money and times are INTEGER (64 bits), read as `bigint` so that nothing is rounded.
 */
import type { ColumnType, Generated } from 'kysely';

/** SQLite's INTEGER: written as number or bigint, read as bigint. */
type Integer = ColumnType<bigint, number | bigint, number | bigint>;
type NullableInteger = ColumnType<bigint | null, number | bigint | null, number | bigint | null>;

export interface ClusterTable {
  id: string;
  owner: string;
  project: string;
  lease_epoch: Integer;
  name: string;
  phase: string;
  record: string;
}

export interface NodeTable {
  id: string;
  cluster_id: string;
  phase: string;
  record: string;
}

export interface AttemptTable {
  id: string;
  cluster_id: string;
  ref: string;
  state: string;
  record: string;
}

export interface SegmentTable {
  attempt_id: string;
  index: Integer;
  node_id: string;
  cluster_id: string;
  kind: string;
  amount_micro_usd: Integer;
  label: string;
  start_ms: Integer;
  end_ms: NullableInteger;
}

/** What forgotten clusters cost; kept so that monthly totals stay true. */
export interface ForgottenSegmentTable {
  id: Generated<bigint>;
  kind: string;
  amount_micro_usd: Integer;
  start_ms: Integer;
  end_ms: Integer;
}

export interface QuoteTable {
  id: string;
  used_by: string | null;
  expires_at_ms: Integer;
  record: string;
}

export interface EventTable {
  position: Integer;
  cluster_id: string;
  seq: Integer;
  at_ms: Integer;
  kind: string;
  node_id: string | null;
  attempt_id: string | null;
  value: string;
  message: string;
}

/** Rows that could not be understood, whole, as JSON; read by nobody but a person. */
export interface SetAsideTable {
  id: Generated<bigint>;
  table_name: string;
  key: string;
  at_ms: Integer;
  why: string;
  row: string;
}

/** One row: who holds the store. */
export interface LeaseTable {
  id: Integer;
  epoch: Integer;
}

export interface Tables {
  clusters: ClusterTable;
  nodes: NodeTable;
  attempts: AttemptTable;
  segments: SegmentTable;
  forgotten_segments: ForgottenSegmentTable;
  quotes: QuoteTable;
  events: EventTable;
  lease: LeaseTable;
  set_aside: SetAsideTable;
}
