/** The SQLite file: opened exclusively (that lock is what makes one daemon), checked, and given to Kysely. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { HitchError } from '@hitch/contract';
import { SqliteDialect, type SqliteDatabase } from 'kysely';
import { storageError } from '../platform/atomic-file.ts';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const SQLITE = { PERM: 3, BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 };

function resultCode(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : null;
}

function damaged(path: string, detail: string, cause?: unknown): HitchError {
  return new HitchError('INTERNAL', `The store ${path} is damaged: ${detail}. Nothing in it was changed.`, {
    next: 'Keep a copy of the file, check your networks for machines named hitch-…, then restore it from a backup or move it away.',
    cause,
  });
}

/** Turns a failure of SQLite into the sentence a person can act on; a HitchError passes through. */
export function sqliteError(error: unknown, path: string): HitchError {
  if (error instanceof HitchError) {
    return error;
  }
  const detail = error instanceof Error ? error.message : String(error);
  const full = (why: string) =>
    new HitchError('STORAGE_FULL', `Cannot write ${path}: ${why}.`, {
      next: 'Free some space or point HITCH_HOME at a folder you can write.',
      cause: error,
    });
  switch (resultCode(error)) {
    case SQLITE.BUSY:
      return new HitchError('CONFLICT', `Another Hitch daemon holds ${path}.`, { cause: error });
    case SQLITE.FULL:
      return full('the disk is full');
    case SQLITE.READONLY:
    case SQLITE.PERM:
      return full('the file is read-only');
    case SQLITE.CANTOPEN:
      return full('the file cannot be opened or created');
    case SQLITE.IOERR:
      return full(`the disk answered an error (${detail})`);
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return damaged(path, detail, error);
    default: {
      const storage = storageError(error, path);
      return storage instanceof HitchError
        ? storage
        : new HitchError('INTERNAL', `The store ${path} failed: ${detail}.`, { cause: error });
    }
  }
}

/**
 * Opens `path` (`:memory:` for none) with write-ahead log and full synchronisation, holding its lock until closed.
 * @throws HitchError CONFLICT when another process holds it; STORAGE_FULL when it cannot be written; INTERNAL
 * with a sentence when it is damaged.
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      refuseEmptied(path);
    }
    database = new DatabaseSync(path);
    database.exec(
      'pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 0;',
    );
    // The lock is taken by the first write, not by opening.
    database.exec('begin exclusive; commit');
    const check = database.prepare('pragma quick_check(1)').get();
    if (check?.['quick_check'] !== 'ok') {
      throw damaged(path, String(check?.['quick_check']));
    }
    return database;
  } catch (error) {
    database?.close();
    throw sqliteError(error, path);
  }
}

/** SQLite takes a file of no bytes for a new database; when a log lies beside it, it was one that lost its content. */
function refuseEmptied(path: string): void {
  const wal = `${path}-wal`;
  if (existsSync(path) && statSync(path).size === 0 && existsSync(wal) && statSync(wal).size > 0) {
    throw damaged(path, 'it is empty although its log is not');
  }
}

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

/** Kysely over `node:sqlite`. Statements are kept by their text; integers come back as bigint. */
export function sqliteDialect(database: DatabaseSync): SqliteDialect {
  const kept = new Map<string, ReturnType<DatabaseSync['prepare']>>();
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
  const adapted: SqliteDatabase = {
    close: () => undefined,
    prepare: text => ({
      // `all` runs any statement and answers no rows for those that have none.
      reader: true,
      all: parameters => prepare(text).all(...parameters.map(inputValue)),
      run: parameters => prepare(text).run(...parameters.map(inputValue)),
      iterate: parameters => prepare(text).iterate(...parameters.map(inputValue)),
    }),
  };
  return new SqliteDialect({ database: adapted });
}
