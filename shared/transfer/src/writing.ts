/** Bytes into files, and what a file that is not written yet is called. */
import { constants, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { chmod, open, type OpenedFile, readdir, rm, utimes } from './disk-now.ts';
import { codeOf, isFull, isMissing, timeOf } from './disk-calls.ts';
import { type Entry, isSameTime } from './entry.ts';
import { encodePath, partStem, plainPath } from './names.ts';

export const NO_LINK = constants.O_NOFOLLOW;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_LINK;
/** So many zeros that arrive in one piece become a hole; pieces from far away are small. */
const HOLE_BYTES = 4 * 1024;
const ZEROS = Buffer.alloc(64 * 1024);

export async function setMode(absolute: string, standing: Stats, entry: Entry): Promise<void> {
  const path = encodePath(absolute);
  if ((standing.mode & 0o777) !== entry.mode) {
    await chmod(path, entry.mode);
  }
  if (!isSameTime(timeOf(standing), entry.modifiedAtMs)) {
    await setTimes(path, entry.modifiedAtMs);
  }
}

export const setTimes = (path: string | Buffer, modifiedAtMs: number): Promise<void> =>
  utimes(path, modifiedAtMs / 1000, modifiedAtMs / 1000);

/** A part that a killed copy left is in nobody's way. */
export async function openNew(part: string): Promise<OpenedFile> {
  const path = encodePath(part);
  return open(path, NEW_FILE, 0o600).catch(async (error: unknown) => {
    if (codeOf(error) !== 'EEXIST') {
      throw error;
    }
    await rm(path, { force: true });
    return open(path, NEW_FILE, 0o600);
  });
}

/** @throws HitchError UNREACHABLE when it has gone since it was looked at: the file begins anew. */
export async function openAgain(part: string): Promise<OpenedFile> {
  return open(encodePath(part), constants.O_WRONLY | NO_LINK).catch((error: unknown) => {
    throw isMissing(error)
      ? new HitchError('UNREACHABLE', 'What has arrived of the file is gone.', { cause: error })
      : error;
  });
}

/** Whatever has arrived of any version of a file. */
export async function removeParts(absolute: string): Promise<void> {
  const folder = dirname(absolute);
  const stem = partStem(basename(absolute));
  for (const name of await readdir(encodePath(folder)).catch(() => [])) {
    if (name.startsWith(stem) && name.endsWith('.part')) {
      await rm(encodePath(join(folder, name)), { force: true }).catch(() => undefined);
    }
  }
}

export async function writeAll(file: OpenedFile, content: Buffer): Promise<void> {
  for (let at = 0; at < content.length;) {
    at += (await file.write(content, at, content.length - at, at)).bytesWritten;
  }
}

/** @returns where it ends. Long runs of zeros become holes. */
export async function writeFrom(
  file: OpenedFile,
  offset: number,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  let at = offset;
  for await (const some of arriving(bytes)) {
    signal.throwIfAborted();
    const piece = Buffer.from(some.buffer, some.byteOffset, some.byteLength);
    if (piece.length < HOLE_BYTES || !isAllZeros(piece)) {
      for (let done = 0; done < piece.length;) {
        done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten;
      }
    }
    at += piece.length;
  }
  // A hole at the end counts too. Where the bytes broke off instead, somebody else may be writing on by now.
  await file.truncate(at);
  return at;
}

/** What fails while bytes are on their way is not about the file that they are for. */
export async function* arriving(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw codeOf(error) === '' || error instanceof HitchError
      ? error
      : new HitchError('UNREACHABLE', 'The content of a file broke off on the way.', { cause: error });
  }
}

export function isAllZeros(piece: Buffer): boolean {
  for (let at = 0; at < piece.length; at += ZEROS.length) {
    const some = piece.subarray(at, at + ZEROS.length);
    if (!some.equals(ZEROS.subarray(0, some.length))) {
      return false;
    }
  }
  return true;
}

/** A full disk as a sentence; everything else as it is. */
export function storageProblem(error: unknown, path: string): unknown {
  return isFull(error)
    ? new HitchError(
        'STORAGE_FULL',
        `Cannot write ${plainPath(path)}: ${FULL_WORDS[codeOf(error)] ?? 'no room'}.`,
        {
          next: 'Free some space there, or choose another folder.',
          cause: error,
        },
      )
    : error;
}

const FULL_WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
};
