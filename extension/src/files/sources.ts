/** Files of this computer that are to be sent: which of them lie elsewhere than expected, and how they are named. */
import { isAbsolute, relative, sep } from 'node:path';

const NAMED = 5;

/** Those that lie in none of the folders. */
export const outside = (paths: readonly string[], folders: readonly string[]): readonly string[] =>
  paths.filter(path => folders.every(folder => leaves(relative(folder, path))));

const leaves = (way: string): boolean => way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);

/** The first ones, and how many more there are. */
export function fewOf(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more <= 0 ? names.join(', ') : `${names.slice(0, NAMED).join(', ')} and ${more.toString()} more`;
}
