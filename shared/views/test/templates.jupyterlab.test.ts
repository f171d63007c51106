/** Templates in Chromium: the list, a form whose values the daemon judges, in all looks and by keyboard. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { violations } from './support/axe.ts';
import { browserOrSkip, type Browser } from './support/browser.ts';
import { faintTexts } from './support/contrast.ts';
import { runDetails } from './support/templates.ts';
import type { ThemeName } from './support/themes.ts';

const ALL_THEMES: readonly ThemeName[] = ['code-light', 'code-dark', 'lab-light', 'lab-dark'];
const pictures = fileURLToPath(new URL('../../../.cache/jupyterlab-tests/pictures', import.meta.url));

describe('templates in a browser', function () {
  this.timeout(240_000);
  let browser: Browser;

  before(async function () {
    browser = await browserOrSkip(this);
    mkdirSync(pictures, { recursive: true });
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
  });

  for (const theme of ALL_THEMES) {
    it(`are readable and have no fault that axe finds, ${theme}`, async () => {
      const page = await browser.page(theme, { width: 1000, height: 1000 });
      await page.evaluate(
        () =>
          void window.views.templates([{}, { id: 'broken', title: 'Broken', problems: 2 }], {
            refusal: { message: 'Nothing can be rented for it.', next: 'Run it here.' },
          }),
      );
      await page.getByRole('button', { name: /^Train a classifier/ }).click();
      await page.getByRole('textbox', { name: /^Steps/ }).fill('4000');
      await page.getByText('“Steps” is 4000; it must be at most 1000.').waitFor();
      // Left, for what has the focus has the focus's edge.
      await page.getByRole('button', { name: /^Train a classifier/ }).focus();
      const edges = await page.locator('hitch-templates').evaluate(view => {
        const edgeOf = (name: string) => {
          const field = view.shadowRoot?.querySelector(`#parameter-${name}`)?.shadowRoot;
          return getComputedStyle(field?.querySelector('.root') ?? view).borderTopColor;
        };
        const pen = document.createElement('i');
        view.after(pen);
        pen.style.color = 'var(--vscode-inputValidation-errorBorder)';
        const wrong = getComputedStyle(pen).color;
        pen.remove();
        return { wrong, steps: edgeOf('steps'), seed: edgeOf('seed') };
      });
      assert.equal(edges.steps, edges.wrong, 'a wrong field has an edge in the theme’s colour of mistakes');
      assert.notEqual(edges.seed, edges.wrong);
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(await faintTexts(page, 'main'), []);
      await page.screenshot({ path: join(pictures, `templates-${theme}.png`) });
      await page.evaluate(change => {
        window.views.templates([{ runs: true }], change);
      }, runDetails());
      await page.getByRole('button', { name: /^Train a classifier/ }).click();
      await page.getByRole('textbox', { name: /^Spending limit/ }).fill('0');
      await page.getByText('The spending limit is $0.00: enter how much it may cost.').waitFor();
      assert.equal(await page.getByText('Renting starts nothing of it.').count(), 0);
      await page.evaluate(() => {
        const view = document.querySelector('hitch-templates');
        if (view !== null) {
          view.refused = { field: null, sentence: 'No machine is offered now.' };
        }
      });
      await page.getByRole('alert').filter({ hasText: 'No machine is offered now.' }).waitFor();
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(await faintTexts(page, 'main'), []);
      await page.screenshot({ path: join(pictures, `templates-run-${theme}.png`) });
      await page.close();
    });
  }

  it('show which one is chosen in high contrast too, where every edge that has no colour gets one', async () => {
    const page = await browser.page('code-dark', { width: 1000, height: 700 });
    await page.emulateMedia({ forcedColors: 'active' });
    await page.evaluate(() => void window.views.templates([{}, { id: 'other', title: 'Another' }]));
    await page.getByRole('button', { name: /^Train a classifier/ }).click();
    const chosen = page.locator('.template[aria-current=true]');
    await chosen.waitFor();
    const edgeOf = (template: Element): string => getComputedStyle(template).borderTopColor;
    const ground = await page.evaluate(() => {
      document.body.style.color = 'Canvas';
      return getComputedStyle(document.body).color;
    });
    assert.equal(await page.locator('.template:not([aria-current=true])').evaluate(edgeOf), ground);
    assert.notEqual(await chosen.evaluate(edgeOf), ground);
    await page.close();
  });

  it('are chosen and filled in by keyboard; each mistake is announced at its field, and nothing goes on with one', async () => {
    const page = await browser.page('lab-light', { width: 1000, height: 1000 });
    await page.evaluate(() => void window.views.templates());
    await page.getByRole('button', { name: /^Train a classifier/ }).focus();
    await page.keyboard.press('Enter');
    const preset = page.getByRole('combobox', { name: 'Preset' });
    await preset.focus();
    await page.keyboard.press('d');
    const steps = page.getByRole('textbox', { name: /^Steps/ });
    await page.waitForFunction(
      () =>
        document
          .querySelector('hitch-templates')
          ?.shadowRoot?.querySelector<HTMLInputElement>('#parameter-steps')?.value === '20',
    );
    await steps.fill('many');
    await page
      .getByRole('alert')
      .filter({ hasText: '“Steps” is “many”; it must be a whole number.' })
      .waitFor();
    await steps.fill('30');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    // What has no default is asked for when one wants to go on, and has the focus.
    await page.getByRole('button', { name: 'Rent…' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: '“Run name” is needed; it has no default.' }).waitFor();
    await page.keyboard.type('first');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    // One in the folded settings unfolds them.
    await page.getByText('More settings').click();
    await page.getByRole('textbox', { name: /^Seed/ }).fill('100');
    await page.getByRole('alert').filter({ hasText: '“Seed” is 100; it must be at most 99.' }).waitFor();
    await page.getByRole('button', { name: 'Rent…' }).click();
    await page.getByRole('textbox', { name: /^Seed/ }).fill('9');
    // At once: what was typed last is judged before it goes on.
    await page.getByRole('button', { name: 'Rent…' }).click();
    await page.waitForFunction(() => window.views.heard.some(({ name }) => name === 'hitch-template-rent'));
    const rents = await page.evaluate(() =>
      window.views.heard
        .filter(({ name }) => name === 'hitch-template-rent')
        .map(({ detail }) => (detail as { choice: unknown }).choice),
    );
    assert.deepEqual(rents, [
      { template: 'classifier', preset: 'smoke', values: { steps: '30', run_name: 'first', seed: '9' } },
    ]);
    await page.close();
  });

  it('with a command are run inside a limit, a time and a place, by keyboard; it can be left, and a refusal stands at its field', async () => {
    const page = await browser.page('lab-light', { width: 1000, height: 1200 });
    await page.evaluate(change => void window.views.templates([{ runs: true }], change), runDetails());
    await page.getByRole('button', { name: /^Train a classifier/ }).click();
    await page.getByRole('textbox', { name: /^Run name/ }).fill('first');
    // The lower of its own limits and the usual ones.
    const cap = page.getByRole('textbox', { name: /^Spending limit/ });
    assert.equal(await cap.inputValue(), '1.50');
    const time = page.getByRole('combobox', { name: 'Longest time' });
    assert.equal(await time.inputValue(), (3 * 3_600_000).toString());
    const run = page.getByRole('button', { name: 'Run…' });
    await cap.fill('much');
    await run.focus();
    await page.keyboard.press('Enter');
    const heard = () =>
      page.evaluate(() =>
        window.views.heard
          .filter(({ name }) => name.startsWith('hitch-template-') && name !== 'hitch-template-choice')
          .map(({ name, detail }) => ({ name, limits: (detail as { limits?: unknown } | null)?.limits })),
      );
    const focused = (id: string) =>
      page.waitForFunction(
        wanted => document.querySelector('hitch-templates')?.shadowRoot?.activeElement?.id === wanted,
        id,
      );
    await focused('run-cap');
    assert.deepEqual(await heard(), []);
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('0.75');
    await time.selectOption({ label: '30 min' });
    await page.getByRole('checkbox', { name: /^on this computer/ }).check();
    await run.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => window.views.heard.some(({ name }) => name === 'hitch-template-run'));
    assert.deepEqual(await heard(), [
      { name: 'hitch-template-run', limits: { capMicroUsd: '750000', timeMs: 1_800_000, practice: true } },
    ]);
    const host = (busy: boolean, field: string | null) =>
      page.evaluate(
        ([isBusy, about]) => {
          const view = document.querySelector('hitch-templates');
          if (view !== null) {
            view.busy = isBusy;
            view.refused =
              about === null ? null : { field: about, sentence: 'The cheapest machine costs more.' };
          }
        },
        [busy, field] as const,
      );
    await host(true, null);
    await focused('leave');
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Enter');
    assert.equal((await heard()).at(-1)?.name, 'hitch-template-leave');
    await host(false, null);
    await focused('rent');
    await host(true, null);
    await host(false, 'rent.capMicroUsd');
    await focused('run-cap');
    await page.getByRole('alert').filter({ hasText: 'The cheapest machine costs more.' }).waitFor();
    // It was about what was asked for then.
    await cap.fill('2');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.close();
  });

  it('say that they load, that there is none, that the daemon is away, and why one could not be judged', async () => {
    const page = await browser.page('code-dark');
    await page.evaluate(() => {
      const view = window.views.templates([]);
      view.templates = null;
    });
    await page.getByText('Loading templates…').waitFor();
    await page.evaluate(() => void window.views.templates([]));
    await page.getByText('No templates yet. “hitch template init” writes one.').waitFor();
    await page.getByRole('button', { name: 'Add a folder…' }).click();
    await page.evaluate(() => {
      window.views.failure = 'The daemon does not answer.';
      const view = window.views.templates();
      view.offline = 'Hitch’s daemon does not answer.';
    });
    await page.getByRole('status').filter({ hasText: 'Hitch’s daemon does not answer.' }).waitFor();
    await page.getByRole('button', { name: /^Train a classifier/ }).click();
    await page.getByRole('alert').filter({ hasText: 'The daemon does not answer.' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.evaluate(() => (window.views.failure = null));
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('textbox', { name: /^Steps/ }).waitFor();
    assert.deepEqual(
      await page.evaluate(() =>
        window.views.heard.map(({ name }) => name).filter(name => /folder/.test(name)),
      ),
      ['hitch-template-folder'],
    );
    await page.close();
  });

  it('show what is wrong with a template by file, line and column, and a search for many', async () => {
    const page = await browser.page('lab-dark', { width: 1000, height: 800 });
    await page.evaluate(() => {
      const many = Array.from({ length: 120 }, (_, at) => ({
        id: `t${at.toString()}`,
        title: `Template ${at.toString()}`,
      }));
      const problem = {
        file: 'hitch.yaml',
        line: 12,
        column: 1,
        sentence: 'There is no key “paramters” in a template.',
      };
      window.views.templates(many, {
        form: null,
        check: { folder: '/t', problems: [problem], notes: [], digest: null, files: 1, bytes: 1 },
      });
    });
    await page.getByText('20 more: search for them').waitFor();
    await page.getByRole('searchbox', { name: 'Search templates' }).fill('template 119');
    await page.getByRole('button', { name: /^Template 119/ }).click();
    await page.getByText('hitch.yaml:12:1').waitFor();
    await page.getByText('There is no key “paramters” in a template.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Rent…' }).getAttribute('aria-disabled'), 'true');
    assert.deepEqual(await violations(page), []);
    await page.close();
  });
});
