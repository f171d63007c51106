/** A person's whole way: rent two machines, send files, compute there with Ray, go away and come back, fetch, stop. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '@hitch/contract';
import { lookAtWindow, sayYes, windowOpenedBy } from '../support/approval.ts';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { collectUncaught, look, untilFocused } from '../support/lab-looks.ts';
import { LabNotebook } from '../support/lab-notebook.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const NAME = 'trainer';
const KERNEL = `hitch-${NAME}--python3`;
const SAMPLE = fileURLToPath(new URL('../../samples/data/points.csv', import.meta.url));
const SLOW_MS = 120_000;
/** Ray starts on two nodes, and once more where its first try was too slow for itself. */
const RAY_MS = 6 * 60_000;
const LINES = 20;

const READ = `from pathlib import Path
rows = Path("data/points.csv").read_text().splitlines()
print(len(rows), "lines")`;
const COMPUTE = `import ray, warnings
warnings.filterwarnings("ignore")
ray.init(address="auto", log_to_driver=False, logging_level="error")
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy
group = placement_group([{"CPU": 1}] * 2, strategy="STRICT_SPREAD")
assert group.wait(timeout_seconds=90), "two nodes are not there"
@ray.remote(num_cpus=1)
def part(lines):
    return ray.get_runtime_context().get_node_id(), sum(int(line.split(",")[2]) for line in lines)
def on(index):
    return PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=index)
answers = ray.get([part.options(scheduling_strategy=on(i)).remote(rows[1 + i::2]) for i in range(2)])
print(len({node for node, _ in answers}), "nodes,", sum(count for _, count in answers), "ones")`;
const COUNT = `import time
for line in range(${LINES.toString()}):
    print("line", line, flush=True)
    time.sleep(1)`;
const WRITE = `Path("results").mkdir(exist_ok=True)
print(Path("results/ones.txt").write_text(str(sum(count for _, count in answers))), "written")`;
const [READS, COMPUTES, COUNTS, WRITES] = [0, 1, 2, 3];

/** Whether a file of this name lies anywhere below a folder. */
const hasFile = (folder: string, name: string): boolean =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).some(path => basename(path) === name);

describe('renting, computing and stopping in JupyterLab', function suite() {
  this.timeout(12 * 60_000);
  this.bail(true);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7', HITCH_SANDBOX_STOCK: '50' });
  const problems: string[] = [];
  let lab: JupyterLab | undefined;
  let executable: string;
  let page: LabPage;
  let notebook: LabNotebook;

  before(async function start() {
    needsRealNodes(this);
    executable = chromiumOrSkip(this);
    await home.start();
    lab = new JupyterLab({ home });
    mkdirSync(join(lab.work, 'data'));
    cpSync(SAMPLE, join(lab.work, 'data', 'points.csv'));
    writeFileSync(join(lab.work, 'notes.txt'), 'first line\n');
    await lab.start();
    await enter('lab?reset');
  });

  async function enter(path: string): Promise<void> {
    assert.ok(lab);
    page = await lab.open(executable, path);
    collectUncaught(page, problems);
    notebook = new LabNotebook(page);
  }

  afterEach(async function keep() {
    await page.keepFailure('flow', this.currentTest);
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
  });

  const panel = () => page.page.getByRole('region', { name: 'GPUs', exact: true });
  const files = () => page.page.getByRole('region', { name: 'Files of clusters' });
  const row = () => panel().getByRole('treeitem').first();
  const dialog = () => page.page.getByRole('dialog');
  const toast = (text: string | RegExp) => page.page.locator('.Toastify__toast', { hasText: text }).first();
  const answer = (name: string | RegExp) => dialog().getByRole('button', { name }).click();
  const entry = (name: string) => files().locator('.jp-DirListing-item', { hasText: name }).first();

  async function cluster(): Promise<Cluster> {
    const [only] = await home.api.clusters.list();
    assert.ok(only);
    return only;
  }

  /** The folder of the head that its drive shows. */
  async function workFolder(): Promise<string> {
    const { nodes } = await cluster();
    return join(home.machineFolder(nodes[0]?.attempts.at(-1)?.ref ?? ''), 'work');
  }

  it('finds an offer by its filters and rents two of it with Ray, sending a file along', async () => {
    await page.page.getByRole('tab', { name: 'GPUs' }).click();
    await panel().locator('.jp-Hitch-empty').getByRole('button', { name: 'New cluster' }).click();
    const table = page.page.locator('hitch-offer-table');
    const rent = table.getByRole('gridcell', { name: /^Rent / });
    await rent.first().waitFor({ timeout: SLOW_MS });
    await table.getByRole('button', { name: 'Remove filter 1 GPU' }).click();
    await table.getByRole('searchbox').or(table.locator('#search')).first().click();
    await page.page.keyboard.type('H100 SXM');
    await until('only what was searched for is listed', async () => {
      const names = await rent.evaluateAll(all =>
        all.filter(cell => cell.closest('.row:not([hidden])')).map(cell => cell.getAttribute('aria-label')),
      );
      return names.length > 0 && names.every(name => name?.includes('H100 SXM'));
    });
    await look(page, 'flow-filtered', 'hitch-offer-table');
    // Rows are drawn anew as one scrolls, and the first in the document may be any of them: one whose machines reach others.
    await table
      .getByRole('gridcell', { name: /^Rent 1× H100 SXM/ })
      .first()
      .click();
    const form = page.page.locator('hitch-rent-form');
    const type = async (id: string, text: string): Promise<void> => {
      await form.locator(`#${id}`).click();
      await page.page.keyboard.press('ControlOrMeta+A');
      await page.page.keyboard.type(text);
      await page.page.keyboard.press('Tab');
    };
    await type('name', NAME);
    await type('nodes', '2');
    await type('cap', '20');
    await type('send', 'notes.txt');
    await form.getByRole('button', { name: 'Remove notes.txt' }).waitFor();
    assert.equal(await form.locator('#set-up').inputValue(), 'ray', 'two machines need it');
    await look(page, 'flow-form', 'hitch-rent-form');
    const window = await windowOpenedBy(page, () =>
      form.getByRole('button', { name: 'Review and rent…' }).click(),
    );
    const confirm = page.page.locator('hitch-confirm');
    await confirm.getByText('Rent 2 nodes, each 1× H100 SXM').waitFor({ timeout: SLOW_MS });
    await look(page, 'flow-confirm', 'hitch-confirm');
    await window.getByRole('heading', { name: /^Rent 2 nodes, each 1× H100 SXM/ }).waitFor();
    await window.getByText(`It is called ${NAME}`).waitFor();
    assert.deepEqual(await lookAtWindow(window, 'flow-window'), []);
    await sayYes(window);
    await page.page.locator('hitch-timeline').waitFor({ timeout: SLOW_MS });
    await toast(`Sent to ${NAME}`).waitFor({ timeout: SLOW_MS });
    assert.equal(readFileSync(join(await workFolder(), 'notes.txt'), 'utf8'), 'first line\n');
    await page.page.locator('[role=treeitem][data-phase=ready]').waitFor({ timeout: RAY_MS });
    await look(page, 'flow-ready');
  });

  it('runs a notebook there, and offers to send the file that its cell misses', async () => {
    await notebook.make('train.ipynb', 'python3', [READ, COMPUTE, COUNT, WRITE]);
    const button = page.page.locator('.jp-Hitch-runOn button');
    await button.click();
    await page.page.locator('.lm-Menu').getByText(NAME, { exact: true }).click();
    await button.getByText(`Run on: ${NAME}`).waitFor({ timeout: SLOW_MS });
    await notebook.untilIdle(KERNEL);
    assert.match((await notebook.run(READS, READ)).text, /FileNotFoundError|No such file/);
    const offer = toast(`points.csv is on your computer but not on ${NAME}`);
    await offer.waitFor();
    await look(page, 'flow-missing-file');
    await offer.getByRole('button', { name: /^Copy it \(.*\) and re-run the cell$/ }).click();
    await notebook.untilShows(READS, /^401 lines\n$/, SLOW_MS);
  });

  it('computes with Ray on both machines, with what was sent', async () => {
    // Ray has something to say about widgets, on standard error.
    assert.match((await notebook.run(COMPUTES, COMPUTE)).text, /^(?:.*\n)*2 nodes, 200 ones\n$/);
    assert.equal((await notebook.run(WRITES, WRITE)).text, '3 written\n');
    await notebook.save();
    await look(page, 'flow-computed');
  });

  it('shows each line once of a cell that ran on while the page was closed', async () => {
    await notebook.begin(COUNTS);
    await notebook.untilShows(COUNTS, /line 3\n/);
    await page.close();
    await enter('lab');
    await notebook.open('train.ipynb');
    await notebook.untilShows(COUNTS, new RegExp(`line ${(LINES - 1).toString()}\n`), SLOW_MS);
    const { text } = await notebook.untilOver(COUNTS);
    assert.equal(text, Array.from({ length: LINES }, (_, line) => `line ${line.toString()}\n`).join(''));
    await page.command('hitch:open-panel');
    await row().waitFor({ timeout: SLOW_MS });
    await look(page, 'flow-came-back');
  });

  it('shows the cost as it grows', async () => {
    const spent = async (): Promise<string> =>
      /\$([\d.]+) of /.exec((await row().locator('.jp-Hitch-line').textContent()) ?? '')?.[1] ?? '';
    const before = Number(await spent());
    await until('the meter moved', async () => Number(await spent()) > before, SLOW_MS);
    await row().locator('.jp-Hitch-head').click();
    await panel()
      .getByRole('group', { name: /^Details of/ })
      .waitFor();
    await panel().getByText('train.ipynb').waitFor({ timeout: SLOW_MS });
    await look(page, 'flow-cost', '.jp-Hitch-panel');
  });

  it('shows the files there: opens, edits, saves, renames, uploads, downloads and removes them', async () => {
    await row()
      .getByRole('button', { name: `Files: ${NAME}` })
      .click();
    await entry('notes.txt').dblclick();
    const editor = page.page.locator('.jp-FileEditor .cm-content');
    await editor.waitFor();
    await editor.click();
    await page.page.keyboard.press('ControlOrMeta+End');
    await page.page.keyboard.type('second line');
    await page.page.keyboard.press('ControlOrMeta+S');
    const work = await workFolder();
    await until('it is saved there', () =>
      readFileSync(join(work, 'notes.txt'), 'utf8').includes('first line\nsecond line'),
    );
    await look(page, 'flow-files', '.jp-HitchFiles-head');

    const chosen = page.page.waitForEvent('filechooser');
    await files().getByRole('button', { name: 'Upload Files' }).click();
    await (await chosen).setFiles({ name: 'up.bin', mimeType: '', buffer: Buffer.alloc(3_000_000, 7) });
    await entry('up.bin').waitFor({ timeout: SLOW_MS });
    await until('all of it arrived', () => readFileSync(join(work, 'up.bin')).length === 3_000_000);

    await entry('up.bin').click();
    await page.page.keyboard.press('F2');
    await files().locator('.jp-DirListing-editor').fill('down.bin');
    await page.page.keyboard.press('Enter');
    await entry('down.bin').waitFor();
    assert.ok(existsSync(join(work, 'down.bin')) && !existsSync(join(work, 'up.bin')));

    const downloading = page.page.waitForEvent('download');
    await entry('down.bin').click({ button: 'right' });
    await page.picture('flow-files-menu');
    await page.page.locator('.lm-Menu').getByText('Delete Permanently…').waitFor();
    assert.equal(await page.page.locator('.lm-Menu').getByText('Move to Trash').count(), 0);
    await page.page.locator('.lm-Menu').getByText('Download', { exact: true }).click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), 'down.bin');
    assert.equal(readFileSync(await download.path()).length, 3_000_000);

    await entry('down.bin').click();
    await page.page.keyboard.press('Delete');
    await dialog().getByText('is deleted permanently').waitFor();
    await answer('Cancel');
    await entry('down.bin').click({ button: 'right' });
    await page.page.locator('.lm-Menu').getByText('Delete Permanently…').click();
    await look(page, 'flow-files-delete');
    await answer('Delete');
    await entry('down.bin').waitFor({ state: 'detached' });
    assert.ok(!existsSync(join(work, 'down.bin')));
  });

  it('sends a folder from the file browser and fetches a result into it', async () => {
    const local = page.page.locator('#filebrowser');
    await page.command('filebrowser:activate');
    await local.locator('.jp-DirListing-item', { hasText: 'data' }).click({ button: 'right' });
    await page.page.locator('.lm-Menu').getByText('Move to Trash').waitFor();
    await page.picture('flow-local-menu');
    await page.page.locator('.lm-Menu').getByText('Send to Cluster…', { exact: true }).click();
    await dialog().getByText('Folder there').waitFor();
    await page.picture('flow-send');
    await dialog().getByLabel('Folder there').fill('sent');
    await answer('Send');
    const there = join(await workFolder(), 'sent', 'data', 'points.csv');
    await until('it is there', () => existsSync(there), SLOW_MS);
    await toast(`Sent to ${NAME}: 1 file`).waitFor();
    assert.equal(readFileSync(there, 'utf8'), readFileSync(SAMPLE, 'utf8'));

    await page.command('hitch:open-files');
    await entry('results').dblclick();
    await entry('ones.txt').click();
    const fetch = () => files().getByRole('button', { name: 'Fetch the selected files' }).click();
    await fetch();
    assert.ok(lab);
    const fetched = join(lab.work, 'ones.txt');
    await until('it is here', () => existsSync(fetched));
    assert.match(readFileSync(fetched, 'utf8'), /^\d{3}$/);
    await toast(`Fetched from ${NAME}: 1 file`).waitFor();
    await look(page, 'flow-fetched');

    const ones = readFileSync(fetched, 'utf8');
    writeFileSync(fetched, 'mine');
    await fetch();
    await dialog().getByText('1 of them already exists there and differs: ones.txt.').waitFor();
    await untilFocused(page, 'Keep both');
    await look(page, 'flow-in-the-way', '.jp-Dialog');
    await page.page.keyboard.press('Enter');
    await until('the new one is in its place', () => readFileSync(fetched, 'utf8') === ones, SLOW_MS);
    const kept = readdirSync(lab.work).filter(name => /^ones.+\.txt$|^ones\.txt.+/.test(name));
    assert.deepEqual(
      kept.map(name => readFileSync(join(lab?.work ?? '', name), 'utf8')),
      ['mine'],
    );
  });

  it('saves what is named, tells where it lies, and shows all of the account', async () => {
    await page.begin('hitch:save-now', { clusterId: (await cluster()).id });
    await dialog().getByLabel('Files and folders in ~/work').waitFor();
    await look(page, 'flow-save', '.jp-Dialog');
    await dialog().getByRole('textbox').fill('results, ../elsewhere');
    await page.page.keyboard.press('Enter');
    const wrong = toast('“../elsewhere” is outside of ~/work');
    await wrong.getByRole('button', { name: 'Try again' }).click();
    await dialog().getByRole('textbox').fill('results/');
    await page.page.keyboard.press('Enter');
    const saved = toast(`Saved from ${NAME}: 1 file`);
    await saved.getByRole('button', { name: 'Show all' }).click();
    const copy = (await home.api.copies.list({})).find(({ kind }) => kind === 'save');
    assert.ok(copy);
    await dialog().getByText(copy.target).waitFor();
    await look(page, 'flow-saved', '.jp-Dialog');
    await page.page.keyboard.press('Enter');
    await dialog().waitFor({ state: 'detached' });
    assert.ok(hasFile(copy.target, 'ones.txt'));
  });

  it('keeps a terminal there over a reload of the page', async () => {
    await page.command('hitch:open-panel');
    await row()
      .getByRole('button', { name: `Terminal: ${NAME}` })
      .click();
    const screen = page.page.locator('.jp-Terminal:visible');
    await screen.waitFor({ timeout: SLOW_MS });
    const work = await workFolder();
    const say = async (line: string): Promise<void> => {
      await screen.click();
      await page.page.keyboard.type(`${line}\n`);
    };
    await say('kept=41; echo begun > begun.txt');
    await until('the shell answers', () => existsSync(join(work, 'begun.txt')));
    await look(page, 'flow-terminal');
    await page.untilLayoutKeeps('hitch-terminal:');
    await page.reload();
    await page.page.getByRole('tab', { name: `${NAME}: Terminal 1` }).click();
    await screen.waitFor({ timeout: SLOW_MS });
    await say('echo $((kept + 1)) > kept.txt');
    await until(
      'the same shell answers',
      () => existsSync(join(work, 'kept.txt')) && readFileSync(join(work, 'kept.txt'), 'utf8') === '42\n',
    );
  });

  it('stops, and leaves nothing: no process, no file, no rental', async () => {
    const before = await cluster();
    await page.command('hitch:open-panel');
    await row()
      .getByRole('button', { name: `Stop: ${NAME}` })
      .click();
    await dialog().getByText('Both machines are deleted').waitFor();
    await page.page
      .getByRole('dialog')
      .getByText(/Not saved: ~\/work\/\w/)
      .waitFor();
    await untilFocused(page, 'Cancel');
    await look(page, 'flow-stop');
    await answer('Save these and stop');
    await page.page.locator('[role=treeitem][data-phase=stopped]').waitFor({ timeout: SLOW_MS });
    await row()
      .getByText(/^Gone, confirmed/)
      .waitFor();
    await look(page, 'flow-gone', '.jp-Hitch-panel');
    for (const name of ['notes.txt', 'points.csv', 'kept.txt']) {
      assert.ok(hasFile(join(home.root, 'saved', NAME), name), name);
    }
    assert.deepEqual(home.leftovers([before]), []);
    assert.deepEqual(home.machines(), []);
    assert.deepEqual(
      (await home.api.clusters.list()).map(({ phase, conditions }) => [phase, conditions.billing.status]),
      [['stopped', 'no']],
    );
    await page.page.locator('.jp-Hitch-status').waitFor({ state: 'hidden' });
    assert.deepEqual(problems, []);
  });
});
