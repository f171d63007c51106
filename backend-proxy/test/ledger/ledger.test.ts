import assert from 'node:assert/strict';
import { HitchError, quoteRequestSchema } from '@hitch/contract';
import type { Change, Store } from '../../src/ledger/store.ts';
import { Practice } from '../clusters/practice.ts';
import { settle } from '../clusters/turn.ts';

/** A store that holds commits back, or refuses some. */
function gate() {
  const held: (() => void)[] = [];
  let refuse: (change: Change) => boolean = () => false;
  let holding = false;
  return {
    held,
    hold: () => {
      holding = true;
    },
    letGo: () => {
      holding = false;
      held.splice(0).forEach(go => go());
    },
    refuse: (which: (change: Change) => boolean) => {
      refuse = which;
    },
    wrap: (store: Store): Store => ({
      load: () => store.load(),
      commit: async change => {
        if (holding) {
          await new Promise<void>(resolve => held.push(resolve));
        }
        if (refuse(change)) {
          throw new HitchError('STORAGE_FULL', 'Cannot write: the disk is full.');
        }
        return store.commit(change);
      },
      eventsOf: (id, afterSeq, limit) => store.eventsOf(id, afterSeq, limit),
      eventsAfter: (position, limit) => store.eventsAfter(position, limit),
      forgottenCost: (fromMs, toMs) => store.forgottenCost(fromMs, toMs),
      close: () => store.close(),
    }),
  };
}

describe('the records in memory', () => {
  it('show and act on nothing before it is stored', async () => {
    const store = gate();
    const practice = await new Practice({ wrapStore: store.wrap }).open();
    const quote = await practice.pass(practice.service.quote(quoteRequestSchema.parse({})));
    store.hold();
    const creating = practice.service.create({ quoteId: quote.id });
    for (let turns = 0; turns < 20; turns++) {
      await settle();
      practice.clock.step();
    }
    assert.equal(store.held.length, 1);
    assert.deepEqual(practice.service.list(), []);
    assert.equal(practice.market.rentals().length, 0);
    store.letGo();
    const { id } = await practice.pass(creating);
    await practice.untilPhase(id, 'ready');
    practice.close();
  });

  it('buy nothing while the disk is full, and say so to who asks', async () => {
    const store = gate();
    const practice = await new Practice({ wrapStore: store.wrap }).open();
    const { id } = await practice.rent();
    store.refuse(({ attempts }) => (attempts ?? []).some(({ state }) => state === 'intended'));
    await practice.run(300_000);
    assert.equal(practice.market.rentals().length, 0);
    await assert.doesNotReject(practice.pass(practice.service.stop(id, { skipSave: true })));
    store.refuse(() => true);
    await assert.rejects(practice.rent(), /disk is full/);
    assert.equal(practice.service.list().length, 1, 'nothing half-done stays');
    store.refuse(() => false);
    await practice.untilPhase(id, 'stopped');
    practice.close();
  });

  it('let one change the store refuses take no other with it', async () => {
    const store = gate();
    const practice = await new Practice({ wrapStore: store.wrap }).open();
    const quotes = [];
    for (let count = 0; count < 3; count++) {
      quotes.push(await practice.pass(practice.service.quote(quoteRequestSchema.parse({}))));
    }
    store.refuse(({ clusters }) => (clusters ?? []).some(({ name }) => name === 'bad'));
    const names = ['good', 'bad', 'fine'];
    const results = await practice.pass(
      Promise.allSettled(
        quotes.map(({ id }, index) => practice.service.create({ quoteId: id, name: names[index] ?? '' })),
      ),
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(
      practice.service
        .list()
        .map(({ name }) => name)
        .sort(),
      ['fine', 'good'],
    );
    practice.close();
  });
});
