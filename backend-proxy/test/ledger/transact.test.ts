import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import type { Transaction } from '../../src/ledger/batch.ts';
import { quotes } from '../../src/ledger/kinds/quote.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { ClusterRecord } from '../../src/ledger/records.ts';
import type { Change, Store } from '../../src/ledger/store.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { cluster, quote, START_MS } from '../store/records.ts';

/** A ledger over an empty store, what it committed, and a way to have the store refuse. */
async function setUp() {
  const clock = new VirtualClock(START_MS);
  const store = await openStore({ path: ':memory:', worker: false, now: () => clock.now() });
  const commits: Change[] = [];
  let refuses = false;
  const watched: Store = {
    load: () => store.load(),
    commit: async change => {
      if (refuses) {
        throw new HitchError('STORAGE_FULL', 'Cannot write: the disk is full.');
      }
      await store.commit(change);
      commits.push(change);
    },
    eventsOf: (id, afterSeq, limit) => store.eventsOf(id, afterSeq, limit),
    eventsAfter: (position, limit) => store.eventsAfter(position, limit),
    forgottenCost: (fromMs, toMs) => store.forgottenCost(fromMs, toMs),
    close: () => store.close(),
  };
  const ledger = new Ledger({ clock, store: watched, snapshot: await store.load(), titleOf: id => id });
  const namesThere = () => ledger.listed().map(({ cluster: { name } }) => name);
  return { ledger, commits, namesThere, refuse: () => (refuses = true) };
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

const named = (name: string): ClusterRecord => cluster({ name });

/** Makes a cluster where there are fewer than `atMost`. */
function makeWithin(atMost: number, record: ClusterRecord): (tx: Transaction) => boolean {
  return tx => {
    if ([...tx.states()].length >= atMost) {
      return false;
    }
    tx.cluster(record.id).createCluster(record);
    return true;
  };
}

describe('a transaction of the ledger', () => {
  it('sees what those committed with it have just written, so that a limit over all clusters holds', async () => {
    const { ledger, commits, namesThere } = await setUp();
    const made = await Promise.all(
      ['one', 'two', 'three'].map(name => ledger.transact(makeWithin(2, named(name)))),
    );
    assert.deepEqual(made, [true, true, false]);
    assert.deepEqual(namesThere(), ['one', 'two']);
    assert.equal(commits.length, 1, 'they were committed together');
  });

  it('gives a name to one of two clusters that are made at once', async () => {
    const { ledger } = await setUp();
    const taken = await Promise.all(
      [named('same'), named('same')].map(record =>
        ledger.change(record.id, tx => {
          const isTaken = tx.nameTaken('same');
          if (!isTaken) {
            tx.createCluster(record);
          }
          return isTaken;
        }),
      ),
    );
    assert.deepEqual(taken, [false, true]);
  });

  it('reads and writes several clusters, each with events of its own, and quotes', async () => {
    const { ledger, commits } = await setUp();
    const [left, right, kept] = [named('left'), named('right'), quote()];
    await ledger.transact(tx => {
      tx.cluster(left.id).createCluster(left);
      assert.equal(tx.cluster(right.id).nameTaken('left'), true, 'it sees what it wrote itself');
      tx.cluster(right.id).createCluster(right);
      tx.put(quotes, kept);
      assert.equal(tx.get(quotes, kept.id)?.usedBy, null);
      tx.cluster(right.id).putQuote({ ...kept, usedBy: right.id });
      assert.equal(tx.get(quotes, kept.id)?.usedBy, right.id);
    });
    const [commit] = commits;
    assert.equal(ledger.quote(kept.id)?.usedBy, right.id);
    assert.deepEqual(
      commit?.quotes?.map(({ usedBy }) => usedBy),
      [right.id],
    );
    const positions = (commit?.events ?? []).map(({ position }) => position);
    assert.deepEqual(positions, upTo(positions.length));
    for (const { id } of [left, right]) {
      const seqs: number[] = (commit?.events ?? []).flatMap(({ clusterId, seq }) =>
        clusterId === id ? [seq] : [],
      );
      assert.equal(seqs.length, ledger.state(id)?.cluster.lastEventSeq);
      assert.deepEqual(seqs, upTo(seqs.length));
    }
  });

  it('leaves nothing of itself where it throws, and takes nothing else with it', async () => {
    const { ledger, namesThere } = await setUp();
    const [left, right] = [named('left'), named('right')];
    const [failed, made] = await Promise.allSettled([
      ledger.transact(tx => {
        tx.cluster(left.id).createCluster(left);
        tx.put(quotes, quote());
        throw new Error('no');
      }),
      ledger.transact(makeWithin(1, right)),
    ]);
    assert.deepEqual([failed.status, made.status], ['rejected', 'fulfilled']);
    assert.deepEqual(namesThere(), ['right']);
  });

  it('is refused whole where the store refuses a part of it', async () => {
    const { ledger, namesThere, refuse } = await setUp();
    const [left, kept] = [named('left'), quote()];
    refuse();
    const refused = ledger.transact(tx => {
      tx.cluster(left.id).createCluster(left);
      tx.put(quotes, kept);
    });
    await assert.rejects(refused, /disk is full/);
    assert.deepEqual(namesThere(), []);
    assert.equal(ledger.quote(kept.id), undefined);
  });
});
