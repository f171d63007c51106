/** The store over Kysely. Runs in the worker thread, or in the caller's where a test or the chaos run wants that. */
import type { DatabaseSync } from 'node:sqlite';
import { costOver, HitchError, type ClusterId } from '@hitch/contract';
import { Kysely, type Insertable, type Transaction } from 'kysely';
import type { EventRecord, SegmentRecord } from '../clusters/records.ts';
import { migrate } from './migrations.ts';
import {
  attemptRecordSchema,
  clusterRecordSchema,
  decodeRecord,
  encodeRecord,
  eventFromRow,
  nodeRecordSchema,
  quoteRecordSchema,
  segmentFromRow,
} from './rows.ts';
import type { SegmentTable, Tables } from './schema.ts';
import { openDatabase, sqliteDialect, sqliteError } from './sqlite.ts';
import type { Change, Snapshot } from './store.ts';

/** Rows in one INSERT; SQLite takes 32,766 parameters a statement. */
const ROWS_PER_INSERT = 200;

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += ROWS_PER_INSERT) {
    yield items.slice(at, at + ROWS_PER_INSERT);
  }
}

export class SqlStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #ownsDatabase: boolean;
  readonly #db: Kysely<Tables>;
  #epoch: number | null = null;

  /** @throws HitchError as {@link openDatabase} does. */
  constructor(path: string, database?: DatabaseSync) {
    this.#path = path;
    this.#database = database ?? openDatabase(path);
    this.#ownsDatabase = database === undefined;
    this.#db = new Kysely<Tables>({ dialect: sqliteDialect(this.#database) });
  }

  async load(nowMs: number): Promise<Snapshot> {
    try {
      await migrate(this.#db, this.#path);
      return await this.#db.transaction().execute(async db => {
        const lease = await db
          .updateTable('lease')
          .set(eb => ({ epoch: eb('epoch', '+', 1n) }))
          .returning('epoch')
          .executeTakeFirstOrThrow();
        await db
          .deleteFrom('quotes')
          .where('used_by', 'is', null)
          .where('expires_at_ms', '<', BigInt(Math.floor(nowMs)))
          .execute();
        const snapshot = await readAll(db, Number(lease.epoch));
        this.#epoch = snapshot.leaseEpoch;
        return snapshot;
      });
    } catch (error) {
      throw sqliteError(error, this.#path);
    }
  }

  /**
   * Writes all `changes` in one transaction. When one of them cannot be written, each is tried alone, so that it
   * takes no other with it. @returns null for a change that is durable, its error for one of which nothing is stored.
   */
  async commit(changes: readonly Change[]): Promise<readonly (HitchError | null)[]> {
    try {
      await this.#write(changes);
      return changes.map(() => null);
    } catch (error) {
      if (changes.length === 1) {
        return [sqliteError(error, this.#path)];
      }
    }
    const outcomes: (HitchError | null)[] = [];
    for (const change of changes) {
      outcomes.push(...(await this.commit([change])));
    }
    return outcomes;
  }

  async #write(changes: readonly Change[]): Promise<void> {
    await this.#db.transaction().execute(async db => {
      const lease = await db.selectFrom('lease').select('epoch').executeTakeFirstOrThrow();
      if (Number(lease.epoch) !== this.#epoch) {
        throw new HitchError('CONFLICT', `Another Hitch daemon took ${this.#path} over.`, {
          next: 'This one must end; the other goes on with the clusters.',
        });
      }
      let together: Change[] = [];
      for (const change of changes) {
        together.push(change);
        if (change.forget !== undefined && change.forget.length > 0) {
          await writeRows(db, together);
          await forget(db, change.forget);
          together = [];
        }
      }
      await writeRows(db, together);
    });
  }

  async eventsOf(clusterId: ClusterId, afterSeq: number, limit: number): Promise<readonly EventRecord[]> {
    const rows = await this.#db
      .selectFrom('events')
      .selectAll()
      .where('cluster_id', '=', clusterId)
      .where('seq', '>', BigInt(afterSeq))
      .orderBy('seq')
      .limit(limit)
      .execute();
    return rows.map(eventFromRow);
  }

  async eventsAfter(afterPosition: number, limit: number): Promise<readonly EventRecord[]> {
    const rows = await this.#db
      .selectFrom('events')
      .selectAll()
      .where('position', '>', BigInt(afterPosition))
      .orderBy('position')
      .limit(limit)
      .execute();
    return rows.map(eventFromRow);
  }

  async forgottenCost(fromMs: number, toMs: number): Promise<bigint> {
    const rows = await this.#db
      .selectFrom('forgotten_segments')
      .selectAll()
      .where('end_ms', '>=', BigInt(Math.floor(fromMs)))
      .where('start_ms', '<', BigInt(Math.ceil(toMs)))
      .execute();
    return rows.reduce((total, row) => {
      const [start, end] = [Number(row.start_ms), Number(row.end_ms)];
      if (row.kind === 'once') {
        return start >= fromMs && start < toMs ? total + row.amount_micro_usd : total;
      }
      return total + costOver(row.amount_micro_usd, Math.min(end, toMs) - Math.max(start, fromMs));
    }, 0n);
  }

  close(): void {
    if (this.#ownsDatabase && this.#database.isOpen) {
      this.#database.close();
    }
  }
}

async function readAll(db: Transaction<Tables>, leaseEpoch: number): Promise<Snapshot> {
  const clusters = await db.selectFrom('clusters').select(['id', 'record']).orderBy('id').execute();
  const nodes = await db.selectFrom('nodes').select(['id', 'record']).orderBy('id').execute();
  const attempts = await db.selectFrom('attempts').select(['id', 'record']).orderBy('id').execute();
  const segments = await db
    .selectFrom('segments')
    .selectAll()
    .orderBy('attempt_id')
    .orderBy('index')
    .execute();
  const quotes = await db.selectFrom('quotes').select(['id', 'record']).orderBy('id').execute();
  const last = await db
    .selectFrom('events')
    .select(eb => eb.fn.max('position').as('position'))
    .executeTakeFirst();
  return {
    clusters: clusters.map(row => decodeRecord(clusterRecordSchema, 'clusters', row.id, row.record)),
    nodes: nodes.map(row => decodeRecord(nodeRecordSchema, 'nodes', row.id, row.record)),
    attempts: attempts.map(row => decodeRecord(attemptRecordSchema, 'attempts', row.id, row.record)),
    segments: segments.map(segmentFromRow),
    quotes: quotes.map(row => decodeRecord(quoteRecordSchema, 'quotes', row.id, row.record)),
    // Over no rows `max` is null, which Kysely's type does not say.
    lastPosition: Number(last?.position ?? 0n),
    leaseEpoch,
  };
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

async function writeRows(db: Transaction<Tables>, changes: readonly Change[]): Promise<void> {
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
    await db.insertInto('events').values(some).execute();
  }
}

/** Removes the clusters' rows. Their segments move to where only their cost is kept; their events stay. */
async function forget(db: Transaction<Tables>, ids: readonly ClusterId[]): Promise<void> {
  await db
    .insertInto('forgotten_segments')
    .columns(['kind', 'amount_micro_usd', 'start_ms', 'end_ms'])
    .expression(
      db
        .selectFrom('segments')
        .select(['kind', 'amount_micro_usd', 'start_ms'])
        .select(eb => eb.fn.coalesce('end_ms', 'start_ms').as('end_ms'))
        .where('cluster_id', 'in', ids),
    )
    .execute();
  for (const table of ['segments', 'attempts', 'nodes'] as const) {
    await db.deleteFrom(table).where('cluster_id', 'in', ids).execute();
  }
  await db.deleteFrom('quotes').where('used_by', 'in', ids).execute();
  await db.deleteFrom('clusters').where('id', 'in', ids).execute();
}
