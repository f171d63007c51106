/** The SQLite file: opened exclusively (that lock is what makes one daemon), checked, and given to Kysely. */
import { chmodSync, existsSync, linkSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { threadId } from 'node:worker_threads';
import { HitchError } from '@hitch/contract';
import { DAMAGED } from '../ledger/store.ts';
import { storageError } from '@hitch/platform/src/atomic-file.ts';
import { SMALLEST_BYTES } from './file-watch.ts';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const SQLITE = { PERM: 3, BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 };

function resultCode(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : null;
}

export function damaged(path: string, detail: string, cause?: unknown): HitchError {
  return new HitchError('INTERNAL', `The store ${path} is damaged: ${detail}. Nothing in it was changed.`, {
    field: DAMAGED,
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
      createWhole(path);
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

/** `Htch`: says whose file it is (`pragma application_id`). */
export const APPLICATION_ID = 0x48746368;

/** Looks at every page as it lies on the disk, past what SQLite remembers. */
export function isSoundDatabase(database: DatabaseSync): boolean {
  try {
    database.exec('pragma shrink_memory');
    return database.prepare('pragma quick_check(1)').get()?.['quick_check'] === 'ok';
  } catch {
    return false;
  }
}

/** Makes the file elsewhere and links it into place, so that a file that is there and short has lost its content. */
function createWhole(path: string): void {
  if (existsSync(path)) {
    return;
  }
  const temporary = `${path}.${process.pid}.${threadId}.new`;
  rmSync(temporary, { force: true });
  const database = new DatabaseSync(temporary);
  database.exec(`pragma application_id = ${APPLICATION_ID}`);
  database.close();
  chmodSync(temporary, 0o600);
  try {
    linkSync(temporary, path);
  } catch (error) {
    // Another daemon made it first, or a file system without links, where the small chance of both is taken.
    if (!existsSync(path)) {
      renameSync(temporary, path);
    } else if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw error;
    }
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** SQLite would take such a file for a new database, and every record would be gone without a word. */
function refuseEmptied(path: string): void {
  if (statSync(path).size < SMALLEST_BYTES) {
    throw damaged(path, 'it has lost its content');
  }
}
