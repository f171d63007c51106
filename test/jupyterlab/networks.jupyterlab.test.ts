/** The Networks tab of JupyterLab: a machine of one's own added, looked at and removed, by a real ssh and a real sshd. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { sayYes, windowOpenedBy, withdrawAll } from '../support/approval.ts';
import { chromiumOrSkip } from '../support/chromium.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { FarMachine } from '../support/far-machine.ts';
import { JupyterLab, type LabPage } from '../support/jupyterlab.ts';
import { collectUncaught, focusedIn, look } from '../support/lab-looks.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const SLOW_MS = 120_000;
const KEY = 'practice-key-one';

describe('the networks in JupyterLab', function suite() {
  this.timeout(5 * 60_000);
  const problems: string[] = [];
  let machine: FarMachine | undefined;
  let home: DaemonHome | undefined;
  let lab: JupyterLab | undefined;
  let page: LabPage;

  before(async function start() {
    needsOpenssh(this);
    needsRealNodes(this);
    const executable = chromiumOrSkip(this);
    machine = await FarMachine.start();
    rmSync(machine.knownHosts);
    home = new DaemonHome({
      HITCH_SANDBOX_SEED: '7',
      HITCH_SSH_CONFIG: machine.config,
      HITCH_SANDBOX_ACCOUNT: JSON.stringify({ keys: [{ key: KEY }], balanceDollars: '25' }),
    });
    await home.start();
    lab = await new JupyterLab({ home }).start();
    page = await lab.open(executable);
    collectUncaught(page, problems);
  });

  afterEach(async function keep() {
    if (home !== undefined && page !== undefined) {
      await page.keepFailure('networks', this.currentTest);
      await withdrawAll(page, home);
    }
  });

  after(async () => {
    await lab?.dispose();
    await home?.dispose();
    await machine?.dispose();
  });

  const tab = (): Locator => page.page.locator('#jp-hitch-networks');
  const own = (): Locator => tab().locator('[data-network=ssh]');
  const row = (): Locator => own().locator('[data-machine=gpu-box]');
  const dialog = (): Locator => page.page.locator('.jp-Dialog');

  it('open from the panel that has nothing to show yet', async () => {
    await page.command('hitch:open-panel');
    const connect = page.page.getByRole('button', { name: 'Connect a network…' });
    await connect.waitFor({ timeout: SLOW_MS });
    await connect.click();
    await tab().getByRole('heading', { name: 'Networks' }).waitFor({ timeout: SLOW_MS });
    await own().getByText('0 machines').first().waitFor({ timeout: SLOW_MS });
    await look(page, 'networks', '#jp-hitch-networks');
  });

  it('log in with a key that is typed hidden and approved in the daemon’s window, and say whose account it is', async () => {
    const market = tab().locator('[data-network=sandbox]');
    await market
      .getByText(/^Not logged in; needed/)
      .first()
      .waitFor({ timeout: SLOW_MS });
    const logIn = async (key: string): Promise<void> => {
      await market.getByRole('button', { name: 'Log in…: Practice market' }).click();
      const field = dialog().locator('input[name=login-apiKey]');
      assert.equal(await field.getAttribute('type'), 'password');
      await field.fill(key);
    };
    await logIn(KEY);
    await page.picture('networks-login');
    const opened = await windowOpenedBy(page, () =>
      dialog().getByRole('button', { name: 'Log in…' }).click(),
    );
    assert.equal((await opened.content()).includes(KEY), false, 'the window shows an ending of the key');
    await sayYes(opened, 'Log in');
    await market.getByText(/^Balance: \$25\.00/).waitFor({ timeout: SLOW_MS });
    assert.equal((await page.page.content()).includes(KEY), false, 'the key stays nowhere in the page');
    await market.getByRole('button', { name: 'Test: Practice market' }).click();
    await market
      .getByRole('status')
      .getByText(/Account: /)
      .waitFor({ timeout: SLOW_MS });
    await look(page, 'networks-account', '#jp-hitch-networks');
    const leaving = await windowOpenedBy(page, () =>
      market.getByRole('button', { name: 'Log out…: Practice market' }).click(),
    );
    await sayYes(leaving, 'Log out');
    await market.getByText('Logged out of Practice market.').waitFor({ timeout: SLOW_MS });
  });

  it('say in a sentence why a machine could not be added', async () => {
    await tab().getByRole('button', { name: 'Add your own machine…' }).click();
    await until('what is asked first has the focus', async () => (await focusedIn(page)).startsWith('input'));
    await dialog().locator('input[name=machine]').fill('no-such-machine.invalid');
    const opened = await windowOpenedBy(page, () => dialog().getByRole('button', { name: 'Add…' }).click());
    await sayYes(opened, 'Add no-such-machine.invalid');
    const failed = own().locator('[data-machine="no-such-machine.invalid"] [role=alert]');
    await failed.getByText(/does not answer|has not answered/).waitFor({ timeout: SLOW_MS });
    await failed.getByRole('button', { name: 'Hide' }).click();
    await failed.waitFor({ state: 'detached' });
  });

  it('add a machine of the ssh configuration once a person has said that its key is its key', async () => {
    await tab().getByRole('button', { name: 'Add your own machine…' }).click();
    await dialog().locator('input[name=ssh-host][value=gpu-box]').check({ timeout: SLOW_MS });
    await dialog().locator('input[name=price]').fill('0.50');
    await page.picture('networks-add');
    await sayYes(
      await windowOpenedBy(page, () => dialog().getByRole('button', { name: 'Add…' }).click()),
      'Add gpu-box',
    );
    const question = dialog().filter({ hasText: 'Is this the key of gpu-box?' });
    await question.getByText(/Its ED25519 key is SHA256:/).waitFor({ timeout: SLOW_MS });
    await page.picture('networks-key');
    assert.equal(existsSync(machine?.knownHosts ?? ''), false, 'nothing is trusted before the yes');
    const again = await windowOpenedBy(page, () =>
      question.getByRole('button', { name: 'It is the same…' }).click(),
    );
    await again.getByText(/Its key is SHA256:/).waitFor();
    await sayYes(again, 'Add gpu-box');
    await row()
      .getByText(/^Added gpu-box: no GPU, \d+ CPU cores?/)
      .waitFor({ timeout: SLOW_MS });
    await row().getByText('$0.50/h').waitFor();
    assert.ok(
      readFileSync(machine?.knownHosts ?? '', 'utf8').includes(machine?.hostKey.split(' ')[1] ?? '?'),
    );
    await look(page, 'networks-machine', '#jp-hitch-networks');
  });

  it('have it in the offer table', async () => {
    await until('the machine is offered', async () => {
      const offers = await home?.api.offers.query({ filter: { providers: ['ssh'] } });
      return offers?.offers.some(({ supplier }) => supplier === 'gpu-box') === true;
    });
  });

  it('look at it without asking anybody, and remove it after a yes', async () => {
    await page.command('hitch:networks');
    await row().getByRole('button', { name: 'Test: gpu-box' }).click();
    await row()
      .getByText(/^gpu-box: no GPU, \d+ CPU cores?/)
      .waitFor({ timeout: SLOW_MS });
    const opened = await windowOpenedBy(page, () =>
      row().getByRole('button', { name: 'Remove…: gpu-box' }).click(),
    );
    await sayYes(opened, 'Remove gpu-box');
    await own().getByText('Removed gpu-box from the list.').waitFor({ timeout: SLOW_MS });
    await own().getByText('0 machines').first().waitFor({ timeout: SLOW_MS });
    assert.deepEqual(problems, []);
  });
});
