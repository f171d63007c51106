import assert from 'node:assert/strict';
import { parseMicroUsd } from '@hitch/contract';
import { Practice } from './practice.ts';

describe('a cluster on the practice market', () => {
  it('goes from a yes to ready, to stopped, to forgotten, and costs what the market bills', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent();
    const ready = await practice.untilPhase(id, 'ready', 'failed');
    assert.equal(ready.phase, 'ready', ready.message);
    assert.equal(ready.conditions.kernel.status, 'yes');
    assert.equal(ready.conditions.billing.status, 'yes');
    assert.equal(practice.billing().length, 1);
    await practice.run(600_000);
    await practice.pass(practice.service.stop(id, { skipSave: false }));
    const stopped = await practice.untilPhase(id, 'stopped');
    assert.equal(stopped.conditions.cleanup.status, 'yes');
    assert.equal(stopped.conditions.billing.status, 'no');
    assert.equal(practice.billing().length, 0);
    assert.equal(parseMicroUsd(stopped.usage.accruedMicroUsd), practice.billed(id));
    assert.ok(parseMicroUsd(stopped.usage.accruedMicroUsd) > 0n);
    await practice.pass(practice.service.remove(id));
    assert.deepEqual(practice.service.list(), []);
    practice.close();
  });

  it('runs the first cell while Ray still joins, and is ready once Ray is complete', async () => {
    const practice = await new Practice({ engineDelayMs: 20_000 }).open();
    const { id } = await practice.rent({ nodes: 2 });
    const starting = await practice.untilPhase(id, 'starting');
    assert.equal(starting.engine, 'ray');
    await practice.until(() => practice.service.get(id).conditions.kernel.status === 'yes');
    assert.equal(practice.service.get(id).conditions.engine.status, 'no');
    const ready = await practice.untilPhase(id, 'ready');
    assert.deepEqual(
      ready.nodes.map(({ phase }) => phase),
      ['ready', 'ready'],
    );
    practice.close();
  });

  it('is as it was when the daemon comes back, without a word of trouble', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent({ nodes: 3, idleMs: 0 });
    const before = await practice.untilPhase(id, 'ready');
    practice.close();
    practice.clock.jump(600_000);
    await practice.open();
    await practice.run(60_000);
    const after = practice.service.get(id);
    assert.equal(after.phase, 'ready');
    assert.equal(after.lastEventSeq, before.lastEventSeq);
    assert.equal(practice.market.rentals().length, 3);
    practice.close();
  });
});
