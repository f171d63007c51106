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

  it('goes to the error that it ended with, and follows the end again when it is told to', async () => {
    const page = await browser.page('code-light', { width: 760, height: 700 });
    const steps = Array.from({ length: 200 }, (_, step) => `step ${step.toString()}`).join('\n');
    await page.evaluate(text => void window.views.job({}, text), `${steps}\nValueError: no\nlast words\n`);
    const log = page.getByRole('region', { name: 'Log of train' });
    await log.getByText('last words').waitFor();
    await page.getByRole('button', { name: 'Follows the end' }).waitFor();
    await page.getByRole('button', { name: 'Go to the error' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(/^… about .* before this; search finds them …\s+Error: no\s+last words/).waitFor();
    await page.getByRole('button', { name: 'From the beginning' }).press('Enter');
    await log.getByText('step 0').waitFor();
    assert.equal(await log.evaluate(view => view.scrollTop), 0);
    await page.getByRole('button', { name: 'Follow the end' }).press('Enter');
    await page.getByRole('button', { name: 'Follows the end' }).waitFor();
    assert.ok((await log.evaluate(view => view.scrollHeight - view.scrollTop - view.clientHeight)) < 40);
    await page.close();
  });

  it('says what it ran with, and shows no secret of it', async () => {
    const page = await browser.page('lab-dark', { width: 320, height: 700 });
    const spec = {
      work: { kind: 'command', command: ['python', 'train.py', '--lr', '0.1'] },
      folder: 'code',
      variables: { WANDB_API_KEY: 'not-to-be-seen' },
      retries: 0,
      timeLimitMs: null,
      graceMs: 10_000,
      memoryBytes: null,
      outputs: [],
    };
    await page.evaluate(given => {
      const view = window.views.job({ spec: given } as never);
      view.around = { offer: '1× RTX 4090, $0.42/h', packages: 'requirements.txt, Python 3.12 (env-1)' };
    }, spec);
    await page.getByText('What it ran with').press('Enter');
    for (const text of [
      '0.1',
      '1× RTX 4090, $0.42/h',
      'requirements.txt, Python 3.12 (env-1)',
      '(not shown)',
    ]) {
      await page.getByText(text, { exact: true }).waitFor();
    }
    assert.equal(await page.getByText('not-to-be-seen').count(), 0);
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
