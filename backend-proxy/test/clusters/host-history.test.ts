/** What became of each purchase stands in the history of its host, once, and over restarts. */
import assert from 'node:assert/strict';
import type { Cluster, HostHistory } from '@hitch/contract';
import { HOST_KEPT_MS } from '../../src/ledger/kinds/host-history.ts';
import { faulty } from './faulty.ts';
import { Practice } from './practice.ts';

const offerOf = ({ nodes: [node] }: Cluster): string => node?.attempts.at(-1)?.offerId ?? '';
const historyOf = (practice: Practice, cluster: Cluster): HostHistory | undefined =>
  practice.book.get(offerOf(cluster))?.history;

describe('the history of a host', () => {
  it('counts what came up, with its time, and what was ended before is neither up nor a failure', async () => {
    const practice = await new Practice().open();
    const first = await practice.untilPhase((await practice.rent()).id, 'ready');
    const { usualReadyMs, ...counts } = historyOf(practice, first) ?? {};
    assert.deepEqual(counts, {
      of: 'offer',
      purchases: 1,
      cameUp: 1,
      notUp: 0,
      failedChecks: 0,
      died: 0,
      lastFailure: null,
    });
    assert.ok(usualReadyMs !== undefined && usualReadyMs !== null && usualReadyMs >= 30_000);
    await practice.pass(practice.service.stop(first.id, { skipSave: true }));
    await practice.untilPhase(first.id, 'stopped');
    const second = await practice.rent({ offerIds: [offerOf(first)] });
    await practice.until(() => practice.service.get(second.id).nodes[0]?.phase === 'booting');
    await practice.pass(practice.service.stop(second.id, { skipSave: true }));
    await practice.untilPhase(second.id, 'stopped');
    const after = historyOf(practice, practice.service.get(second.id));
    assert.deepEqual([after?.purchases, after?.cameUp, after?.notUp, after?.died], [2, 1, 0, 0]);
    practice.close();
  });

  it('stays when the daemon starts again, and goes a year after the last purchase', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent();
    const cluster = await practice.untilPhase(id, 'ready');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    practice.close();
    await practice.open();
    assert.equal(historyOf(practice, cluster)?.cameUp, 1);
    practice.close();
    practice.clock.jump(HOST_KEPT_MS + 60_000);
    await practice.open();
    assert.equal(historyOf(practice, cluster), undefined);
    practice.close();
  });

  it('says what failed last, of machines that are not what was offered', async () => {
    const practice = await faulty({ fault: 'other_machine' });
    const { id } = await practice.rent({ filter: { trusts: ['data_center'] } });
    const failed = await practice.untilPhase(id, 'failed');
    const history = historyOf(practice, failed);
    assert.deepEqual([history?.cameUp, history?.notUp, history?.failedChecks], [0, 1, 1]);
    assert.match(history?.lastFailure?.message ?? '', /community and not data centre\.$/);
    practice.close();
  });

  it('says that a machine was lost while it ran, and not that one did which ended when it was to', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent({ idleMs: 0 });
    const cluster = await practice.untilPhase(id, 'ready');
    const [rental] = practice.billing();
    assert.ok(rental !== undefined);
    await practice.pass(practice.provider.destroy(rental.id, new AbortController().signal));
    await practice.untilPhase(id, 'failed');
    const history = historyOf(practice, cluster);
    assert.deepEqual([history?.cameUp, history?.notUp, history?.died], [1, 0, 1]);
    assert.match(history?.lastFailure?.message ?? '', /ended the machine/);
    practice.close();
  });
});
