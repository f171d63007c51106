/**
 * Tables that are no kind's, and the columns of those of kinds that SQL adds up. All other columns stand in the kinds'
 * declarations ({@link file://./../ledger/records.ts}). Money and times are integers of 64 bits, read as `bigint` so
 * that nothing is rounded.
 */
import type { ColumnType, Generated } from 'kysely';

/** An integer of 64 bits: written as number or bigint, read as bigint. */
type Integer = ColumnType<bigint, number | bigint, number | bigint>;
type NullableInteger = ColumnType<bigint | null, number | bigint | null, number | bigint | null>;

interface SegmentTable {
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
interface ForgottenSegmentTable {
  id: Generated<bigint>;
  kind: string;
  amount_micro_usd: Integer;
  start_ms: Integer;
  end_ms: Integer;
}

interface EventTable {
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
interface SetAsideTable {
  id: Generated<bigint>;
  table_name: string;
  key: string;
  at_ms: Integer;
  why: string;
  row: string;
}

/** One row: who holds the store. */
interface LeaseTable {
  id: Integer;
  epoch: Integer;
}

export interface Tables {
  segments: SegmentTable;
  forgotten_segments: ForgottenSegmentTable;
  events: EventTable;
  lease: LeaseTable;
  set_aside: SetAsideTable;
}

/** Tables of kinds, whose names and columns stand in their declarations. */
export type KindTables = Record<string, Record<string, string | number | bigint | null>>;
