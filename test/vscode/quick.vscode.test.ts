/** From an open notebook to a cell that runs on a rented machine: three clicks, counted where the browser counts them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';
import { buildSuite } from './support/build-suite.ts';
import { serverIsInstalled, startServer } from './support/server.ts';
import { Workbench, writeUserSettings } from './support/workbench.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache/vscode-tests');
const SLOW_MS = 180_000;
const SOURCE = 'import os; print("on", os.environ.get("HITCH_NODE", "nothing")[:3], 6 * 7)';
const NOTEBOOK = {
  cells: [
    { cell_type: 'markdown', id: 'a0', metadata: {}, source: ['# Training'] },
    { cell_type: 'code', execution_count: null, id: 'a1', metadata: {}, outputs: [], source: [SOURCE] },
  ],
  metadata: { language_info: { name: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
};

describe('a cell on a rented machine in three clicks, in VS Code', function suite() {
  this.timeout(6 * 60_000);
  const close = new AsyncDisposableStack();
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  close.defer(() => home.dispose());
  let bench: Workbench;
  /** Presses of a real pointer. */
  let clicks = 0;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    if (!serverIsInstalled()) {
      skip(this, 'VS Code’s server is not installed');
      return;
    }
    await home.start();
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'quick-'));
    close.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const built = await buildSuite(folder);
    const data = join(folder, 'data');
    const workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    writeFileSync(join(workspace, 'train.ipynb'), JSON.stringify(NOTEBOOK));
    writeUserSettings(data);
    const server = await startServer({ data, install: [built.jupyter], environment: home.environment() });
    close.defer(() => server.stop());
    const browser = await launchChromium(executable);
    close.defer(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.exposeFunction('hitchTestClicked', () => (clicks += 1));
    await page.addInitScript(
      `addEventListener('pointerdown', ({ isTrusted }) => isTrusted && hitchTestClicked(), true)`,
    );
    bench = new Workbench(page, join(cache, 'pictures'));
    await page.goto(
      server.url(workspace, [['extensionDevelopmentPath', server.remote(join(root, 'extension'))]]),
      { timeout: SLOW_MS },
    );
  });

  afterEach(async function keep() {
    await bench.keepFailure('vscode-quick', this.currentTest, { daemon: home.said });
    await bench.clear();
  });

  after(() => close.disposeAsync());

  const kernel = (): ReturnType<typeof bench.page.locator> =>
    bench.page.locator('.kernel-label').getByText('Python 3 (ipykernel)');
  const only = async () => {
    const [cluster] = await home.api.clusters.list();
    assert.ok(cluster);
    return cluster;
  };
  const option = (name: RegExp) => bench.found(bench.picker.getByRole('option', { name }), SLOW_MS);

  it('rents what is chosen in Run on…, gives the notebook its kernel there and runs the selected cell', async () => {
    await bench.open('train.ipynb', bench.page.locator('.notebookOverlay'));
    await bench.found(bench.page.getByRole('button', { name: /rent a GPU/ }), SLOW_MS);
    const cell = await bench.found(bench.page.locator('.notebookOverlay .view-line').getByText(/HITCH_NODE/));
    await cell.click();
    const runOn = await bench.found(bench.page.getByRole('button', { name: /Run on…/ }));
    clicks = 0;
    await runOn.click();
    await option(/Rent: Cheapest 24 GB.*from \$/);
    await bench.picture('60-quick');
    await (await option(/Rent: Practice/)).click();
    const yes = await bench.found(bench.dialog.getByRole('button', { name: /^Rent for up to/ }), SLOW_MS);
    await yes.click();
    await bench.found(kernel(), SLOW_MS);
    await bench.inPage(frame => frame.getByText(/on \S+ 42/));
    assert.equal(clicks, 3);
    await bench.picture('61-quick-runs');
  });

  it('rents the last one again, and keeps its promise when the window is loaded anew meanwhile', async () => {
    const { id, name } = await only();
    await home.api.clusters.stop({ clusterId: id, skipSave: true });
    await until('it is gone', async () => (await only()).endedAtMs !== null, SLOW_MS);
    await bench.command('Notebook: Clear All Outputs');
    await bench.command('File: Save');
    await bench.command('Hitch: Rent What You Usually Rent…');
    await bench.choose(new RegExp(`Rent Again: ${name}`));
    await bench.answer(/^Rent for up to/);
    await until('it is ordered', async () => (await only()).endedAtMs === null, SLOW_MS);
    await bench.row(new RegExp(`Cluster ${name}`));
    await bench.reload();
    await bench.inPage(frame => frame.getByText(/on \S+ 42/));
  });

  it('opens the presets to be edited, and marks what is wrong with them', async () => {
    writeFileSync(
      join(home.root, 'presets.yaml'),
      'schema: hitch-presets/1\npresets:\n  - { id: mine, label: Only mine, vramm: 24 }\n',
    );
    await bench.command('Hitch: Edit Presets…');
    await bench.command('Problems: Focus on Problems View');
    await bench.found(bench.page.locator('.markers-panel').getByText(/“vramm” is no key of a preset/));
    await bench.picture('62-presets');
  });
});
