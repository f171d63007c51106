/** A price that its network says in other parts than before: no hour of it is charged twice. */
import assert from 'node:assert/strict';
import type { NodePhase } from '@hitch/contract';
import { closeBilling, openBilling } from '../../src/clusters/billing.ts';
import { isPriceNews, notePrice } from '../../src/clusters/price.ts';
import { ClusterTransaction } from '../../src/ledger/transaction.ts';
import type { Instance, Rate } from '../../src/providers/provider.ts';
import { totalCost } from '../../src/spend/cost.ts';
import { attempt as makeAttempt, cluster as makeCluster, node as makeNode, offer } from '../store/records.ts';

const HOUR_MS = 3_600_000;
/** Of the offer that everything here is rented of, an hour. */
const HOURLY = BigInt(offer.pricePerHourMicroUsd);
const DISK = 20_000n;

const ofMachine = (...rates: readonly Rate[]): Instance => ({
  id: 'one',
  mark: null,
  status: 'running',
  members: [],
  rates,
  message: '',
});

const rate = (label: string, perHourMicroUsd: bigint, fromMs: number | null): Rate => ({
  label,
  perHourMicroUsd,
  fromMs,
});

const inTwo = (fromMs: number | null): Instance =>
  ofMachine(rate('Compute', HOURLY - DISK, fromMs), rate('Storage', DISK, fromMs));

/** A machine that was bought at 0, in a transaction an hour later. `said`: what its network said; left out: no price. */
function assumed(phase: NodePhase, said = ofMachine()) {
  const cluster = makeCluster();
  const bare = makeNode(cluster, { phase });
  const attempt = makeAttempt(bare, { state: 'owned', instanceId: 'one', createdAtMs: 0 });
  const tx = new ClusterTransaction({
    clusterId: cluster.id,
    state: { cluster, nodes: [{ ...bare, attemptId: attempt.id }], attempts: [attempt], segments: [] },
    nowMs: HOUR_MS,
    leaseEpoch: 1,
    get: () => undefined,
    put: () => undefined,
    nameTaken: () => false,
    titleOf: provider => provider,
    limitsOf: () => ({}),
  });
  openBilling(tx, attempt, said, 0);
  return { tx, attempt };
}

const hours = (tx: ClusterTransaction, count: number): bigint => totalCost(tx.segments, count * HOUR_MS);

describe('a price that is said in other parts than before', () => {
  for (const phase of ['booting', 'ready'] as const) {
    for (const fromMs of [null, 0]) {
      it(`is charged once while the machine is ${phase}, its start ${fromMs === null ? 'not said' : 'said'}`, () => {
        const { tx, attempt } = assumed(phase);
        notePrice(tx, attempt.id, inTwo(fromMs));
        assert.equal(hours(tx, 1), HOURLY);
        assert.equal(hours(tx, 3), 3n * HOURLY, 'and all of it from here on');
        notePrice(tx, attempt.id, inTwo(fromMs));
        assert.equal(hours(tx, 3), 3n * HOURLY, 'once it is written down it is no news');
      });
    }
  }

  it('is charged at what the parts come to where nothing was set up yet', () => {
    const { tx, attempt } = assumed('booting');
    const dearer = ofMachine(rate('Compute', HOURLY, null), rate('Storage', DISK, null));
    notePrice(tx, attempt.id, dearer);
    assert.equal(hours(tx, 1), HOURLY + DISK);
  });

  it('is charged once where it is said only when the machine is gone', () => {
    const { tx, attempt } = assumed('ready');
    closeBilling(tx, attempt, { ...inTwo(0), billedUntilMs: HOUR_MS / 2 });
    assert.equal(hours(tx, 3), HOURLY / 2n);
  });

  it('leaves a part alone that begins beside the one that is charged', () => {
    const { tx, attempt } = assumed('ready');
    notePrice(tx, attempt.id, inTwo(null));
    const three = [...inTwo(null).rates, rate('Address', DISK, HOUR_MS)];
    notePrice(tx, attempt.id, ofMachine(...three));
    assert.equal(hours(tx, 2), 2n * HOURLY + DISK);
  });

  for (const phase of ['booting', 'ready'] as const) {
    it(`is charged until it ended, as its network says, where that is read of a machine that is ${phase}`, () => {
      const { tx, attempt } = assumed(phase);
      const over = ofMachine({ ...rate('Lease', HOURLY, 0), untilMs: HOUR_MS / 2 });
      notePrice(tx, attempt.id, over);
      assert.equal(hours(tx, 3), HOURLY / 2n);
      assert.equal(
        isPriceNews(tx.state, tx.attempt(attempt.id) ?? attempt, over),
        false,
        'and is no news then',
      );
    });

    it(`is charged until it ended where nothing was charged before, of a machine that is ${phase}`, () => {
      const { tx, attempt } = assumed(phase, ofMachine({ ...rate('Lease', HOURLY, null), isAhead: true }));
      assert.equal(hours(tx, 3), 0n);
      notePrice(tx, attempt.id, ofMachine({ ...rate('Lease', HOURLY, HOUR_MS / 4), untilMs: HOUR_MS / 2 }));
      assert.equal(hours(tx, 3), HOURLY / 4n);
    });
  }
});
