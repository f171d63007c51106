/** Networks that take money, simulated, in VS Code: logged in, looked at, and rented from up to the price; each screen is kept. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Frame, Locator } from 'playwright-core';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { SIMULATORS, urlVariable } from '../simulators/all.ts';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator } from '../simulators/frame/server.ts';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';
import { buildSuite } from './support/build-suite.ts';
import { serverIsInstalled, startServer } from './support/server.ts';
import { Workbench, writeUserSettings } from './support/workbench.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache/vscode-tests');
const SHOWN = SIMULATORS.filter(({ id }) => ['vast', 'ionet', 'runpod'].includes(id));

describe('networks that take money, in the workbench', function suite() {
  this.timeout(6 * 60_000);
  const close = new AsyncDisposableStack();
  let home: DaemonHome;
  let bench: Workbench;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    if (!serverIsInstalled()) {
      skip(this, 'VS Code’s server is not installed');
      return;
    }
    const urls: Record<string, string> = {};
    for (const known of SHOWN) {
      const simulator = known.build({ clock: systemClock, seed: 1, limits: false });
      close.defer(() => simulator.close());
      const server = await serveSimulator(simulator, { clock: systemClock, faults: new Faults([], () => 1) });
      close.use(server);
      urls[urlVariable(known.id)] = server.url;
    }
    home = new DaemonHome({ HITCH_PROVIDERS: SHOWN.map(({ id }) => id).join(','), ...urls });
    close.defer(() => home.dispose());
    await home.start();
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'rented-'));
    close.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const built = await buildSuite(folder);
    const data = join(folder, 'data');
    const workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    writeUserSettings(data);
    const server = await startServer({ data, install: [built.jupyter], environment: home.environment() });
    close.defer(() => server.stop());
    const browser: Browser = await launchChromium(executable);
    close.defer(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 900, height: 800 } });
    bench = new Workbench(page, join(cache, 'pictures'));
    await page.goto(
      server.url(workspace, [['extensionDevelopmentPath', server.remote(join(root, 'extension'))]]),
      { timeout: 180_000 },
    );
  });

  afterEach(async function keep() {
    await bench.keepFailure('vscode-rented-networks', this.currentTest, { daemon: home.said });
    await bench.clear();
  });

  after(() => close.disposeAsync());

  const stateOf = async (id: string) =>
    (await home.api.networks.list()).find(network => network.id === id)?.login?.state;

  for (const { id, title, key } of SHOWN) {
    it(`takes a login at ${title}, and says of a wrong key what to do`, async () => {
      await bench.openView();
      const ask = async (typed: string): Promise<void> => {
        await bench.command('Hitch: Connect a Network…');
        await bench.choose(new RegExp(title.replace('.', '\\.')));
        await bench.found(bench.picker.getByText(/key/i));
        assert.equal(await bench.picker.locator('input[type=password]').count(), 1);
        if (typed === key) {
          await bench.picture(`30-login-${id}`);
        }
        await bench.enter(typed, new RegExp(`Log in to ${title}`));
      };
      await ask('not-the-key');
      const messages = await bench.notifications();
      await bench.found(messages.getByText(/key/i));
      await bench.picture(`31-wrong-key-${id}`);
      await bench.hideNotifications();
      assert.notEqual(await stateOf(id), 'present');
      await ask(key ?? '');
      await until(`${title} is logged in`, async () => (await stateOf(id)) === 'present');
      await bench.clear();
    });
  }

  it('lists them with how they stand', async () => {
    await bench.command('GPUs: Focus on Networks View');
    await bench.row(/^Network Vast\.ai/);
    await bench.row(/^Network RunPod/);
    await bench.picture('32-networks');
    await bench.expand(/^Network io\.net/);
    await bench.picture('33-network');
  });

  const table = (frame: Frame): Locator => frame.locator('hitch-offer-table');

  it('shows their offers, what filters hide, and clusters as such', async () => {
    await bench.command('Hitch: Offer Table');
    await bench.inPage(frame => table(frame).getByRole('row', { name: /Rent/ }));
    await bench.inPage(frame => table(frame).getByText(/hidden by one filter alone/));
    await bench.standsOut(frame => table(frame), 'main');
    await bench.picture('34-table');
    const search = await bench.inPage(frame => table(frame).getByRole('searchbox'));
    const more = await bench.inPage(frame =>
      table(frame).getByRole('button', { name: /^Remove filter 1 GPU/ }),
    );
    await more.click();
    await search.fill('runpod h100');
    await bench.inPage(frame => table(frame).getByText(/cluster of 2–/));
    await bench.picture('35-clusters');
    await bench.page.setViewportSize({ width: 700, height: 800 });
    await bench.picture('36-table-700');
    await bench.page.setViewportSize({ width: 900, height: 800 });
  });

  it('asks for the hours that are paid ahead where time is sold so, with their price', async () => {
    const search = await bench.inPage(frame => table(frame).getByRole('searchbox'));
    await search.fill('io.net');
    await bench.bring(bench.picker.getByPlaceholder(/set up as/), async () => {
      // Not one of the rows that stand there until the search is answered.
      const rent = await bench.inPage(frame =>
        frame
          .getByRole('row')
          .filter({ hasText: 'io.net' })
          .getByRole('gridcell', { name: /^Rent / }),
      );
      await rent.click();
    });
    await bench.choose(/Notebook/);
    await bench.enter('paid-ahead', /Name \(optional\)/);
    await bench.found(
      bench.picker.getByRole('option', { name: /Hours paid ahead: until it stops.*\$.* now/ }),
    );
    await bench.picture('37-limits');
    await bench.choose(/Hours paid ahead/);
    const hours = /Hours to pay ahead/;
    await bench.found(bench.picker.getByText(hours));
    await bench.type('99');
    await bench.text(/It stops after 4 h: pay for less ahead/);
    await bench.picture('38-hours');
    await bench.enter('1', hours);
    await bench.found(bench.picker.getByRole('option', { name: /Hours paid ahead: 1 h/ }));
    await bench.choose(/Review and rent/);
    await bench.found(bench.dialog.getByText(/Paid ahead: 1 h at a time/));
    await bench.picture('39-confirm');
    assert.equal((await home.api.clusters.list()).length, 0);
  });
});
