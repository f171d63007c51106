/** A machine's use over time in Chromium: readable in all looks and in little room, by plots and as a table. */
import assert from 'node:assert/strict';
import { violations } from './support/axe.ts';
import { browserOrSkip, type Browser } from './support/browser.ts';
import { faintTexts } from './support/contrast.ts';
import type { ThemeName } from './support/themes.ts';

const ALL_THEMES: readonly ThemeName[] = ['code-light', 'code-dark', 'lab-light', 'lab-dark'];

describe('a machine’s use in a browser', function () {
  this.timeout(240_000);
  let browser: Browser;

  before(async function () {
    browser = await browserOrSkip(this);
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
  });

  for (const theme of ALL_THEMES) {
    it(`is readable and has no fault that axe finds, ${theme}`, async () => {
      const page = await browser.page(theme, { width: 320, height: 700 });
      await page.evaluate(() => void window.views.use());
      await page.getByText('As a table').click();
      await page.getByRole('row', { name: /^GPU 0 temperature \d+ °C 8 °C \d+ °C 72 °C$/ }).waitFor();
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(await faintTexts(page, 'main'), []);
      const overflow = await page.evaluate(() => document.body.scrollWidth - document.body.clientWidth);
      assert.ok(overflow <= 0, `${overflow.toString()} px too wide`);
      await page.close();
    });
  }

  it('is that of the node and the time that are chosen, and says what was where the pointer is', async () => {
    const page = await browser.page('code-dark', { width: 760, height: 700 });
    await page.evaluate(() => void window.views.use());
    await page.locator('.plots').getByText('kernel node 0, fine memory').waitFor();
    await page.getByLabel('Machine').selectOption({ index: 1 });
    await page.locator('.plots').getByText('kernel node 1, fine memory').waitFor();
    await page.getByRole('button', { name: 'Since the start' }).click();
    await page.locator('.plots').getByText('kernel node 1, coarse memory').waitFor();
    const plot = page.getByRole('img', { name: /^GPU 0: / });
    const box = await plot.boundingBox();
    // At a quarter the curve is another than at its end.
    await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 4, (box?.y ?? 0) + 10);
    const shown = page.locator('figure[data-series="gpu 0 busy"] b');
    await page.locator('.at').first().waitFor({ state: 'attached' });
    const there = await shown.textContent();
    await page.mouse.move(0, 0);
    await page.locator('.at').first().waitFor({ state: 'detached' });
    assert.notEqual(await shown.textContent(), there);
    await page.close();
  });
});
