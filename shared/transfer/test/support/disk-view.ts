/** What lies on a disk, looked at without the code that is tested. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { codeOf, isMissing } from '../../src/disk-calls.ts';
import { decodeName, encodePath } from '../../src/names.ts';

export interface Seen {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly mode: number;
  readonly modifiedAtMs: number;
  /** A checksum of a file's bytes, a link's text. */
  readonly content: string;
}

export const below = (folder: string, path: string): string => (path === '' ? folder : `${folder}/${path}`);

/** Null where nothing is, also where a folder on the way is none. */
export function lstatOf(path: string): Stats | null {
  try {
    return lstatSync(encodePath(path));
  } catch (error) {
    if (isMissing(error) || codeOf(error) === 'ELOOP') {
      return null;
    }
    throw error;
  }
}

export function namesIn(folder: string): string[] {
  return readdirSync(encodePath(folder), { encoding: 'buffer' }).map(decodeName).sort();
}

export const linkTextOf = (path: string): string =>
  decodeName(readlinkSync(encodePath(path), { encoding: 'buffer' }));

export const bytesOfFile = (path: string): Buffer => readFileSync(encodePath(path));

const PIECE_BYTES = 1024 * 1024;

export function checksumOf(path: string): string {
  const file = openSync(encodePath(path), 'r');
  try {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, fstatSync(file).size + 1));
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      hash.update(piece.subarray(0, read));
    }
    return hash.digest('hex');
  } finally {
    closeSync(file);
  }
}

export function seenAt(path: string): Seen | null {
  const stats = lstatOf(path);
  if (stats === null) {
    return null;
  }
  const common = { mode: stats.mode & 0o777, modifiedAtMs: Math.floor(stats.mtimeMs) };
  if (stats.isFile()) {
    return { ...common, kind: 'file', content: checksumOf(path) };
  }
  if (stats.isSymbolicLink()) {
    return { ...common, kind: 'link', content: linkTextOf(path) };
  }
  return { ...common, kind: stats.isDirectory() ? 'folder' : 'other', content: '' };
}

/** Everything below a folder by its path from there, and the folder itself as ''. Links are not followed. */
export function viewOf(folder: string): Map<string, Seen> {
  const view = new Map<string, Seen>();
  const look = (path: string): void => {
    const seen = seenAt(below(folder, path));
    if (seen === null) {
      return;
    }
    view.set(path, seen);
    if (seen.kind === 'folder') {
      for (const name of namesIn(below(folder, path))) {
        look(path === '' ? name : `${path}/${name}`);
      }
    }
  };
  look('');
  return view;
}

/** The same without what lies in the files: each with the time at which anything about it last changed. */
export function touchedIn(folder: string): Map<string, string> {
  return new Map(
    pathsIn(folder).map(path => {
      const stats = lstatOf(below(folder, path));
      return [path, `${String(stats?.ino)} ${String(stats?.size)} ${String(stats?.ctimeMs)}`];
    }),
  );
}

/** Everything below a folder, and the folder itself as ''; nothing where nothing is. */
export function pathsIn(folder: string): string[] {
  const paths: string[] = [];
  const look = (path: string): void => {
    const stats = lstatOf(below(folder, path));
    if (stats === null) {
      return;
    }
    paths.push(path);
    if (stats.isDirectory()) {
      namesIn(below(folder, path)).forEach(name => look(path === '' ? name : `${path}/${name}`));
    }
  };
  look('');
  return paths;
}

/** Removes a folder whatever modes are in it. */
export function removeTree(folder: string): void {
  const open = (path: string): void => {
    chmodSync(encodePath(path), 0o700);
    for (const name of namesIn(path)) {
      if (lstatOf(`${path}/${name}`)?.isDirectory() === true) {
        open(`${path}/${name}`);
      }
    }
  };
  if (lstatOf(folder)?.isDirectory() === true && process.getuid?.() !== 0) {
    open(folder);
  }
  rmSync(folder, { recursive: true, force: true });
}
