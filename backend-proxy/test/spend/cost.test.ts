import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { costOver } from '@hitch/contract';
import type { SegmentRecord } from '../../src/clusters/records.ts';
import { lastsMs, rateAt, segmentCost, totalCost } from '../../src/spend/cost.ts';

type Priced = Pick<SegmentRecord, 'kind' | 'amountMicroUsd' | 'startMs' | 'endMs'>;

const START = 1_800_000_000_000;
const amount = fc.bigInt({ min: 0n, max: 100_000_000n });
const moment = fc.integer({ min: START, max: START + 40 * 86_400_000 });
const segment: fc.Arbitrary<Priced> = fc.oneof(
  fc.record({ kind: fc.constant('once' as const), amountMicroUsd: amount, startMs: moment }).map(once => ({
    ...once,
    endMs: once.startMs,
  })),
  fc
    .record({ amountMicroUsd: amount, startMs: moment, lasts: fc.option(fc.nat(10 * 86_400_000)) })
    .map(({ lasts, ...rate }) => ({
      ...rate,
      kind: 'rate' as const,
      endMs: lasts === null ? null : rate.startMs + lasts,
    })),
);

describe('what price segments cost', () => {
  it('is the hourly amount over the milliseconds, rounded up once', () => {
    const hour: Priced = { kind: 'rate', amountMicroUsd: 420_000n, startMs: START, endMs: START + 3_600_000 };
    assert.equal(segmentCost(hour, START + 86_400_000), 420_000n);
    assert.equal(segmentCost(hour, START + 1), 1n);
    assert.equal(segmentCost(hour, START), 0n);
  });

  it('never falls as time passes', () => {
    fc.assert(
      fc.property(fc.array(segment), moment, fc.nat(86_400_000), (segments, at, later) => {
        assert.ok(totalCost(segments, at + later) >= totalCost(segments, at));
      }),
    );
  });

  it('adds up over any cut, to the micro-dollar for each segment cut', () => {
    fc.assert(
      fc.property(
        fc.array(segment, { maxLength: 8 }),
        fc.tuple(moment, moment, moment),
        (segments, moments) => {
          const [from, cut, to] = [...moments].sort((a, b) => a - b);
          assert.ok(from !== undefined && cut !== undefined && to !== undefined);
          const rates = segments.filter(({ kind }) => kind === 'rate');
          const whole = totalCost(rates, to, from);
          const parts = totalCost(rates, cut, from) + totalCost(rates, to, cut);
          assert.ok(parts >= whole && parts <= whole + BigInt(rates.length));
        },
      ),
    );
  });

  it('is the market’s own arithmetic: one stretch at one price costs what costOver says', () => {
    fc.assert(
      fc.property(amount, moment, fc.nat(10 * 86_400_000), (amountMicroUsd, startMs, lasts) => {
        const stretch: Priced = { kind: 'rate', amountMicroUsd, startMs, endMs: startMs + lasts };
        assert.equal(segmentCost(stretch, startMs + lasts + 5), costOver(amountMicroUsd, lasts));
      }),
    );
  });

  it('knows what everything costs an hour at a moment', () => {
    const segments: Priced[] = [
      { kind: 'rate', amountMicroUsd: 5n, startMs: START, endMs: START + 10 },
      { kind: 'rate', amountMicroUsd: 7n, startMs: START + 5, endMs: null },
      { kind: 'once', amountMicroUsd: 100n, startMs: START, endMs: START },
    ];
    assert.equal(rateAt(segments, START + 4), 5n);
    assert.equal(rateAt(segments, START + 7), 12n);
    assert.equal(rateAt(segments, START + 10), 7n);
  });

  it('never lasts longer than the money does', () => {
    fc.assert(
      fc.property(amount, fc.bigInt({ min: 1n, max: 100_000_000n }), (money, rate) => {
        const lasts = lastsMs(money, rate) ?? 0;
        assert.ok(costOver(rate, lasts) <= money);
      }),
    );
    assert.equal(lastsMs(5n, 0n), null);
  });
});
