/** SQLite's own ways: how Kysely reaches `node:sqlite`, and what only SQLite says so. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { Kysely, sql, type SqliteDatabase, SqliteDialect } from 'kysely';
import type { SqlDialect } from './dialect.ts';
import type { KindTables, Tables } from './schema.ts';

export const SQLITE: SqlDialect = {
  // SQLite's own integers take 64 bits.
  integer: 'integer',
  // An integer that is the key counts by itself.
  counted: column => column.primaryKey(),
  upsert: async (db, table, rows) => {
    await db.$extendTables<KindTables>().replaceInto(table).values(rows).execute();
  },
  version: async db => {
    const { rows } = await sql<{ user_version: bigint }>`pragma user_version`.execute(db);
    return Number(rows[0]?.user_version ?? 0n);
  },
  setVersion: async (db, version) => {
    await sql.raw(`pragma user_version = ${version.toString()}`).execute(db);
  },
  // One connection writes, and the file's lock, which is held from opening to closing, keeps all others out.
  lock: async db => {
    const { epoch } = await db.selectFrom('lease').select('epoch').executeTakeFirstOrThrow();
    return Number(epoch);
  },
  rowName: sql`rowid`,
};

function inputValue(value: unknown): SQLInputValue {
  if (value === null || value === undefined) {
    return null;
  }
  if (
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    value instanceof Uint8Array
  ) {
    return value;
  }
  throw new TypeError(`SQLite has no place for a ${typeof value}`);
}

type Statement = ReturnType<DatabaseSync['prepare']>;
type Statements = Map<string, Statement>;

/** By their text. A database in memory outlives the stores that are opened on it, and is not asked to prepare anew for each. */
const statementsOf = new WeakMap<DatabaseSync, Statements>();

/** Kysely over `node:sqlite`. Statements are kept; integers come back as bigint. */
export function kyselyOver(database: DatabaseSync): Kysely<Tables> {
  const kept: Statements = statementsOf.get(database) ?? new Map<string, Statement>();
  statementsOf.set(database, kept);
  const prepare = (text: string) => {
    const found = kept.get(text);
    if (found !== undefined) {
      return found;
    }
    const statement = database.prepare(text);
    statement.setReadBigInts(true);
    // Multi-row inserts have as many texts as sizes; the map stays small all the same.
    if (kept.size < 500) {
      kept.set(text, statement);
    }
    return statement;
  };
  const run = (text: string, parameters: readonly unknown[]) => {
    try {
      return prepare(text).all(...parameters.map(inputValue));
    } catch (error) {
      // A full disk has rolled back by itself; saying so a second time would hide the reason.
      if (text === 'rollback') {
        return [];
      }
      throw error;
    }
  };
  const adapted: SqliteDatabase = {
    close: () => undefined,
    prepare: text => ({
      // `all` runs any statement and answers no rows for those that have none.
      reader: true,
      all: parameters => run(text, parameters),
      run: parameters => prepare(text).run(...parameters.map(inputValue)),
      iterate: parameters => prepare(text).iterate(...parameters.map(inputValue)),
    }),
  };
  return new Kysely({ dialect: new SqliteDialect({ database: adapted }) });
}
