import assert from 'node:assert/strict';
import type { AttemptRecord, MoreTime } from '../../src/ledger/records.ts';
import { committed, mayBuyTime, purchaseProblem, type Spending } from '../../src/spend/budget.ts';
import { attempt, cluster, node, offer, segment, START_MS } from '../store/records.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MS = START_MS + 30 * MINUTE_MS;
const CAPS = { totalMicroUsd: '1000000', stopAtMs: null, idleMs: null };
const BY_THE_HOUR = { ...offer, termMs: HOUR_MS, floorMicroUsd: offer.pricePerHourMicroUsd };

/** One machine whose first hour is paid, $0.42, inside a limit of $1. */
function paidForAnHour(
  change: Partial<AttemptRecord> = {},
  caps: Partial<typeof CAPS | { stopAtMs: number }> = {},
): Spending & { readonly own: AttemptRecord } {
  const rented = cluster({ caps: { ...CAPS, ...caps }, save: { paths: [], toFolder: null } });
  const endsAtMs = START_MS + HOUR_MS;
  const own = attempt(node(rented), { state: 'owned', offer: BY_THE_HOUR, endsAtMs, ...change });
  const floor = segment(own, { kind: 'floor', endMs: START_MS, index: 1 });
  return { cluster: rented, attempts: [own], segments: [segment(own), floor], own };
}

const asked = (state: MoreTime['state']): Partial<AttemptRecord> => ({
  moreTime: [{ fromMs: START_MS + HOUR_MS, ms: HOUR_MS, askedAtMs: NOW_MS, absentSightings: 0, state }],
});

describe('time that was asked for without a clear answer', () => {
  it('counts against the spending limit until it is known not to be bought', () => {
    assert.equal(committed(paidForAnHour(), NOW_MS), 420_000n);
    assert.equal(committed(paidForAnHour(asked('asked')), NOW_MS), 840_000n);
    assert.equal(committed(paidForAnHour(asked('absent')), NOW_MS), 420_000n);
    assert.equal(committed(paidForAnHour(asked('refused')), NOW_MS), 420_000n);
  });

  it('leaves no room for another machine, or for an hour of another', () => {
    const [clear, unclear] = [paidForAnHour(), paidForAnHour(asked('asked'))];
    assert.equal(purchaseProblem(clear, BY_THE_HOUR, NOW_MS), null);
    assert.match(purchaseProblem(unclear, BY_THE_HOUR, NOW_MS) ?? '', /the spending limit is \$1/);
    assert.ok(mayBuyTime(clear, clear.own, NOW_MS));
    assert.ok(!mayBuyTime(unclear, unclear.own, NOW_MS));
  });
});

describe('a stop time beside what is paid ahead', () => {
  const mayBuyUntil = (stopAtMs: number): boolean => {
    const spending = paidForAnHour({}, { stopAtMs });
    return mayBuyTime(spending, spending.own, NOW_MS);
  };

  it('is no reason for another term where it comes with the end of the last, or seconds after', () => {
    assert.ok(!mayBuyUntil(START_MS + HOUR_MS - 9_000));
    assert.ok(!mayBuyUntil(START_MS + HOUR_MS));
    assert.ok(!mayBuyUntil(START_MS + HOUR_MS + 9_000));
  });

  it('is one where it comes later', () => {
    assert.ok(mayBuyUntil(START_MS + HOUR_MS + 5 * MINUTE_MS));
  });
});
