/** Hitch in a small window of JupyterLab, and under a browser's zoom: nothing is cut off, covered or out of reach. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cutOff } from '../support/cut-off.ts';
import { LabCluster } from '../support/lab-cluster.ts';
import { barriers } from '../support/lab-looks.ts';

const SLOW_MS = 120_000;

/** A browser's zoom makes the page's own pixels fewer: at 200 %, a window of 1280 by 900 has 640 by 450. */
const SIZES = [
  { name: '900', width: 900, height: 700 },
  { name: '700', width: 700, height: 700 },
  { name: 'zoom-200', width: 640, height: 450 },
] as const;

describe('Hitch in a small window of JupyterLab', function suite() {
  this.timeout(8 * 60_000);
  const at = new LabCluster();
  let jobId = '';

  before(async function start() {
    await at.start(this);
    const folder = join(at.lab.work, 'code');
    mkdirSync(folder);
    writeFileSync(join(folder, 'train.py'), 'import time\nprint("began")\nwhile True: time.sleep(0.1)\n');
    const { page } = at.page;
    await at.page.command('hitch:open-panel');
    await at.page.begin('hitch:run-as-job', { path: 'code/train.py' });
    await page.getByRole('dialog').getByRole('textbox').press('Enter');
    await page
      .locator('hitch-job')
      .getByText(/^Running, /)
      .waitFor({ timeout: SLOW_MS });
    jobId = (await at.home.api.jobs.list({}))[0]?.id ?? '';
    // JupyterLab's own word of the copy lies over a corner for a while.
    await page.locator('.Toastify__toast').first().waitFor({ state: 'detached' });
  });

  afterEach(async function keep() {
    await at.keepFailure('small-window', this.currentTest);
    if (await dialog().isVisible()) {
      await dialog().getByRole('button', { name: 'Cancel' }).click();
      await dialog().waitFor({ state: 'detached' });
    }
  });

  after(() => at.dispose());

  const table = () => at.page.page.locator('hitch-offer-table');
  const dialog = () => at.page.page.getByRole('dialog');
  const form = () => at.page.page.locator('hitch-rent-form');

  /** Each screen: what opens it, and what of it is looked at. */
  const screens: Readonly<Record<string, { selector: string; open: () => Promise<void> }>> = {
    panel: {
      selector: '.jp-Hitch-side',
      open: async () => {
        await at.page.command('hitch:open-panel');
        const row = at.page.page
          .getByRole('region', { name: 'GPUs', exact: true })
          .getByRole('treeitem')
          .first();
        await row.waitFor();
        if ((await row.getAttribute('aria-expanded')) !== 'true') {
          await row.focus();
          await at.page.page.keyboard.press('ArrowRight');
        }
        await at.page.page.getByRole('region', { name: 'Jobs' }).waitFor();
      },
    },
    networks: {
      selector: '#jp-hitch-networks',
      open: async () => {
        await at.page.command('hitch:networks');
        await at.page.page
          .locator('#jp-hitch-networks')
          .getByRole('heading', { name: 'Your machines' })
          .waitFor();
      },
    },
    offers: {
      selector: '#jp-hitch-new-cluster',
      open: async () => {
        await at.page.command('hitch:new-cluster');
        if (await form().isVisible()) {
          await form()
            .getByRole('button', { name: /Back|Cancel/ })
            .first()
            .click();
        }
        await table()
          .getByRole('gridcell', { name: /^Rent / })
          .first()
          .waitFor({ timeout: SLOW_MS });
      },
    },
    rent: {
      selector: '#jp-hitch-new-cluster',
      open: async () => {
        await at.page.command('hitch:new-cluster');
        await table()
          .getByRole('gridcell', { name: /^Rent / })
          .first()
          .click();
        await form().getByText('Spending limit').first().waitFor();
      },
    },
    templates: {
      selector: '#jp-hitch-templates',
      open: async () => {
        await at.page.command('hitch:templates');
        const templates = at.page.page.locator('hitch-templates');
        await templates.getByRole('button', { name: /^Train a small classifier with NumPy/ }).click();
        await templates.getByRole('textbox', { name: /^Steps/ }).fill('0');
        await templates.getByRole('alert').first().waitFor();
      },
    },
    cluster: {
      selector: '.jp-Hitch-tab:not(#jp-hitch-networks)',
      open: async () => {
        await at.page.command('hitch:show-timeline', { clusterId: at.cluster.id });
        await at.page.page.locator('.jp-Hitch-tabHead').getByRole('button', { name: /^Stop/ }).waitFor();
      },
    },
    job: {
      selector: '.jp-Hitch-jobTab',
      open: async () => {
        await at.page.command('hitch:open-job', { jobId });
        await at.page.page
          .locator('hitch-job')
          .getByText(/^Running, /)
          .waitFor();
      },
    },
    'machine-dialog': {
      selector: '.jp-Dialog',
      open: async () => {
        await at.page.begin('hitch:add-machine');
        await dialog().locator('input').first().waitFor();
      },
    },
    'stop-dialog': {
      selector: '.jp-Dialog',
      open: async () => {
        await at.page.begin('hitch:stop', { clusterId: at.cluster.id });
        await dialog()
          .getByText(/^1 job is running: train\. A stop ends what runs/)
          .waitFor({ timeout: SLOW_MS });
      },
    },
  };

  for (const { name, width, height } of SIZES) {
    for (const [screen, { selector, open }] of Object.entries(screens)) {
      it(`shows the ${screen} whole, ${name}`, async () => {
        await at.page.page.setViewportSize({ width, height });
        await open();
        await at.page.picture(`small-${name}-${screen}`);
        const faults = await cutOff(at.page.page, selector);
        assert.deepEqual([...faults, ...(await barriers(at.page, selector))], []);
      });
    }
  }
});
