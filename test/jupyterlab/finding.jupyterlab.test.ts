/** What a newcomer looks for in JupyterLab, and where the focus is on the way: palette, settings, offers, *Run on…*. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { faintTexts } from '../../shared/views/test/support/contrast.ts';
import { LabCluster } from '../support/lab-cluster.ts';
import { frameOf } from '../support/lab-notebook.ts';
import { collectUncaught, focusedIn, untilFocused, useTheme } from '../support/lab-looks.ts';
import { until } from '../support/waiting.ts';

const SETTINGS = 'jupyterlab-hitch:settings';
const SCHEMA = fileURLToPath(new URL('../../jupyter-plugin/schema/settings.json', import.meta.url));
const SLOW_MS = 120_000;
const GESTURE_MS = 5_000;
/** Commands of one cluster are in the palette while there is one that they suit. */
const COMMANDS = [
  'Show GPU Clusters',
  'New GPU Cluster…',
  'Run on a GPU Cluster…',
  'Terminal on a Cluster',
  'Hitch Documentation',
  'Report a Problem with Hitch…',
];

describe('finding one’s way in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  const there = new LabCluster('finder');
  const problems: string[] = [];

  before(async function start() {
    await there.start(this);
    collectUncaught(there.page, problems);
  });

  afterEach(async function keep() {
    await there.keepFailure('finding', this.currentTest);
  });

  after(async () => {
    await there.dispose();
  });

  const page = () => there.page.page;
  const table = () => page().locator('hitch-offer-table');
  const form = () => page().locator('hitch-rent-form');
  const field = (name: string) => page().locator(`[id="jp-SettingsEditor-${SETTINGS}_${name}"]`);
  const kept = async (): Promise<string> =>
    page().evaluate(
      `window.jupyterapp.serviceManager.settings.fetch(${JSON.stringify(SETTINGS)}).then(({ raw }) => raw)`,
    );

  it('finds the commands under “hitch” in the palette', async () => {
    const found = page().locator('.lm-CommandPalette-item');
    // It closes when something else takes the focus, as JupyterLab does while it begins.
    await until('all of them are found', async () => {
      if (!(await page().locator('.jp-ModalCommandPalette').isVisible())) {
        await there.page.command('apputils:activate-command-palette');
      }
      // It may have closed since: what cannot be typed into is opened again.
      const input = page().locator('.lm-CommandPalette-input');
      if (
        !(await input.fill('hitch', { timeout: GESTURE_MS }).then(
          () => true,
          () => false,
        ))
      ) {
        return false;
      }
      const names = await found.allTextContents();
      return COMMANDS.every(name => names.some(text => text.includes(name)));
    });
    await there.page.picture('finding-palette');
    await page().keyboard.press('Escape');
  });

  it('finds the settings under “hitch”, each with a control, and what is chosen there is kept', async () => {
    await there.page.command('settingeditor:open', { query: 'hitch' });
    const entry = page().locator('.jp-PluginList-entry', { hasText: 'GPU clusters (Hitch)' });
    await entry.click();
    await page().locator('.jp-SettingsHeader', { hasText: 'GPU clusters (Hitch)' }).first().waitFor();
    const schema: unknown = JSON.parse(readFileSync(SCHEMA, 'utf8'));
    assert.ok(typeof schema === 'object' && schema !== null && 'properties' in schema);
    const without: string[] = [];
    for (const name of Object.keys(schema.properties as object)) {
      const controls = field(name).locator(
        'xpath=descendant-or-self::*[self::input or self::select or self::button]',
      );
      const id = `${SETTINGS}_${name}`;
      const named = page().locator(
        `input[id^="jp-SettingsEditor-${id}"], select[id^="jp-SettingsEditor-${id}"]`,
      );
      if ((await controls.count()) + (await named.count()) === 0) without.push(name);
    }
    // An empty list of texts has no field yet, and a button that makes one.
    assert.deepEqual(without, ['templateFolders']);
    assert.equal(await page().getByRole('button', { name: 'Add item' }).count(), 1);
    assert.equal(await page().getByText('Unsupported field').count(), 0);
    await field('practice').selectOption({ label: 'Always shown first' });
    await field('notify').selectOption({ label: 'Failed only' });
    await until('both are kept', async () => {
      const raw = await kept();
      return raw.includes('"practice": "first"') && raw.includes('"notify": "problems"');
    });
    await there.page.picture('finding-settings');
  });

  it('opens the documentation, follows a link in it, and shows its pictures', async () => {
    await there.page.command('hitch:documentation');
    const shown = page().locator('.jp-Hitch-documentation');
    await shown.getByRole('link', { name: 'First ten minutes in VS Code' }).click();
    await shown.getByRole('heading', { name: 'First ten minutes in VS Code' }).waitFor();
    await until('its pictures are there', () =>
      shown
        .locator('img')
        .evaluateAll(
          images =>
            images.length > 1 &&
            images.every(image => 'naturalWidth' in image && Number(image.naturalWidth) > 0),
        ),
    );
    await shown.getByRole('link', { name: 'settings' }).click();
    await shown.getByRole('heading', { name: 'Settings', exact: true }).waitFor();
  });

  it('shows what a report of a problem would have, with no name in it', async () => {
    await there.page.begin('hitch:report-problem');
    const text = await page().locator('.jp-Dialog textarea').inputValue();
    const { daemon, doctor, clusters } = JSON.parse(text) as Record<string, unknown>;
    assert.ok(typeof daemon === 'object' && Array.isArray(doctor) && Array.isArray(clusters));
    assert.doesNotMatch(text, /finder/);
    await page().keyboard.press('Escape');
  });

  it('goes from an offer to its form and back with the keyboard alone, the focus where it is looked for', async () => {
    await there.page.command('hitch:new-cluster');
    await table().locator('.row:not(.loading)').first().waitFor({ timeout: SLOW_MS });
    await table().locator('#practice').waitFor();
    await table().locator('.scroller').focus();
    await page().keyboard.press('ArrowDown');
    const at = () => table().locator('.scroller').getAttribute('aria-activedescendant');
    const before = await at();
    await page().keyboard.press('Enter');
    await form().waitFor();
    await until('its first control has the focus', async () =>
      (await focusedIn(there.page)).includes('#name'),
    );
    // From the form to the question and back.
    await form().locator('#ask').focus();
    await page().keyboard.press('Enter');
    await page()
      .locator('hitch-confirm')
      .getByText('finder')
      .or(page().locator('hitch-confirm h2'))
      .first()
      .waitFor({ timeout: SLOW_MS });
    await untilFocused(there.page, 'Cancel');
    await page().bringToFront();
    await page().keyboard.press('Escape');
    await page().locator('hitch-confirm').waitFor({ state: 'detached', timeout: SLOW_MS });
    await until('the button that asked has it again', async () =>
      (await focusedIn(there.page)).includes('#ask'),
    );
    await form().getByRole('button', { name: 'Back' }).focus();
    await page().keyboard.press('Enter');
    await form().waitFor({ state: 'detached' });
    await until('the offer’s row has it again', async () =>
      (await focusedIn(there.page)).includes('.scroller'),
    );
    assert.equal(await at(), before);
  });

  it('keeps the columns that were chosen', async () => {
    await table().locator('#columns').click();
    await table().getByRole('form', { name: 'Columns' }).getByLabel('CUDA').check();
    await table().getByRole('columnheader', { name: 'CUDA' }).waitFor();
    await until('they are kept', async () => (await kept()).includes('"cuda"'));
    await there.page.reload();
    await there.page.command('hitch:new-cluster');
    await table().getByRole('columnheader', { name: 'CUDA' }).waitFor({ timeout: SLOW_MS });
  });

  it('brings the notebook that it moves to the front', async () => {
    const { book, kernel, name } = there;
    await book.make('mine.ipynb', 'python3');
    await there.page.command('hitch:open-panel');
    await there.page.command('hitch:show-timeline', { clusterId: there.cluster.id });
    await page().locator('hitch-timeline').waitFor();
    await page()
      .getByRole('region', { name: 'GPUs', exact: true })
      .getByRole('button', { name: `Run on…: ${name}` })
      .click();
    await page().getByText(`mine.ipynb now runs on ${name}.`).first().waitFor({ timeout: SLOW_MS });
    assert.equal(await page().evaluate('window.jupyterapp.shell.currentWidget.context?.path'), 'mine.ipynb');
    await book.untilIdle(kernel);
  });

  it('lets every text stand out from its ground, in light and dark', async () => {
    const found: string[] = [];
    const row = page().getByRole('region', { name: 'GPUs', exact: true }).getByRole('treeitem').first();
    await row.focus();
    await page().keyboard.press('ArrowRight');
    await page()
      .getByRole('group', { name: /^Details of/ })
      .waitFor();
    for (const [tab, selector] of [
      ['hitch:show-timeline', '.jp-Hitch-tab'],
      ['hitch:new-cluster', '.jp-Hitch-new'],
    ] as const) {
      await there.page.command(tab, { clusterId: there.cluster.id });
      await page().locator(selector).first().waitFor();
      for (const theme of ['dark', 'light'] as const) {
        await useTheme(there.page, theme);
        found.push(
          ...(
            await faintTexts(page(), `${selector}, .jp-Hitch-panel, .jp-Hitch-status, .jp-Hitch-runOn`)
          ).map(text => `${theme} ${text}`),
        );
        await there.page.picture(`finding-${selector.slice(4)}-${theme}`);
      }
    }
    await there.book.open('mine.ipynb');
    const failing = 'window.Hitch; throw new Error("a plot that failed")';
    await there.book.run(0, `from IPython.display import Javascript; Javascript(${JSON.stringify(failing)})`);
    await frameOf(there.page, 0).locator('.problem').waitFor();
    for (const theme of ['dark', 'light'] as const) {
      await useTheme(there.page, theme);
      const inFrames = await Promise.all(
        page()
          .frames()
          .map(frame => faintTexts(frame, '.problem')),
      );
      found.push(...inFrames.flat().map(text => `${theme} frame ${text}`));
    }
    assert.deepEqual(found, []);
    // A script of an output fails aloud, in its frame.
    assert.deepEqual(
      problems.filter(text => !text.includes('a plot that failed')),
      [],
    );
  });
});
