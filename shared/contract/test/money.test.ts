import assert from 'node:assert/strict';
import fc from 'fast-check';
import { format, MAX_MICRO_USD, parseDollars, showDollars, typedDollars } from '../src/index.ts';

const amounts = fc.oneof(
  fc.bigInt(0n, 200_000n),
  fc.bigInt(0n, 10_000_000n),
  fc.bigInt(0n, MAX_MICRO_USD - 100_000n),
);

describe('amounts of money', () => {
  it('are typed exactly, and read back as they were', () => {
    fc.assert(
      fc.property(amounts, amount => {
        assert.equal(parseDollars(typedDollars(amount)), amount);
      }),
    );
  });

  it('are never shown smaller than they are, nor more than a tenth or a cent larger', () => {
    fc.assert(
      fc.property(amounts, amount => {
        const shown = parseDollars(showDollars(amount));
        assert.ok(shown >= amount, `${amount.toString()} is shown as ${shown.toString()}`);
        assert.ok(shown - amount < 10_000n && shown * 10n <= amount * 11n + 10n, shown.toString());
        assert.equal(showDollars(shown), showDollars(amount), 'what is shown is shown the same');
      }),
    );
  });

  it('are quoted in part where they are none, with how much is left out', () => {
    assert.throws(() => parseDollars('x'.repeat(100)), /"x{40}… \(60 more characters\)" is not an amount/);
  });

  it('do not jump: of two amounts the larger is never shown as the smaller', () => {
    fc.assert(
      fc.property(amounts, fc.bigInt(0n, 20_000n), (amount, more) => {
        assert.ok(parseDollars(showDollars(amount + more)) >= parseDollars(showDollars(amount)));
      }),
    );
  });

  it('show a cap in full where it has no more than two digits that count', () => {
    assert.deepEqual([22_000n, 9_700n, 10_100n, 97_000n, 2_000_000n].map(showDollars), [
      '$0.022',
      '$0.0097',
      '$0.011',
      '$0.097',
      '$2.00',
    ]);
  });

  it('are said as less than a cent in all that people are shown of what is spent', () => {
    fc.assert(
      fc.property(amounts, amount => {
        const isLess = amount > 0n && amount < 10_000n;
        assert.equal(format.dollars(amount.toString()), isLess ? '<$0.01' : showDollars(amount));
      }),
    );
  });
});
