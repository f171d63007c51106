/** The VS Code extension: how soon it is active, how large its bundle is, how fast a thousand rows are drawn anew. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { figure, median, type Benchmark } from '../figure.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const child = fileURLToPath(new URL('../vscode-child.ts', import.meta.url));
const bundle = join(root, 'extension/dist/extension.cjs');
const page = join(root, 'extension/dist/page/page.js');
const RUNS = 9;

/** Whatever is asked of it is there and does nothing; what trees are made of is real enough to cost what it costs. */
const NOTHING = `
const nothing = () => new Proxy(function () {}, {
  get: (target, key) => key === 'then' || key === Symbol.toPrimitive || key === Symbol.iterator ? undefined : nothing(),
  apply: () => nothing(),
  construct: () => nothing(),
});
class TreeItem { constructor(label) { this.label = label; } }
class ThemeIcon { constructor(id, color) { this.id = id; this.color = color; } }
class ThemeColor { constructor(id) { this.id = id; } }
class EventEmitter { constructor() { this.event = () => ({ dispose() {} }); } fire() {} dispose() {} }
const own = { TreeItem, ThemeIcon, ThemeColor, EventEmitter };
// As a prototype: a bundle copies what a module has itself and keeps its prototype.
module.exports = Object.assign(Object.create(new Proxy({}, { get: (target, key) => nothing()[key] })), own);
`;

async function prepared(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-bench-vscode-'));
  const api = join(folder, 'node_modules', 'vscode');
  mkdirSync(api, { recursive: true });
  writeFileSync(join(api, 'index.js'), NOTHING);
  cpSync(bundle, join(folder, 'extension.cjs'));
  const source = [
    `export { RowTree } from './extension/src/vscode/row-tree.ts';`,
    `export { clusterRow } from './extension/src/clusters/rows.ts';`,
  ].join('\n');
  await build({
    stdin: { contents: source, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    external: ['vscode'],
    outfile: join(folder, 'tree.cjs'),
    logLevel: 'silent',
  });
  return folder;
}

const run = promisify(execFile);

async function timesOf(what: string, folder: string): Promise<number[]> {
  const times: number[] = [];
  const env = { ...process.env, HITCH_HOME: join(folder, 'home') };
  for (let count = 0; count < RUNS; count++) {
    const { stdout } = await run(process.execPath, [child, what, folder], { env });
    times.push(Number(stdout.trim().split('\n').at(-1)));
  }
  return times;
}

export const vscodeExtension: Benchmark = {
  names: ['vscode_activate_ms', 'vscode_bundle_kb', 'vscode_tree_refresh_1000_ms'],
  async run(report) {
    const folder = await prepared();
    try {
      report(`${RUNS.toString()} fresh processes each`);
      const note = 'in a fresh Node, with an API of VS Code’s that does nothing';
      return [
        figure({
          name: 'vscode_activate_ms',
          value: median(await timesOf('activate', folder)),
          unit: 'ms',
          target: { atMost: 60 },
          note: `loading and activating, ${note}`,
        }),
        figure({
          name: 'vscode_bundle_kb',
          value: (statSync(bundle).size + statSync(page).size) / 1_000,
          unit: 'kB',
          target: { atMost: 600 },
          note: 'with its webview, without the daemon’s programs',
        }),
        figure({
          name: 'vscode_tree_refresh_1000_ms',
          value: median(await timesOf('tree', folder)),
          unit: 'ms',
          target: { atMost: 50 },
          note: `every row changed, ${note}`,
        }),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  },
};
