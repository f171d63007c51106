/** What a page of JupyterLab loads of Hitch until it is up: the scripts' own size, before any compression on the way. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { findChromium } from '../../support/chromium.ts';
import { DaemonHome } from '../../support/daemon-home.ts';
import { JupyterLab } from '../../support/jupyterlab.ts';
import { delay } from '../../support/waiting.ts';
import { figure, type Benchmark } from '../figure.ts';

const STATIC = fileURLToPath(
  new URL('../../../jupyter-plugin/dist/labextensions/jupyterlab-hitch/static', import.meta.url),
);
/** Plugins load parts of themselves once JupyterLab is there; what comes later is loaded because somebody asked. */
const SETTLED_AFTER_MS = 5_000;

async function loadedAtStart(executable: string): Promise<readonly string[]> {
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  const lab = new JupyterLab({ home });
  try {
    await home.start();
    await lab.start();
    const page = await lab.open(executable);
    await delay(SETTLED_AFTER_MS);
    const names = await page.page.evaluate<string[]>(
      `performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)
        .filter(path => path.includes('/extensions/jupyterlab-hitch/static/')).map(path => path.split('/').at(-1))`,
    );
    return [...new Set(names)].filter(name => name.endsWith('.js'));
  } finally {
    await lab.dispose();
    await home.dispose();
  }
}

const kilobytes = (files: readonly Buffer[]): number =>
  files.reduce((sum, { length }) => sum + length, 0) / 1000;

export const jupyterBundle: Benchmark = {
  names: ['jupyter_bundle_kb'],
  async run(report) {
    const executable = findChromium();
    if (executable === undefined) {
      report('left out: there is no Chromium (name one in HITCH_CHROMIUM)');
      return [];
    }
    const read = (names: readonly string[]): Buffer[] => names.map(name => readFileSync(join(STATIC, name)));
    const names = await loadedAtStart(executable);
    const [started, all] = [read(names), read(globSync('**/*.js', { cwd: STATIC }))];
    const compressed = kilobytes(started.map(file => gzipSync(file)));
    return [
      figure({
        name: 'jupyter_bundle_kb',
        value: kilobytes(started),
        unit: 'kB',
        target: { atMost: 300 },
        note: `${started.length} scripts that a page loads at its start, ${compressed.toFixed(0)} kB with gzip; all ${all.length}, those loaded on demand among them: ${kilobytes(all).toFixed(0)} kB`,
      }),
    ];
  },
};
