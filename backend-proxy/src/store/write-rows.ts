/** Changes as statements. */
import { type ClusterId, costOver } from '@hitch/contract';
import type { Transaction } from 'kysely';
import type { RecordKind } from '../ledger/kind.ts';
import { events } from '../ledger/kinds/event.ts';
import { type Kinds, rowsOf } from '../ledger/records.ts';
import type { Change } from '../ledger/store.ts';
import { ROWS_AT_ONCE, type SqlDialect } from './dialect.ts';
import { type Row, toRow } from './rows.ts';
import type { KindTables, Tables } from './schema.ts';

type Write = (rows: readonly Row[]) => Promise<unknown>;

/** Writes rows a statement's worth at a time. */
async function inChunks<R extends object>(
  kind: RecordKind<R>,
  records: readonly R[],
  write: Write,
): Promise<void> {
  for (let at = 0; at < records.length; at += ROWS_AT_ONCE) {
    await write(records.slice(at, at + ROWS_AT_ONCE).map(record => toRow(kind, record)));
  }
}

export async function writeRows(
  db: Transaction<Tables>,
  { dialect, kinds }: { readonly dialect: SqlDialect; readonly kinds: Kinds },
  change: Change,
): Promise<void> {
  const upsertInto =
    (table: string): Write =>
    rows =>
      dialect.upsert(db, table, rows);
  for (const kind of kinds) {
    await inChunks(kind, rowsOf(kind, change), upsertInto(kind.name));
  }
  const insert: Write = rows => db.$extendTables<KindTables>().insertInto(events.name).values(rows).execute();
  await inChunks(events, change.events ?? [], change.again === true ? upsertInto(events.name) : insert);
}

/** Removes the clusters' rows. Their segments move to where only their cost is kept; their events stay. */
export async function forget(
  db: Transaction<Tables>,
  kinds: Kinds,
  ids: readonly ClusterId[],
): Promise<void> {
  await db
    .insertInto('forgotten_segments')
    .columns(['kind', 'amount_micro_usd', 'start_ms', 'end_ms'])
    .expression(
      db
        .selectFrom('segments')
        .select(['kind', 'amount_micro_usd', 'start_ms'])
        .select(eb => eb.fn.coalesce('end_ms', 'start_ms').as('end_ms'))
        .where('kind', '<>', 'floor')
        .where('cluster_id', 'in', ids),
    )
    .execute();
  await forgetFloors(db, ids);
  for (const { name, goesWith } of kinds) {
    if (goesWith !== null) {
      await db.$extendTables<KindTables>().deleteFrom(name).where(goesWith, 'in', ids).execute();
    }
  }
}

/** What a floor came to beyond its attempt's hours is one amount from here on: no attempt is known any more. */
async function forgetFloors(db: Transaction<Tables>, ids: readonly ClusterId[]): Promise<void> {
  const floors = await db
    .selectFrom('segments')
    .select(['attempt_id', eb => eb.fn.sum<bigint>('amount_micro_usd').as('amount')])
    .select(eb => eb.fn.min<bigint>('start_ms').as('start_ms'))
    .where('kind', '=', 'floor')
    .where('cluster_id', 'in', ids)
    .groupBy('attempt_id')
    .execute();
  for (const { attempt_id, amount, start_ms } of floors) {
    const rates = await db
      .selectFrom('segments')
      .select(['amount_micro_usd', 'start_ms', 'end_ms'])
      .where('attempt_id', '=', attempt_id)
      .where('kind', '=', 'rate')
      .execute();
    const hours = rates.reduce(
      (sum, rate) =>
        sum + costOver(rate.amount_micro_usd, Number((rate.end_ms ?? rate.start_ms) - rate.start_ms)),
      0n,
    );
    if (amount > hours) {
      const left = { kind: 'once', amount_micro_usd: amount - hours, start_ms, end_ms: start_ms };
      await db.insertInto('forgotten_segments').values(left).execute();
    }
  }
}
