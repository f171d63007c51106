/** A rented machine whose files have names that want to be more than names: none is, anywhere in the workbench. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '@hitch/contract';
import type { Browser, Locator } from 'playwright-core';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { HIDDEN_ON_PAGE, LOUDEST_SHOWN, writeNastyFiles } from '../support/nasty-files.ts';
import { NASTY } from '../support/nasty-strings.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { buildSuite } from './support/build-suite.ts';
import { serverIsInstalled, startServer, type VscodeServer } from './support/server.ts';
import { Workbench, writeUserSettings } from './support/workbench.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache/vscode-tests');

describe('hostile names in VS Code', function suite() {
  this.timeout(5 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let folder = '';
  let server: VscodeServer | null = null;
  let browser: Browser | null = null;
  let bench: Workbench;
  let cluster: Cluster;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    if (!serverIsInstalled()) {
      skip(this, 'VS Code’s server is not installed');
      return;
    }
    await home.start();
    const { id } = await home.rent({ filter: { practice: 'only' } }, 'llm-dev');
    cluster = await home.untilKernel(id);
    writeNastyFiles(join(home.machineFolder(cluster.nodes[0]?.attempts.at(-1)?.ref ?? ''), 'work'));
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'hostile-'));
    const built = await buildSuite(folder);
    const data = join(folder, 'data');
    const workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    writeUserSettings(data);
    server = await startServer({ data, install: [built.jupyter], environment: home.environment() });
    browser = await launchChromium(executable);
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    bench = new Workbench(page, join(cache, 'pictures'));
    await page.goto(
      server.url(workspace, [['extensionDevelopmentPath', server.remote(join(root, 'extension'))]]),
    );
  });

  afterEach(async function keep() {
    await bench.keepFailure('vscode-hostile', this.currentTest, {
      daemon: home.said,
      vscode: server?.said() ?? '',
    });
    await bench.clear();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
    await home.dispose();
    if (folder !== '') {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  /** Nothing in it is hidden, can be clicked but its buttons, or is drawn as an icon. */
  async function isPlain(shown: Locator): Promise<void> {
    const text = (await shown.textContent()) ?? '';
    assert.equal(HIDDEN_ON_PAGE.exec(text)?.[0], undefined, JSON.stringify(text));
    assert.equal(await shown.locator('a[href], a[data-href]').count(), 0, text);
    assert.equal(await shown.locator('img').count(), 0, text);
    assert.equal(await shown.locator('.codicon-zap').count(), 0, text);
  }

  it('are written out in the tree of its files', async () => {
    await bench.openView();
    await bench.expand(/Cluster llm-dev/);
    await bench.expand(/Files of llm-dev/);
    for (const shown of [/File \[Keep\]\\u0028command:/, /File results\\u202etxt\.exe\\u000aall/]) {
      // A tree draws only the rows that can be seen: it is walked until this one is.
      const row = bench.page.getByRole('treeitem', { name: shown });
      await bench.bring(row, async () => {
        await bench.page.locator('.pane-body .monaco-list').first().focus();
        await bench.page.keyboard.press('Home');
        for (let rows = 0; rows < NASTY.length && !(await row.isVisible()); rows++) {
          await bench.page.keyboard.press('ArrowDown');
        }
      });
    }
    await isPlain(bench.page.locator('.pane-body').first());
    await bench.picture('hostile-1-tree');
  });

  it('are written out in the dialog before a stop', async () => {
    await bench.rowButton(/Cluster llm-dev/, /Stop/, bench.dialog.getByText(/Not saved:/));
    for (const shown of LOUDEST_SHOWN) {
      await bench.found(bench.dialog.getByText(shown));
    }
    await bench.found(bench.dialog.getByText(/\]\\u0028command:/));
    await isPlain(bench.dialog);
    await bench.picture('hostile-2-stop');
  });

  it('are no links in the warning that it ends soon', async () => {
    await home.api.clusters.extend({ clusterId: cluster.id, stopAtMs: Date.now() + 9 * 60_000 });
    const messages = await bench.notifications();
    const warning = await bench.found(
      messages.locator('.notification-list-item-message').filter({ hasText: /stops in/ }),
    );
    await bench.found(warning.getByText(/\[Keep\]\\u0028command:/));
    await isPlain(warning);
    await bench.picture('hostile-3-warning');
  });
});
