import assert from 'node:assert/strict';
import {
  costOfOffer,
  historyWords,
  type HostHistory,
  type Offer,
  parseMicroUsd,
  rankFacts,
  rankOf,
  shortHistory,
  whyWords,
} from '../src/index.ts';
import { allInCost, failureShare } from '../src/ranking.ts';

const HOUR_MS = 3_600_000;

const OFFER = {
  id: 'x:1',
  provider: 'x',
  gpuModel: 'RTX 4090',
  gpuCount: 1,
  pricePerHourMicroUsd: '400000',
  nonRefundableMicroUsd: '0',
  trust: 'verified',
  reliability: 0.98,
} as Offer;
const HISTORY: HostHistory = {
  of: 'machine',
  purchases: 4,
  cameUp: 3,
  notUp: 1,
  failedChecks: 0,
  died: 0,
  usualReadyMs: 240_000,
  lastFailure: null,
};
const offer = (change: Partial<Offer> = {}): Offer => ({ ...OFFER, ...change });
const rank = (change: Partial<Offer>, ms = 4 * HOUR_MS): number => rankOf(rankFacts(offer(change)), ms);
const failures = (change: Partial<Offer>): number => failureShare(rankFacts(offer(change)));

describe('the rank of an offer', () => {
  it('reckons with all that is paid for the hours that are wanted, as a bill does', () => {
    const kinds: Partial<Offer>[] = [
      {},
      { nonRefundableMicroUsd: '300000' },
      { floorMicroUsd: '1000000' },
      { termMs: HOUR_MS, floorMicroUsd: '400000' },
      { termMs: HOUR_MS, refundable: 'exact_after_floor' },
    ];
    for (const kind of kinds) {
      for (const ms of [HOUR_MS / 2, HOUR_MS, 5.25 * HOUR_MS]) {
        assert.equal(allInCost(rankFacts(offer(kind)), ms), Number(costOfOffer(offer(kind), ms)));
      }
    }
    const traffic = { downPerGBMicroUsd: '20000', upPerGBMicroUsd: '0' };
    assert.equal(
      allInCost(rankFacts(offer({ traffic })), HOUR_MS),
      Number(parseMicroUsd('400000')) + 20 * 20_000,
    );
  });

  it('puts a low price with a high minimum after a fair one for an hour, and before it for a day', () => {
    const floor = { pricePerHourMicroUsd: '300000', floorMicroUsd: '900000' };
    assert.ok(rank(floor, HOUR_MS) > rank({}, HOUR_MS));
    assert.ok(rank(floor, 24 * HOUR_MS) < rank({}, 24 * HOUR_MS));
  });

  it('is for one GPU, and a machine without one has none', () => {
    assert.equal(rank({ gpuCount: 4, pricePerHourMicroUsd: '1600000' }), rank({}));
    assert.ok(Number.isNaN(rank({ gpuCount: 0, gpuModel: null })));
  });

  it('gets worse with each purchase that came to nothing and better with each that did not', () => {
    const bare = failures({});
    const vain = failures({ history: { ...HISTORY, cameUp: 0, notUp: 2 } });
    const lost = failures({ history: { ...HISTORY, cameUp: 2, notUp: 0, died: 2 } });
    const good = failures({ history: { ...HISTORY, cameUp: 9, notUp: 0 } });
    assert.ok(good < bare && bare < lost && lost <= vain && vain < 1, `${good} ${bare} ${lost} ${vain}`);
    assert.ok(Math.abs(bare - 0.02) < 1e-9);
    assert.ok(failures({ reliability: null, trust: 'community' }) > failures({ reliability: null }));
    assert.ok(failures({ history: { ...HISTORY, cameUp: 0, notUp: 1_000 } }) < 1);
  });
});

describe('why an offer is the best', () => {
  it('lists what it costs in all, what is likely to fail and our own purchases', () => {
    assert.deepEqual(whyWords(offer(), 4 * HOUR_MS), [
      '$1.60 in all for 4 h: $0.40/h with disk and fees.',
      'About 2 % of such purchases come to nothing: its network states a reliability of 98 %.',
      'Reckoned with that, $0.41 for an hour of use.',
    ]);
    const said = whyWords(
      offer({
        gpuCount: 2,
        reliability: null,
        history: HISTORY,
        nonRefundableMicroUsd: '100000',
        termMs: HOUR_MS,
        floorMicroUsd: '3000000',
        traffic: { downPerGBMicroUsd: '10000', upPerGBMicroUsd: '0' },
      }),
      4 * HOUR_MS,
    );
    assert.deepEqual(said, [
      '$3.30 in all for 4 h: $0.40/h with disk and fees, sold for 60 min at a time, at least $3.00, $0.10 once, $0.20 for 20 GB of downloads.',
      'About 15 % of such purchases come to nothing: its network states no reliability, and 5 % is assumed for verified machines, moved by your own purchases.',
      'Your own purchases: 3 of 4 came up here, usually in 4 min.',
      'Reckoned with that, $0.49 for an hour of use for each of 2 GPUs.',
    ]);
  });

  it('says of a host what became of what was bought there', () => {
    assert.equal(shortHistory(HISTORY), '3 of 4 came up');
    assert.equal(shortHistory({ ...HISTORY, purchases: 2, cameUp: 0, notUp: 0 }), 'rented 2×');
    assert.equal(
      historyWords({
        ...HISTORY,
        failedChecks: 1,
        died: 2,
        lastFailure: { atMs: new Date(2026, 10, 28).getTime(), message: 'It shows no GPU.' },
      }),
      '3 of 4 came up here, usually in 4 min, not as offered once, lost while it ran 2 times; last failure 2026-11-28: It shows no GPU',
    );
    assert.equal(
      historyWords({ ...HISTORY, of: 'offer', purchases: 1, cameUp: 0, notUp: 0, usualReadyMs: null }),
      'You rented this offer once, and ended it before it was ready',
    );
  });
});
