/**
 * Records to rows and back, as their kinds are declared. What is read from disk is parsed, never trusted: a row that an
 * older program wrote gets its kind's defaults for fields it does not have; one that cannot be understood is said.
 */
import { HitchError } from '@hitch/contract';
import type { Column, RecordKind, Value } from '../ledger/kind.ts';
import { events } from '../ledger/kinds/event.ts';
import type { EventRecord } from '../ledger/records.ts';
import { DAMAGED } from '../ledger/store.ts';

/** As it is written. */
export type Row = Record<string, Value>;
/** As it lies there: a damaged file may hold anything. */
export type StoredRow = Readonly<Record<string, unknown>>;

/** A record as JSON; money as a string of digits, so that no reader rounds it. */
export function encodeRecord(record: object): string {
  return JSON.stringify(record, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

export function toRow<R extends object>({ columns, content }: RecordKind<R>, record: R): Row {
  const row: Row = {};
  for (const [name, column] of Object.entries(columns)) {
    row[name] = column.of(record);
  }
  return content === 'record' ? { ...row, record: encodeRecord(record) } : row;
}

/** Names a row among those of its kind, whatever it holds. */
export const rowKey = ({ key }: RecordKind<object>, row: StoredRow): string =>
  key.map(name => String(row[name])).join('/');

/** @throws HitchError INTERNAL that names the row and what is wrong with it. */
export function fromRow<R extends object>(kind: RecordKind<R>, row: StoredRow): R {
  const key = rowKey(kind, row);
  const content = kind.content === 'record' ? parsed(kind.name, key, row) : fields(kind.columns, row);
  const read = kind.schema.safeParse(content);
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
    throw unreadable(`The store's row ${key} in ${kind.name} cannot be read${where}.`, read.error);
  }
  return read.data;
}

function parsed(table: string, key: string, row: StoredRow): unknown {
  try {
    return JSON.parse(String(row['record']));
  } catch (error) {
    throw unreadable(`The store's row ${key} in ${table} is not JSON.`, error);
  }
}

function fields<R>(columns: Readonly<Record<string, Column<R>>>, row: StoredRow): StoredRow {
  return Object.fromEntries(
    Object.entries(columns).map(([name, { field, type }]) => {
      const value = row[name];
      return [field ?? name, type === 'integer' && value !== null ? Number(value) : value];
    }),
  );
}

const unreadable = (sentence: string, cause: unknown): HitchError =>
  new HitchError('INTERNAL', sentence, {
    field: DAMAGED,
    next: 'Nothing was changed. Update Hitch, or restore the store from a backup.',
    cause,
  });

/** What cannot be understood of an event is left out, its place in the cluster's story is not: a line there says so. */
export function readEvents(rows: readonly StoredRow[]): EventRecord[] {
  return rows.flatMap(row => {
    try {
      return [fromRow(events, row)];
    } catch {
      return unreadableEvent(row);
    }
  });
}

/** Nothing where not even its cluster and its number can be understood: it has no place. */
function unreadableEvent(row: StoredRow): EventRecord[] {
  const position = Number(row['position']);
  const event = events.schema.safeParse({
    position,
    clusterId: row['cluster_id'],
    seq: Number(row['seq']),
    atMs: 0,
    kind: 'warning',
    nodeId: null,
    attemptId: null,
    value: 'unreadable',
    message: `What happened here cannot be read. It is kept in the store (events, ${position.toString()}).`,
  });
  return event.success ? [event.data] : [];
}
