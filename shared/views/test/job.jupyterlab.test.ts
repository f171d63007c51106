/** One job in Chromium: how it stands, its log, a search in it, and what can be done, in all looks and by keyboard. */
import assert from 'node:assert/strict';
import { violations } from './support/axe.ts';
import { browserOrSkip, type Browser } from './support/browser.ts';
import { faintTexts } from './support/contrast.ts';
import { endedJob } from './support/job.ts';
import type { ThemeName } from './support/themes.ts';

const ALL_THEMES: readonly ThemeName[] = ['code-light', 'code-dark', 'lab-light', 'lab-dark'];

describe('a job in a browser', function () {
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
      const page = await browser.page(theme, { width: 760, height: 700 });
      await page.evaluate(() => void window.views.job());
      await page.getByText('Running, 2:30').waitFor();
      await page.getByText('step 2').waitFor();
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(await faintTexts(page, 'main'), []);
      await page.evaluate(change => void window.views.job(change), endedJob());
      await page.getByText(/^Failed after 2:30: out of memory at \d+(\.\d)? GB$/).waitFor();
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(await faintTexts(page, 'main'), []);
      await page.close();
    });
  }

  it('finds a text, goes to its place, and tells what is wanted, all by keyboard', async () => {
    const page = await browser.page('lab-light', { width: 760, height: 700 });
    await page.evaluate(() => void window.views.job({}, 'begin\nloss 0.5\nend\n'));
    await page.getByLabel('Log of train').getByText('begin').waitFor();
    await page.getByRole('searchbox', { name: 'Search the log' }).fill('loss 0.5');
    await page.keyboard.press('Enter');
    const found = page
      .getByRole('list', { name: 'Found in the log' })
      .getByRole('button', { name: 'loss 0.5' });
    await found.focus();
    await page.keyboard.press('Enter');
    await page.getByText(/^… about 6 bytes? before this; search finds them …\s+loss 0\.5\s+end/).waitFor();
    await page.getByRole('button', { name: 'Stop job' }).focus();
    await page.keyboard.press('Enter');
    const heard = await page.evaluate(() =>
      window.views.heard.filter(({ name }) => name === 'hitch-job').map(({ detail }) => detail),
    );
    assert.deepEqual(heard, [{ action: 'stop' }]);
    await page.close();
  });
});
