import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { type Charge, costAhead, costOfOffer, costOver, lastsMs } from '../src/index.ts';

const HOUR = 3_600_000;
const amount = fc.bigInt({ min: 0n, max: 100_000_000n });
const charges: fc.Arbitrary<Charge[]> = fc.array(
  fc.record({ ratePerHourMicroUsd: amount, paidMicroUsd: fc.oneof(fc.constant(0n), amount) }),
  { maxLength: 5 },
);

describe('what time costs where some of it is paid', () => {
  const paid: Charge = { ratePerHourMicroUsd: 3_000_000n, paidMicroUsd: 3_000_000n };

  it('is nothing until that is used up', () => {
    assert.equal(costAhead([paid], HOUR), 0n);
    assert.equal(costAhead([paid], 1.5 * HOUR), 1_500_000n);
    assert.equal(costAhead([paid, { ...paid, paidMicroUsd: 0n }], HOUR / 2), 1_500_000n);
  });

  it('is the larger of the least and the hours, and the fee on top', () => {
    const offer = {
      pricePerHourMicroUsd: '3000000',
      floorMicroUsd: '3000000',
      nonRefundableMicroUsd: '100000',
    };
    assert.equal(costOfOffer(offer, HOUR / 2), 3_100_000n);
    assert.equal(costOfOffer(offer, 2 * HOUR), 6_100_000n);
    const { pricePerHourMicroUsd, nonRefundableMicroUsd } = offer;
    assert.equal(costOfOffer({ pricePerHourMicroUsd, nonRefundableMicroUsd }, HOUR / 2), 1_600_000n);
  });

  it('lets money last as long as it does and no longer', () => {
    assert.equal(lastsMs(0n, [paid]), HOUR);
    assert.equal(lastsMs(1_500_000n, [paid]), 1.5 * HOUR);
    assert.equal(lastsMs(1_500_000n, [paid, { ...paid, paidMicroUsd: 0n }]), HOUR / 2);
    assert.equal(lastsMs(6_000_000n, [paid, { ...paid, paidMicroUsd: 0n }]), 1.5 * HOUR);
    assert.equal(lastsMs(5n, []), null);
    assert.equal(lastsMs(5n, [{ ratePerHourMicroUsd: 0n, paidMicroUsd: 0n }]), null);
    fc.assert(
      fc.property(charges, amount, (some, money) => {
        const lasts = lastsMs(money, some);
        if (lasts === null) {
          assert.ok(some.every(({ ratePerHourMicroUsd }) => ratePerHourMicroUsd === 0n));
          return;
        }
        // Each machine's cost is rounded up by itself.
        assert.ok(costAhead(some, lasts) <= money + BigInt(some.length));
        const rate = some.reduce((sum, { ratePerHourMicroUsd }) => sum + ratePerHourMicroUsd, 0n);
        assert.ok(costAhead(some, lasts + 1) + costOver(rate, 1) > money);
      }),
    );
  });
});
