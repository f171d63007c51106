/** Paths as the checks of what arrived compare them. */
import { accessSync, constants, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { decodeName, encodePath } from '../../src/names.ts';
import { lstatOf, namesIn } from './disk-view.ts';

export const dirOf = (path: string): string => path.split('/').slice(0, -1).join('/');

export function isReadable(path: string): boolean {
  try {
    accessSync(encodePath(path), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

export function realOf(path: string): string | null {
  try {
    return decodeName(realpathSync.native(encodePath(path), { encoding: 'buffer' }));
  } catch {
    return null;
  }
}

/** '' for the folder itself; null: not in it. */
export function belowOf(folder: string, path: string): string | null {
  const way = relative(folder, path);
  return way === '..' || way.startsWith('../') ? null : way;
}

/** A link that comes back into the tree by the name of one of the folders above it. */
export function climbsOut(from: string, text: string, root: string): boolean {
  let at = from;
  return text.split('/').some(name => {
    at = resolve(at, name);
    return belowOf(root, at) === null;
  });
}

/** What stands beside a path under a name with a date. */
export function datedBeside(at: string): string[] {
  if (lstatOf(dirname(at))?.isDirectory() !== true) {
    return [];
  }
  return namesIn(dirname(at))
    .filter(name => / \(\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d/.test(name))
    .map(name => join(dirname(at), name));
}
