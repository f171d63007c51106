/** This program's version, and which of two is newer. */

/** A test compares it with package.json. */
export const VERSION = '0.1.0';

/** Positive when `a` is newer. Only the three numbers count: builds of one version are equal. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string) =>
    (/^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(part => Number(part));
  const [left, right] = [numbers(a), numbers(b)];
  for (const index of [0, 1, 2]) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
