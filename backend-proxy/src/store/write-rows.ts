/** Changes as statements. */
import { type ClusterId, costOver } from '@hitch/contract';
import type { Insertable, Transaction } from 'kysely';
import type { SegmentRecord } from '../ledger/records.ts';
import type { Change } from '../ledger/store.ts';
import { encodeRecord } from './rows.ts';
import type { SegmentTable, Tables } from './schema.ts';

/** Rows in one INSERT; SQLite takes 32,766 parameters a statement. */
const ROWS_PER_INSERT = 200;

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += ROWS_PER_INSERT) {
    yield items.slice(at, at + ROWS_PER_INSERT);
  }
}

/** The last version of each row, by its key: within one transaction only that one is ever seen. */
function latest<T>(
  changes: readonly Change[],
  rows: (change: Change) => readonly T[] | undefined,
  key: (row: T) => string,
): T[] {
  const byKey = new Map<string, T>();
  for (const row of changes.flatMap(change => rows(change) ?? [])) {
    byKey.set(key(row), row);
  }
  return [...byKey.values()];
}

function segmentRow(segment: SegmentRecord): Insertable<SegmentTable> {
  return {
    attempt_id: segment.attemptId,
    index: segment.index,
    node_id: segment.nodeId,
    cluster_id: segment.clusterId,
    kind: segment.kind,
    amount_micro_usd: segment.amountMicroUsd,
    label: segment.label,
    start_ms: segment.startMs,
    end_ms: segment.endMs,
  };
}

export async function writeRows(db: Transaction<Tables>, changes: readonly Change[]): Promise<void> {
  const byId = (row: { id: string }) => row.id;
  for (const some of chunks(
    latest(changes, change => change.clusters, byId).map(cluster => ({
      id: cluster.id,
      owner: cluster.owner,
      project: cluster.project,
      lease_epoch: cluster.leaseEpoch,
      name: cluster.name,
      phase: cluster.phase,
      record: encodeRecord(cluster),
    })),
  )) {
    await db.replaceInto('clusters').values(some).execute();
  }
  for (const some of chunks(
    latest(changes, change => change.nodes, byId).map(node => ({
      id: node.id,
      cluster_id: node.clusterId,
      phase: node.phase,
      record: encodeRecord(node),
    })),
  )) {
    await db.replaceInto('nodes').values(some).execute();
  }
  for (const some of chunks(
    latest(changes, change => change.attempts, byId).map(attempt => ({
      id: attempt.id,
      cluster_id: attempt.clusterId,
      ref: attempt.ref,
      state: attempt.state,
      record: encodeRecord(attempt),
    })),
  )) {
    await db.replaceInto('attempts').values(some).execute();
  }
  for (const some of chunks(
    latest(changes, change => change.quotes, byId).map(quote => ({
      id: quote.id,
      used_by: quote.usedBy,
      expires_at_ms: quote.quote.expiresAtMs,
      record: encodeRecord(quote),
    })),
  )) {
    await db.replaceInto('quotes').values(some).execute();
  }
  const segments = latest(
    changes,
    change => change.segments,
    segment => `${segment.attemptId}/${segment.index.toString()}`,
  );
  for (const some of chunks(segments.map(segmentRow))) {
    await db.replaceInto('segments').values(some).execute();
  }
  const events = changes.flatMap(change => change.events ?? []);
  const again = changes.some(change => change.again === true);
  for (const some of chunks(
    events.map(event => ({
      position: event.position,
      cluster_id: event.clusterId,
      seq: event.seq,
      at_ms: event.atMs,
      kind: event.kind,
      node_id: event.nodeId,
      attempt_id: event.attemptId,
      value: event.value,
      message: event.message,
    })),
  )) {
    await (again ? db.replaceInto('events') : db.insertInto('events')).values(some).execute();
  }
}

/** Removes the clusters' rows. Their segments move to where only their cost is kept; their events stay. */
export async function forget(db: Transaction<Tables>, ids: readonly ClusterId[]): Promise<void> {
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
  for (const table of ['segments', 'attempts', 'nodes'] as const) {
    await db.deleteFrom(table).where('cluster_id', 'in', ids).execute();
  }
  await db.deleteFrom('quotes').where('used_by', 'in', ids).execute();
  await db.deleteFrom('clusters').where('id', 'in', ids).execute();
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
