/** A network whose API is down, and the daemon killed meanwhile: the machine runs, and the notebook is back at once. */
import assert from 'node:assert/strict';
import { type Cluster, isOver } from '@hitch/contract';
import { DaemonHome } from '../support/daemon-home.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const faults = (...rules: readonly object[]) => ({ HITCH_SANDBOX_FAULTS: JSON.stringify({ rules }) });
/** For longer than anybody here waits. */
const DOWN = faults({ fault: 'outage', durationMs: 24 * 3_600_000 });
const WAITS = faults({ fault: 'rate_limited', chance: 1, retryAfterMs: 300_000 });

describe('a network whose API is down', function () {
  this.timeout(600_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local,sandbox' });
  let cluster: Cluster | undefined;
  let page: NotebookPage | undefined;
  let kernelId = '';

  before(async function () {
    needsRealNodes(this);
    await home.start();
    const { id } = await home.rent({ filter: { providers: ['sandbox'] }, engine: 'single', idleMs: 0 });
    cluster = await home.untilCluster(id, 'it is ready', ({ phase }) => phase === 'ready');
    kernelId = await startKernel(home, cluster);
    page = await NotebookPage.open(home, cluster, kernelId);
    assert.equal(await page.result('kept = 41 + 1\nprint(kept)'), '42\n');
  });

  after(async () => {
    page?.leave();
    await home.dispose();
  });

  const rented = (): Cluster => {
    assert.ok(cluster !== undefined);
    return cluster;
  };

  for (const [what, trouble] of [
    ['refuses connections', DOWN],
    ['asks to wait', WAITS],
  ] as const) {
    it(`keeps no notebook from a machine that runs while it ${what}, whoever was killed`, async () => {
      page?.leave();
      await home.kill();
      await home.start(trouble);
      page = await until('its page is open again', () =>
        NotebookPage.open(home, rented(), kernelId).catch(() => null),
      );
      assert.equal(await page.result('print(kept)'), '42\n');
      const { phase, nodes } = await home.cluster(rented().id);
      assert.equal(phase, 'ready', nodes[0]?.message);
      const events = await home.api.clusters.events({ clusterId: rented().id, limit: 1000 });
      assert.ok(!events.some(({ kind, value }) => kind === 'node' && value === 'unreachable'));
    });

    it(`holds up nothing at another network while it ${what}`, async () => {
      const { id } = await home.rent({ filter: { providers: ['local'] }, engine: 'single', idleMs: 0 });
      await home.untilKernel(id);
      await home.stopCluster(id);
    });
  }

  it('says in the row of what is to be ended there until when it asks to wait, and ends it afterwards', async () => {
    const { id } = rented();
    await home.api.clusters.stop({ clusterId: id, skipSave: true });
    await home.untilCluster(id, 'the row says it', ({ nodes }) =>
      /asks to wait until \d\d:\d\d/.test(nodes[0]?.attempts[0]?.message ?? ''),
    );
    await home.kill();
    await home.start();
    await home.untilCluster(id, 'it is over', isOver);
    assert.ok(home.ledger().every(({ endedAtMs }) => endedAtMs !== null));
  });
});
