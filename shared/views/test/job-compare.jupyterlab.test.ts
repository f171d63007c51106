/** Two jobs beside each other in Chromium: what differs, and the rest when it is asked for, in all looks and in little room. */
import assert from 'node:assert/strict';
import { violations } from './support/axe.ts';
import { browserOrSkip, type Browser } from './support/browser.ts';
import { faintTexts } from './support/contrast.ts';
import type { ThemeName } from './support/themes.ts';

const ALL_THEMES: readonly ThemeName[] = ['code-light', 'code-dark', 'lab-light', 'lab-dark'];

describe('two jobs in a browser', function () {
  this.timeout(240_000);
  let browser: Browser;

  before(async function () {
    browser = await browserOrSkip(this);
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
  });

  for (const theme of ALL_THEMES) {
    it(`are readable and have no fault that axe finds, ${theme}`, async () => {
      const page = await browser.page(theme, { width: 320, height: 700 });
      await page.evaluate(() => void window.views.compare());
      await page.getByRole('heading', { name: 'lr-0.1 and lr-0.01' }).waitFor();
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(await faintTexts(page, 'main'), []);
      const overflow = await page.evaluate(() => document.body.scrollWidth - document.body.clientWidth);
      assert.ok(overflow <= 0, `${overflow.toString()} px too wide`);
      await page.close();
    });
  }

  it('show what differs, and the rest when it is asked for, by keyboard', async () => {
    const page = await browser.page('code-dark', { width: 760, height: 700 });
    await page.evaluate(() => void window.views.compare());
    const parameters = page.getByRole('table', { name: 'Parameters' });
    await parameters.getByRole('row', { name: 'lr 0.1 0.01' }).waitFor();
    assert.equal(await parameters.getByRole('row', { name: /^epochs/ }).count(), 0);
    await page
      .getByRole('checkbox', { name: 'Parameters and packages that are the same, too' })
      .press('Space');
    await parameters.getByRole('row', { name: 'epochs 3 3' }).waitFor();
    await page
      .getByRole('table', { name: 'Machine' })
      .getByRole('row', { name: /^price \$0\.42\/h/ })
      .waitFor();
    await page.getByText('Neither logged figures.').waitFor();
    await page.close();
  });
});
