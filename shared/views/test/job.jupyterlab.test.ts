/** One job in Chromium: how it stands, its log, a search in it, and what can be done, in all looks and by keyboard. */
import assert from 'node:assert/strict';
import { violations } from './support/axe.ts';
import { browserOrSkip, type Browser } from './support/browser.ts';
import { faintTexts } from './support/contrast.ts';
import { endedJob, rentedJob } from './support/job.ts';
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

  it('that rents says where it stands with its machine until that is gone, and what is saved here', async () => {
    const page = await browser.page('code-dark', { width: 760, height: 700 });
    const show = (change: object) => page.evaluate(given => void window.views.job(given), change);
    const button = (name: string) => page.getByRole('button', { name });
    await show({ ...rentedJob({ stage: 'renting' }), state: 'waiting', runs: [], attemptId: null });
    await page.getByText('Renting a machine', { exact: true }).waitFor();
    await page.getByText('$1.00 in total, $0.40 an hour, 60 min of time').waitFor();
    await button('Stop job').waitFor();
    await show(rentedJob());
    await page.getByText('no checkpoint here yet: what there is lies on the machine only').waitFor();
    await button('Fetch outputs').waitFor();
    await show({ ...endedJob(), ...rentedJob({ stage: 'ending' }) });
    await page.getByText(/^Failed after 2:30.*; saving and deleting the machine$/).waitFor();
    assert.equal(await page.getByRole('button', { name: /^(?:Stop|Run|Fetch)/ }).count(), 0);
    const message = 'What it made was not saved: the machine was gone.';
    await show({ ...endedJob(), ...rentedJob({ stage: 'over', saved: ['/home/me/out'], message }) });
    await page.getByText(/^Failed after 2:30.*; machine deleted$/).waitFor();
    await page.getByText('/home/me/out').waitFor();
    await page.getByText(message).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.close();
  });

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
