/** Cells that run on a cluster, in a real JupyterLab: what they show, and what they show after whatever happened. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import type { JupyterLab, LabPage } from '../support/jupyterlab.ts';
import { LabCluster } from '../support/lab-cluster.ts';
import { frameOf, type LabNotebook } from '../support/lab-notebook.ts';
import { sendSignal, skip } from '../support/processes.ts';
import { delay, until } from '../support/waiting.ts';

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

/** A program in the kernel with a page of its own, which prints where it listens as such programs do. */
const SERVES = `
import http.server, threading
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = b"<title>made there</title><p>cookies: " + self.headers.get("cookie", "none").encode() + b"</p>"
        self.send_response(200); self.send_header("content-type", "text/html"); self.end_headers(); self.wfile.write(said)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"Running on http://localhost:{server.server_port}/made?there=1")`;

/** Whether a text is the lines 0, 1, 2 … once and in order. */
function assertLines(text: string): void {
  const lines = text.split('\n').filter(line => line.startsWith('line '));
  assert.deepEqual(
    lines,
    lines.map((_, index) => `line ${index.toString()}`),
  );
}

describe('cells on a cluster in JupyterLab', function suite() {
  this.timeout(6 * 60_000);
  const there = new LabCluster(NAME);
  const { home } = there;
  let lab: JupyterLab;
  let page: LabPage;
  let book: LabNotebook;
  let cluster: Cluster;

  before(async function start() {
    await there.start(this);
    ({ lab, page, book, cluster } = there);
  });

  afterEach(async function keep() {
    await there.keepFailure('cells', this.currentTest);
  });

  after(async () => {
    await there.dispose();
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
    // Nothing that the kernel says while a cell runs tells a page that has just come.
    await until('the kernel is shown as busy', async () => (await book.kernelStatus()) === 'busy');
    await page.picture('cells-reloaded');
    const before = again.text.length;
    await until('more lines come', async () => (await book.cell(0)).text.length > before + 50);
    await touch('stop-reload');
    const over = await book.untilOver(0);
    assertLines(over.text);
    assert.match(over.text, /^line 0\n[\s\S]*end of \d+\n$/);
    assert.deepEqual(await book.untilOver(1), { text: 'second\n', types: [], prompt: '2' });
    await book.untilIdle(KERNEL);
    assert.equal((await book.cell(2)).prompt, '');
  });

  /** As editors write it that keep no ids of cells, or after a cell was copied with its id. */
  for (const [what, minor, ids] of [
    ['whose file keeps no ids', 2, {}],
    ['that have one id', 5, { id: 'same' }],
  ] as const) {
    it(`go on through reloads of the page in a notebook with cells ${what}`, async () => {
      const [path, stop] = [`ids-${minor}.ipynb`, `stop-ids-${minor}`];
      const sources = ['print("before")', printing(stop), 'print("twin")', 'print("twin")'];
      const cells = sources.map(source => ({
        ...{ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null },
        ...ids,
      }));
      const kernelspec = { name: KERNEL, display_name: KERNEL, language: 'python' };
      const file = { nbformat: 4, nbformat_minor: minor, metadata: { kernelspec }, cells };
      writeFileSync(join(lab?.work ?? '', path), JSON.stringify(file));
      await book.open(path);
      await book.untilIdle(KERNEL);
      await book.begin(1);
      await book.begin(3);
      await book.untilShows(1, /line 5\n/);
      await book.save();
      for (const line of [15, 25]) {
        await page.reload();
        await book.open(path);
        const again = await book.untilShows(1, new RegExp(`line ${line}\n`));
        assert.equal(again.prompt, '*');
        await until('the twin waits', async () => (await book.cell(3)).prompt === '*');
      }
      await touch(stop);
      const over = await book.untilOver(1);
      assertLines(over.text);
      assert.match(over.text, /^line 0\n[\s\S]*end of \d+\n$/);
      assert.equal((await book.untilOver(3)).text, 'twin\n');
      assert.deepEqual([(await book.cell(0)).text, (await book.cell(2)).text], ['', '']);
    });
  }

  const workFor = (lines: string, how: 'task' | 'thread'): string =>
    how === 'task'
      ? `import asyncio\nasync def work():\n${lines.replace('time.sleep', 'await asyncio.sleep')}\nrunning = asyncio.create_task(work())`
      : `import threading\ndef work():\n${lines}\nthreading.Thread(target=work).start()`;

  for (const how of ['task', 'thread'] as const) {
    it(`show what a ${how} of theirs prints after their end, also after a reload of the page`, async () => {
      const [path, stop] = [`${how}.ipynb`, `stop-${how}`];
      await book.make(path, KERNEL, [workFor(printing(stop).replace(/^/gm, '    '), how)]);
      await book.begin(0);
      await book.untilShows(0, /line 5\n/);
      assert.equal((await book.cell(0)).prompt, '1', 'the cell itself is over');
      await book.save();
      await page.reload();
      await book.open(path);
      await book.untilShows(0, /line 30\n/);
      await touch(stop);
      const over = await book.untilShows(0, /end of \d+\n$/);
      assertLines(over.text);
      assert.match(over.text, /^line 0\n/);
      assert.equal(over.prompt, '1');
    });
  }

  it('are filled when they ended while the page was away, and stay as they were saved otherwise', async () => {
    await book.make('away.ipynb', KERNEL, [printing('stop-away'), 'print("cleared")']);
    assert.equal((await book.run(1, 'print("cleared")')).text, 'cleared\n');
    await page.command('notebook:clear-cell-output');
    await book.begin(0);
    await book.untilShows(0, /line 3\n/);
    // Left at once: JupyterLab keeps what its plugins note a second later.
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
    const saved = readFileSync(join(lab.work, 'away.ipynb'), 'utf8');
    assert.equal(saved.split('"line 0\\n"').length, 2);
    await page.reload();
    await book.open('away.ipynb');
    await book.untilIdle(KERNEL);
    assert.equal((await book.cell(0)).text, over.text);
  });

  it('show rich output, and update what they have shown', async () => {
    const source = [
      'from IPython.display import display, HTML, Markdown',
      'display(HTML("<b>bold</b>")); display(Markdown("*soft*"))',
      'handle = display("before", display_id=True)',
      'handle.update("after")',
    ].join('\n');
    await book.make('rich.ipynb', KERNEL, ['', '', '']);
    const rich = await book.run(0, source);
    assert.ok(rich.types.includes('text/html'));
    assert.match(rich.text, /'after'$/);
    // Neither has anything active in it, so JupyterLab draws both itself.
    await page.page.locator('.jp-OutputArea b', { hasText: 'bold' }).waitFor();
    await page.page.locator('.jp-OutputArea em', { hasText: 'soft' }).waitFor();
    assert.equal(await page.page.locator('.jp-hitch-Framed iframe').count(), 0);
    await book.save();
    await page.reload();
    await book.open('rich.ipynb');
    await book.untilIdle(KERNEL);
    assert.match((await book.run(1, '1/0')).text, /ZeroDivisionError/);
  });

  it('complete names that only the kernel there knows', async () => {
    await book.run(1, 'far_away_one = far_away_two = 1');
    const source = page.page
      .locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook-cell')
      .nth(2)
      .locator('.cm-content');
    // Keys pressed outside the editor would be commands of the notebook.
    await source.fill('far_aw');
    const offered = page.page.locator('.jp-Completer-item', { hasText: 'far_away_two' });
    await until('the kernel’s names are offered', async () => {
      await source.press('Tab');
      return offered.waitFor({ timeout: 5_000 }).then(
        () => true,
        () => false,
      );
    });
    await page.picture('cells-completion');
    await source.press('Escape');
  });

  it('are interrupted, and forget all at a restart', async () => {
    await book.begin(2, 'import time; time.sleep(600)');
    await until('it runs', async () => (await book.kernelStatus()) === 'busy');
    await page.command('notebook:interrupt-kernel');
    assert.match((await book.untilOver(2)).text, /KeyboardInterrupt/);
    await page.begin('notebook:restart-kernel');
    await page.page.getByRole('dialog').getByRole('button', { name: 'Confirm Kernel Restart' }).click();
    await page.page.getByRole('dialog').waitFor({ state: 'detached' });
    await until('the kernel is another one', async () => {
      await book.untilIdle(KERNEL);
      return (await book.run(1, 'far_away_one')).text === 'NameError';
    });
  });

  it('ask with input(), also the page that comes after the one they asked', async () => {
    const answer = page.page.locator('.jp-Stdin-input');
    await book.begin(1, 'name = input("name? "); print("hello", name)');
    await answer.fill('Ann');
    await answer.press('Enter');
    assert.match((await book.untilOver(1)).text, /hello Ann\n$/);
    await book.begin(1, 'name = input("again? "); print("hello", name)');
    await answer.waitFor();
    await book.save();
    await page.reload();
    await book.open('rich.ipynb');
    await answer.fill('Bob');
    await page.picture('cells-input');
    await answer.press('Enter');
    assert.match((await book.untilOver(1)).text, /hello Bob\n$/);
    await answer.waitFor({ state: 'detached' });
  });

  it('speak with the page over comms that the page opens, bytes included', async () => {
    const source = [
      'heard = []',
      'def opened(comm, message):',
      '    def on(m): heard.append((m["content"]["data"], [bytes(b) for b in m["buffers"]]))',
      '    comm.on_msg(on); comm.send({"say": "hi"}, buffers=[bytes(range(200))])',
      'get_ipython().kernel.comm_manager.register_target("probe", opened)',
    ].join('\n');
    await book.run(1, source);
    await page.page.evaluate(
      `(() => {
        const comm = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.createComm('probe');
        comm.onMsg = ({ content, buffers }) => {
          const sum = new Uint8Array(buffers[0].buffer ?? buffers[0], buffers[0].byteOffset ?? 0).reduce((a, b) => a + b, 0);
          comm.send({ sum, was: content.data.say }, {}, [new Uint8Array([1, 2, 3]).buffer]);
        };
        comm.open();
      })()`,
    );
    await until('the answer has come', async () =>
      (await book.run(2, 'heard')).text.includes("'was': 'hi'}, [b'\\x01\\x02\\x03']"),
    );
    assert.match((await book.cell(2)).text, /'sum': 19900/);
  });

  it('show widgets that move on both sides', async function widgets() {
    if ((await book.run(1, 'import ipywidgets')).text.includes('ModuleNotFoundError')) {
      skip(this, 'ipywidgets is not installed in HITCH_PYTHON');
    }
    await book.run(1, 'slider = ipywidgets.IntSlider(value=7); slider');
    const shown = frameOf(page, 1);
    const handle = shown.locator('.widget-slider .noUi-handle');
    await handle.waitFor({ timeout: 60_000 });
    await page.picture('cells-widget');
    await book.run(2, 'slider.value = 40');
    await shown.locator('.widget-readout', { hasText: '40' }).waitFor();
    await handle.focus();
    await handle.press('ArrowRight');
    await until('the kernel knows', async () => (await book.run(2, 'slider.value')).text === '41');
    await page.reload();
    await book.open('rich.ipynb');
    await book.untilIdle(KERNEL);
    await book.run(1, 'slider');
    await page.picture('cells-widget-after-a-reload');
    await shown.locator('.widget-readout', { hasText: '41' }).waitFor();
  });

  it('lose no line while the daemon is frozen and replaced, and the cluster stands still', async () => {
    await book.make('outage.ipynb', KERNEL, [printing('stop-outage')]);
    await book.begin(0);
    await book.untilShows(0, /line 3\n/);
    home.signal('SIGSTOP');
    await delay(5_000);
    home.signal('SIGCONT');
    await book.untilShows(0, /line 60\n/);
    // The bridge starts another one.
    await home.kill();
    await book.untilShows(0, /line 100\n/);
    const agent = home.agentPid(cluster);
    sendSignal(agent, 'SIGSTOP');
    await delay(5_000);
    sendSignal(agent, 'SIGCONT');
    await book.untilShows(0, /line 160\n/);
    assert.equal((await book.cell(0)).prompt, '*');
    assert.equal(await page.page.getByRole('dialog').count(), 0);
    await touch('stop-outage');
    const over = await book.untilOver(0);
    assertLines(over.text);
    assert.match(over.text, /end of \d+\n$/);
  });

  it('open what they print the address of, in a tab and on an origin of its own', async () => {
    await book.make('port.ipynb', KERNEL);
    const { text } = await book.run(0, SERVES);
    const port = /localhost:(\d+)/.exec(text)?.[1] ?? assert.fail(text);
    await page.page.locator('.jp-OutputArea-output a', { hasText: `http://localhost:${port}` }).click();
    const dialog = page.page.getByRole('dialog');
    await dialog.getByText(`Open port ${port} of ${NAME}?`).waitFor();
    await page.picture('cells-port');
    const opened = page.page.context().waitForEvent('page');
    await dialog.getByRole('button', { name: 'Open it' }).click();
    const tab = await opened;
    await tab.getByText('cookies: none').waitFor();
    assert.match(
      tab.url(),
      new RegExp(`^http://${port}-${NAME}-[0-9a-f]{8}\\.localhost:\\d+/made\\?there=1$`),
    );
    assert.equal(await tab.evaluate('document.cookie'), '');
    assert.equal(await tab.evaluate('window.opener'), null);
    await tab.close();
  });
});
