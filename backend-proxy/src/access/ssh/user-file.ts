/**
 * A user's own file, changed so that nothing but the change is seen of it: one atomic step, the same mode, through
 * links to the file they lead to.
 */
import {
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { chmodSync, chownSync, closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HitchError } from '@hitch/contract';
import { storageError } from '@hitch/platform/src/atomic-file.ts';

const NEW_FILE_MODE = 0o600;
const TRIES = 3;
const MOST_LINKS = 20;
/** Far more than any configuration has. */
const MOST_BYTES = 4 * 1024 * 1024;

/** A user's file may be in any encoding: in its text here each byte is a character, and so it must be in what is put there. */
const BYTES = 'latin1';
export const asBytes = (text: string): string => Buffer.from(text).toString(BYTES);

/** Its text; '' where there is none. @throws HitchError BAD_INPUT with a sentence where it cannot be read as a file. */
export function readUserFile(path: string): string {
  try {
    return readRegular(path);
  } catch (error) {
    if (error instanceof HitchError) {
      throw error;
    }
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return '';
    }
    throw new HitchError('BAD_INPUT', `${path} cannot be read (${code}).`, { field: 'file', cause: error });
  }
}

/** A pipe or a device is not waited for. @throws HitchError BAD_INPUT for what is no configuration; Node's own error. */
function readRegular(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) {
      throw new HitchError('BAD_INPUT', `${path} is not a file.`, {
        field: 'file',
        next: 'Name an ssh configuration, such as ~/.ssh/config.',
      });
    }
    if (found.size > MOST_BYTES) {
      throw new HitchError('BAD_INPUT', `${path} has more than ${MOST_BYTES.toLocaleString('en')} bytes.`, {
        field: 'file',
        next: 'No ssh configuration is that large; name another file.',
      });
    }
    return readFileSync(file, BYTES);
  } finally {
    closeSync(file);
  }
}

/** @throws HitchError with a sentence and the file as it was, when it cannot be done without loss. */
export function changeUserFile(path: string, change: (text: string) => string): void {
  const target = targetOf(path);
  for (let tries = 1; ; tries++) {
    const before = readUserFile(target);
    const after = change(before);
    if (after === before) {
      return;
    }
    const mode = modeOf(target);
    if (replace(target, before, after, mode)) {
      return;
    }
    if (tries === TRIES) {
      throw new HitchError('CONFLICT', `${path} is being changed by another program.`, {
        next: 'Try again.',
      });
    }
  }
}

/** Renaming over a link would put a file in its place. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // The file, or what a link leads to, is not there yet.
  }
  let target = path;
  for (let links = 0; links < MOST_LINKS && isLink(target); links++) {
    target = resolve(dirname(target), readlinkSync(target));
  }
  return target;
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** @throws HitchError where replacing the file would change more than its text. */
function modeOf(target: string): number {
  let stat;
  try {
    stat = statSync(target);
  } catch {
    return NEW_FILE_MODE;
  }
  const own = process.getuid?.();
  const why = !stat.isFile()
    ? 'is not a file'
    : stat.nlink > 1
      ? 'has other names (hard links), which would not see the change'
      : own !== undefined && own !== 0 && stat.uid !== own
        ? 'belongs to somebody else'
        : null;
  if (why !== null) {
    throw new HitchError('CONFLICT', `${target} ${why}, so Hitch leaves it as it is.`, {
      next: 'Put the line there yourself, at the top.',
    });
  }
  return stat.mode & 0o7777;
}

/** @returns false when somebody else wrote to it meanwhile. */
function replace(target: string, before: string, after: string, mode: number): boolean {
  const temporary = `${target}.hitch-${process.pid.toString()}.tmp`;
  try {
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    const owner = ownerOf(target);
    const file = openSync(temporary, 'wx', mode);
    try {
      writeFileSync(file, after, BYTES);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // The process's own mask was taken off the mode above.
    chmodSync(temporary, mode);
    owner?.(temporary);
    if (readUserFile(target) !== before) {
      rmSync(temporary, { force: true });
      return false;
    }
    renameSync(temporary, target);
    return true;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw storageError(error, target);
  }
}

/** Root may change a file of somebody else's: it stays theirs. */
function ownerOf(target: string): ((path: string) => void) | null {
  try {
    const { uid, gid } = statSync(target);
    return uid === process.getuid?.() ? null : path => chownSync(path, uid, gid);
  } catch {
    return null;
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
