/** Cells that run on a cluster, in a real JupyterLab: what they show, and what they show after whatever happened. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { LabNotebook } from '../support/lab-notebook.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const NAME = 'llm-dev';
const KERNEL = `hitch-${NAME}--python3`;

/** Prints numbered lines until told to end by a file. */
const printing = (file: string): string =>
  [
    'import time, os',
    'n = 0',
    `while not os.path.exists(${JSON.stringify(file)}):`,
    '    print("line", n, flush=True); n += 1; time.sleep(0.1)',
    'print("end of", n)',
  ].join('\n');

/** Whether a text is the lines 0, 1, 2 … once and in order. */
function assertLines(text: string): void {
  const lines = text.split('\n').filter(line => line.startsWith('line '));
  assert.deepEqual(
    lines,
    lines.map((_, index) => `line ${index.toString()}`),
  );
}

describe('cells on a cluster in JupyterLab', function suite() {
  this.timeout(4 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let lab: JupyterLab | undefined;
  let page: LabPage;
  let book: LabNotebook;
  let cluster: Cluster;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    await home.start();
    const rented = await home.rent({ filter: { practice: 'only', maxGpuCount: 1 } }, NAME);
    cluster = await home.untilKernel(rented.id);
    lab = await new JupyterLab({ home }).start();
    page = await lab.open(executable);
    book = new LabNotebook(page);
  });

  afterEach(async function keep() {
    if (this.currentTest?.state === 'failed') {
      await page.picture(`cells-failed-${this.currentTest.title.slice(0, 40).replaceAll(/\W+/g, '-')}`);
    }
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
  });

  const touch = (name: string): Promise<unknown> =>
    home.client.raw(`${cluster.jupyterPath}/api/contents/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'file', format: 'text', content: '' }),
    });

  it('go on through a reload of the page, and show every line once', async () => {
    await book.make('reload.ipynb', KERNEL, [printing('stop-reload'), 'print("second")', 'print("third")']);
    await book.begin(0);
    await book.begin(1);
    await book.untilShows(0, /line 5\n/);
    // What is saved has some of the lines already.
    await book.save();
    await page.reload();
    await book.open('reload.ipynb');
    const again = await book.untilShows(0, /line 15\n/);
    assert.equal(again.prompt, '*');
    await until('the next cell waits', async () => (await book.cell(1)).prompt === '*');
    await page.picture('cells-reloaded');
    const before = again.text.length;
    await until('more lines come', async () => (await book.cell(0)).text.length > before + 50);
    await touch('stop-reload');
    const over = await book.untilOver(0);
    assertLines(over.text);
    assert.match(over.text, /^line 0\n[\s\S]*end of \d+\n$/);
    assert.deepEqual(await book.untilOver(1), { text: 'second\n', types: [], prompt: '2' });
    assert.equal((await book.cell(2)).prompt, '');
  });

  it('are filled when they ended while the page was away, and stay as they were saved otherwise', async () => {
    await book.make('away.ipynb', KERNEL, [printing('stop-away'), 'print("cleared")']);
    assert.equal((await book.run(1, 'print("cleared")')).text, 'cleared\n');
    await page.command('notebook:clear-cell-output');
    await book.begin(0);
    await book.untilShows(0, /line 3\n/);
    await book.save();
    await page.page.goto('about:blank');
    await touch('stop-away');
    await page.page.goBack({ waitUntil: 'domcontentloaded' });
    await page.untilReady();
    await book.open('away.ipynb');
    const over = await book.untilOver(0);
    assertLines(over.text);
    assert.match(over.text, /^line 0\n[\s\S]*end of \d+\n$/);
    assert.equal((await book.cell(1)).text, '');
    await book.save();
    const saved = readFileSync(join(lab?.work ?? '', 'away.ipynb'), 'utf8');
    assert.equal(saved.split('"line 0\\n"').length, 2);
    await page.reload();
    await book.open('away.ipynb');
    await book.untilIdle(KERNEL);
    assert.equal((await book.cell(0)).text, over.text);
  });
});
