/** The store over SQL. Runs in the worker thread, or in the caller's where a test or the chaos run wants that. */
import { costOver, HitchError, type ClusterId } from '@hitch/contract';
import { ALL_KINDS, type EventRecord, type Kinds } from '../ledger/records.ts';
import type { Change, Snapshot, StoreTrouble } from '../ledger/store.ts';
import type { NewDatabase, OpenDatabase } from './dialect.ts';
import { migrate } from './migrations.ts';
import { readAll } from './read-all.ts';
import { readEvents } from './rows.ts';
import type { KindTables } from './schema.ts';
import { forget, writeRows } from './write-rows.ts';

export class SqlStore {
  readonly #database: OpenDatabase;
  readonly #kinds: Kinds;
  #epoch: number | null = null;

  constructor(database: OpenDatabase, kinds: Kinds = ALL_KINDS) {
    this.#database = database;
    this.#kinds = kinds;
  }

  async load(nowMs: number): Promise<Snapshot> {
    try {
      const { db, dialect } = this.#database;
      await migrate(this.#database, this.#kinds);
      const lease = await this.#takeLease(nowMs);
      this.#epoch = lease.leaseEpoch;
      const rows = await db
        .transaction()
        .execute(transaction => readAll(transaction, { dialect, kinds: this.#kinds, nowMs }));
      return { ...rows, ...lease };
    } catch (error) {
      throw this.error(error);
    } finally {
      // Reading writes too: what cannot be read is moved.
      this.#database.written();
    }
  }

  /** A disk that is full is no reason not to know what runs: whoever holds the file's lock may read it. */
  async #takeLease(nowMs: number): Promise<Pick<Snapshot, 'leaseEpoch' | 'isLeaseTaken'>> {
    const { db, dialect } = this.#database;
    try {
      return await db.transaction().execute(async transaction => {
        const leaseEpoch = (await dialect.lock(transaction)) + 1;
        await transaction.updateTable('lease').set({ epoch: leaseEpoch }).execute();
        for (const { name, expires } of this.#kinds) {
          if (expires !== null) {
            const old = transaction
              .$extendTables<KindTables>()
              .deleteFrom(name)
              .where(expires.column, '<', BigInt(Math.floor(nowMs)));
            await (expires.unless === null ? old : old.where(expires.unless, 'is', null)).execute();
          }
        }
        return { leaseEpoch, isLeaseTaken: true };
      });
    } catch (error) {
      if (this.error(error).code !== 'STORAGE_FULL') {
        throw error;
      }
      const leaseEpoch = await db.transaction().execute(transaction => dialect.lock(transaction));
      return { leaseEpoch, isLeaseTaken: false };
    }
  }

  /** Writes all of it in one transaction, durable when it resolves. @throws HitchError; nothing of it is then stored. */
  async commit(change: Change): Promise<void> {
    const lost = this.#database.lost();
    if (lost !== null) {
      throw lost;
    }
    const { db, dialect, path } = this.#database;
    try {
      await db.transaction().execute(async transaction => {
        if ((await dialect.lock(transaction)) !== this.#epoch) {
          throw new HitchError('CONFLICT', `Another Hitch daemon took ${path} over.`, {
            next: 'This one must end; the other goes on with the clusters.',
          });
        }
        await writeRows(transaction, { dialect, kinds: this.#kinds }, change);
        if (change.forget !== undefined && change.forget.length > 0) {
          await forget(transaction, this.#kinds, change.forget);
        }
      });
    } catch (error) {
      throw this.error(error);
    } finally {
      this.#database.written();
    }
  }

  async eventsOf(clusterId: ClusterId, afterSeq: number, limit: number): Promise<readonly EventRecord[]> {
    const rows = await this.#database.db
      .selectFrom('events')
      .selectAll()
      .where('cluster_id', '=', clusterId)
      .where('seq', '>', BigInt(afterSeq))
      .orderBy('seq')
      .limit(limit)
      .execute();
    return readEvents(rows);
  }

  async eventsAfter(afterPosition: number, limit: number): Promise<readonly EventRecord[]> {
    const rows = await this.#database.db
      .selectFrom('events')
      .selectAll()
      .where('position', '>', BigInt(afterPosition))
      .orderBy('position')
      .limit(limit)
      .execute();
    return readEvents(rows);
  }

  async forgottenCost(fromMs: number, toMs: number): Promise<bigint> {
    const rows = await this.#database.db
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

  trouble(): StoreTrouble | null {
    return this.#database.trouble();
  }

  async renew(rows: Change, stamp: string): Promise<string | null> {
    const fill = async (database: NewDatabase): Promise<void> => {
      const { db, dialect } = database;
      await migrate(database, this.#kinds);
      await db.transaction().execute(async transaction => {
        await writeRows(transaction, { dialect, kinds: this.#kinds }, rows);
        await transaction
          .updateTable('lease')
          .set({ epoch: BigInt(this.#epoch ?? 0) })
          .execute();
      });
    };
    try {
      return await this.#database.renew(stamp, fill);
    } catch (error) {
      throw this.error(error);
    }
  }

  error(error: unknown): HitchError {
    return this.#database.error(error);
  }

  close(): void {
    this.#database.close();
  }
}
