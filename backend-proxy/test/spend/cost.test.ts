import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { costOver } from '@hitch/contract';
import { attemptIdSchema } from '@hitch/contract';
import { chargesAt, type Priced, rateAt, shownCosts, totalCost } from '../../src/spend/cost.ts';

const [ONE, OTHER] = ['1', '2'].map(last => attemptIdSchema.parse(`att_01KAABCDEFGHJKMNPQRSTVWXY${last}`));
const attemptId = ONE as NonNullable<typeof ONE>;
const HOUR = 3_600_000;

const START = 1_800_000_000_000;
const amount = fc.bigInt({ min: 0n, max: 100_000_000n });
const moment = fc.integer({ min: START, max: START + 40 * 86_400_000 });
const anAttempt = fc.constantFrom(attemptId, OTHER as typeof attemptId);
const segment: fc.Arbitrary<Priced> = fc.oneof(
  fc
    .record({
      attemptId: anAttempt,
      kind: fc.constantFrom('once' as const, 'floor' as const),
      amountMicroUsd: amount,
      startMs: moment,
    })
    .map(once => ({ ...once, endMs: once.startMs })),
  fc
    .record({
      attemptId: anAttempt,
      amountMicroUsd: amount,
      startMs: moment,
      lasts: fc.option(fc.nat(10 * 86_400_000)),
    })
    .map(({ lasts, ...rate }) => ({
      ...rate,
      kind: 'rate' as const,
      endMs: lasts === null ? null : rate.startMs + lasts,
    })),
);

describe('what price segments cost', () => {
  it('is the hourly amount over the milliseconds, rounded up once', () => {
    const hour: Priced = {
      attemptId,
      kind: 'rate',
      amountMicroUsd: 420_000n,
      startMs: START,
      endMs: START + HOUR,
    };
    assert.equal(totalCost([hour], START + 86_400_000), 420_000n);
    assert.equal(totalCost([hour], START + 1), 1n);
    assert.equal(totalCost([hour], START), 0n);
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
        const stretch: Priced = { attemptId, kind: 'rate', amountMicroUsd, startMs, endMs: startMs + lasts };
        assert.equal(totalCost([stretch], startMs + lasts + 5), costOver(amountMicroUsd, lasts));
      }),
    );
  });

  it('knows what everything costs an hour at a moment', () => {
    const segments: Priced[] = [
      { attemptId, kind: 'rate', amountMicroUsd: 5n, startMs: START, endMs: START + 10 },
      { attemptId, kind: 'rate', amountMicroUsd: 7n, startMs: START + 5, endMs: null },
      { attemptId, kind: 'once', amountMicroUsd: 100n, startMs: START, endMs: START },
    ];
    assert.equal(rateAt(segments, START + 4), 5n);
    assert.equal(rateAt(segments, START + 7), 12n);
    assert.equal(rateAt(segments, START + 10), 7n);
  });

  describe('where the first hour is paid in any case', () => {
    const floor: Priced = {
      attemptId,
      kind: 'floor',
      amountMicroUsd: 3_000_000n,
      startMs: START,
      endMs: START,
    };
    const rate: Priced = { attemptId, kind: 'rate', amountMicroUsd: 3_000_000n, startMs: START, endMs: null };

    it('costs that hour from its beginning, and no more within it', () => {
      const machine = [floor, rate];
      assert.equal(totalCost(machine, START), 3_000_000n);
      assert.equal(totalCost([floor, { ...rate, endMs: START + HOUR / 2 }], START + 2 * HOUR), 3_000_000n);
      assert.equal(totalCost(machine, START + HOUR), 3_000_000n);
      assert.equal(totalCost(machine, START + 1.5 * HOUR), 4_500_000n);
    });

    it('adds a fee to it, and keeps the meaning of an amount that was written down as one', () => {
      const fee: Priced = { ...floor, kind: 'once' };
      assert.equal(totalCost([fee, rate], START + HOUR / 2), 4_500_000n);
      assert.equal(totalCost([fee, floor, rate], START + HOUR / 2), 6_000_000n);
    });

    it('covers no other machine’s hours', () => {
      const other: Priced = { ...rate, attemptId: OTHER as typeof attemptId };
      assert.equal(totalCost([floor, rate, other], START + HOUR / 2), 4_500_000n);
    });

    it('counts in the month in which it is paid', () => {
      const machine = [floor, rate];
      const [from, to] = [START + HOUR / 2, START + 1.5 * HOUR];
      assert.equal(totalCost(machine, to, from), 1_500_000n);
      assert.equal(totalCost(machine, from, START), 3_000_000n);
      assert.equal(totalCost(machine, from, START - HOUR), 3_000_000n);
    });

    it('costs nothing in a stretch that ends before it begins, as by a clock that was set back', () => {
      assert.equal(totalCost([floor, rate], START + HOUR / 2, START + HOUR), 0n);
    });

    it('says what of it is for time to come', () => {
      const [charge, ...more] = chargesAt([floor, rate], START + HOUR / 4);
      assert.deepEqual(charge, { ratePerHourMicroUsd: 3_000_000n, paidMicroUsd: 2_250_000n });
      assert.deepEqual(more, []);
      assert.equal(chargesAt([floor, rate], START + 2 * HOUR)[0]?.paidMicroUsd, 0n);
    });

    it('shows the hours from where it is used up', () => {
      const costs = (nowMs: number) =>
        shownCosts([floor, rate], nowMs).map(({ startMs, costMicroUsd }) => [startMs - START, costMicroUsd]);
      assert.deepEqual(costs(START + HOUR / 2), [[0, 3_000_000n]]);
      assert.deepEqual(costs(START + 1.5 * HOUR), [
        [0, 3_000_000n],
        [HOUR, 1_500_000n],
      ]);
    });
  });

  it('shows parts that add up to the total', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), moment, (segments, at) => {
        const sum = shownCosts(segments, at).reduce((total, { costMicroUsd }) => total + costMicroUsd, 0n);
        assert.equal(sum, totalCost(segments, at));
      }),
    );
  });

  it('is never below nothing in any stretch of time', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), moment, fc.nat(86_400_000), (segments, at, later) => {
        assert.ok(totalCost(segments, at + later, at) >= 0n);
      }),
    );
  });
});
