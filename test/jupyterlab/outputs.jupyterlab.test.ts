/** Outputs of a cluster's kernel in a real JupyterLab: none of them gets at JupyterLab, its server or this computer. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import type { Frame, FrameLocator } from 'playwright-core';
import { attack, LoopbackService } from '../support/hostile-output.ts';
import type { JupyterLab, LabPage } from '../support/jupyterlab.ts';
import { LabCluster } from '../support/lab-cluster.ts';
import { frameOf, type LabNotebook } from '../support/lab-notebook.ts';
import { until } from '../support/waiting.ts';

const NAME = 'llm-dev';
const KERNEL = `hitch-${NAME}--python3`;

/** What Python publishes: one display of these data. */
const publish = (data: Record<string, unknown>, metadata: Record<string, unknown> = {}): string =>
  `import json; get_ipython().display_pub.publish(json.loads(${JSON.stringify(JSON.stringify(data))}), ` +
  `json.loads(${JSON.stringify(JSON.stringify(metadata))}))`;

const quoted = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

describe('hostile outputs of a cluster in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  const there = new LabCluster(NAME);
  const { home } = there;
  const service = new LoopbackService();
  let lab: JupyterLab;
  let page: LabPage;
  let book: LabNotebook;
  let cluster: Cluster;

  before(async function start() {
    await there.start(this);
    await service.start();
    ({ lab, page, book, cluster } = there);
    await book.make('hostile.ipynb', KERNEL, ['', '', '']);
  });

  afterEach(async function keep() {
    await there.keepFailure('outputs', this.currentTest);
  });

  after(async () => {
    await there.dispose();
    await service.stop();
  });

  const script = (tag: string): string => attack(tag, service.url, lab.url(''));
  const gotIn = (frame: Frame, tag: string): Promise<string[] | null> =>
    frame
      .evaluate<string[] | null>(`(window.hostile || {})[${JSON.stringify(tag)}] ?? null`)
      .catch(() => null);

  /** Waits until the script with this tag has tried everything, in a frame. @returns what it was given. */
  const tried = (tag: string): Promise<string[]> =>
    until(`${tag} has tried everything`, async () => {
      for (const frame of page.page.frames().slice(1)) {
        const got = await gotIn(frame, tag);
        if (got?.at(-1) === 'end') {
          return got;
        }
      }
      return null;
    });

  const shown = (index: number): FrameLocator => frameOf(page, index);

  /** Nothing has happened to the page, the server, the daemon or any other service of this computer. */
  async function unharmed(): Promise<void> {
    assert.equal(await page.page.evaluate('window.hostile ?? null'), null, 'it ran in JupyterLab’s page');
    assert.ok(page.page.url().startsWith(lab.url('lab')), page.page.url());
    assert.equal(page.page.context().pages().length, 1, 'it opened a window');
    assert.deepEqual(service.heard, []);
    assert.deepEqual(
      (await home.api.clusters.list()).map(({ name }) => name),
      [NAME],
    );
    assert.equal(lab.said.includes('New terminal'), false);
    assert.equal(
      await page.page.evaluate('document.querySelectorAll("base, meta[http-equiv=refresh]").length'),
      0,
    );
  }

  /** Runs a cell that shows something hostile which runs in a frame, and is given nothing there. */
  async function attackWith(tag: string, source: string): Promise<void> {
    await book.run(1, source);
    assert.deepEqual(await tried(tag), ['end']);
    await unharmed();
  }

  it('a script that the machine adds to a cell of its own', async () => {
    const hidden =
      'from IPython.display import display, Javascript\n' +
      `get_ipython().events.register("post_run_cell", lambda r: display(Javascript(${JSON.stringify(script('added'))})))`;
    await page.page.evaluate(
      `window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code: ${JSON.stringify(hidden)}, silent: true, store_history: false }).done.then(() => null)`,
    );
    await attackWith('added', '1+1');
    await book.run(
      2,
      'for f in list(get_ipython().events.callbacks["post_run_cell"]): get_ipython().events.unregister("post_run_cell", f)',
    );
  });

  const rich: Record<string, (tag: string) => [Record<string, unknown>, Record<string, unknown>?]> = {
    'a script': tag => [{ 'application/javascript': script(tag) }],
    'a script under its old name': tag => [{ 'text/javascript': script(tag), 'text/plain': 'x' }],
    'a script in HTML': tag => [{ 'text/html': `<b>x</b><script>${script(tag)}</script>` }],
    'a handler in HTML': tag => [{ 'text/html': `<img src=x onerror="${quoted(script(tag))}">` }],
    'a handler in HTML that would be isolated': tag => [
      { 'text/html': `<img src=x onerror="${quoted(script(tag))}">` },
      { 'text/html': { isolated: true } },
    ],
    'a handler beside a table': tag => [
      {
        'text/html': `<table class="dataframe"><tr><td>1<img/src=x onerror="${quoted(script(tag))}"></td></tr></table>`,
      },
    ],
    'a picture with a handler inside HTML': tag => [
      { 'text/html': `<svg><image href="x:" onerror="${quoted(script(tag))}"/></svg>` },
    ],
    'Markdown with HTML': tag => [
      { 'text/markdown': `# x\n\n<img src=x onerror="${quoted(script(tag))}">\n` },
    ],
    'a script that a plot library brings': tag => [
      {
        'application/javascript': script(tag),
        'application/vnd.bokehjs_exec.v0+json': '',
      },
      { 'application/vnd.bokehjs_exec.v0+json': { id: 'x' } },
    ],
    'a page with another base and a form': tag => [
      {
        'text/html':
          `<base href="${service.url}">` +
          `<form action="${service.url}own" method="post"><input name="a"></form><script>document.forms[0]?.submit();${script(tag)}</script>`,
      },
    ],
    'a page over the page': tag => [
      {
        'text/html':
          '<div class="jp-Dialog" style="position:fixed;inset:0;z-index:99999;background:red" id="cover">Rent?</div>' +
          `<script>${script(tag)}</script>`,
      },
    ],
    'a page inside its page': tag => [
      { 'text/html': `<iframe srcdoc="${quoted(`<script>${script(tag)}</script>`)}"></iframe>` },
    ],
  };
  for (const [name, make] of Object.entries(rich)) {
    it(name, async () => {
      await attackWith(name, publish(...make(name)));
      assert.equal(await page.page.locator('#cover').count(), 0);
    });
  }

  it('a script that replaces what a display showed', async () => {
    const data = JSON.stringify(JSON.stringify({ 'application/javascript': script('update') }));
    await attackWith(
      'update',
      `import json\nh = display("before", display_id=True)\nh.update(json.loads(${data}), raw=True)`,
    );
  });

  it('a widget’s HTML, and a widget that brings its program along', async () => {
    const html = `<img src=x onerror="${quoted(script('widget'))}">`;
    await attackWith('widget', `import ipywidgets\nipywidgets.HTML(${JSON.stringify(html)})`);
  });

  it('an output that leads its own page away', async () => {
    const to = JSON.stringify(`${service.url}self`);
    const ways = [
      `location.href=${to}`,
      `location.replace(${to})`,
      `location.href=${JSON.stringify(lab.url('api/status'))}`,
    ];
    const outputs = [
      ...ways.map(way => ({ 'application/javascript': way })),
      { 'text/html': `<meta http-equiv="refresh" content="0;url=${service.url}refresh">` },
    ];
    for (const data of outputs) {
      await book.run(1, publish(data));
      await until('the browser has refused it', () =>
        page.page.frames().some(frame => frame.url().startsWith('chrome-error:')),
      );
      await unharmed();
    }
    const still = `document.body.append("loaded as text"); history.pushState({},"","#x")`;
    await book.run(1, publish({ 'application/javascript': still }));
    await frameOf(page, 1).getByText('loaded as text').waitFor();
    await unharmed();
  });

  it('links to this computer, to a script and to a page as text', async () => {
    const links = [
      `${lab.url('')}api/status`,
      'javascript:window.hostile={}',
      'data:text/html,x',
      `${service.url}link`,
    ];
    const html = links.map(
      (href, index) => `<a id="l${index.toString()}" target="_blank" href="${href}">link</a> `,
    );
    const frameWith = (id: string) =>
      until('the links are shown', async () => {
        for (const found of page.page.frames()) {
          if (
            (await found
              .locator(`#${id}`)
              .count()
              .catch(() => 0)) > 0
          ) {
            return found;
          }
        }
        return null;
      });
    for (const index of [0, 3]) {
      const id = `links${index.toString()}`;
      await book.run(1, publish({ 'text/html': `<p id="${id}">${html.join('')}</p>` }));
      const frame = await frameWith(id);
      await frame.locator(`#l${index.toString()}`).press('Enter');
      const dialog = page.page.getByRole('dialog');
      await dialog.getByText('This link was not opened').waitFor();
      await dialog.getByRole('button', { name: 'Close' }).last().click();
      await dialog.waitFor({ state: 'detached' });
      // Once refused, it may press its links as often as it likes.
      await page.page.getByText('No more links in this output are opened.').waitFor();
      for (const other of [0, 1, 2, 3]) {
        await frame.locator(`#l${other.toString()}`).press('Enter');
      }
      assert.equal(await dialog.count(), 0);
    }
    await unharmed();
  });

  it('what JupyterLab does not draw here: other extensions’ types, formulas with links, pictures that run', async () => {
    const evil = `<script>${script('quiet')}</script>`;
    const data = {
      'application/vnd.evil.v1+json': { html: evil },
      'text/plain': 'the text of it',
      'text/latex': String.raw`$\href{javascript:window.hostile={}}{x}\style{position:fixed;inset:0}{y}$`,
    };
    await book.run(1, publish(data));
    await page.page.getByText('Not shown for a cluster: application/vnd.evil.v1+json').waitFor();
    assert.equal(await page.page.locator('.jp-OutputArea a[href^="javascript:"]').count(), 0);
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="${quoted(script('svg'))}"><script>${script('svg')}</script></svg>`;
    await book.run(1, publish({ 'image/svg+xml': svg }));
    await shown(1).locator('img').waitFor({ state: 'attached' });
    await unharmed();
  });

  it('comms that the kernel opens to what the page has registered', async () => {
    await page.page.evaluate(
      `window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.registerCommTarget('probe', () => { window.hostile = { comm: 1 } })`,
    );
    await book.run(
      1,
      'from comm import create_comm\np = create_comm(target_name="probe", data={"a": 1}); p.send({"b": 2})',
    );
    await unharmed();
  });

  it('documentation, pagers and help links', async () => {
    const html = JSON.stringify(`<img src=x onerror="${quoted(script('help'))}">`);
    await book.run(
      1,
      `class Evil:\n    def _repr_mimebundle_(self, **k): return {"text/html": ${html}, "text/plain": "x"}\n` +
        `get_ipython().payload_manager.write_payload({"source": "page", "data": {"text/html": ${html}, "application/javascript": ${JSON.stringify(script('pager'))}}, "start": 0})\n` +
        `k = get_ipython().kernel\nk.do_inspect = lambda *a, **b: {"status": "ok", "found": True, "metadata": {}, "data": {"text/html": ${html}, "text/plain": "quiet"}}`,
    );
    assert.deepEqual(await tried('pager'), ['end']);
    await page.page.evaluate(
      `window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.requestInspect({ code: 'x', cursor_pos: 1, detail_level: 0 })
        .then(({ content }) => { window.inspected = Object.keys(content.data) })`,
    );
    await until('it was inspected', () => page.page.evaluate('window.inspected ?? null'));
    assert.deepEqual(await page.page.evaluate('window.inspected'), ['text/plain']);
    await page.begin('tooltip:launch-notebook');
    await page.page.locator('.jp-Tooltip', { hasText: 'quiet' }).waitFor();
    await page.page.keyboard.press('Escape');
    await unharmed();
  });

  it('a console', async () => {
    const code = publish({ 'application/javascript': script('console') });
    await page.page.evaluate(
      `(async () => {
        const panel = await window.jupyterapp.commands.execute('console:create', {
          path: 'probe', name: 'probe', kernelPreference: { name: ${JSON.stringify(KERNEL)} } });
        window.probe = panel;
      })()`,
    );
    await until('the console has a kernel', () =>
      page.page.evaluate(`window.probe.sessionContext.session?.kernel?.name === ${JSON.stringify(KERNEL)}`),
    );
    await page.page.evaluate(`void window.probe.console.inject(${JSON.stringify(code)})`);
    assert.deepEqual(await tried('console'), ['end']);
    await unharmed();
    await page.page.evaluate('void window.probe.dispose()');
  });

  it('a notebook that is opened later, though this computer trusts it', async () => {
    await book.open('hostile.ipynb');
    await book.untilIdle(KERNEL);
    await book.run(1, publish({ 'application/javascript': script('saved'), 'text/plain': 'kept' }));
    await tried('saved');
    await book.save();
    const raw = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: {
        kernelspec: { name: KERNEL, display_name: KERNEL, language: 'python' },
        widgets: {
          'application/vnd.jupyter.widget-state+json': { version_major: 2, version_minor: 0, state: {} },
        },
      },
      cells: [
        {
          cell_type: 'code',
          id: 'one',
          source: '',
          metadata: {},
          execution_count: 1,
          outputs: [
            {
              output_type: 'display_data',
              data: { 'application/javascript': [script('stored')], 'text/plain': ['x'] },
              metadata: {},
            },
          ],
        },
      ],
    };
    writeFileSync(join(lab.work, 'trusted.ipynb'), JSON.stringify(raw));
    lab.trust('trusted.ipynb');
    lab.trust('hostile.ipynb');
    await page.reload();
    await book.open('hostile.ipynb');
    assert.deepEqual(await tried('saved'), ['end']);
    await unharmed();
    await book.open('trusted.ipynb');
    assert.deepEqual(await tried('stored'), ['end']);
    await unharmed();
    assert.deepEqual(
      readdirSync(lab.work)
        .filter(name => !name.startsWith('.'))
        .sort(),
      ['hostile.ipynb', 'trusted.ipynb'],
    );
  });

  it('a notebook on the machine, which says of it that it is trusted', async () => {
    const output = {
      output_type: 'display_data',
      data: { 'text/html': `<script>${script('there')}</script>` },
      metadata: {},
    };
    const cells = [
      {
        cell_type: 'code',
        id: 'a',
        source: '',
        metadata: { trusted: true },
        execution_count: 1,
        outputs: [output],
      },
      {
        cell_type: 'markdown',
        id: 'b',
        source: `<img src="x:" onerror="${quoted(script('text'))}">`,
        metadata: { trusted: true },
      },
    ];
    const kernelspec = { name: 'python3', display_name: 'Python 3', language: 'python' };
    const content = { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells };
    await home.client.raw(`${cluster.jupyterPath}/api/contents/there.ipynb`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'notebook', format: 'json', content }),
    });
    // The machine's own word for trust, whatever its Jupyter server would say.
    await page.page.route(/contents\/there\.ipynb/, async route => {
      const answer = await route.fetch();
      await route.fulfill({
        response: answer,
        body: (await answer.text())
          .replaceAll('"trusted":false', '"trusted":true')
          .replaceAll('"trusted": false', '"trusted": true'),
      });
    });
    await book.open(`${NAME}:there.ipynb`);
    assert.deepEqual(await tried('there'), ['end']);
    await unharmed();
  });
});
