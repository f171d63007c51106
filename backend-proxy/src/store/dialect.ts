/**
 * What one kind of database does in its own way. The store's SQL is built with Kysely, which writes it for SQLite and
 * Postgres alike; what they do not share is asked for here, and no file but a dialect's own holds any of it.
 *
 * A second dialect gives the members of {@link SqlDialect}; an {@link OpenDatabase} that opens its connection, turns
 * its errors into sentences, and says what became of its data behind its back (nothing, where a server keeps it); and a
 * `Kysely` that reads integers of 64 bits as `bigint`. `first` in `migrations.ts` is then its schema too. It has to give
 * what is durable: a transaction that has ended survives the machine's next power failure.
 */
import type { HitchError } from '@hitch/contract';
import type { ColumnDefinitionBuilder, Kysely, RawBuilder, Transaction } from 'kysely';
import type { StoreTrouble } from '../ledger/store.ts';
import type { Row } from './rows.ts';
import type { Tables } from './schema.ts';

export interface SqlDialect {
  /** A column's type that holds whole numbers of 64 bits. */
  readonly integer: 'integer' | 'bigint';
  /** Makes a column one that the database counts by itself. */
  readonly counted: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  /**
   * Writes rows whole, at most {@link ROWS_AT_ONCE}. A row that is there and may not stand beside one of them, by its
   * key or by another constraint, gives way to it.
   */
  upsert(db: Transaction<Tables>, table: string, rows: readonly Row[]): Promise<void>;
  /** The schema's version; 0 in a database without tables. */
  version(db: Kysely<Tables>): Promise<number>;
  setVersion(db: Transaction<Tables>, version: number): Promise<void>;
  /** The lease's epoch, which nobody else can raise before the transaction has ended. */
  lock(db: Transaction<Tables>): Promise<number>;
  /** Names a row of any table as it lies there, whatever its columns hold, until the transaction ends. */
  readonly rowName: RawBuilder<unknown>;
}

/** Rows in one statement; SQLite takes 32,766 parameters in one, Postgres 65,535. */
export const ROWS_AT_ONCE = 200;

/** A database as far as it is written and read. */
export interface NewDatabase {
  readonly db: Kysely<Tables>;
  readonly dialect: SqlDialect;
  /** Names it in a sentence. */
  readonly path: string;
}

export interface OpenDatabase extends NewDatabase {
  /** The sentence that a person can act on; a HitchError passes through. */
  error(error: unknown): HitchError;
  /** Why nothing may be written any more: its data is not what was written. Null: it is. */
  lost(): HitchError | null;
  /** Ours was the last write. */
  written(): void;
  /** What has happened behind its back; null: nothing. */
  trouble(): StoreTrouble | null;
  /** As `Store.renew`; `write` makes the tables of the new one and fills them. */
  renew(stamp: string, write: (database: NewDatabase) => Promise<void>): Promise<string | null>;
  close(): void;
}
