/** Rules such as those of `.gitignore` for a list of paths that is read by somebody else than the walk of a copy. */
import createIgnore from 'ignore';

/** @returns whether a path is left out: relative, with `/` between names and, for a folder, behind the last. */
export function ignoresOf(text: string): (path: string) => boolean {
  const rules = createIgnore().add(text);
  return path => rules.ignores(path);
}
