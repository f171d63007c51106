/** Where an entry goes below a base, and what stands there. */
import type { Stats } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { lstatOrNone, readFile, readlink, stat } from './disk-now.ts';
import { isMissing, lstatAll, timeOf } from './disk-calls.ts';
import { type Entry, isSameTime, type Standing, type Written } from './entry.ts';
import { decodeName, encodePath } from './names.ts';
import type { OwnFile } from './own-files.ts';

export interface Place {
  readonly base: string;
  /** Below the base, `/`-separated. */
  readonly below: string;
  readonly absolute: string;
  /** It could not keep its name. */
  readonly renamed: boolean;
}

export const ownFile = (below: string, stats: Stats): OwnFile => ({
  below,
  sizeBytes: stats.size,
  modifiedAtMs: timeOf(stats),
});

export const named = ({ below, renamed }: Place): Pick<Written, 'as'> => (renamed ? { as: below } : {});

export const dirnameOf = (below: string): string => below.slice(0, Math.max(0, below.lastIndexOf('/')));

/** What is being written. A try that was given up may still be at it, and another copy may want the same place. */
export const busy = new Map<string, Promise<unknown>>();

export async function inTurn<T>(absolute: string, run: () => Promise<T>): Promise<T> {
  for (let before = busy.get(absolute); before !== undefined; before = busy.get(absolute)) {
    await before.catch(() => undefined);
  }
  const running = run().finally(() => busy.delete(absolute));
  busy.set(absolute, running);
  return running;
}

/**
 * What `lstat` says of each place, or its error's code. Behind a link, or anything else that is no folder, there is
 * nothing: who writes there makes a folder of it first.
 */
export async function lstatOpen(
  places: readonly Pick<Place, 'base' | 'below' | 'absolute'>[],
): Promise<(Stats | string)[]> {
  const known = new Map<string, boolean>();
  const isClosed = (base: string, folder: string): boolean => {
    if (folder === '') {
      return false;
    }
    const key = `${base}/${folder}`;
    const closed = known.get(key) ?? (isClosed(base, dirnameOf(folder)) || !isFolder(join(base, folder)));
    known.set(key, closed);
    return closed;
  };
  const open = places.map(({ base, below }) => !isClosed(base, dirnameOf(below)));
  const looked = lstatAll(places.filter((_, index) => open[index]).map(({ absolute }) => absolute));
  let next = 0;
  return open.map(is => (is ? (looked[next++] ?? 'ENOENT') : 'ENOTDIR'));
}

function isFolder(absolute: string): boolean {
  const [stats] = lstatAll([absolute]);
  return typeof stats === 'object' && stats.isDirectory();
}

export async function standingAt(absolute: string): Promise<Stats | null> {
  try {
    return await lstatOrNone(encodePath(absolute));
  } catch (error) {
    if (isMissing(error)) {
      return null;
    }
    throw error;
  }
}

/** The nearest folder on the way to a path that exists. */
export async function standingFolder(path: string): Promise<string> {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if ((await stat(encodePath(at)).catch(() => null)) !== null) {
      return at;
    }
  }
  return sep;
}

export async function standingOf(entry: Entry, found: Stats | string, absolute: string): Promise<Standing> {
  if (typeof found === 'string') {
    return found === 'ENOENT' || found === 'ENOTDIR' ? 'missing' : 'differs';
  }
  const sameMeta = isSameTime(timeOf(found), entry.modifiedAtMs) && (found.mode & 0o777) === entry.mode;
  switch (entry.kind) {
    case 'folder':
      return !found.isDirectory() ? 'differs' : sameMeta ? 'same' : 'touch';
    case 'link':
      return found.isSymbolicLink() && (await linkText(absolute)) === entry.target ? 'same' : 'differs';
    case 'file':
      if (!found.isFile() || found.size !== entry.sizeBytes) {
        return 'differs';
      }
      if (!isSameTime(timeOf(found), entry.modifiedAtMs)) {
        return 'maybe';
      }
      return sameMeta ? 'same' : 'touch';
  }
}

export function linkText(absolute: string): Promise<string | null> {
  return readlink(encodePath(absolute), 'buffer').then(decodeName, () => null);
}

/** Whether a file holds these very bytes. */
export async function holds(absolute: string, stats: Stats, content: Buffer): Promise<boolean> {
  if (!stats.isFile() || stats.size !== content.length) {
    return false;
  }
  const there = await readFile(encodePath(absolute)).catch(() => null);
  return there?.equals(content) === true;
}
