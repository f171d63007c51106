/** The daemon's window and JupyterLab's dialog beside it, where a person lets a cluster cost more. */
import assert from 'node:assert/strict';
import { windowOpenedBy, withdrawAll } from '../support/approval.ts';
import { LabCluster } from '../support/lab-cluster.ts';
import { until } from '../support/waiting.ts';

const SLOW_MS = 120_000;

describe('a person who extends in JupyterLab', function suite() {
  this.timeout(4 * 60_000);
  const lab = new LabCluster('wanted');
  const { home } = lab;

  before(async function start() {
    await lab.start(this);
    // The page has heard of the cluster when its status bar counts it.
    await lab.page.page.getByText('Practice, 1 node').waitFor({ timeout: SLOW_MS });
  });

  after(() => lab.dispose());

  afterEach(async function keep() {
    await lab.keepFailure('approval-extend', this.currentTest);
    await withdrawAll(lab.page, home);
  });

  const dialog = () => lab.page.page.getByRole('dialog');
  const waiting = () => lab.page.page.locator('hitch-confirm');

  /** Up to *Extend*, which a person presses. */
  async function typeCap(cap: string): Promise<() => Promise<void>> {
    await lab.page.begin('hitch:extend', { clusterId: lab.cluster.id });
    await dialog().locator('input[name=cap]').fill(cap);
    return () => dialog().getByRole('button', { name: 'Extend', exact: true }).click();
  }
  const cap = async (): Promise<string> => (await home.cluster(lab.cluster.id)).caps.totalMicroUsd;

  it('has the window close where JupyterLab’s dialog is left, and the dialog where the window says no', async () => {
    const before = await cap();
    const left = await windowOpenedBy(lab.page, await typeCap('8'));
    const leaving = left.waitForEvent('close', { timeout: SLOW_MS });
    await waiting().getByRole('button', { name: 'Cancel' }).click();
    await waiting().waitFor({ state: 'detached' });
    await leaving;
    const refused = await windowOpenedBy(lab.page, await typeCap('8'));
    // It may close itself while the key is still down.
    await refused.keyboard.press('Escape').catch(() => undefined);
    await waiting().waitFor({ state: 'detached' });
    assert.equal(await cap(), before);
  });

  it('lets nobody answer the first request once it has asked again', async () => {
    const before = await cap();
    const first = await windowOpenedBy(lab.page, await typeCap('8'));
    const [asked] = await home.api.approvals.list();
    assert.ok(asked);
    const closing = first.waitForEvent('close', { timeout: SLOW_MS });
    // What the button of a request that was too old does.
    await waiting().evaluate(dialog => dialog.dispatchEvent(new CustomEvent('hitch-quote-again')));
    await until('it is asked for again', async () =>
      (await home.api.approvals.list()).some(({ id }) => id !== asked.id),
    );
    assert.equal((await home.api.approvals.list()).length, 1);
    await assert.rejects(home.api.approvals.answer({ approvalId: asked.id, yes: true }));
    await closing;
    await waiting().getByRole('button', { name: 'Cancel' }).click();
    await waiting().waitFor({ state: 'detached' });
    assert.equal(await cap(), before);
    assert.deepEqual(await home.api.approvals.list(), []);
  });

  it('goes by the daemon’s clock, whatever the browser’s says', async () => {
    for (const hours of [1, -1]) {
      await lab.page.page.evaluate(
        `window.nowWas = Date.now; Date.now = () => window.nowWas.call(Date) + ${(hours * 3_600_000).toString()}`,
      );
      const opened = await windowOpenedBy(lab.page, await typeCap('8'));
      const [asked] = await home.api.approvals.list();
      assert.ok(asked);
      await waiting()
        .getByText(/Waiting for your approval; valid for (?:10|\d):\d\d\s*$/)
        .waitFor();
      await lab.page.page.evaluate('Date.now = window.nowWas');
      const closing = opened.waitForEvent('close', { timeout: SLOW_MS });
      await waiting().getByRole('button', { name: 'Cancel' }).click();
      await waiting().waitFor({ state: 'detached' });
      await closing;
    }
  });

  it('says so when the browser keeps the window back, and takes the yes from a terminal', async () => {
    await lab.page.page.evaluate('window.openWas = window.open; window.open = () => null');
    await (
      await typeCap('9')
    )();
    await waiting()
      .getByText(/blocked the Hitch window/)
      .waitFor();
    const [asked] = await home.api.approvals.list();
    assert.ok(asked);
    await waiting().getByText(`hitch approve ${asked.code}`).waitFor();
    await lab.page.page.evaluate('window.open = window.openWas');
    const opened = await windowOpenedBy(lab.page, () =>
      waiting().getByRole('button', { name: 'Open the approval window' }).click(),
    );
    await opened.getByText(/It can cost at most \$9\.00/).waitFor();
    const closing = opened.waitForEvent('close', { timeout: SLOW_MS });
    // As `hitch approve` does.
    const { state } = await home.api.approvals.answer({ approvalId: asked.id, yes: true });
    assert.equal(state, 'done');
    await waiting().waitFor({ state: 'detached' });
    await closing;
    assert.equal(await cap(), '9000000');
  });
});
