/** The rent form in Chromium: the hours that are paid ahead. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { violations } from './support/axe.ts';
import { browserOrSkip, type Browser } from './support/browser.ts';

const pictures = fileURLToPath(new URL('../../../.cache/jupyterlab-tests/pictures', import.meta.url));

describe('the rent form in a browser', function () {
  this.timeout(240_000);
  let browser: Browser;

  before(async function () {
    browser = await browserOrSkip(this);
    mkdirSync(pictures, { recursive: true });
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
  });

  it('asks for hours paid ahead where an offer is sold so: said with their price, refused with a sentence', async () => {
    const page = await browser.page('lab-light');
    const BY_THE_HOUR = {
      pricePerHourMicroUsd: '600000',
      nonRefundableMicroUsd: '0',
      termMs: 3_600_000,
      floorMicroUsd: '600000',
      dueNowMicroUsd: '600000',
      refundable: 'exact_after_floor',
    } as const;
    await page.evaluate(() => {
      window.views.form();
    });
    await page.getByRole('textbox', { name: 'Cluster name' }).waitFor();
    assert.equal(await page.locator('#hours').count(), 0, 'it is paid as it is used');
    await page.evaluate(change => {
      const form = window.views.form(change);
      form.defaults = { capMicroUsd: '5000000' };
    }, BY_THE_HOUR);
    const hours = page.getByRole('textbox', {
      name: 'Hours paid ahead. 4 h: $2.40 now; what is not used comes back, but for $0.60. Sold for 1 h at a time. Empty: until it stops',
    });
    await hours.waitFor();
    assert.equal(await hours.getAttribute('placeholder'), '4');
    await hours.fill('9');
    await hours.press('Enter');
    await page.getByRole('button', { name: 'Review and rent…' }).click();
    await page
      .getByRole('textbox', { name: /^Hours paid ahead\. 9 h would be paid ahead, and it stops before/ })
      .waitFor();
    assert.deepEqual(await violations(page), []);
    await page.locator('#hours input').fill('2');
    await page.locator('#hours input').press('Enter');
    await page.getByText('2 h: $1.20 now; what is not used comes back, but for $0.60').waitFor();
    await page.screenshot({ path: join(pictures, 'rent-form-hours.png') });
    await page.getByRole('button', { name: 'Review and rent…' }).click();
    const asked = await page.evaluate(() =>
      window.views.heard
        .filter(({ name }) => name === 'hitch-quote-request')
        .map(({ detail }) => (detail as { request: { termMs: number | null } }).request.termMs),
    );
    assert.deepEqual(asked, [7_200_000]);
    await page.close();
  });

  it('offers the packages of files, says what would be installed, and asks no price before they are pinned', async () => {
    const page = await browser.page('lab-dark', { width: 900, height: 1100 });
    await page.evaluate(() => {
      const form = window.views.form();
      const files = ['requirements.txt', 'train.py'].map(name => ({ path: `/code/${name}`, name }));
      form.environmentFiles = { files, notes: [] };
    });
    const choice = page.getByRole('combobox', { name: 'Packages' });
    await choice.focus();
    await page.keyboard.press('r');
    await page.getByText('Pinning every package…').waitFor();
    const rent = page.getByRole('button', { name: 'Review and rent…' });
    await rent.click();
    await page.getByText('The packages are not pinned: wait until they are').waitFor();
    const wanted = { path: '/code/requirements.txt', engine: 'single', platform: 'linux-x86_64' } as const;
    const heard = (name: string) =>
      page.evaluate(
        wantedName => window.views.heard.filter(each => each.name === wantedName).map(({ detail }) => detail),
        name,
      );
    assert.deepEqual(await heard('hitch-lock-packages'), [wanted]);
    await page.evaluate(of => {
      const form = document.querySelector('hitch-rent-form');
      const message = '“transformers>=5” is no exact version.';
      const problems = [{ file: 'requirements.lock', line: 7, message }];
      Object.assign(form ?? {}, { packagesLock: { wanted: of, environment: null, problems, failure: null } });
    }, wanted);
    await page
      .getByRole('alert')
      .filter({ hasText: 'requirements.lock:7 “transformers>=5” is no exact version.' })
      .waitFor();
    assert.deepEqual(await violations(page), []);
    await page.screenshot({ path: join(pictures, 'rent-form-packages-wrong.png') });
    await page.evaluate(of => {
      const form = document.querySelector('hitch-rent-form');
      const environment = {
        id: '0123456789abcdef',
        file: 'requirements.txt',
        python: '3.12',
        platform: 'linux-x86_64',
        accelerator: 'cuda13',
        packages: [{ name: 'torch', version: '2.15.0' }],
        added: ['ipykernel'],
        leftOut: [],
        ray: null,
      };
      Object.assign(form ?? {}, { packagesLock: { wanted: of, environment, problems: [], failure: null } });
    }, wanted);
    await page
      .getByText('Will be installed: requirements.txt, Python 3.12, 1 package (torch 2.15.0), CUDA 13')
      .waitFor();
    await page.getByText('Added for notebooks and the engine: ipykernel.').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.screenshot({ path: join(pictures, 'rent-form-packages.png') });
    await rent.click();
    const asked = (await heard('hitch-quote-request')) as { request: { environment: string | null } }[];
    assert.deepEqual(
      asked.map(({ request }) => request.environment),
      ['0123456789abcdef'],
    );
    await page.close();
  });

  it('takes a press of its button while a path is being typed, although the list pushes the button down', async () => {
    const page = await browser.page('lab-light');
    await page.evaluate(() => {
      window.views.form();
    });
    await page.locator('#send input').click();
    await page.keyboard.type('notes.txt');
    const button = page.getByRole('button', { name: 'Review and rent…' });
    const before = await button.boundingBox();
    assert.ok(before);
    await page.mouse.move(before.x + before.width / 2, before.y + 3);
    await page.mouse.down();
    // As long as a finger takes: what the press has set off is drawn.
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve))));
    await page.mouse.up();
    await page.getByRole('button', { name: 'Remove notes.txt' }).waitFor();
    const after = await button.boundingBox();
    assert.ok(after && after.y > before.y + 3, 'the list takes room above the button');
    const asked = await page.evaluate(() =>
      window.views.heard
        .filter(({ name }) => name === 'hitch-quote-request')
        .map(({ detail }) => (detail as { send: readonly string[] }).send),
    );
    assert.deepEqual(asked, [['notes.txt']]);
    await page.close();
  });
});
