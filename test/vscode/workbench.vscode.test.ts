/** What a person does from the first click to "gone", in the workbench itself; each screen is kept, dark and light. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Frame, Locator } from 'playwright-core';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { keepPages } from '../support/failed-page.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';
import { buildSuite } from './support/build-suite.ts';
import { serverIsInstalled, startServer, type VscodeServer } from './support/server.ts';
import { Workbench, writeUserSettings } from './support/workbench.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache/vscode-tests');
const pictures = join(cache, 'pictures');

const codeCell = (id: string, source: string, outputs: readonly object[] = []) => ({
  cell_type: 'code',
  execution_count: null,
  id,
  metadata: {},
  outputs,
  source: [source],
});
const notebookOf = (...cells: readonly object[]): string =>
  JSON.stringify({ cells, metadata: { language_info: { name: 'python' } }, nbformat: 4, nbformat_minor: 5 });

const OURS = ['hitch.rent.new', 'hitch.cluster.stop', 'hitch.files.send'];
/**
 * What a stranger's kernel may send, or have left in a notebook: links to our commands, which its script presses as well, over
 * and over until the last link is pressed. It ends then, because each press takes the keyboard from the tests that follow.
 */
const HOSTILE = `${OURS.map(command => `<a href="command:${command}">${command}</a>`).join(' ')}
<a href="command:workbench.action.openSettings">settings</a>
<script>
const pressing = setInterval(() => document.querySelectorAll('a[href^="command:hitch"]').forEach(link => link.click()), 200);
document.querySelector('a[href$="openSettings"]').addEventListener('click', () => clearInterval(pressing));
</script>`;
const hostileOutput = { output_type: 'display_data', data: { 'text/html': [HOSTILE] }, metadata: {} };

const timelineEntry = (frame: Frame): Locator => frame.locator('hitch-timeline').getByRole('listitem');

describe('the workbench', function suite() {
  this.timeout(5 * 60_000);
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  let folder = '';
  let server: VscodeServer | null = null;
  let browser: Browser | null = null;
  let bench: Workbench;

  before(async function start() {
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    if (!serverIsInstalled()) {
      skip(this, 'VS Code’s server is not installed');
      return;
    }
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'ui-'));
    const built = await buildSuite(folder);
    const data = join(folder, 'data');
    const workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    writeFileSync(
      join(workspace, 'train.ipynb'),
      notebookOf(codeCell('a1', 'print("on a cluster:", 6 * 7)')),
    );
    writeFileSync(join(workspace, 'hostile.ipynb'), notebookOf(codeCell('b1', '', [hostileOutput])));
    writeUserSettings(data);
    server = await startServer({ data, install: [built.jupyter], environment: home.environment() });
    browser = await launchChromium(executable);
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    bench = new Workbench(page, pictures);
    await page.goto(
      server.url(workspace, [['extensionDevelopmentPath', server.remote(join(root, 'extension'))]]),
    );
  });

  afterEach(async function keep() {
    await bench.keepFailure('vscode-workbench', this.currentTest, {
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

  it('says what is missing, and starts it', async () => {
    await bench.openView();
    await bench.text(/daemon is not running/);
    await bench.picture('01-no-daemon');
    await bench.press('Start It', bench.page.getByText(/No clusters yet/));
    await bench.row(/Search Cheapest GPU: from \$/);
    await bench.picture('02-empty');
    await bench.expand(/Search Cheapest GPU/);
    await bench.row(/Offer 1×/);
    await bench.picture('03-offers');
  });

  it('shows all offers as a table, from which one is rented', async () => {
    await bench.command('Hitch: Offer Table');
    const offer = (frame: Frame): Locator =>
      frame.locator('hitch-offer-table').getByRole('row', { name: /RTX|A100|H100/ });
    await bench.inPage(offer);
    await bench.standsOut(offer, 'main');
    await bench.picture('03-table');
    await bench.contrast('03-table');
    await bench.bring(bench.picker.getByPlaceholder(/set up as/), async () => {
      const rent = await bench.inPage(frame => frame.getByRole('gridcell', { name: /^Rent / }));
      await rent.click();
    });
    await bench.picture('03-table-rent');
    await bench.clear();
    assert.equal((await home.api.clusters.list()).length, 0);
  });

  it('rents in steps, back and forth, up to the price and the yes', async () => {
    await bench.press('Rent for Practice…', bench.picker.getByText(/from \$/));
    await bench.picture('04-preset');
    await bench.choose(/Cheapest 24 GB/);
    await bench.found(bench.picker.getByText(/the next best are tried/));
    await bench.picture('05-offer');
    await bench.press('Back', bench.picker.getByRole('option', { name: /Cheapest GPU/ }));
    await bench.choose(/Cheapest GPU/);
    await bench.choose(/The best available/);
    await bench.picture('06-template');
    await bench.choose(/Notebook/);
    await bench.found(bench.picker.getByText(/Name \(optional\)/));
    await bench.type('Not A Name');
    await bench.text(/A name has 2 to 40/);
    await bench.picture('07-name');
    await bench.enter('llm-dev', /Name \(optional\)/);
    await bench.found(bench.picker.getByText('Review and rent…'));
    await bench.choose(/Secrets: none/);
    await bench.choose(/Add a secret…/);
    const secretName = /The secret’s name \(becomes an environment variable\)/;
    await bench.found(bench.picker.getByText(secretName));
    await bench.enter('HF_TOKEN', secretName);
    const secretValue = /The value of HF_TOKEN; it is not shown again/;
    await bench.found(bench.picker.getByText(secretValue));
    assert.equal(await bench.picker.locator('input[type=password]').count(), 1);
    await bench.enter('hf_of_a_person', secretValue);
    await bench.found(bench.picker.getByText('the cluster gets it', { exact: true }));
    await bench.picture('08-secrets');
    await bench.choose(/Back to the limits/);
    await bench.found(bench.picker.getByText('Secrets: HF_TOKEN'));
    await bench.picture('08-limits');
    await bench.choose(/Review and rent/);
    await bench.found(bench.dialog.getByText(/Secrets it can read: HF_TOKEN/));
    await bench.picture('09-confirm');
    // Enter out of habit spends nothing.
    assert.doesNotMatch(await bench.focused(), /Rent for up to/);
    assert.equal((await home.api.clusters.list()).length, 0);
    await bench.answer(/^Rent for up to/);
    await bench.row(/Cluster llm-dev/);
    const messages = await bench.notifications();
    await bench.found(messages.getByText(/Hitch: llm-dev|llm-dev is ready/));
    await bench.picture('10-renting');
    await until('the cluster works', async () => (await home.api.clusters.list())[0]?.phase === 'ready');
    await bench.row(/Cluster llm-dev \(practice\): (Ready|GPU)/);
    await bench.found(messages.getByText(/llm-dev is ready for a notebook/));
    await bench.picture('11-ready');
    await bench.hideNotifications();
  });

  it('gives an open notebook a kernel on it with one click', async () => {
    await bench.open('train.ipynb', bench.page.locator('.notebookOverlay'));
    await bench.picture('12-notebook');
    await bench.press(/Run on…/, bench.page.locator('.kernel-label').getByText('Python 3 (ipykernel)'));
    const messages = await bench.notifications();
    await bench.found(messages.getByText(/train\.ipynb now runs on llm-dev\. Variables are lost/));
    await bench.hideNotifications();
    await bench.press(/Run All/, bench.page.locator('.notebookOverlay .codicon-notebook-state-success'));
    await bench.inPage(frame => frame.getByText('on a cluster: 42'));
    await bench.expand(/Cluster llm-dev/);
    await bench.row(/Kernel of train/);
    await bench.picture('13-running');
  });

  it('lets a hostile output run no command of ours', async () => {
    const before = await home.api.clusters.list();
    await bench.page.evaluate(`(() => {
      window.asked = [];
      window.watching = new MutationObserver(() => {
        for (const box of document.querySelectorAll('.quick-input-widget, .monaco-dialog-box')) {
          if (box.checkVisibility()) window.asked.push(box.textContent);
        }
      });
    })()`);
    await bench.open('hostile.ipynb', bench.page.locator('.notebookOverlay'));
    const links = await Promise.all(
      [...OURS, 'settings'].map(text => bench.inPage(frame => frame.getByText(text, { exact: true }))),
    );
    const settingsLink = links.pop();
    await bench.page.evaluate(
      'window.watching.observe(document.body, { subtree: true, childList: true, attributes: true })',
    );
    for (const link of links) {
      await link.click();
    }
    // One of the few that VS Code lets through itself: what was pressed before has been heard when it is there.
    const settings = bench.page.locator('.settings-editor');
    await bench.bring(settings, async () => settingsLink?.click());
    assert.deepEqual(await bench.page.evaluate('window.asked'), []);
    await bench.page.evaluate('window.watching.disconnect()');
    await bench.command('View: Close Editor');
    await settings.waitFor({ state: 'hidden' });
    await bench.command('View: Close Editor');
    assert.deepEqual(
      (await home.api.clusters.list()).map(({ id, phase }) => [id, phase]),
      before.map(({ id, phase }) => [id, phase]),
    );
  });

  it('opens a terminal on it, and its files below it', async () => {
    await bench.rowButton(/Cluster llm-dev/, 'Open Terminal', bench.screen);
    await bench.typeInTerminal('mkdir -p results; echo epoch,loss > results/run.csv; echo it-is-$((40+2))');
    await bench.found(bench.screen.getByText('it-is-42'));
    await bench.expand(/Cluster llm-dev/);
    await bench.expand(/Files of llm-dev/);
    await bench.expand(/Folder results/);
    const file = await bench.row(/File run\.csv/);
    await bench.bring(bench.page.locator('.editor-instance').getByText('epoch,loss'), () => file.click());
    await bench.picture('14-terminal-and-files');
  });

  it('sends a file there from the explorer, and asks before one is replaced', async () => {
    const [cluster] = await home.api.clusters.list();
    const arrives = (path: string) =>
      until(`${path} is there`, async () =>
        cluster === undefined
          ? false
          : home.api.files.stat({ clusterId: cluster.id, path }).catch(() => false),
      );
    const asked = /Folder in ~\/work on the cluster/;
    const send = async (): Promise<void> => {
      await bench.rowMenu(/^train\.ipynb/, 'Send to Cluster…', bench.picker.getByText(asked));
      await bench.enter('sent', asked);
    };
    await bench.keys('Control+Shift+E', bench.page.getByRole('treeitem', { name: /^train\.ipynb/ }));
    await send();
    await arrives('sent/train.ipynb');
    assert.ok(cluster !== undefined);
    // Another's work on it, there.
    const other = Buffer.from('{"cells": []}');
    await home.client.upload(cluster.id, 'sent/train.ipynb', {
      sizeBytes: other.length,
      read: async () => new Uint8Array(other),
    });
    await send();
    await bench.found(bench.dialog.getByText(/train\.ipynb already exists there and differs/));
    await bench.untilFocused('Keep Both');
    await bench.picture('14-send-again');
    await bench.answer('Keep Both');
    await until('both are there', async () => {
      const entries = await home.api.files.list({ clusterId: cluster.id, path: 'sent' });
      return entries.some(({ name, sizeBytes }) => name !== 'train.ipynb' && sizeBytes === other.length);
    });
  });

  it('fetches a file from there, to where one says', async () => {
    await bench.openView();
    const here = bench.picker.getByRole('button', { name: 'Fetch Here' });
    await bench.rowButton(/File run\.csv/, 'Fetch…', here);
    await bench.picture('14-fetch');
    await bench.take(here);
    await until('it is here', () => existsSync(join(folder, 'workspace', 'run.csv')));
    assert.equal(readFileSync(join(folder, 'workspace', 'run.csv'), 'utf8'), 'epoch,loss\n');
  });

  it('shows what happened to it, and what it costs', async () => {
    await bench.command('Hitch: Timeline');
    await bench.choose(/llm-dev/);
    await bench.inPage(timelineEntry);
    await bench.inPage(frame => frame.locator('hitch-cost-plot svg'));
    await bench.standsOut(timelineEntry, 'main');
    await bench.picture('15-timeline');
    await bench.contrast('15-timeline');
  });

  it('comes back to all of it in a window that is loaded anew', async () => {
    await bench.reload();
    await bench.inPage(timelineEntry);
    await bench.keys('Control+`', bench.screen);
    await bench.found(bench.screen.getByText('it-is-42'));
    await bench.picture('16-after-a-reload');
  });

  it('opens its files as the folder of a window of its own, and comes back to them there', async () => {
    // It is waited for from here on, and each gesture before it may take its minutes on a busy machine.
    const opened = bench.page.context().waitForEvent('page', { timeout: 4 * 60_000 });
    await bench.openView();
    await bench.expand(/Cluster llm-dev/);
    const inWindow = bench.picker.getByRole('option', { name: /In a new window/ });
    await bench.rowButton(/Files of llm-dev/, 'Open Files', inWindow);
    await bench.take(inWindow);
    const other = new Workbench(await opened, pictures);
    try {
      await other.keys('Control+Shift+E', other.page.getByRole('treeitem', { name: 'results' }));
      await other.expand('results');
      const text = other.page.locator('.editor-instance');
      const file = await other.row('run.csv');
      await other.bring(text.getByText('epoch,loss'), () => file.click());
      await other.bring(text.getByText('1,0.5'), async () => {
        await text.getByText('epoch,loss').click();
        await other.page.keyboard.press('Control+A');
        await other.page.keyboard.type('epoch,loss\n1,0.5\n');
      });
      await other.page.keyboard.press('Control+S');
      const [cluster] = await home.api.clusters.list();
      const path = `/clusters/${cluster?.id ?? ''}/raw-files?path=results/run.csv`;
      await until('it is saved there', async () =>
        (await (await home.client.raw(path)).text()).includes('1,0.5'),
      );
      await other.picture('16-files-in-a-window');
      await other.reload();
      await other.found(text.getByText('1,0.5'));
      await other.row('run.csv');
      await other.openView();
      await other.row(/Cluster llm-dev/);
    } catch (error) {
      await keepPages('vscode-workbench the other window', other.page.context());
      throw error;
    } finally {
      await other.page.close();
    }
  });

  it('shows what it costs on the status bar, and why', async () => {
    const item = await bench.found(bench.button(/Hitch: Practice/));
    await bench.bring(bench.page.locator('.monaco-hover').getByText('llm-dev'), async () => {
      // A pointer that rests on it already brings nothing.
      await bench.page.mouse.move(640, 300);
      await item.hover();
    });
    await bench.picture('17-status-bar');
  });

  it('warns of the notebook before it stops, saves what would be lost, and says gone when it is', async () => {
    await bench.openView();
    await bench.rowButton(/Cluster llm-dev/, /Stop/, bench.dialog.getByText(/train\.ipynb runs on it/));
    await bench.found(
      bench.dialog.getByText(/Not saved: ~\/work\/sent \(.+\), ~\/work\/results \(\d+ bytes\)/),
    );
    await bench.picture('18-stop');
    // Enter out of habit loses nothing.
    await bench.untilFocused('Save These and Stop');
    await bench.answer('Save These and Stop');
    await bench.row(/Cluster llm-dev \(practice\): Gone, confirmed/);
    const saved = (await home.api.clusters.list())[0]?.saved ?? [];
    assert.ok(saved.some(path => basename(path) === 'results' && existsSync(join(path, 'run.csv'))));
    await bench.picture('19-gone');
    const messages = await bench.notifications();
    await bench.found(messages.getByText(/llm-dev is gone, confirmed .+ total\./));
    await bench.hideNotifications();
  });

  it('opens the walkthrough', async () => {
    await bench.command('Hitch: Get Started');
    await bench.text(/Start Hitch on this computer/);
    await until(
      'the steps are done',
      async () => (await bench.page.locator('[class*="getting-started-step-checked"]').count()) >= 4,
    );
    await bench.picture('20-walkthrough');
  });
});
