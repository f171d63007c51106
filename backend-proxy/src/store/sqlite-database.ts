/** SQLite's file as the store knows it: watched, since SQLite would not notice what becomes of it, and renewed when lost. */
import type { DatabaseSync } from 'node:sqlite';
import type { HitchError } from '@hitch/contract';
import type { Kysely } from 'kysely';
import type { StoreTrouble } from '../ledger/store.ts';
import type { NewDatabase, OpenDatabase } from './dialect.ts';
import { FileWatch } from './file-watch.ts';
import { renewFile } from './renew.ts';
import type { Tables } from './schema.ts';
import { damaged, isSoundDatabase, openDatabase, sqliteError } from './sqlite.ts';
import { kyselyOver, SQLITE } from './sqlite-dialect.ts';

export class SqliteDatabase implements OpenDatabase {
  readonly path: string;
  readonly dialect = SQLITE;
  #database: DatabaseSync;
  readonly #isOurs: boolean;
  #db: Kysely<Tables>;
  /** Null: there is no file. */
  #watch: FileWatch | null;

  /**
   * @param database one that outlives this; left out: `path` is opened.
   * @throws HitchError as {@link openDatabase} does.
   */
  constructor(path: string, database?: DatabaseSync) {
    this.path = path;
    this.#database = database ?? openDatabase(path);
    this.#isOurs = database === undefined;
    this.#db = kyselyOver(this.#database);
    this.#watch = this.#isOurs && path !== ':memory:' ? new FileWatch(path) : null;
  }

  get db(): Kysely<Tables> {
    return this.#db;
  }

  error(error: unknown): HitchError {
    return sqliteError(error, this.path);
  }

  lost(): HitchError | null {
    const trouble = this.#watch?.trouble() ?? null;
    return trouble === null ? null : damaged(this.path, `it ${trouble.why}`);
  }

  written(): void {
    this.#watch?.mark();
  }

  trouble(): StoreTrouble | null {
    const trouble = this.#watch?.trouble() ?? null;
    if (trouble?.onlyTouched !== true || !isSoundDatabase(this.#database)) {
      return trouble === null ? null : { why: trouble.why, isSound: false };
    }
    this.#watch?.mark();
    return { why: trouble.why, isSound: true };
  }

  async renew(stamp: string, write: (database: NewDatabase) => Promise<void>): Promise<string | null> {
    const { database, keptAs } = await renewFile(this.#database, this.path, stamp, write);
    this.#database = database;
    this.#db = kyselyOver(database);
    this.#watch?.close();
    this.#watch = new FileWatch(this.path);
    return keptAs;
  }

  close(): void {
    if (this.#isOurs && this.#database.isOpen) {
      this.#database.close();
      this.#watch?.close();
    }
  }
}
