/** Renting, watching and stopping inside JupyterLab, as a person does it; each screen is kept, light and dark. */
import assert from 'node:assert/strict';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { needsRealNodes } from '../support/processes.ts';

for (const theme of ['light', 'dark'] as const) {
  describe(`renting in JupyterLab, ${theme}`, function suite() {
    this.timeout(4 * 60_000);
    const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
    const problems: string[] = [];
    let lab: JupyterLab | undefined;
    let page: LabPage;

    before(async function start() {
      needsRealNodes(this);
      const executable = chromiumOrSkip(this);
      await home.start();
      lab = new JupyterLab({ home });
      lab.useTheme(theme);
      await lab.start();
      page = await lab.open(executable);
      page.page.on('pageerror', error => problems.push(error.message));
    });

    afterEach(async function keep() {
      const name = this.currentTest?.title.slice(0, 40).replaceAll(/\W+/g, '-') ?? '';
      await page.picture(`rent-${theme}-${name}`);
    });

    after(async () => {
      await lab?.dispose();
      await home.dispose();
    });

    it('says what Hitch is while there is no cluster', async () => {
      await page.command('hitch:open-panel');
      const panel = page.page.getByRole('region', { name: 'GPUs' });
      await panel.getByText('see the whole price before you say yes').waitFor();
      await panel.getByRole('button', { name: 'New cluster' }).last().click();
    });

    it('shows practice offers as such', async () => {
      await page.page.getByRole('grid').waitFor();
      await page.page.getByText('without CUDA').first().waitFor();
      await page.page.getByText('Rent…', { exact: true }).first().click();
    });

    it('asks for limits and shows the price, with the focus on Cancel', async () => {
      await page.page.getByRole('textbox', { name: 'Cluster name' }).fill('llm-dev');
      await page.page.getByRole('button', { name: /price/i }).first().click();
      const dialog = page.page.getByRole('dialog');
      await dialog.getByText('whichever is first').waitFor();
      assert.equal(await dialog.locator(':focus').textContent(), 'Cancel');
    });

    it('rents on a yes, and shows the cluster come up', async () => {
      await page.page.getByRole('button', { name: /^Rent for up to/ }).click();
      const row = page.page.getByRole('treeitem', { name: /llm-dev/ });
      await row.getByText(/^Ready|^GPU/).waitFor({ timeout: 120_000 });
      await row.press('ArrowRight');
      await row.getByText('Machines').waitFor();
      await page.page.getByRole('heading', { name: 'llm-dev' }).waitFor();
    });

    it('stops on a second yes, and says when all is gone', async () => {
      await page.page.getByRole('button', { name: 'Stop: llm-dev' }).first().click();
      await page.page.getByRole('dialog').getByRole('button', { name: /^Stop/ }).first().click();
      await page.page
        .getByRole('treeitem', { name: /llm-dev/ })
        .getByText(/Gone, confirmed/)
        .waitFor({ timeout: 120_000 });
      const [cluster] = await home.api.clusters.list();
      assert.equal(cluster?.phase, 'stopped');
      assert.deepEqual(home.leftovers(cluster === undefined ? [] : [cluster]), []);
      assert.deepEqual(problems, []);
    });
  });
}
