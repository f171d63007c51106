/** Kernels of clusters beside this computer's own, in a real JupyterLab. */
import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const NAME = 'llm-dev';
const KERNEL = `hitch-${NAME}--python3`;

describe('kernels in JupyterLab', function suite() {
  this.timeout(4 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let lab: JupyterLab | undefined;
  let page: LabPage;
  let cluster: Cluster;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    await home.start();
    const rented = await home.rent({ filter: { practice: 'only', maxGpuCount: 1 } }, NAME);
    cluster = await home.untilKernel(rented.id);
    lab = await new JupyterLab({ home }).start();
    page = await lab.open(executable);
  });

  afterEach(async function keep() {
    if (this.currentTest?.state === 'failed') {
      await page.picture(`kernels-failed-${this.currentTest.title.slice(0, 40).replaceAll(/\W+/g, '-')}`);
    }
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
  });

  /** Makes a notebook with this kernel, and waits until the kernel is there. */
  async function notebook(path: string, kernelName: string): Promise<void> {
    await page.page.evaluate(
      `(async () => {
        const app = window.jupyterapp;
        const made = await app.serviceManager.contents.newUntitled({ type: 'notebook' });
        await app.serviceManager.contents.rename(made.path, ${JSON.stringify(path)});
        await app.commands.execute('docmanager:open', {
          path: ${JSON.stringify(path)}, factory: 'Notebook', kernel: { name: ${JSON.stringify(kernelName)} } });
        await app.shell.currentWidget.context.ready;
        await app.shell.currentWidget.sessionContext.ready;
      })()`,
    );
  }

  const kernelName = (): Promise<string> =>
    page.page.evaluate('window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.name ?? ""');

  const untilIdle = (name: string): Promise<unknown> =>
    until(`${name} is idle`, () =>
      page.page.evaluate(
        `(() => {
          const kernel = window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
          return kernel?.name === ${JSON.stringify(name)} && kernel.status === 'idle';
        })()`,
      ),
    );

  /** Runs one line in the first cell of the notebook in front and gives what it printed. */
  async function run(source: string, on = KERNEL): Promise<string> {
    await untilIdle(on);
    await page.page.evaluate(
      `(() => {
        const panel = window.jupyterapp.shell.currentWidget;
        panel.content.activeCellIndex = 0;
        panel.content.activeCell.model.sharedModel.setSource(${JSON.stringify(source)});
      })()`,
    );
    await page.command('notebook:run-cell');
    return printed();
  }

  const printed = (): Promise<string> =>
    page.page.evaluate(
      `(() => {
        const cell = window.jupyterapp.shell.currentWidget.content.widgets[0];
        return cell.model.outputs.toJSON().map(output => output.text ?? output.evalue ?? '').join('');
      })()`,
    );

  it('stand in the launcher under their cluster’s name', async () => {
    await page.command('launcher:create');
    await page.page
      .getByRole('button', { name: new RegExp(NAME) })
      .or(page.page.locator('.jp-LauncherCard', { hasText: NAME }))
      .first()
      .waitFor({ timeout: 60_000 });
    await page.picture('kernels-launcher');
  });

  it('run cells on the cluster, while local ones run here', async () => {
    await notebook('remote.ipynb', KERNEL);
    const node = cluster.nodes[0]?.attempts.at(-1)?.ref ?? '';
    assert.equal(await run('import os; kept = 41; print(os.environ.get("HITCH_NODE"))'), `${node}\n`);
    await page.picture('kernels-remote');
    await notebook('local.ipynb', 'python3');
    assert.equal(await run('import os; print(os.environ.get("HITCH_NODE"))', 'python3'), 'None\n');
  });

  it('move one notebook from the cluster to this computer and back', async () => {
    const change = (name: string): Promise<unknown> =>
      page.page.evaluate(
        `window.jupyterapp.shell.currentWidget.sessionContext.changeKernel({ name: ${JSON.stringify(name)} }).then(() => null)`,
      );
    await change(KERNEL);
    assert.equal(await kernelName(), KERNEL);
    assert.match(await run('import os; print(os.environ.get("HITCH_NODE"))'), /^hitch-/);
    await change('python3');
    assert.equal(await run('import os; print(os.environ.get("HITCH_NODE"))', 'python3'), 'None\n');
  });

  it('keep their variables over a reload of the page and a new daemon', async () => {
    await page.command('docmanager:open', { path: 'remote.ipynb' });
    await page.command('docmanager:save');
    await home.kill();
    await home.start();
    await page.reload();
    await page.command('docmanager:open', { path: 'remote.ipynb' });
    assert.equal(await run('print(kept + 1)'), '42\n');
  });

  it('never start on this computer for a notebook whose cluster is gone', async () => {
    await home.stopCluster(cluster.id);
    await page.reload();
    await page.begin('docmanager:open', { path: 'remote.ipynb' });
    await page.page
      .getByRole('dialog')
      .or(page.page.getByText('No Kernel'))
      .first()
      .waitFor({ timeout: 60_000 });
    await page.picture('kernels-gone');
    assert.notEqual(await kernelName(), 'python3');
  });
});
