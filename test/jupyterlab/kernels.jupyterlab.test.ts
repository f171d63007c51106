/** Kernels of clusters beside this computer's own, in a real JupyterLab. */
import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import { approve } from '../support/approval.ts';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { LabNotebook } from '../support/lab-notebook.ts';
import { needsRealNodes, sendSignal } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const NAME = 'llm-dev';
const KERNEL = `hitch-${NAME}--python3`;
const OTHER = 'other';
const WHERE = 'import os; print(os.environ.get("HITCH_NODE"))';
const SLOW_MS = 120_000;

describe('kernels in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let lab: JupyterLab | undefined;
  let page: LabPage;
  let book: LabNotebook;
  let cluster: Cluster;
  let other: Cluster;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    await home.start();
    const filter = { practice: 'only', maxGpuCount: 1 } as const;
    const rented = [await home.rent({ filter }, NAME), await home.rent({ filter }, OTHER)] as const;
    cluster = await home.untilKernel(rented[0].id);
    other = await home.untilKernel(rented[1].id);
    lab = new JupyterLab({ home });
    await lab.start();
    page = await lab.open(executable);
    book = new LabNotebook(page);
  });

  afterEach(async function keep() {
    await page.keepFailure('kernels', this.currentTest);
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
  });

  const nodeOf = ({ nodes }: Cluster): string => nodes[0]?.attempts.at(-1)?.ref ?? '';

  const move = async (name: string): Promise<void> => {
    await page.page.evaluate(
      `window.jupyterapp.shell.currentWidget.sessionContext.changeKernel({ name: ${JSON.stringify(name)} }).then(() => null)`,
    );
    await book.untilIdle(name);
  };

  it('stand in the launcher under their cluster’s name', async () => {
    await page.command('launcher:create');
    await page.page.locator('.jp-LauncherCard', { hasText: NAME }).first().waitFor({ timeout: 60_000 });
    await page.picture('kernels-launcher');
  });

  it('run cells on the cluster, while local ones run here', async () => {
    await book.make('remote.ipynb', KERNEL);
    assert.equal((await book.run(0, `kept = 41\n${WHERE}`)).text, `${nodeOf(cluster)}\n`);
    await page.picture('kernels-remote');
    await book.make('local.ipynb', 'python3');
    assert.equal((await book.run(0, WHERE)).text, 'None\n');
  });

  it('move one notebook from this computer to a cluster, to another and back, in one session', async () => {
    const session = (): Promise<string> =>
      page.page.evaluate('window.jupyterapp.shell.currentWidget.sessionContext.session.id');
    const first = await session();
    await move(KERNEL);
    assert.equal((await book.run(0, WHERE)).text, `${nodeOf(cluster)}\n`);
    await move(`hitch-${OTHER}--python3`);
    assert.equal((await book.run(0, WHERE)).text, `${nodeOf(other)}\n`);
    await move('python3');
    assert.equal((await book.run(0, WHERE)).text, 'None\n');
    assert.equal(await session(), first);
    await book.save();
  });

  it('run consoles too', async () => {
    const ran: string = await page.page.evaluate(
      `(async () => {
        const app = window.jupyterapp;
        const panel = await app.commands.execute('console:create', {
          path: 'probe', name: 'probe', kernelPreference: { name: ${JSON.stringify(KERNEL)} } });
        while (!panel.sessionContext.session?.kernel) await new Promise(next => setTimeout(next, 50));
        const { kernel } = panel.sessionContext.session;
        const asked = kernel.requestExecute({ code: ${JSON.stringify(WHERE)} });
        let text = '';
        asked.onIOPub = ({ content }) => { text += content.text ?? ''; };
        await asked.done;
        return kernel.name + ' ' + text;
      })()`,
    );
    assert.equal(ran, `${KERNEL} ${nodeOf(cluster)}\n`);
  });

  it('keep their variables over a reload of the page and a new daemon', async () => {
    await book.open('remote.ipynb');
    await book.save();
    // The bridge starts another one.
    await home.kill();
    await page.reload();
    await book.open('remote.ipynb');
    await book.untilIdle(KERNEL);
    assert.equal((await book.run(0, 'print(kept + 1)')).text, '42\n');
  });

  it('of this computer work while a cluster hangs from the start', async () => {
    const agent = home.agentPid(other);
    sendSignal(agent, 'SIGSTOP');
    try {
      await page.reload();
      await book.open('local.ipynb');
      await book.untilIdle('python3');
      assert.equal((await book.run(0, WHERE)).text, 'None\n');
      await book.open('remote.ipynb');
      await book.untilIdle(KERNEL);
      assert.equal((await book.run(0, WHERE)).text, `${nodeOf(cluster)}\n`);
    } finally {
      sendSignal(agent, 'SIGCONT');
    }
  });

  it('never start on this computer for a notebook whose cluster is stopped, which offers to start it again', async () => {
    await book.save();
    await home.stopCluster(cluster.id);
    const offer = page.page.getByRole('button', { name: 'Start it again…' });
    await offer.first().waitFor({ timeout: SLOW_MS });
    await page.reload();
    await book.open('remote.ipynb');
    await offer.first().waitFor({ timeout: SLOW_MS });
    await page.picture('kernels-gone');
    assert.equal(await book.kernelName(), '');
    await book.begin(0);
    const dialog = page.page.getByRole('dialog').filter({ hasText: 'has no kernel now' });
    await dialog.getByText(/^llm-dev has stopped; .*remote\.ipynb has no kernel/).waitFor();
    await page.picture('kernels-start-again');
    await approve(page, () => dialog.getByRole('button', { name: 'Start it again…' }).click());
    await page.page
      .getByText(/^llm-dev: .*remote\.ipynb.* waiting for it/)
      .first()
      .waitFor({ timeout: SLOW_MS });
    await page.picture('kernels-coming');
    // Its timeline comes to the front once it is being rented.
    await page.page.locator('#jp-main-dock-panel .lm-mod-current', { hasText: NAME }).waitFor();
    await book.open('remote.ipynb');
    await until(
      'the notebook has its kernel again',
      async () => (await book.kernelName()) === KERNEL,
      SLOW_MS,
    );
    await book.untilIdle(KERNEL);
    const again = await home.cluster(cluster.id);
    assert.notEqual(nodeOf(again), nodeOf(cluster));
    assert.equal((await book.run(0, WHERE)).text, `${nodeOf(again)}\n`);
    await page.page
      .getByText(/ waiting for it/)
      .first()
      .waitFor({ state: 'detached' });
    // Extensions that looked at the notebook while it had no kernel know the one that it has now.
    if (!(await book.run(0, 'import ipywidgets')).text.includes('ModuleNotFoundError')) {
      await book.run(0, 'ipywidgets.IntSlider(value=7)');
      await page.picture('kernels-widget');
      const frame = page.page.frameLocator('.jp-hitch-Framed iframe').frameLocator('iframe');
      await frame.locator('.widget-readout', { hasText: '7' }).waitFor();
    }
  });
});
