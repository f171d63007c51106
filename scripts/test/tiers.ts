// Which tier a test file belongs to, from its name alone, and how much patience each tier needs.
import { globSync } from 'node:fs';
import path from 'node:path';

export interface Tier {
  readonly name: string;
  /** One test's time unless it sets its own. */
  readonly testTimeoutMs: number;
  /** One mocha process's time; passing it means that something hangs. */
  readonly processTimeoutMs: number;
  /** Real servers get a process per file, so that one that hangs or crashes takes no other file with it. */
  readonly filePerProcess: boolean;
}

const minuteMs = 60_000;

/** Cheapest first: what breaks early is told early. */
export const tiers: readonly Tier[] = [
  { name: 'unit', testTimeoutMs: 10_000, processTimeoutMs: 5 * minuteMs, filePerProcess: false },
  { name: 'contract', testTimeoutMs: 60_000, processTimeoutMs: 10 * minuteMs, filePerProcess: false },
  { name: 'engine', testTimeoutMs: 3 * minuteMs, processTimeoutMs: 20 * minuteMs, filePerProcess: true },
  { name: 'jupyterlab', testTimeoutMs: 3 * minuteMs, processTimeoutMs: 20 * minuteMs, filePerProcess: true },
  { name: 'vscode', testTimeoutMs: 3 * minuteMs, processTimeoutMs: 20 * minuteMs, filePerProcess: true },
  { name: 'chaos', testTimeoutMs: 5 * minuteMs, processTimeoutMs: 20 * minuteMs, filePerProcess: true },
];

/** The tier whose word stands before `.test.ts` (`relay.engine.test.ts`) or names a folder below `test/`; else unit. */
export function tierOf(file: string): string {
  const parts = file.split(/[\\/]/);
  const suffix = /\.([a-z]+)\.test\.ts$/.exec(parts.at(-1) ?? '')?.[1];
  const folders = parts.slice(parts.lastIndexOf('test') + 1, -1).reverse();
  return [suffix, ...folders].find(word => tiers.some(tier => tier.name === word)) ?? 'unit';
}

const ignoredFolders = new Set(['node_modules', 'dist', 'build', '.cache', '.git']);

/** Test files under the given files and folders (relative to the repository), sorted. */
export function findTests(root: string, places: readonly string[]): string[] {
  const patterns = places.map(place =>
    place.endsWith('.test.ts') ? place : path.join(place, '**/*.test.ts'),
  );
  const found = patterns.flatMap(pattern =>
    globSync(pattern.replaceAll('\\', '/'), {
      cwd: root,
      exclude: entry => ignoredFolders.has(path.basename(entry)),
    }),
  );
  return [...new Set(found.map(file => path.normalize(file)))].sort();
}
