import assert from 'node:assert/strict';
import { parseMicroUsd, quoteRequestSchema } from '@hitch/contract';
import { closeBilling } from '../../src/clusters/billing.ts';
import type { SegmentRecord } from '../../src/ledger/records.ts';
import { ClusterTransaction } from '../../src/ledger/transaction.ts';
import { endsClean } from './faulty.ts';
import { Practice } from './practice.ts';
import { attempt as makeAttempt, cluster as makeCluster, node as makeNode } from '../store/records.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** One machine whose price changed at `changedAtMs`, in a transaction at a clock that says `nowMs`. */
function twoPrices(changedAtMs: number, nowMs: number) {
  const cluster = makeCluster();
  const node = makeNode(cluster);
  const attempt = makeAttempt(node);
  const stretch = (index: number, startMs: number, endMs: number | null): SegmentRecord => ({
    attemptId: attempt.id,
    nodeId: node.id,
    clusterId: cluster.id,
    index,
    kind: 'rate',
    amountMicroUsd: BigInt(index + 1) * 1_000_000n,
    label: 'Machine',
    startMs,
    endMs,
  });
  const tx = new ClusterTransaction({
    clusterId: cluster.id,
    state: {
      cluster,
      nodes: [node],
      attempts: [attempt],
      segments: [stretch(0, 0, changedAtMs), stretch(1, changedAtMs, null)],
    },
    nowMs,
    leaseEpoch: 1,
    get: () => undefined,
    put: () => undefined,
    nameTaken: () => false,
    titleOf: provider => provider,
    limitsOf: () => ({}),
  });
  return { tx, attempt };
}

const stretches = (tx: ClusterTransaction) => tx.segments.map(({ startMs, endMs }) => [startMs, endMs]);

describe('the end of billing', () => {
  it('is where the network says, for every stretch that a clock that was ahead put behind it', () => {
    const { tx, attempt } = twoPrices(3 * DAY_MS, 3 * DAY_MS);
    closeBilling(tx, attempt, { rates: [], billedUntilMs: HOUR_MS });
    assert.deepEqual(stretches(tx), [
      [0, HOUR_MS],
      [HOUR_MS, HOUR_MS],
    ]);
  });

  it('leaves alone what lies before it', () => {
    const { tx, attempt } = twoPrices(HOUR_MS, DAY_MS);
    closeBilling(tx, attempt, { rates: [], billedUntilMs: 2 * HOUR_MS });
    assert.deepEqual(stretches(tx), [
      [0, HOUR_MS],
      [HOUR_MS, 2 * HOUR_MS],
    ]);
  });

  it('is never before its beginning, and now where the network does not say', () => {
    const before = twoPrices(HOUR_MS, DAY_MS);
    closeBilling(before.tx, before.attempt, { rates: [], billedUntilMs: -HOUR_MS });
    assert.deepEqual(stretches(before.tx), [
      [0, 0],
      [0, 0],
    ]);
    const silent = twoPrices(HOUR_MS, DAY_MS);
    closeBilling(silent.tx, silent.attempt, null);
    assert.deepEqual(stretches(silent.tx), [
      [0, HOUR_MS],
      [HOUR_MS, DAY_MS],
    ]);
  });
});

describe('a minimum charge', () => {
  it('is no extra: half an hour of a machine at $3.00/h whose first hour is kept costs $3.00', async () => {
    const practice = await new Practice({
      faults: { seed: 1, rules: [{ fault: 'minimum_time', chance: 1, minutes: 60 }] },
    }).open();
    const { id } = await practice.rent({ capMicroUsd: '20000000' });
    const ready = await practice.untilPhase(id, 'ready');
    const hour = parseMicroUsd(ready.usage.ratePerHourMicroUsd);
    assert.equal(ready.usage.accruedMicroUsd, hour.toString());
    await practice.run(HOUR_MS / 2);
    const half = practice.service.get(id).usage;
    assert.equal(half.accruedMicroUsd, hour.toString());
    assert.ok(BigInt(half.paidAheadMicroUsd) > 0n && BigInt(half.paidAheadMicroUsd) < hour / 2n);
    assert.deepEqual(
      half.parts.map(({ label, costMicroUsd }) => [label, costMicroUsd]),
      [['Minimum charge', hour.toString()]],
    );
    await endsClean(practice, ready);
  });

  it('is over once the hours have used it up', async () => {
    const practice = await new Practice({
      faults: { seed: 1, rules: [{ fault: 'minimum_time', chance: 1, minutes: 60 }] },
    }).open();
    const { id } = await practice.rent({ capMicroUsd: '20000000', idleMs: 0 });
    const ready = await practice.untilPhase(id, 'ready');
    await practice.run(3 * HOUR_MS);
    const { usage } = practice.service.get(id);
    assert.ok(BigInt(usage.accruedMicroUsd) > 3n * parseMicroUsd(usage.ratePerHourMicroUsd));
    assert.equal(usage.paidAheadMicroUsd, '0');
    await endsClean(practice, ready);
  });

  it('counts for a cap from the beginning, and leaves the time that it pays for', async () => {
    const practice = await new Practice({
      faults: { seed: 1, rules: [{ fault: 'minimum_time', chance: 1, minutes: 60 }] },
    }).open();
    const offered = await practice.pass(practice.service.quote(quoteRequestSchema.parse({})));
    const { id } = await practice.rent({ capMicroUsd: offered.floorMicroUsd, idleMs: 0 });
    const ready = await practice.untilPhase(id, 'ready');
    const reachedAtMs = ready.usage.capReachedAtMs ?? 0;
    const [paid] = practice.market.rentals();
    assert.ok(
      Math.abs(reachedAtMs - ((paid?.boughtAtMs ?? 0) + HOUR_MS)) <= 1,
      'an hour is paid, and lasts an hour',
    );
    await practice.until(() => practice.service.get(id).phase !== 'ready');
    assert.ok(practice.clock.now() > (paid?.boughtAtMs ?? 0) + 0.9 * HOUR_MS, 'it was not stopped before');
    const over = await endsClean(practice, ready);
    assert.equal(over.usage.accruedMicroUsd, offered.floorMicroUsd);
  });
});
