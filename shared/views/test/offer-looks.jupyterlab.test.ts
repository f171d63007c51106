/** What is seen of an offer, in Chromium: chosen columns, all of one offer, and texts that stand out from their ground. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { browserOrSkip, type Browser } from './support/browser.ts';
import { faintTexts } from './support/contrast.ts';
import type { ThemeName } from './support/themes.ts';

const ALL_THEMES: readonly ThemeName[] = ['code-light', 'code-dark', 'lab-light', 'lab-dark'];

describe('offers in a browser', function () {
  this.timeout(240_000);
  let browser: Browser;

  before(async function () {
    browser = await browserOrSkip(this);
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
  });

  async function openTable(theme: ThemeName, width: number): Promise<Page> {
    const page = await browser.page(theme, { width, height: 760 });
    await page.evaluate(() => {
      const table = window.views.table(600);
      // Also what is dear, spot, of strangers or goes on billing: that is what is warned of.
      table.filter = {};
    });
    await page.locator('.row:not(.loading)').first().waitFor();
    return page;
  }

  const titles = (page: Page): Promise<string[]> =>
    page
      .locator('.head .cell > span:not(.spoken)')
      .evaluateAll(all => all.map(title => title.textContent.trim()));

  const focus = (page: Page): Promise<string | null> =>
    page.evaluate(() => {
      let at = document.activeElement;
      while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
      return at === null ? null : at.id || at.className;
    });

  const heardColumns = (page: Page): Promise<unknown[]> =>
    page.evaluate(() =>
      window.views.heard
        .filter(({ name }) => name === 'hitch-columns-change')
        .map(({ detail }) => (detail as { columns: unknown }).columns),
    );

  it('have the columns that a person chose by keyboard, and scroll to those that do not fit', async () => {
    const page = await openTable('lab-light', 700);
    const before = await titles(page);
    assert.ok(!before.includes('CUDA'), before.join());
    await page.locator('#columns').focus();
    await page.keyboard.press('Enter');
    const form = page.getByRole('form', { name: 'Columns' });
    await form.getByLabel('CUDA').focus();
    await page.keyboard.press('Space');
    await page.getByRole('columnheader', { name: 'CUDA' }).waitFor();
    assert.equal((await heardColumns(page)).length, 1);
    await form.getByRole('button', { name: 'All columns' }).press('Enter');
    await page.getByRole('columnheader', { name: 'Terms' }).waitFor();
    await page.keyboard.press('Escape');
    await form.waitFor({ state: 'detached' });
    assert.equal(await focus(page), 'columns');
    await page.locator('#columns').press('Enter');
    await form.getByRole('button', { name: 'As many as fit' }).press('Enter');
    await form.getByRole('button', { name: 'Close' }).press('Enter');

    // Below the rows stands how many are hidden, with the way to the same form.
    await page.getByText(/^\s*\d+ columns hidden ·/).waitFor();
    await page.getByRole('button', { name: 'Show…' }).press('Enter');
    await page.waitForFunction(
      () =>
        document.querySelector('hitch-offer-table')?.shadowRoot?.activeElement?.matches('.columns input') ===
        true,
    );
    await form.getByRole('button', { name: 'All columns' }).press('Enter');
    await page.getByRole('columnheader', { name: 'Terms' }).waitFor();
    await page.keyboard.press('Escape');
    await form.waitFor({ state: 'detached' });

    // The last column comes into view with the active cell; the GPU and Rent… never leave it.
    await page.locator('.scroller').focus();
    await page.keyboard.press('ArrowDown');
    for (let column = 0; column < 15; column++) await page.keyboard.press('ArrowRight');
    const places = await page.locator('.scroller').evaluate(grid => {
      const { left, right } = grid.getBoundingClientRect();
      const row = grid.querySelector('.row.active');
      return ['.active', ':nth-child(2)', '.rent'].map(name => {
        const cell = row?.querySelector(`.cell${name}`)?.getBoundingClientRect();
        return cell !== undefined && cell.left >= left - 1 && cell.right <= right + 1;
      });
    });
    assert.deepEqual(places, [true, true, true]);

    await page.locator('#columns').press('Enter');
    await page.getByRole('button', { name: 'As many as fit' }).press('Enter');
    await page.waitForFunction(() => document.querySelector('hitch-offer-table')?.columnChoice === null);
    assert.deepEqual((await heardColumns(page)).at(-1), null);
    assert.deepEqual(await titles(page), before);
    await page.close();
  });

  it('show all of one offer below the rows, that of the active row, by keyboard and by pointer', async () => {
    const page = await openTable('code-dark', 900);
    const pane = page.getByRole('region', { name: 'Details of the offer' });
    await page.locator('.scroller').focus();
    await page.keyboard.press('Control+Enter');
    await pane.waitFor();
    assert.equal(await focus(page), 'details');
    for (const fact of ['RAM', 'Disk', '↓/↑ Mbps', 'CUDA', 'Terms', 'Without me', 'Price breakdown']) {
      await pane.getByText(fact, { exact: true }).waitFor();
    }
    const offer = (row: number) =>
      page.evaluate(at => {
        const { offers } = window.views.page({
          filter: {},
          sort: { key: 'pricePerHour', descending: false },
          offset: at,
          limit: 1,
        });
        return `${offers[0]?.cpuCores.toString() ?? ''} ${offers[0]?.cudaMax ?? ''} ${offers[0]?.stock.toString() ?? ''}`;
      }, row);
    const shown = async (): Promise<string> => {
      const values = await Promise.all(
        ['CPU', 'CUDA', 'In stock'].map(name =>
          pane.locator(`dl > div:has(dt:text-is("${name}")) dd`).textContent(),
        ),
      );
      return values.join(' ');
    };
    assert.equal(await shown(), await offer(0));
    await page.keyboard.press('Escape');
    await pane.waitFor({ state: 'detached' });
    assert.equal(await focus(page), 'scroller');

    await page.locator('.row[aria-rowindex="5"] .cell').nth(2).dblclick();
    await pane.waitFor();
    assert.equal(await shown(), await offer(3));
    await page.locator('.row[aria-rowindex="7"] .cell').nth(2).click();
    const seventh = await offer(5);
    await page.waitForFunction(
      words =>
        document
          .querySelector('hitch-offer-table')
          ?.shadowRoot?.querySelector('#details')
          ?.textContent.replaceAll(/\s+/g, ' ')
          .includes(words),
      `CUDA ${seventh.split(' ')[1] ?? ''}`,
    );
    assert.equal(await shown(), seventh);
    await pane.getByRole('button', { name: 'Rent…' }).click();
    const rented = await page.evaluate(() => window.views.heard.some(({ name }) => name === 'hitch-rent'));
    assert.ok(rented);
    await page.close();
  });

  it('look as if on their way until they are there', async () => {
    const page = await browser.page('lab-dark');
    await page.evaluate(() => {
      window.views.delayMs = 3_600_000;
      window.views.table(600);
    });
    await page.locator('.row').first().waitFor();
    assert.equal(await page.locator('.row:not(.loading)').count(), 0);
    await page.close();
  });

  it('hear a key once also after the table was moved on the page', async () => {
    const page = await openTable('lab-light', 900);
    await page.evaluate(() => {
      const table = document.querySelector('hitch-offer-table');
      if (table !== null) document.querySelector('main')?.append(table);
    });
    await page.locator('.row:not(.loading)').first().waitFor();
    await page.locator('.scroller').focus();
    await page.keyboard.press('Space');
    await page.locator('.row[aria-selected=true]').waitFor();
    await page.keyboard.press('Enter');
    const rented = await page.evaluate(
      () => window.views.heard.filter(({ name }) => name === 'hitch-rent').length,
    );
    assert.equal(rented, 1);
    await page.close();
  });

  it('takes the condition of practice away with its chip, and says practice where nothing else is', async () => {
    const page = await openTable('lab-light', 1200);
    await page.evaluate(() => {
      const table = document.querySelector('hitch-offer-table');
      if (table !== null) {
        table.providers = (table.providers ?? []).map((provider, at) =>
          at === 0 ? { ...provider, id: 'sandbox', kind: 'practice' } : { ...provider, enabled: false },
        );
        table.filter = { practice: 'only', minGpuCount: 1 };
      }
    });
    await page.getByRole('button', { name: 'Remove filter practice' }).click();
    await page.getByRole('button', { name: 'Remove filter practice' }).waitFor({ state: 'detached' });
    assert.equal(await page.getByRole('button', { name: 'Remove filter real networks' }).count(), 0);
    const filters = await page.evaluate(() =>
      window.views.heard
        .filter(({ name }) => name === 'hitch-filter-change')
        .map(({ detail }) => (detail as { filter: unknown }).filter),
    );
    assert.deepEqual(filters, [{ minGpuCount: 1 }]);
    await page.locator('#practice').waitFor();
    await page.close();
  });

  it('lets every text stand out from its ground, in light and dark of both hosts', async () => {
    const found: string[] = [];
    for (const theme of ALL_THEMES) {
      const page = await openTable(theme, 1500);
      const look = async (name: string): Promise<void> => {
        found.push(...(await faintTexts(page, 'main')).map(text => `${theme} ${name} ${text}`));
      };
      await page.locator('.row .select').nth(0).click();
      await page.locator('.row[aria-selected=true]').waitFor();
      await page.locator('.row').nth(3).hover();
      await page.evaluate(() => {
        window.views.failure = 'Hitch’s daemon does not answer.';
        document.querySelector('hitch-offer-table')?.refresh();
      });
      await page.locator('#trouble').waitFor();
      await look('table');
      await page.locator('#columns').click();
      await page.locator('#detail').click();
      await page.getByRole('button', { name: 'Filters…' }).click();
      await page.locator('#minGpuCount input').fill('two');
      await page.locator('#minGpuCount input').press('Enter');
      await page.getByText('GPUs, at least: enter a whole number').waitFor();
      await look('open table');
      await page.evaluate(() => {
        window.views.form();
      });
      await page.locator('#name input').fill('llm-dev');
      await page.getByRole('button', { name: 'Review and rent…' }).click();
      await page.getByText('Another cluster is called llm-dev').waitFor();
      await look('form');
      for (const view of ['confirm', 'timeline', 'plot'] as const) {
        await page.evaluate(name => {
          window.views[name]();
        }, view);
        await page.locator('main > *').waitFor();
        await look(view);
      }
      await page.evaluate(() => {
        const confirm = window.views.confirm();
        confirm.now = () => (confirm.quote?.expiresAtMs ?? 0) + 1;
      });
      await page.getByText('This request has expired').waitFor();
      await look('late confirm');
      await page.close();
    }
    assert.deepEqual(found, []);
  });

  it('gives the focus of the form to its first control, and back to the one that had it', async () => {
    const page = await browser.page('lab-dark');
    await page.evaluate(() => {
      window.views.form();
    });
    const form = page.locator('hitch-rent-form');
    await form.locator('#name').waitFor();
    const give = () => page.evaluate(() => document.querySelector('hitch-rent-form')?.focus());
    await give();
    assert.equal(await form.locator('#name').evaluate(name => name.matches(':focus-within')), true);
    await form.locator('#ask').focus();
    await form.locator('#ask').evaluate(ask => (ask as HTMLElement).blur());
    assert.equal(await page.evaluate(() => document.activeElement === document.body), true);
    await give();
    assert.equal(await focus(page), 'ask');
    await page.close();
  });
});
