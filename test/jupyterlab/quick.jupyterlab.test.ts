/** From an open notebook to a cell that runs on a rented machine: three clicks, counted where the browser counts them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sayYes, windowOpenedBy } from '../support/approval.ts';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { collectUncaught, look } from '../support/lab-looks.ts';
import { LabNotebook } from '../support/lab-notebook.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const SLOW_MS = 120_000;
const NOTEBOOK = 'train.ipynb';
const SOURCE = 'import os\nprint("on", os.environ.get("HITCH_NODE", "nothing")[:3], 6 * 7)';

describe('a cell on a rented machine in three clicks, in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  this.bail(true);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  const problems: string[] = [];
  let lab: JupyterLab | undefined;
  let page: LabPage;
  let notebook: LabNotebook;
  /** Presses of a real pointer, in whatever window. */
  let clicks = 0;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    await home.start();
    lab = await new JupyterLab({ home }).start();
    page = await lab.open(executable);
    collectUncaught(page, problems);
    notebook = new LabNotebook(page);
    const context = page.page.context();
    await context.exposeFunction('hitchTestClicked', () => (clicks += 1));
    const count = `addEventListener('pointerdown', ({ isTrusted }) => isTrusted && hitchTestClicked(), true)`;
    await context.addInitScript(count);
    await page.page.evaluate(count);
  });

  afterEach(async function keep() {
    await page.keepFailure('quick', this.currentTest);
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
  });

  const runOn = () => page.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Hitch-runOn button');
  const line = (text: string | RegExp) => page.page.locator('.lm-Menu').getByRole('menuitem', { name: text });
  const only = async () => {
    const [cluster] = await home.api.clusters.list();
    assert.ok(cluster);
    return cluster;
  };

  it('rents what is chosen below Run on, moves the notebook there and runs the selected cell', async () => {
    await notebook.make(NOTEBOOK, 'python3', [SOURCE]);
    clicks = 0;
    await runOn().click();
    await line(/^Rent: Cheapest 24 GB, \$\d/).waitFor({ timeout: SLOW_MS });
    // Without axe, which objects to the separators of Lumino's own menus.
    await look(page, 'quick-menu');
    await sayYes(await windowOpenedBy(page, () => line(/^Rent: Practice/).click()));
    await runOn()
      .getByText(/^Moves to .* when it is ready$/)
      .waitFor({ timeout: SLOW_MS });
    await page.picture('quick-moves');
    const { text } = await notebook.untilShows(0, /42/, SLOW_MS);
    assert.match(text, /^on (?!not)\S+ 42/, 'the cell ran on the machine');
    assert.equal(clicks, 3);
    await runOn()
      .getByText(`Run on: ${(await only()).name}`)
      .waitFor({ timeout: SLOW_MS });
  });

  it('rents the last one again, and keeps its promise when the page is loaded anew meanwhile', async () => {
    const { id, name } = await only();
    await home.api.clusters.stop({ clusterId: id, skipSave: true });
    await until('it is gone', async () => (await only()).endedAtMs !== null, SLOW_MS);
    await page.command('notebook:clear-all-cell-outputs');
    await notebook.save();
    await runOn().click();
    // The notebook waits for the machine that it had, in its own way; without that kernel nothing is in ours.
    const again = await windowOpenedBy(page, () => line(new RegExp(`^Rent Again: ${name} \\(`)).click());
    await sayYes(again);
    await page.page
      .locator('.Toastify__toast', { hasText: `${name} is being rented. ${NOTEBOOK} moves there` })
      .waitFor({ timeout: SLOW_MS });
    await page.page.reload();
    await page.page.locator('.jp-NotebookPanel').first().waitFor({ timeout: SLOW_MS });
    await notebook.untilShows(0, /42/, SLOW_MS);
  });

  it('lets the presets be edited, says what is wrong with them, and keeps what was typed', async () => {
    await runOn().click();
    await line('Edit Presets…').click();
    const dialog = page.page.getByRole('dialog');
    const text = dialog.getByRole('textbox', { name: 'Presets' });
    await text.fill('schema: hitch-presets/1\npresets:\n  - { id: mine, label: Only mine, vramm: 24 }\n');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText(/Line 3, column \d+: “vramm” is no key of a preset/).waitFor();
    await look(page, 'quick-edit', '.jp-Dialog-content');
    await text.fill((await text.inputValue()).replace('vramm', 'vram'));
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.page.locator('.Toastify__toast', { hasText: 'The presets are saved.' }).waitFor();
    assert.match(readFileSync(join(home.root, 'presets.yaml'), 'utf8'), /Only mine/);
    await runOn().click();
    await line(/^Rent: Only mine, /).waitFor({ timeout: SLOW_MS });
  });

  it('leaves no error in the console', () => {
    assert.deepEqual(problems, []);
  });
});
