/** A machine on an account that Hitch did not rent, in VS Code: left alone, or adopted after a yes; also in high contrast. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator } from '../simulators/frame/server.ts';
import { VAST_KEY, VastSimulator } from '../simulators/vast/vast-simulator.ts';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { rentByHand } from '../support/rented-by-hand.ts';
import { until } from '../support/waiting.ts';
import { buildSuite } from './support/build-suite.ts';
import { serverIsInstalled, startServer } from './support/server.ts';
import { Workbench, writeUserSettings } from './support/workbench.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache/vscode-tests');
const SLOW_MS = 120_000;

describe('a machine that is not ours, in the workbench', function suite() {
  this.timeout(6 * 60_000);
  this.bail(true);
  const close = new AsyncDisposableStack();
  const simulator = new VastSimulator({ clock: systemClock });
  let home: DaemonHome;
  let bench: Workbench | undefined;
  let id = '';

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    if (!serverIsInstalled()) {
      skip(this, 'VS Code’s server is not installed');
      return;
    }
    close.defer(() => simulator.close());
    const network = await serveSimulator(simulator, { clock: systemClock, faults: new Faults([], () => 1) });
    close.use(network);
    home = new DaemonHome({ HITCH_PROVIDERS: 'vast', HITCH_VAST_URL: network.url });
    close.defer(() => home.dispose());
    await home.start();
    await home.api.networks.login({ provider: 'vast', values: { apiKey: VAST_KEY } });
    id = await rentByHand(network.url, 'web-1');
    await until(
      'it is seen',
      async () => {
        await home.cli(['doctor']);
        const [vast] = await home.api.networks.list();
        return vast?.notOurs.some(each => each.id === id && each.canBeSetUp === 'by_network');
      },
      SLOW_MS,
    );
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'adopt-'));
    close.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const built = await buildSuite(folder);
    const data = join(folder, 'data');
    const workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    writeUserSettings(data);
    const server = await startServer({ data, install: [built.jupyter], environment: home.environment() });
    close.defer(() => server.stop());
    const browser = await launchChromium(executable);
    close.defer(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
    bench = new Workbench(page, join(cache, 'pictures'));
    await page.goto(
      server.url(workspace, [['extensionDevelopmentPath', server.remote(join(root, 'extension'))]]),
      { timeout: 180_000 },
    );
  });

  afterEach(async function keep() {
    await bench?.keepFailure('vscode-adopt', this.currentTest, { daemon: home.said });
    await bench?.clear();
  });

  after(() => close.disposeAsync());

  const opened = (): Workbench => {
    assert.ok(bench !== undefined);
    return bench;
  };
  const row = /^web-1 \(\d+\) at Vast\.ai, not ours, running, \$/;

  it('stands at its network with its price, and can be left alone and shown again', async () => {
    const at = opened();
    await at.openView();
    await at.command('GPUs: Focus on Networks View');
    await at.expand(/^Network Vast\.ai/);
    await at.row(row);
    await at.picture('60-not-ours');
    await at.contrast('60-not-ours');
    const shown = at.page.getByRole('treeitem', { name: /^1 left alone and not ours: show/ });
    await at.rowMenu(row, 'Leave Alone', shown);
    await at.bring(at.page.getByRole('treeitem', { name: row }), () => shown.click());
  });

  it('is not adopted by Enter out of habit, and asks for a limit that is an amount', async () => {
    const at = opened();
    await at.rowMenu(row, 'Adopt…', at.picker.getByRole('option', { name: /Only count it and end it/ }));
    await at.found(at.picker.getByRole('option', { name: /Set it up for notebooks/ }));
    await at.picture('61-adopt-how');
    await at.contrast('61-adopt-how');
    await at.choose(/Only count it and end it/);
    const most = /The most that it may cost from now on/;
    await at.found(at.picker.getByText(most));
    await at.type('much');
    await at.text(/not an amount|is not|dollars/);
    await at.enter('3', most);
    const ends = /Ended after, such as/;
    await at.found(at.picker.getByText(ends));
    await at.enter('2 h', ends);
    await at.found(at.dialog.getByText(/^Adopt web-1 \(\d+\)\?/));
    await at.picture('62-adopt');
    await at.contrast('62-adopt');
    await at.untilFocused('Leave It Alone');
    await at.page.keyboard.press('Enter');
    await at.dialog.waitFor({ state: 'hidden' });
    assert.deepEqual(await home.api.clusters.list(), []);
  });

  it('is adopted after a yes that says what it costs, its cap and what is done', async () => {
    const at = opened();
    await at.rowMenu(row, 'Adopt…', at.picker.getByRole('option', { name: /Only count it and end it/ }));
    await at.choose(/Only count it and end it/);
    await at.enter('3', /The most that it may cost from now on/);
    await at.enter('2 h', /Ended after, such as/);
    await at.found(
      at.dialog.getByText(/once it has cost \$3\.00 from now on; all that is on it is lost then/),
    );
    await at.found(at.dialog.getByText(/Nothing is set up on it/));
    await at.answer('Count It and End It');
    const [cluster] = await until('it is a cluster', async () => {
      const all = await home.api.clusters.list();
      return all.length === 0 ? null : all;
    });
    assert.equal(cluster?.caps.totalMicroUsd, '3000000');
    assert.match(cluster.message, /^Adopted: \d+ at Vast\.ai is watched/);
    await at.page.getByRole('treeitem', { name: row }).waitFor({ state: 'detached', timeout: SLOW_MS });
    await at.openView();
    await at.row(new RegExp(`^Cluster ${cluster.name}`));
    await at.picture('63-adopted');
    await home.stopCluster(cluster.id);
  });
});
