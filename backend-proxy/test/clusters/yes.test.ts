import assert from 'node:assert/strict';
import {
  HitchError,
  type LimitChange,
  type Quote,
  type QuoteRequest,
  quoteRequestSchema,
} from '@hitch/contract';
import { Practice } from './practice.ts';

const quoted = (practice: Practice, request: Partial<QuoteRequest> = {}): Promise<Quote> =>
  practice.pass(practice.service.quote(quoteRequestSchema.parse(request)));

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof HitchError, String(error));
    return error.code;
  }
  return assert.fail('it was allowed');
}

describe('a yes', () => {
  it('is needed for every limit that allows more than before, and for none that allows less', async () => {
    const practice = await new Practice().open();
    const nowMs = practice.clock.now();
    const { id: quoteId } = await quoted(practice, {
      capMicroUsd: '5000000',
      stopAtMs: nowMs + 7_200_000,
      idleMs: 1_800_000,
    });
    const { id, caps } = await practice.pass(practice.service.create({ quoteId }));
    const ask = (change: LimitChange) =>
      practice.pass(practice.service.extend(id, change, { onlyLess: true }));
    for (const more of [
      { capMicroUsd: '5000001' },
      { stopAtMs: nowMs + 7_200_001 },
      { stopAtMs: null },
      { idleMs: 1_800_001 },
      { idleMs: null },
      { capMicroUsd: '4000000', stopAtMs: nowMs + 9_000_000 },
    ]) {
      assert.equal(await code(ask(more)), 'APPROVAL_NEEDED', JSON.stringify(more));
    }
    assert.deepEqual(practice.service.get(id).caps, caps);
    const less = { capMicroUsd: '4000000', stopAtMs: nowMs + 3_600_000, idleMs: 60_000 };
    assert.deepEqual((await ask(less)).caps, {
      totalMicroUsd: '4000000',
      stopAtMs: less.stopAtMs,
      idleMs: 60_000,
    });
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    practice.close();
  });

  it('makes one cluster, however often the same call comes and however close together', async () => {
    const practice = await new Practice().open();
    const { id: quoteId } = await quoted(practice);
    const [first, second] = await practice.pass(
      Promise.all([practice.service.create({ quoteId }), practice.service.create({ quoteId })]),
    );
    const third = await practice.pass(practice.service.create({ quoteId }));
    assert.equal(first.id, second.id);
    assert.equal(first.id, third.id);
    assert.equal(practice.service.list().length, 1);
    practice.close();
  });

  it('is not lost with the daemon: the retried call of a dead one gets its cluster', async () => {
    const practice = await new Practice().open();
    const { id: quoteId } = await quoted(practice);
    const { id } = await practice.pass(practice.service.create({ quoteId }));
    practice.close();
    await practice.open();
    assert.equal((await practice.pass(practice.service.create({ quoteId }))).id, id);
    practice.close();
  });

  it('needs a quote of its own each time', async () => {
    const practice = await new Practice().open();
    const { id: quoteId } = await quoted(practice);
    await practice.pass(practice.service.create({ quoteId, name: 'first' }));
    assert.equal(
      await code(practice.pass(practice.service.create({ quoteId, name: 'other' }))),
      'QUOTE_USED',
    );
    const fresh = await quoted(practice);
    assert.equal(
      await code(practice.pass(practice.service.create({ quoteId: fresh.id, name: 'first' }))),
      'NAME_TAKEN',
    );
    assert.equal(
      await code(practice.pass(practice.service.create({ quoteId: fresh.id, name: 'No Name' }))),
      'BAD_INPUT',
    );
    const second = await practice.pass(practice.service.create({ quoteId: fresh.id, name: 'second' }));
    await practice.pass(practice.service.stop(second.id, { skipSave: true }));
    await practice.untilPhase(second.id, 'stopped');
    assert.equal(await code(practice.pass(practice.service.startAgain(second.id, quoteId))), 'QUOTE_USED');
    practice.close();
  });

  it('does not outlast its quote', async () => {
    const practice = await new Practice().open();
    const { id: quoteId } = await quoted(practice);
    await practice.run(600_001);
    assert.equal(await code(practice.pass(practice.service.create({ quoteId }))), 'QUOTE_EXPIRED');
    assert.equal(practice.service.list().length, 0);
    practice.close();
  });

  it('starts a stopped cluster again on new machines, with a cap that what was spent before is no part of', async () => {
    const practice = await new Practice().open();
    const first = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(first.id, 'ready');
    const early = await quoted(practice);
    assert.equal(await code(practice.pass(practice.service.startAgain(first.id, early.id))), 'CONFLICT');
    await practice.pass(practice.service.stop(first.id, { skipSave: true }));
    const stopped = await practice.untilPhase(first.id, 'stopped');
    const again = await quoted(practice, { nodes: 2 });
    await practice.pass(practice.service.startAgain(first.id, again.id));
    await practice.pass(practice.service.startAgain(first.id, again.id));
    const ready = await practice.untilPhase(first.id, 'ready');
    assert.equal(ready.nodes.length, 2);
    assert.equal(ready.engine, 'ray');
    assert.equal(ready.endedAtMs, null);
    assert.ok(!ready.nodes.some(({ id }) => stopped.nodes.some(old => old.id === id)));
    assert.equal(ready.caps.totalMicroUsd, again.caps.totalMicroUsd);
    assert.equal(ready.usage.spentBeforeMicroUsd, stopped.usage.accruedMicroUsd);
    assert.equal(practice.billing().length, 2);
    practice.close();
  });

  it('can be taken back at every moment before the machine is up', async () => {
    for (const afterMs of [0, 1, 100, 1_000, 29_000, 31_000]) {
      const practice = await new Practice().open();
      const { id } = await practice.rent();
      await practice.run(afterMs);
      await practice.pass(practice.service.stop(id, { skipSave: false }));
      await practice.untilPhase(id, 'stopped');
      assert.equal(practice.billing().length, 0);
      practice.close();
    }
  });

  it('cannot be removed from the list while it runs, and is forgotten with its cost kept once it is gone', async () => {
    const practice = await new Practice().open();
    const { id } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    assert.equal(await code(practice.pass(practice.service.remove(id))), 'CONFLICT');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    const { usage } = await practice.untilPhase(id, 'stopped');
    await practice.pass(practice.service.remove(id));
    assert.throws(() => practice.service.get(id), /no cluster/);
    const total = await practice.pass(practice.service.usageTotal(0, practice.clock.now()));
    assert.equal(total.costMicroUsd, usage.accruedMicroUsd);
    practice.close();
  });

  it('frees the name of a cluster that is removed, and makes no cluster of its old yes', async () => {
    const practice = await new Practice().open();
    const quote = await practice.pass(practice.service.quote(quoteRequestSchema.parse({})));
    const { id, name } = await practice.pass(practice.service.create({ quoteId: quote.id }));
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    await practice.pass(practice.service.remove(id));
    assert.equal(practice.service.idOf(name), undefined);
    for (const act of [
      () => practice.service.stop(id, { skipSave: true }),
      () => practice.service.remove(id),
      () => practice.service.extend(id, { idleMs: null }),
    ]) {
      assert.equal(await code(practice.pass<unknown>(act())), 'NOT_FOUND');
    }
    assert.equal(await code(practice.pass(practice.service.create({ quoteId: quote.id }))), 'QUOTE_USED');
    const again = await practice.rent({}, name);
    assert.equal(practice.service.idOf(name), again.id);
    practice.close();
    await practice.open();
    assert.deepEqual(
      practice.service.list().map(cluster => cluster.id),
      [again.id],
      'after a restart too',
    );
    practice.close();
  });
});
