/** Plots and widgets of a cluster's kernel in a real JupyterLab: alive, inside of their frames. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Context } from 'mocha';
import type { FrameLocator } from 'playwright-core';
import type { LabPage } from '../support/jupyterlab.ts';
import { LabCluster } from '../support/lab-cluster.ts';
import { frameOf, type LabNotebook } from '../support/lab-notebook.ts';
import { skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const NAME = 'llm-dev';
const KERNEL = `hitch-${NAME}--python3`;
const PLOTS = fileURLToPath(new URL('../../.cache/plots', import.meta.url));

describe('plots and widgets of a cluster in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  const there = new LabCluster(NAME);
  let page: LabPage;
  let book: LabNotebook;

  before(async function start() {
    await there.start(this);
    ({ page, book } = there);
    await book.make('plots.ipynb', KERNEL, ['', '', '', '']);
    await book.run(0, `import sys; sys.path.append(${JSON.stringify(PLOTS)})`);
  });

  afterEach(async function keep() {
    await there.keepFailure('plots', this.currentTest);
  });

  after(async () => {
    await there.dispose();
  });

  const shown = (index: number): FrameLocator => frameOf(page, index);

  async function needs(context: Context, module: string): Promise<void> {
    const { text } = await book.run(
      3,
      `import importlib.util; print(importlib.util.find_spec(${JSON.stringify(module)}))`,
    );
    if (text.startsWith('None')) {
      skip(context, `${module} is not installed: it needs Python 3.11`);
    }
  }

  it('tables of pandas are drawn by JupyterLab itself, and other HTML in a frame', async () => {
    const table =
      '<div><table border=\\"1\\" class=\\"dataframe\\"><tr style=\\"text-align: right;\\"><th>a</th></tr></table></div>';
    await book.run(1, `from IPython.display import HTML; HTML("${table}")`);
    await page.page.locator('.jp-Notebook-cell').nth(1).locator('table.dataframe').waitFor();
    assert.equal(await page.page.locator('.jp-hitch-Framed').count(), 0);
    await book.run(1, 'HTML("<p id=\\"own\\">styled</p><style>#own { color: rgb(1, 2, 3) }</style>")');
    await shown(1).locator('#own').waitFor();
    const colour = await shown(1)
      .locator('#own')
      .evaluate(node => getComputedStyle(node).color);
    assert.equal(colour, 'rgb(1, 2, 3)');
  });

  it('a slider moves on both sides, and with another one that is linked to it in another cell', async () => {
    await book.run(
      1,
      'import ipywidgets\nslider = ipywidgets.IntSlider(value=7)\nother = ipywidgets.IntSlider(value=1)\nlink = ipywidgets.jslink((slider, "value"), (other, "value"))\nslider',
    );
    await book.run(2, 'other');
    const handle = shown(1).locator('.noUi-handle');
    await handle.waitFor();
    await handle.focus();
    await handle.press('ArrowRight');
    await shown(1).locator('.widget-readout', { hasText: '8' }).waitFor();
    await shown(2).locator('.widget-readout', { hasText: '8' }).waitFor();
    await until('the kernel knows', async () => (await book.run(3, 'slider.value')).text === '8');
    await book.run(3, 'slider.value = 40');
    await shown(1).locator('.widget-readout', { hasText: '40' }).waitFor();
    await page.picture('outputs-widgets');
    await handle.focus();
    await handle.press('Escape');
    await until('the notebook has the focus again', () =>
      page.page.evaluate('document.activeElement?.closest(".jp-Notebook") !== null'),
    );
    const colour = (): Promise<string> =>
      shown(1)
        .locator('.widget-readout')
        .evaluate(node => getComputedStyle(node).color);
    const light = await colour();
    await page.command('apputils:change-theme', { theme: 'JupyterLab Dark' });
    await until('the frame is dark too', async () => (await colour()) !== light);
    await page.picture('outputs-widgets-dark');
    await page.command('apputils:change-theme', { theme: 'JupyterLab Light' });
  });

  it('a linked widget that is shown in one more cell keeps the value that it has by then', async () => {
    await book.run(
      1,
      'low = ipywidgets.IntSlider(value=7)\nhigh = ipywidgets.IntSlider(value=1)\nlink = ipywidgets.jsdlink((low, "value"), (high, "value"))\nlow',
    );
    await shown(1).locator('.widget-readout', { hasText: '7' }).waitFor();
    await until('the link has set its target', async () => (await book.run(3, 'high.value')).text === '7');
    await book.run(3, 'high.value = 3');
    await book.run(2, 'high');
    await shown(2).locator('.widget-readout', { hasText: '3' }).waitFor();
    const handle = shown(2).locator('.noUi-handle');
    await handle.focus();
    await handle.press('ArrowRight');
    await until('the kernel knows', async () => (await book.run(3, 'high.value')).text === '4');
  });

  it('what a widget’s function prints is shown, and again after a reload of the page', async () => {
    await book.run(1, 'from ipywidgets import interact\n_ = interact(lambda x: print("x is", x), x=10)');
    await shown(1).getByText('x is 10').waitFor();
    const handle = shown(1).locator('.noUi-handle');
    await handle.focus();
    await handle.press('ArrowRight');
    await shown(1).getByText('x is 11').waitFor();
    await book.save();
    await page.reload();
    await book.open('plots.ipynb');
    await book.untilIdle(KERNEL);
    await shown(1).locator('.widget-readout', { hasText: '11' }).waitFor();
  });

  it('a widget that brings its program along runs it in the frame', async function anywidget() {
    await needs(this, 'anywidget');
    const source = [
      'import anywidget, traitlets',
      'class Counter(anywidget.AnyWidget):',
      '    _esm = """export default { render({ model, el }) {',
      "      const b = document.createElement('button'); b.id = 'count';",
      "      const draw = () => { b.textContent = 'count ' + model.get('n') }; draw();",
      "      b.onclick = () => { model.set('n', model.get('n') + 1); model.save_changes() };",
      '      model.on(\'change:n\', draw); el.append(b) } }"""',
      '    n = traitlets.Int(3).tag(sync=True)',
      'counter = Counter(); counter',
    ];
    await book.run(1, source.join('\n'));
    // By its key: a frame that still grows moves what a mouse aims at.
    await shown(1).getByText('count 3').press('Enter');
    await shown(1).getByText('count 4').waitFor();
    await until('the kernel knows', async () => (await book.run(3, 'counter.n')).text === '4');
  });

  it('plotly, bokeh and altair are alive', async function plots() {
    await needs(this, 'plotly');
    await book.run(
      1,
      'import plotly.graph_objects as go\ngo.Figure(go.Bar(x=["one", "two"], y=[1, 3], name="bars"), layout=dict(height=250, showlegend=True))',
    );
    await until('a click on the legend has hidden the bars', async () => {
      const hidden = shown(1).locator('.traces[style*="opacity: 0.5"]');
      if ((await hidden.count()) === 0) {
        await shown(1).locator('.legendtoggle').click();
      }
      return hidden.waitFor({ timeout: 5_000 }).then(
        () => true,
        () => false,
      );
    });
    await book.run(
      2,
      'from bokeh.io import output_notebook\nfrom bokeh.resources import INLINE\noutput_notebook(INLINE)',
    );
    await shown(2).getByText('successfully loaded').waitFor();
    const bokeh =
      'from bokeh.plotting import figure, show\np = figure(height=200); p.line([1, 2, 3], [3, 1, 2]); show(p)';
    await book.run(3, bokeh);
    await shown(3).locator('.bk-Figure').waitFor();
    await until('bokeh has drawn', () =>
      shown(3).locator('body').evaluate('window.Bokeh.documents.some(({ is_idle }) => is_idle)'),
    );
    await page.picture('outputs-plots');
    const altair = [
      'import altair as alt',
      'alt.renderers.enable("mimetype")',
      'data = alt.Data(values=[{"a": 1, "b": 2}, {"a": 2, "b": 5}])',
      'alt.Chart(data).mark_point().encode(x="a:Q", y="b:Q", tooltip="b:Q").interactive()',
    ];
    await book.run(2, altair.join('\n'));
    await shown(2).locator('canvas, svg.marks').first().waitFor();
  });

  it('notebooks on this computer are as they were', async () => {
    await page.command('notebook:create-new', { kernelName: 'python3' });
    await until('a local kernel', async () => (await book.kernelName()) === 'python3');
    await book.untilIdle('python3');
    const seen = await book.run(
      0,
      'from IPython.display import Javascript, display\ndisplay(Javascript("window.local = 7"))',
    );
    assert.ok(seen.types.includes('application/javascript'));
    await until('it ran in the page', () => page.page.evaluate('window.local === 7'));
  });
});
