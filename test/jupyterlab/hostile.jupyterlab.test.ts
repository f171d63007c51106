/** A rented machine whose files, notebooks and terminals have names that want to be more: none is, anywhere in JupyterLab. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import type { Locator } from 'playwright-core';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { HIDDEN_ON_PAGE, LOUDEST_SHOWN, writeNastyFiles } from '../support/nasty-files.ts';
import { NASTY } from '../support/nasty-strings.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const SLOW_MS = 120_000;

describe('hostile names in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let lab: JupyterLab | undefined;
  let page: LabPage;
  let cluster: Cluster;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    await home.start();
    const { id } = await home.rent({ filter: { practice: 'only' } }, 'llm-dev');
    cluster = await home.untilKernel(id);
    writeNastyFiles(join(home.machineFolder(cluster.nodes[0]?.attempts.at(-1)?.ref ?? ''), 'work'));
    for (const { text } of NASTY.filter(({ text }) => text.trim() !== '' && text.length < 200).slice(0, 12)) {
      const body = { path: text, name: text, type: 'notebook', kernel: { name: 'python3' } };
      await home.client.raw(`${cluster.jupyterPath}/api/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      // A dozen kernels at once are too much for a small machine, and two are as good as a dozen.
      if ((await home.api.kernels.list({ clusterId: id })).length >= 2) break;
    }
    const { length } = await home.api.kernels.list({ clusterId: id });
    assert.ok(length >= 2, `${length.toString()} kernels have a name of these`);
    lab = await new JupyterLab({ home }).start();
    page = await lab.open(executable);
  });

  afterEach(async function keep() {
    await page.keepFailure('hostile', this.currentTest);
  });

  after(async () => {
    await lab?.dispose();
    await home.dispose();
  });

  /** Its text and all that is read when one points at or hears it. */
  const saidBy = (locator: Locator): Promise<string> =>
    locator.evaluate(root =>
      [root, ...root.querySelectorAll('*')]
        .flatMap(node => [
          node.getAttribute('title') ?? '',
          node.getAttribute('aria-label') ?? '',
          ...[...node.childNodes].filter(child => child.nodeType === 3).map(child => child.nodeValue ?? ''),
        ])
        .join('\n'),
    );

  async function isPlain(locator: Locator): Promise<void> {
    assert.equal(HIDDEN_ON_PAGE.exec(await saidBy(locator))?.[0], undefined);
    assert.equal(await page.page.evaluate('window.pwned'), undefined);
  }

  it('are written out in the dialog before a stop', async () => {
    await page.command('hitch:open-panel');
    const region = page.page.getByRole('region', { name: 'GPUs', exact: true });
    await region.getByRole('treeitem').first().waitFor({ timeout: SLOW_MS });
    await region
      .getByRole('button', { name: /^Stop: / })
      .first()
      .click();
    const dialog = page.page.getByRole('dialog');
    for (const shown of LOUDEST_SHOWN) {
      await dialog.getByText(shown).first().waitFor({ timeout: SLOW_MS });
    }
    assert.equal(await dialog.locator('img, a, script').count(), 0);
    await isPlain(dialog);
    await page.picture('hostile-stop');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  it('are written out in the warning that it ends soon', async () => {
    const { id: clusterId } = cluster;
    await home.api.clusters.extend({ clusterId, stopAtMs: Date.now() + 9 * 60_000 });
    const toast = page.page.locator('.Toastify__toast', { hasText: /stops in/ }).first();
    await toast.waitFor({ timeout: SLOW_MS });
    await isPlain(toast);
    assert.equal(await toast.locator('img, a[href]').count(), 0);
    // The other tests may take longer than that.
    await home.api.clusters.extend({ clusterId, stopAtMs: Date.now() + 120 * 60_000 });
  });

  it('are written out in the panel and the tab of a cluster', async () => {
    const region = page.page.getByRole('region', { name: 'GPUs', exact: true });
    const row = region.getByRole('treeitem').first();
    await row.focus();
    await page.page.keyboard.press('ArrowRight');
    await region.getByText(/Keep/).first().waitFor({ timeout: SLOW_MS });
    await isPlain(region);
    await page.command('hitch:show-timeline', { clusterId: cluster.id });
    const tab = page.page.locator('.jp-Hitch-tab');
    await tab.getByText(/Keep/).first().waitFor({ timeout: SLOW_MS });
    await isPlain(tab);
    await page.picture('hostile-tab');
  });

  it('are written out in the title that a shell gives its tab', async () => {
    const { name } = await home.api.terminals.create({ clusterId: cluster.id });
    await page.command('hitch:open-terminal', { clusterId: cluster.id, name });
    const screen = page.page.locator('.jp-Terminal');
    await screen.first().waitFor({ timeout: SLOW_MS });
    await until('the shell has a prompt', () =>
      page.page.evaluate('document.querySelector(".jp-Terminal")?.textContent?.trim() !== ""'),
    );
    await page.page.locator('.jp-Terminal textarea').first().focus();
    await page.page.keyboard.type(String.raw`printf '\033]0;ev\342\200\256il\007'; sleep 60`);
    await page.page.keyboard.press('Enter');
    await page.page.locator('.lm-TabBar-tabLabel', { hasText: 'ev\\u202eil' }).waitFor({ timeout: SLOW_MS });
  });
});
