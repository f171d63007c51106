/**
 * One measurement of the extension in a fresh Node, with a stand-in for VS Code's API that does nothing: what is measured
 * is our own code. Prints one number, milliseconds.
 *
 *   activate <folder>   loads `<folder>/extension.cjs` and awaits its `activate`
 *   tree <folder>       a tree of 1000 clusters, all of which look different after a refresh
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import type { clusterRow } from '../../extension/src/clusters/rows.ts';
import type { Row } from '../../extension/src/tree/row.ts';

const CLUSTERS = 1_000;
const [what = '', folder = ''] = process.argv.slice(2);
const load = createRequire(join(folder, 'here.cjs'));

interface Loaded {
  readonly activate: (context: object) => Promise<unknown>;
}
interface Tree {
  refresh(): void;
  getChildren(): string[];
  getTreeItem(id: string): unknown;
}
interface TreeParts {
  readonly RowTree: new (source: { roots: () => readonly Row[]; below: () => readonly Row[] }) => Tree;
  readonly clusterRow: typeof clusterRow;
}

async function activate(): Promise<number> {
  const context = {
    extensionPath: folder,
    extension: { id: 'hitch.hitch', packageJSON: {} },
    subscriptions: [],
    globalState: { get: () => undefined, update: () => Promise.resolve() },
    workspaceState: { get: () => undefined, update: () => Promise.resolve() },
  };
  // An extension host has these loaded before the first extension.
  for (const name of ['http', 'https', 'tls', 'zlib', 'crypto', 'child_process']) {
    load(`node:${name}`);
  }
  const beganMs = performance.now();
  const extension = load('./extension.cjs') as Loaded;
  await extension.activate(context);
  return performance.now() - beganMs;
}

const clusterLike = (index: number): Cluster => {
  const condition = { status: 'yes', reason: '', message: '', sinceMs: 0 };
  return {
    id: `clu_${index.toString().padStart(26, '0')}`,
    name: `cluster-${index.toString()}`,
    practice: false,
    phase: 'ready',
    phaseSinceMs: 0,
    message: '',
    conditions: { kernel: condition, engine: condition, billing: condition, cleanup: condition },
    engine: 'single',
    template: 'notebook',
    nodes: [],
    caps: { totalMicroUsd: '2000000', stopAtMs: 1_000_000, idleMs: null },
    usage: {
      ratePerHourMicroUsd: '420000',
      accruedMicroUsd: '1130000',
      spentBeforeMicroUsd: '0',
      capMicroUsd: '2000000',
      capReachedAtMs: null,
      parts: [],
    },
    createdAtMs: index,
    endedAtMs: null,
  } as unknown as Cluster;
};

function tree(): number {
  const { RowTree, clusterRow: rowOf } = load('./tree.cjs') as TreeParts;
  let clusters = Array.from({ length: CLUSTERS }, (_, index) => clusterLike(index));
  const shown = new RowTree({
    roots: () => clusters.map(cluster => rowOf(cluster, { nowMs: 0, titleOf: id => id })),
    below: () => [],
  });
  const draw = (): void => shown.getChildren().forEach(id => shown.getTreeItem(id));
  draw();
  clusters = clusters.map(cluster => ({ ...cluster, phase: 'stopping' }));
  const beganMs = performance.now();
  shown.refresh();
  draw();
  return performance.now() - beganMs;
}

process.stdout.write(`${(what === 'tree' ? tree() : await activate()).toString()}\n`);
process.exit(0);
