/** The Networks view of VS Code: a machine of one's own added, looked at and removed, by a real ssh and a real sshd. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { chromiumOrSkip, launchChromium } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { FarMachine } from '../support/far-machine.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';
import { buildSuite } from './support/build-suite.ts';
import { serverIsInstalled, startServer, type VscodeServer } from './support/server.ts';
import { Workbench, writeUserSettings } from './support/workbench.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache/vscode-tests');

describe('the networks in the workbench', function suite() {
  this.timeout(5 * 60_000);
  let machine: FarMachine | null = null;
  let home: DaemonHome | null = null;
  let folder = '';
  let server: VscodeServer | null = null;
  let browser: Browser | null = null;
  let bench: Workbench;

  before(async function start() {
    needsOpenssh(this);
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    if (!serverIsInstalled()) {
      skip(this, 'VS Code’s server is not installed');
      return;
    }
    machine = await FarMachine.start();
    rmSync(machine.knownHosts);
    home = new DaemonHome({ HITCH_SANDBOX_SEED: '7', HITCH_SSH_CONFIG: machine.config });
    await home.start();
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'networks-'));
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
    await bench.keepFailure('vscode-networks', this.currentTest, {
      daemon: home?.said ?? '',
      vscode: server?.said() ?? '',
    });
    await bench.clear();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
    await home?.dispose();
    await machine?.dispose();
    if (folder !== '') {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  const machines = async (): Promise<readonly string[]> =>
    ((await home?.api.networks.list()) ?? []).flatMap(network =>
      (network.machines ?? []).map(({ name, pricePerHourMicroUsd }) => `${name} ${pricePerHourMicroUsd}`),
    );

  it('are listed, each with how it stands', async () => {
    await bench.openView();
    await bench.text(/No clusters yet/);
    await bench.found(bench.button('Connect a Network…'));
    await bench.command('GPUs: Focus on Networks View');
    await bench.row(/^Network Your machines: 0 machines/);
    await bench.row(/^Network Practice market: \d+ offers/);
    await bench.expand(/^Network Your machines/);
    await bench.row(/^Add Your Own Machine…/);
    await bench.picture('20-networks');
  });

  it('ask which machine, its price, and whether its key is its key', async () => {
    await bench.command('Hitch: Connect a Network…');
    await bench.choose(/Add your own machine…/);
    await bench.found(bench.picker.getByRole('option', { name: /gpu-box/ }));
    await bench.picture('21-machine');
    await bench.choose(/gpu-box/);
    const price = /What gpu-box costs an hour/;
    await bench.found(bench.picker.getByText(price));
    await bench.type('cheap');
    await bench.text(/not an amount|is not|dollars/);
    await bench.enter('0.50', price);
    await bench.found(bench.dialog.getByText(/^Is SHA256:\S+ the key of gpu-box\?/));
    await bench.picture('22-key');
    await bench.untilFocused('Do Not Add It');
    assert.equal(existsSync(machine?.knownHosts ?? ''), false, 'nothing is trusted before the yes');
    await bench.answer('It Is the Same');
    await until('it is on the list', async () => (await machines()).includes('gpu-box 500000'));
    assert.ok(
      readFileSync(machine?.knownHosts ?? '', 'utf8').includes(machine?.hostKey.split(' ')[1] ?? '?'),
    );
    await bench.command('GPUs: Focus on Networks View');
    await bench.row(/^Your machine gpu-box, \$0\.50\/h/);
    await bench.picture('23-machine-added');
  });

  it('take it off the list after a yes', async () => {
    await bench.rowMenu(
      /^Your machine gpu-box/,
      'Remove from Your Machines…',
      bench.dialog.getByText('Remove gpu-box from your machines?'),
    );
    await bench.answer('Remove');
    await until('it is off the list', async () => (await machines()).length === 0);
    await bench.row(/^Network Your machines: 0 machines/);
  });
});
