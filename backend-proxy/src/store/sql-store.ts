/** The store over Kysely. Runs in the worker thread, or in the caller's where a test or the chaos run wants that. */
import type { DatabaseSync } from 'node:sqlite';
import { costOver, HitchError, type ClusterId } from '@hitch/contract';
import { Kysely } from 'kysely';
import type { EventRecord } from '../ledger/records.ts';
import type { Change, Snapshot, StoreTrouble } from '../ledger/store.ts';
import { FileWatch } from './file-watch.ts';
import { migrate } from './migrations.ts';
import { readAll } from './read-all.ts';
import { readEvents } from './rows.ts';
import { renewFile } from './renew.ts';
import type { Tables } from './schema.ts';
import { damaged, isSoundDatabase, openDatabase, sqliteDialect, sqliteError } from './sqlite.ts';
import { forget, writeRows } from './write-rows.ts';

export class SqlStore {
  readonly #path: string;
  #database: DatabaseSync;
  readonly #ownsDatabase: boolean;
  #db: Kysely<Tables>;
  /** Null: there is no file. */
  #watch: FileWatch | null;
  #epoch: number | null = null;

  /** @throws HitchError as {@link openDatabase} does. */
  constructor(path: string, database?: DatabaseSync) {
    this.#path = path;
    this.#database = database ?? openDatabase(path);
    this.#ownsDatabase = database === undefined;
    this.#db = new Kysely<Tables>({ dialect: sqliteDialect(this.#database) });
    this.#watch = this.#ownsDatabase && path !== ':memory:' ? new FileWatch(path) : null;
  }

  async load(nowMs: number): Promise<Snapshot> {
    try {
      await migrate(this.#db, this.#path);
      const lease = await this.#takeLease(nowMs);
      this.#epoch = lease.leaseEpoch;
      const rows = await this.#db.transaction().execute(db => readAll(db, nowMs));
      return { ...rows, ...lease };
    } catch (error) {
      throw sqliteError(error, this.#path);
    } finally {
      // Reading writes too: what cannot be read is moved.
      this.#watch?.mark();
    }
  }

  /** A disk that is full is no reason not to know what runs: whoever holds the file's lock may read it. */
  async #takeLease(nowMs: number): Promise<Pick<Snapshot, 'leaseEpoch' | 'isLeaseTaken'>> {
    try {
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
        return { leaseEpoch: Number(lease.epoch), isLeaseTaken: true };
      });
    } catch (error) {
      if (sqliteError(error, this.#path).code !== 'STORAGE_FULL') {
        throw error;
      }
      const lease = await this.#db.selectFrom('lease').select('epoch').executeTakeFirstOrThrow();
      return { leaseEpoch: Number(lease.epoch), isLeaseTaken: false };
    }
  }

  /**
   * Writes all `changes` in one transaction. When one of them cannot be written, each is tried alone, so that it
   * takes no other with it. @returns null for a change that is durable, its error for one of which nothing is stored.
   */
  async commit(changes: readonly Change[]): Promise<readonly (HitchError | null)[]> {
    const trouble = this.#watch?.trouble() ?? null;
    if (trouble !== null) {
      return changes.map(() => damaged(this.#path, `it ${trouble.why}`));
    }
    try {
      await this.#write(changes);
      return changes.map(() => null);
    } catch (error) {
      if (changes.length === 1) {
        return [sqliteError(error, this.#path)];
      }
    } finally {
      this.#watch?.mark();
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
    return readEvents(rows);
  }

  async eventsAfter(afterPosition: number, limit: number): Promise<readonly EventRecord[]> {
    const rows = await this.#db
      .selectFrom('events')
      .selectAll()
      .where('position', '>', BigInt(afterPosition))
      .orderBy('position')
      .limit(limit)
      .execute();
    return readEvents(rows);
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

  trouble(): StoreTrouble | null {
    const trouble = this.#watch?.trouble() ?? null;
    if (trouble?.onlyTouched !== true || !isSoundDatabase(this.#database)) {
      return trouble === null ? null : { why: trouble.why, isSound: false };
    }
    this.#watch?.mark();
    return { why: trouble.why, isSound: true };
  }

  async renew(rows: Change, stamp: string): Promise<string | null> {
    try {
      const { database, keptAs } = await renewFile(this.#database, this.#path, rows, {
        stamp,
        epoch: this.#epoch ?? 0,
      });
      this.#database = database;
      this.#db = new Kysely<Tables>({ dialect: sqliteDialect(database) });
      this.#watch?.close();
      this.#watch = new FileWatch(this.#path);
      return keptAs;
    } catch (error) {
      throw sqliteError(error, this.#path);
    }
  }

  close(): void {
    if (this.#ownsDatabase && this.#database.isOpen) {
      this.#database.close();
      this.#watch?.close();
    }
  }
}
