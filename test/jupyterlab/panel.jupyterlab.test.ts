/** What is seen of clusters in JupyterLab: rent on the practice market, watch, stop, by pointer and by keyboard. */
import assert from 'node:assert/strict';
import { approve, sayYes, windowOpenedBy } from '../support/approval.ts';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { LabNotebook } from '../support/lab-notebook.ts';
import { collectUncaught, look as lookAt, untilFocused } from '../support/lab-looks.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const SETTINGS = 'jupyterlab-hitch:settings';
const SLOW_MS = 120_000;

describe('GPU clusters in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  this.bail(true);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  const problems: string[] = [];
  let lab: JupyterLab | undefined;
  let page: LabPage;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    await home.start();
    lab = new JupyterLab({ home });
    lab.settings(SETTINGS, { capDollars: 3 });
    await lab.start();
    page = await lab.open(executable);
    collectUncaught(page, problems);
  });

  afterEach(async function keep() {
    await page.keepFailure('panel', this.currentTest);
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
  });

  const region = () => page.page.getByRole('region', { name: 'GPUs', exact: true });
  const row = () => region().getByRole('treeitem').first();
  const look = (name: string, selector: string): Promise<void> => lookAt(page, `panel-${name}`, selector);

  it('says what it is for while there is none, with one next step', async () => {
    await page.command('hitch:open-panel');
    await region().getByText('Rent GPUs by the hour').waitFor();
    await look('empty', '.jp-Hitch-panel');
    await page.page.locator('.jp-LauncherCard', { hasText: 'New cluster' }).waitFor();
    await page.picture('panel-launcher');
  });

  it('rents after a yes, from the settings’ limits', async () => {
    await region().locator('.jp-Hitch-empty').getByRole('button', { name: 'New cluster' }).click();
    const rent = page.page
      .locator('hitch-offer-table')
      .getByRole('gridcell', { name: /^Rent / })
      .first();
    await rent.waitFor({ timeout: SLOW_MS });
    await look('offers', 'hitch-offer-table');
    await rent.click();
    const form = page.page.locator('hitch-rent-form');
    await form.getByText('Spending limit').first().waitFor();
    await until('the limit is the settings’', async () =>
      form
        .locator('vscode-textfield')
        .evaluateAll(all => all.some(field => /^3(\.00)?$/.test(String(Reflect.get(field, 'value'))))),
    );
    await look('form', 'hitch-rent-form');
    const window = await windowOpenedBy(page, () =>
      form.getByRole('button', { name: 'Review and rent…' }).click(),
    );
    await page.page
      .locator('hitch-confirm')
      .getByText(/^Press “Rent for up to .*” in the Hitch window that opened/)
      .waitFor({ timeout: SLOW_MS });
    await untilFocused(page, 'Cancel');
    await look('confirm', 'hitch-confirm');
    await sayYes(window);
    await page.page.locator('hitch-timeline').waitFor({ timeout: SLOW_MS });
    await page.picture('panel-renting');
    await row().waitFor({ timeout: SLOW_MS });
    await page.page.locator('[role=treeitem][data-phase=ready]').waitFor({ timeout: SLOW_MS });
  });

  it('shows what it does and costs', async () => {
    await look('ready', '.jp-Hitch-panel');
    await page.page.locator('.jp-Hitch-tabHead').getByRole('button', { name: /^Stop/ }).waitFor();
    await look('tab', '.jp-Hitch-tab');
  });

  it('stands on the status bar, where a click opens the panel', async () => {
    const item = page.page.locator('.jp-Hitch-status button');
    await item.getByText(/^Practice, 1 node$/).waitFor();
    await until('its title says so too', async () =>
      /practice, ready/.test((await item.getAttribute('title')) ?? ''),
    );
  });

  it('is walked by keyboard', async () => {
    await row().focus();
    await page.page.keyboard.press('ArrowRight');
    await region()
      .getByRole('group', { name: /^Details of/ })
      .waitFor();
    await region().getByText('CPU').first().waitFor({ timeout: SLOW_MS });
    await look('open', '.jp-Hitch-panel');
    await row().focus();
    await page.page.keyboard.press('Tab');
    await untilFocused(page, /^(Run on…|Terminal): /);
    await page.page.keyboard.press('Escape');
    await page.page.keyboard.press('ArrowLeft');
    await region()
      .getByRole('group', { name: /^Details of/ })
      .waitFor({ state: 'detached' });
  });

  it('moves a notebook there and back from its toolbar', async () => {
    await page.command('notebook:create-new', { kernelName: 'python3' });
    const button = page.page.locator('.jp-Hitch-runOn button');
    await button.getByText('Run on: This computer').waitFor();
    // Moved before it has one, ipywidgets would look for its kernel in vain.
    await new LabNotebook(page).untilIdle('python3');
    // Not on the rented machine, where it would end with the cluster.
    assert.match(await page.page.evaluate('window.jupyterapp.shell.currentWidget.context.path'), /^[^:]+$/);
    const name = (await row().locator('.jp-Hitch-name').textContent())?.trim().split(/\s/)[0] ?? '';
    await button.click();
    await page.picture('panel-run-on');
    await page.page.locator('.lm-Menu').getByText(name, { exact: true }).click();
    await button.getByText(`Run on: ${name}`).waitFor({ timeout: SLOW_MS });
    await page.picture('panel-runs-there');
    await button.click();
    await page.page.locator('.lm-Menu').getByText('This computer', { exact: true }).click();
    await button.getByText('Run on: This computer').waitFor({ timeout: SLOW_MS });
  });

  it('is among what runs', async () => {
    await page.command('running:show-panel');
    await page.page.locator('.jp-RunningSessions', { hasText: 'GPU clusters' }).waitFor();
    await page.picture('panel-running');
    await page.command('hitch:open-panel');
  });

  it('stops after saying what ends, with the focus on Cancel', async () => {
    await row()
      .getByRole('button', { name: /^Stop: / })
      .click();
    const dialog = page.page.getByRole('dialog');
    await dialog.getByText('Nothing is saved').waitFor();
    await untilFocused(page, 'Cancel');
    await page.picture('panel-stop');
    await page.page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await row().getAttribute('data-phase'), 'ready');
    await row()
      .getByRole('button', { name: /^Extend…: / })
      .click();
    await page.page
      .getByRole('dialog')
      .getByText(/at most \$\d/)
      .waitFor();
    await page.picture('panel-extend');
    const extend = page.page.getByRole('dialog');
    await extend.locator('input[name=cap]').fill('7');
    await approve(
      page,
      () => extend.getByRole('button', { name: 'Extend', exact: true }).click(),
      'Extend to $7.00',
    );
    await page.page.locator('hitch-confirm').waitFor({ state: 'detached' });
    const [extended] = await home.api.clusters.list();
    assert.equal(extended?.caps.totalMicroUsd, '7000000');
    await row()
      .getByRole('button', { name: /^Stop: / })
      .click();
    await page.page.getByRole('dialog').getByRole('button', { name: 'Stop', exact: true }).click();
    await page.page.locator('[role=treeitem][data-phase=stopped]').waitFor({ timeout: SLOW_MS });
    await row()
      .getByText(/^Gone, confirmed/)
      .waitFor();
    await look('gone', '.jp-Hitch-panel');
    await page.page.locator('.jp-Hitch-status').waitFor({ state: 'hidden' });
    assert.deepEqual(home.leftovers(await home.api.clusters.list()), []);
    assert.deepEqual(problems, []);
  });

  it('is forgotten when it is removed', async () => {
    await row()
      .getByRole('button', { name: /^Remove from list: / })
      .click();
    await page.page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await region().getByText('Rent GPUs by the hour').waitFor();
  });
});
