/** A new database in the place of one that was lost while it was open. */
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setAside } from './damage.ts';
import type { NewDatabase } from './dialect.ts';
import { APPLICATION_ID, isSoundDatabase, openDatabase } from './sqlite.ts';
import { kyselyOver, SQLITE } from './sqlite-dialect.ts';

/**
 * The new file is whole before anything of the old is moved, so that a full disk or a death in between loses nothing.
 * @throws what SQLite and the disk say; while the new file is being made `old` stays open.
 */
export async function renewFile(
  old: DatabaseSync,
  path: string,
  stamp: string,
  write: (database: NewDatabase) => Promise<void>,
): Promise<{ readonly database: DatabaseSync; readonly keptAs: string | null }> {
  const beside = `${path}.${process.pid.toString()}.renewed`;
  try {
    await writeBeside(old, beside, write);
    const keptAs = setAside(path, stamp);
    // Before there is another one: SQLite removes the log of what it closes by its name.
    closeLost(old);
    renameSync(beside, path);
    return { database: openDatabase(path), keptAs };
  } catch (error) {
    removeDatabase(beside);
    throw error;
  }
}

/** Everything that SQLite can still read goes along: events and old costs are in no memory. */
async function writeBeside(
  old: DatabaseSync,
  beside: string,
  write: (database: NewDatabase) => Promise<void>,
): Promise<void> {
  removeDatabase(beside);
  if (!copyWhole(old, beside)) {
    removeDatabase(beside);
  }
  const database = new DatabaseSync(beside);
  try {
    database.exec(`pragma application_id = ${APPLICATION_ID.toString()}; pragma synchronous = full`);
    await write({ db: kyselyOver(database), dialect: SQLITE, path: beside });
  } finally {
    database.close();
  }
  chmodSync(beside, 0o600);
}

/** A file that was removed is read as long as somebody holds it open; one that was written over is not. */
function copyWhole(old: DatabaseSync, beside: string): boolean {
  if (!isSoundDatabase(old)) {
    return false;
  }
  try {
    old.exec(`vacuum into '${beside.replaceAll("'", "''")}'`);
    return true;
  } catch {
    return false;
  }
}

/** Whatever SQLite says when it lets go of it is about a file that is lost. */
function closeLost(old: DatabaseSync): void {
  try {
    old.close();
  } catch {
    // As said.
  }
}

function removeDatabase(path: string): void {
  for (const end of ['', '-journal', '-wal', '-shm']) {
    if (existsSync(`${path}${end}`)) {
      rmSync(`${path}${end}`, { force: true });
    }
  }
}
