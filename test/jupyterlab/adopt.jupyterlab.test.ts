/** A machine on an account that Hitch did not rent, in JupyterLab: left alone, or adopted after a yes in the daemon’s window. */
import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../simulators/frame/server.ts';
import { VAST_KEY, VastSimulator } from '../simulators/vast/vast-simulator.ts';
import { lookAtWindow, sayYes, windowOpenedBy, withdrawAll } from '../support/approval.ts';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { collectUncaught, look } from '../support/lab-looks.ts';
import { needsRealNodes } from '../support/processes.ts';
import { rentByHand } from '../support/rented-by-hand.ts';
import { until } from '../support/waiting.ts';

const SLOW_MS = 120_000;

describe('a machine that is not ours, in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  const problems: string[] = [];
  const simulator = new VastSimulator({ clock: systemClock });
  let server: SimulatorServer | undefined;
  let home: DaemonHome;
  let begun: DaemonHome | undefined;
  let lab: JupyterLab | undefined;
  let page: LabPage;
  let id = '';

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    server = await serveSimulator(simulator, { clock: systemClock, faults: new Faults([], () => 1) });
    home = new DaemonHome({ HITCH_PROVIDERS: 'vast', HITCH_VAST_URL: server.url });
    begun = home;
    await home.start();
    await home.api.networks.login({ provider: 'vast', values: { apiKey: VAST_KEY } });
    id = await rentByHand(server.url, 'web-1');
    await until(
      'it is seen',
      async () => {
        await home.cli(['doctor']);
        const [vast] = await home.api.networks.list();
        return vast?.notOurs.some(each => each.id === id && each.canBeSetUp === 'by_network');
      },
      SLOW_MS,
    );
    lab = await new JupyterLab({ home }).start();
    page = await lab.open(executable);
    collectUncaught(page, problems);
  });

  afterEach(async function keep() {
    if (begun !== undefined && page !== undefined) {
      await page.keepFailure('adopt', this.currentTest);
      await withdrawAll(page, begun);
    }
  });

  after(async () => {
    await lab?.dispose();
    await begun?.dispose();
    await server?.[Symbol.asyncDispose]();
    await simulator.close();
  });

  const tab = (): Locator => page.page.locator('#jp-hitch-networks');
  const row = (): Locator => tab().locator(`[data-foreign="${id}"]`);
  const dialog = (): Locator => page.page.locator('.jp-Dialog');

  it('stands at its network with its price, and can be left alone and shown again', async () => {
    await page.command('hitch:networks');
    await row()
      .getByText(/^Not ours, never touched: web-1 \(\d+\), running, \$/)
      .waitFor({ timeout: SLOW_MS });
    await look(page, 'not-ours', '#jp-hitch-networks');
    await row()
      .getByRole('button', { name: /^Leave alone/ })
      .click();
    await row().waitFor({ state: 'detached' });
    await tab().getByText('1 machine left alone and not ours').waitFor();
    await tab().getByRole('button', { name: 'Show: Vast.ai' }).click();
    await row().waitFor();
  });

  it('is adopted after a yes that says what it costs, its cap and what is done', async () => {
    await row()
      .getByRole('button', { name: /^Adopt/ })
      .click();
    await dialog().getByText('Set it up for notebooks').waitFor();
    await dialog().locator('input[name=adopt-way][value=identity]').check();
    await dialog().locator('input[name=key]').waitFor();
    await look(page, 'adopt-form');
    await dialog().locator('input[name=adopt-way][value=watch]').check();
    await dialog().locator('input[name=cap]').fill('3');
    await dialog().locator('input[name=hours]').fill('2');
    const opened = await windowOpenedBy(page, () => dialog().getByRole('button', { name: 'Adopt…' }).click());
    const text = await opened.locator('main').textContent();
    assert.match(text ?? '', /Adopt web-1 \(\d+\)\?/);
    assert.match(text ?? '', /once it has cost \$3\.00 from now on; all that is on it is lost then/);
    assert.match(text ?? '', /Nothing is set up on it/);
    assert.deepEqual(await lookAtWindow(opened, 'adopt-window'), []);
    assert.deepEqual(await home.api.clusters.list(), []);
    await sayYes(opened, 'Count it and end it');
    const [cluster] = await until('it is a cluster', async () => {
      const all = await home.api.clusters.list();
      return all.length === 0 ? null : all;
    });
    assert.equal(cluster?.caps.totalMicroUsd, '3000000');
    assert.match(cluster.message, /^Adopted: \d+ at Vast\.ai is watched/);
    await page.page
      .getByText(/is watched, and ended at its limits/)
      .first()
      .waitFor({ timeout: SLOW_MS });
    await page.picture('adopted');
    await home.stopCluster(cluster.id);
    assert.deepEqual(problems, []);
  });
});
