/** The views in Chromium under a webview's strict policy: 100,000 offers, keyboard, races, states and axe. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { violations } from './support/axe.ts';
import { browserOrSkip, type Browser } from './support/browser.ts';
import type { ThemeName } from './support/themes.ts';

const OFFERS = 100_000;

describe('the views in a browser', function () {
  this.timeout(240_000);
  let browser: Browser;
  const trouble: string[] = [];

  before(async function () {
    browser = await browserOrSkip(this);
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
  });

  afterEach(() => {
    assert.deepEqual(trouble.splice(0), [], 'the page reports nothing');
  });

  async function open(theme: ThemeName, size?: { width: number; height: number }): Promise<Page> {
    const page = await browser.page(theme, size);
    page.on('pageerror', error => trouble.push(String(error)));
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) {
        trouble.push(message.text());
      }
    });
    return page;
  }

  async function openTable(theme: ThemeName, count = OFFERS, size?: { width: number; height: number }) {
    const page = await open(theme, size);
    await page.evaluate(offers => {
      window.views.table(offers);
    }, count);
    await page.locator('.row:not(.loading)').first().waitFor();
    return page;
  }

  /** The words of the active cell, as a screen reader finds them. */
  const active = (page: Page) =>
    page.locator('.scroller').evaluate(grid => {
      const root = grid.getRootNode();
      const id = grid.getAttribute('aria-activedescendant');
      const cell = root instanceof ShadowRoot && id !== null ? root.getElementById(id) : null;
      return {
        focused: root instanceof ShadowRoot && root.activeElement === grid,
        row: cell?.parentElement?.getAttribute('aria-rowindex') ?? null,
        words: cell?.textContent.trim() ?? null,
      };
    });

  const heard = (page: Page, name: string) =>
    page.evaluate(
      wanted => window.views.heard.filter(event => event.name === wanted).map(({ detail }) => detail),
      name,
    );

  it('draws a hundred thousand offers with a few dozen rows, down to the last', async () => {
    const page = await openTable('code-dark');
    await page.evaluate(() => {
      const table = document.querySelector('hitch-offer-table');
      if (table !== null) table.filter = {};
    });
    await page.locator('.scroller[aria-rowcount="100001"]').waitFor();
    assert.ok((await page.locator('.row').count()) < 80);
    await page.locator('.scroller').focus();
    await page.keyboard.press('End');
    await page.locator('.row[aria-rowindex="100001"]:not(.loading)').waitFor();
    assert.equal((await active(page)).row, '100001');
    const asked = await page.evaluate(() => window.views.asked.length);
    assert.ok(asked < 12, `${asked} requests for two places`);
    await page.close();
  });

  it('is walked, sorted, chosen from and rented from by keyboard, and keeps the focus when prices move', async () => {
    const page = await openTable('code-light', 5000, { width: 1600, height: 700 });
    await page.locator('.scroller').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('PageDown');
    const before = await active(page);
    assert.deepEqual([before.focused, before.row !== null], [true, true]);
    await page.keyboard.press('Space');
    await page.locator('.row[aria-selected="true"]').waitFor();
    const id = await page.evaluate(() => document.querySelector('hitch-offer-table')?.selected[0]?.id);

    // The chosen offer becomes the cheapest: it moves to the top, and the active cell with it.
    await page.evaluate(chosen => {
      window.views.offers = window.views.offers.map(offer =>
        offer.id === chosen ? { ...offer, pricePerHourMicroUsd: '50000' } : offer,
      );
      window.views.sortedFor = '';
      document.querySelector('hitch-offer-table')?.refresh();
    }, id);
    await page.waitForFunction(
      () => document.querySelector('hitch-offer-table')?.selected[0]?.pricePerHourMicroUsd === '50000',
    );
    assert.equal((await active(page)).focused, true);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const [rent] = await heard(page, 'hitch-rent');
    assert.equal(JSON.stringify(rent).includes('"nodes":1'), true);

    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowUp');
    assert.equal((await active(page)).row, '1');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    assert.deepEqual((await heard(page, 'hitch-filter-change')).length, 1);
    await page
      .locator('[role=columnheader][aria-sort=descending], [role=columnheader][aria-sort=ascending]')
      .waitFor();
    await page.close();
  });

  it('removes, adds and says filters, and tells how many offers match', async () => {
    const page = await openTable('lab-light', 5000);
    const status = page.locator('hitch-offer-table').locator('[role=status][aria-live=polite]');
    await page.getByRole('button', { name: 'Remove filter 1 GPU' }).focus();
    await page.keyboard.press('Delete');
    await page.waitForFunction(() => window.views.heard.some(({ name }) => name === 'hitch-filter-change'));
    await assertEventually(async () => /offers match/.test((await status.textContent()) ?? ''));
    const focused = await page.evaluate(
      () =>
        document
          .querySelector('hitch-offer-table')
          ?.shadowRoot?.querySelector('hitch-filter-bar')
          ?.shadowRoot?.activeElement?.getAttribute('aria-label') ?? null,
    );
    assert.equal(focused, 'Remove filter ≥ 24 GB');

    await page.getByRole('button', { name: 'Filters…' }).click();
    await page.locator('#minGpuCount input').fill('two');
    await page.locator('#minGpuCount input').press('Enter');
    await page.getByText('GPUs, at least: enter a whole number').waitFor();
    await page.locator('#minGpuCount input').fill('4');
    await page.locator('#minGpuCount input').press('Enter');
    await page.getByRole('button', { name: 'Remove filter ≥ 4 GPUs' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#search input').fill('h100');
    await page.getByText('H100 SXM').first().waitFor();
    await page.close();
  });

  it('shows the newest question only, and takes the older one back', async () => {
    const page = await openTable('code-dark', 5000);
    await page.evaluate(() => {
      window.views.delayMs = 400;
      window.views.asked = [];
      const table = document.querySelector('hitch-offer-table');
      if (table !== null) table.filter = { text: 'l40s' };
    });
    await page.waitForFunction(() => window.views.asked.length === 1);
    await page.evaluate(() => {
      window.views.delayMs = 0;
      const table = document.querySelector('hitch-offer-table');
      if (table !== null) table.filter = { text: 'a6000' };
    });
    await page.getByText('RTX A6000').first().waitFor();
    assert.equal(await page.evaluate(() => window.views.asked[0]?.aborted), true);
    await page.waitForFunction(() => window.views.asked.length >= 2);
    await assertEventually(async () => (await page.getByText('L40S').count()) === 0);
    await page.close();
  });

  it('says what is wrong and what to do next: nothing matches, no network, an error, no daemon', async () => {
    const page = await openTable('lab-dark', 300);
    await page.evaluate(() => {
      const table = document.querySelector('hitch-offer-table');
      if (table !== null) table.filter = { gpuModels: ['RTX 4060 Ti'], minVramMiB: 90_000 };
    });
    await page.getByRole('button', { name: 'Remove “≥ 88 GB”' }).click();
    await page.locator('.row:not(.loading)').first().waitFor();

    await page.evaluate(() => {
      const table = document.querySelector('hitch-offer-table');
      if (table !== null) table.filter = { text: 'rtx 9999' };
    });
    await page.getByText('Nothing matches “rtx 9999”. Without this search there are 300 offers.').waitFor();
    await page.getByRole('button', { name: 'Clear search' }).click();
    await page.locator('.row:not(.loading)').first().waitFor();

    await page.evaluate(() => {
      window.views.failure = 'Hitch’s daemon does not answer.';
      document.querySelector('hitch-offer-table')?.refresh();
    });
    await page.getByText('Hitch’s daemon does not answer. Showing the last known offers.').waitFor();
    assert.ok((await page.locator('.row:not(.loading)').count()) > 0, 'the last offers stay');
    await page.evaluate(() => {
      window.views.failure = null;
    });
    await page.getByRole('button', { name: 'Try again' }).click();
    await assertEventually(async () => (await page.locator('#trouble').count()) === 0);
    assert.equal((await heard(page, 'hitch-refresh')).length, 1);

    await page.evaluate(() => {
      const table = document.querySelector('hitch-offer-table');
      if (table !== null) table.offline = 'The bridge is down: start the daemon.';
    });
    await page.getByText('The bridge is down: start the daemon.').waitFor();

    await page.evaluate(() => {
      const table = window.views.table(0);
      table.filter = {};
    });
    await page.getByText('No network is turned on.').waitFor();

    await page.evaluate(() => {
      const table = window.views.table(300);
      table.providers = (table.providers ?? []).map(provider => ({ ...provider, enabled: false }));
    });
    await page.locator('#practice').waitFor();
    await page.getByRole('button', { name: 'Connect a network…' }).click();
    assert.equal((await heard(page, 'hitch-connect')).length, 1);
    await page.close();
  });

  it('compares offers side by side and asks for several nodes where they reach each other', async () => {
    const page = await openTable('code-light', 5000, { width: 900, height: 700 });
    await page.locator('.row .select').nth(1).click();
    await page.locator('.row .select').nth(3).click();
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('heading', { name: '2 offers side by side' }).waitFor();
    assert.equal((await heard(page, 'hitch-compare')).length, 1);
    await page.keyboard.press('Escape');
    assert.equal((await active(page)).focused, true);
    await page.locator('#nodes input').fill('500');
    await page.getByText('Nodes: enter a whole number from 1 to 100.').waitFor();
    await page.close();
  });

  it('fits 500 pixels, with the price and the GPU in view', async () => {
    const page = await openTable('lab-light', 300, { width: 500, height: 600 });
    const overflow = await page.locator('.scroller').evaluate(grid => grid.scrollWidth - grid.clientWidth);
    assert.ok(overflow <= 0, `${overflow} px do not fit`);
    await page.getByRole('columnheader', { name: '$/h' }).waitFor();
    await page.close();
  });

  it('starts on Cancel, says where the yes is given and how long it waits, and spends nothing', async () => {
    const page = await open('code-dark');
    await page.evaluate(() => {
      window.views.confirm();
    });
    await page.getByText('Approve it in the Hitch window that opened.').waitFor();
    await page.getByText('hitch approve a3f0').waitFor();
    const focus = () =>
      page.evaluate(() => document.querySelector('hitch-confirm')?.shadowRoot?.activeElement?.id);
    await assertEventually(async () => (await focus()) === 'cancel');
    assert.equal(await page.locator('li.warning').count(), 3);
    await page.keyboard.press('Escape');
    assert.equal((await heard(page, 'hitch-cancel')).length, 1);
    await page.getByRole('button', { name: 'Open the approval window' }).click();
    assert.equal((await heard(page, 'hitch-confirm')).length, 1);
    await page.evaluate(() => {
      const confirm = window.views.confirm();
      const expires = confirm.quote?.expiresAtMs ?? 0;
      confirm.now = () => expires + 1;
    });
    await page.getByRole('button', { name: 'Ask again' }).click();
    assert.equal((await heard(page, 'hitch-quote-again')).length, 1);
    await page.close();
  });

  it('asks for a quote with what was chosen, and not while something is wrong', async () => {
    const page = await open('lab-dark', { width: 800, height: 800 });
    await page.evaluate(() => {
      window.views.form();
    });
    await page.locator('#name input').fill('llm-dev');
    await page.getByRole('button', { name: 'Review and rent…' }).click();
    await page.getByText('Another cluster is called llm-dev').waitFor();
    assert.equal((await heard(page, 'hitch-quote-request')).length, 0);
    await page.locator('#name input').fill('train');
    await page.locator('#save input').fill('results');
    await page.locator('#save input').press('Enter');
    await page.getByLabel('HF_TOKEN').check();
    await page.getByRole('button', { name: 'Review and rent…' }).click();
    const [detail] = await heard(page, 'hitch-quote-request');
    const text = JSON.stringify(detail);
    assert.match(text, /"name":"train"/);
    assert.match(text, /"capMicroUsd":"2000000"/);
    assert.match(text, /"paths":\["results"\]/);
    assert.match(text, /"secrets":\["HF_TOKEN"\]/);
    await page.close();
  });

  it('has no barrier that axe finds, in light and dark of both hosts', async () => {
    const found: string[] = [];
    for (const theme of ['code-light', 'code-dark', 'lab-light', 'lab-dark'] as const) {
      const page = await openTable(theme, 3000);
      await page.locator('.row .select').nth(0).click();
      await page.getByRole('button', { name: 'Filters…' }).click();
      found.push(...(await violations(page)).map(text => `${theme} table ${text}`));
      for (const view of ['form', 'confirm', 'timeline', 'plot'] as const) {
        await page.evaluate(name => {
          window.views[name]();
        }, view);
        await page.locator('main > *').waitFor();
        found.push(...(await violations(page)).map(text => `${theme} ${view} ${text}`));
      }
      await page.close();
    }
    assert.deepEqual(found, []);
  });
});

/** Until it holds. */
async function assertEventually(holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 90_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineMs, 'this did not come about within a minute and a half');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
