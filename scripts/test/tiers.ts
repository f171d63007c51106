// Which tier a test file belongs to, from its name alone, and how much patience each tier needs.
import { globSync } from 'node:fs';
import path from 'node:path';

export interface Tier {
  readonly name: string;
  /** One test's time unless it sets its own. */
  readonly testTimeoutMs: number;
  /** So long a mocha process may print nothing; passing it means that something hangs. */
  readonly silentMs: number;
  /** Real servers get a process per file, so that one that hangs or crashes takes no other file with it. */
  readonly filePerProcess: boolean;
  /** So many processes at once, at most: of a file each, or of an equal part of the files. */
  readonly lanes: number;
}

const minuteMs = 60_000;

const shared = { filePerProcess: false, lanes: 2, silentMs: 5 * minuteMs };
const oneByOne = {
  filePerProcess: true,
  lanes: 1,
  testTimeoutMs: 3 * minuteMs,
  silentMs: 20 * minuteMs,
};

/** Cheapest first: what breaks early is told early. */
export const tiers: readonly Tier[] = [
  { ...shared, name: 'unit', testTimeoutMs: 10_000 },
  { ...shared, name: 'contract', testTimeoutMs: minuteMs },
  { ...oneByOne, name: 'engine', lanes: 3 },
  // A browser takes a machine for itself.
  { ...oneByOne, name: 'jupyterlab' },
  { ...oneByOne, name: 'vscode' },
  { ...oneByOne, name: 'chaos', lanes: 2, testTimeoutMs: 5 * minuteMs },
];

/** What `npm run nightly` runs may take hours, and says nothing meanwhile. */
export const nightlySilentMs = 12 * 60 * minuteMs;

/** Engine files that run with nothing beside them, and why. */
export const alone: Readonly<Record<string, string>> = {
  'backend-proxy/test/agent/ray.engine.test.ts': 'two heads of Ray fill two cores',
  'backend-proxy/test/agent/work.engine.test.ts': 'it measures how busy the machine is',
  'test/demo/demo.engine.test.ts': 'it starts Ray on two nodes',
  'test/e2e/isolation.engine.test.ts': 'it starts Ray, and looks at what others can see',
  'test/e2e/own-cluster.engine.test.ts': 'it starts Ray on several nodes',
  'test/e2e/together.engine.test.ts': 'it starts Ray on several nodes',
};

/** Whether it is for `npm run nightly` alone: `x.nightly.engine.test.ts`. */
export const isNightly = (file: string): boolean => /\.nightly\.([a-z]+\.)?test\.ts$/.test(file);

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
