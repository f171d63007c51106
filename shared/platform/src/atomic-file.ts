/** Files that are either the old content or the new, never half of it. */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HitchError } from '@hitch/contract';

/**
 * Writes `path` atomically and durably with `mode` (0600 unless said), making its folder (0700) when missing.
 * @throws HitchError STORAGE_FULL with a sentence when the disk is full or the folder is read-only.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = temporaryFor(path);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(temporary, 'w', mode);
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let at = 0; at < bytes.length;) {
        at += writeSync(file, bytes, at);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw storageError(error, path);
  }
}

/**
 * Writes over a file where it stands: a small one needs no room that it does not have. Whoever reads it in that moment
 * may find half of it, so this is for what is looked at again. @throws `refusal`, which says why there is no room.
 */
export function writeInPlace(path: string, content: string, refusal: unknown): void {
  try {
    const file = openSync(path, 'r+');
    try {
      const bytes = Buffer.from(content);
      for (let at = 0; at < bytes.length;) {
        at += writeSync(file, bytes, at, bytes.length - at, at);
      }
      ftruncateSync(file, bytes.length);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch {
    throw refusal;
  }
}

/** The same, while others go on: on a busy disk such a write takes milliseconds. Not twice at once for one path. */
export async function writeFileAtomicAside(path: string, content: string, mode = 0o600): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw storageError(error, path);
  }
}

const temporaryFor = (path: string): string => `${path}.${process.pid.toString()}.tmp`;

const FULL = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'permission is denied'],
  ['EPERM', 'permission is denied'],
]);

/** Whether an operation failed for want of room. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

/** Turns a file-system error into a sentence where it is about room or rights; anything else passes through. */
export function storageError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const why = FULL.get(code);
  return why === undefined
    ? error
    : new HitchError('STORAGE_FULL', `Cannot write ${path}: ${why}.`, {
        next: 'Free some space or point HITCH_HOME at a folder you can write.',
        cause: error,
      });
}
