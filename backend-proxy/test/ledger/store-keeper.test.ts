import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import { verdict } from '../../src/clusters/second-source.ts';
import { StoreKeeper } from '../../src/ledger/store-keeper.ts';
import { type Change, DAMAGED, type Store, type StoreTrouble } from '../../src/ledger/store.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { attempt, cluster, event, node } from '../store/records.ts';

/** A store that takes what it is given, until its disk is full or its file is lost. */
class FakeStore {
  readonly written: Change[] = [];
  isFull = false;
  lost: StoreTrouble | null = null;
  renewed = 0;

  readonly store: Store = {
    load: () => Promise.reject(new Error('not asked here')),
    commit: change => {
      if (this.isFull) {
        return Promise.reject(new HitchError('STORAGE_FULL', 'Cannot write hitch.db: the disk is full.'));
      }
      if (this.lost !== null) {
        return Promise.reject(new HitchError('INTERNAL', 'The store is damaged.', { field: DAMAGED }));
      }
      this.written.push(change);
      return Promise.resolve();
    },
    eventsOf: () => Promise.resolve([]),
    eventsAfter: () => Promise.resolve([]),
    forgottenCost: () => Promise.resolve(0n),
    trouble: () => Promise.resolve(this.lost),
    renew: rows => {
      if (this.isFull) {
        return Promise.reject(new HitchError('STORAGE_FULL', 'Cannot write hitch.db: the disk is full.'));
      }
      this.lost = null;
      this.renewed += 1;
      this.written.push(rows);
      return Promise.resolve('/home/hitch.db.lost');
    },
    close: () => Promise.resolve(),
  };
}

const mine = cluster();
const place = node(mine);

describe('what stands between the records and the store', () => {
  let fake: FakeStore;
  let keeper: StoreKeeper;
  let room = 0;

  beforeEach(() => {
    fake = new FakeStore();
    room = 0;
    keeper = new StoreKeeper({
      clock: new VirtualClock(),
      store: fake.store,
      rows: () => ({ clusters: [mine] }),
      reserve: {
        isGiven: false,
        give: () => {
          room -= 1;
          fake.isFull = room < 0;
          return room >= 0;
        },
        keep: () => undefined,
      },
    });
  });

  it('lets spending begin as soon as there is room again, without waiting for a look', () => {
    let [isGiven, hasRoom] = [true, false];
    const waiting = new StoreKeeper({
      clock: new VirtualClock(),
      store: fake.store,
      rows: () => ({}),
      reserve: {
        get isGiven() {
          return isGiven;
        },
        give: () => false,
        keep: () => {
          isGiven = !hasRoom;
        },
      },
    });
    assert.throws(() => waiting.checkRoomToSpend(), /The disk is full/);
    hasRoom = true;
    waiting.checkRoomToSpend();
  });

  const refusal = (changes: readonly Change[]): Promise<unknown> =>
    keeper.write(changes).then(
      () => null,
      (error: unknown) => error,
    );

  it('makes room for what ends something, and none for what spends', async () => {
    room = 1;
    fake.isFull = true;
    const intended = attempt(place, { state: 'intended' });
    assert.ok((await refusal([{ attempts: [intended] }])) instanceof HitchError);
    assert.equal(await refusal([{ attempts: [{ ...intended, state: 'releasing' }] }]), null);
  });

  it('remembers what the store refuses, but nothing that spends or that a person was promised', async () => {
    fake.isFull = true;
    const error = await refusal([{ clusters: [mine], events: [event(mine, 1)] }]);
    assert.equal(keeper.remember([{ attempts: [attempt(place, { state: 'intended' })] }], error), false);
    assert.equal(keeper.remember([{ clusters: [mine], needsDisk: true }], error), false);
    assert.equal(keeper.remember([{ forget: [mine.id] }], error), false);
    assert.equal(keeper.remember([{ clusters: [mine], events: [event(mine, 1, { seq: 1 })] }], error), true);
    assert.match(keeper.refuses?.why ?? '', /disk is full/);
    assert.equal(keeper.owedEvents(mine.id, 0).length, 1);
    assert.equal(keeper.owedEvents(mine.id, 1).length, 0);

    fake.isFull = false;
    await keeper.look();
    assert.equal(keeper.refuses, null);
    assert.deepEqual(fake.written.at(-1)?.events?.length, 1);
    assert.equal(fake.written.at(-1)?.again, true);
  });

  it('writes a lost store anew from memory, with what is owed, and goes on with what it was asked', async () => {
    fake.lost = { why: 'was removed', isSound: false };
    assert.equal(await refusal([{ nodes: [place] }]), null);
    assert.equal(fake.renewed, 1);
    assert.deepEqual(fake.written[0]?.clusters, [mine]);
    assert.deepEqual(fake.written[1]?.nodes, [place]);
    assert.deepEqual(
      keeper.mended.map(({ why, keptAs }) => [why, keptAs]),
      [['was removed', '/home/hitch.db.lost']],
    );
  });

  it('keeps everything in memory while a lost store cannot be written anew', async () => {
    fake.lost = { why: 'was removed', isSound: false };
    fake.isFull = true;
    await keeper.look();
    assert.ok(keeper.refuses !== null);
    fake.isFull = false;
    await keeper.look();
    assert.equal(keeper.refuses, null);
    assert.equal(fake.renewed, 1);
  });
});

describe('a second source for the time', () => {
  const DAY = 86_400_000;

  it('decides between the clock and the time that is counted on; who agrees with neither says nothing', () => {
    assert.equal(verdict(400 * DAY, []), 'unknown');
    assert.equal(verdict(400 * DAY, [DAY, -DAY]), 'unknown');
    assert.equal(verdict(400 * DAY, [400 * DAY + 2_000]), 'follow');
    assert.equal(verdict(400 * DAY, [1_000]), 'stay');
    assert.equal(verdict(400 * DAY, [400 * DAY, 1_000]), 'stay');
    assert.equal(verdict(400 * DAY, [400 * DAY, 400 * DAY, 1_000]), 'follow');
    assert.equal(verdict(null, [500]), 'stay');
    assert.equal(verdict(null, [10 * DAY]), 'unknown');
  });
});
