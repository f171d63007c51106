import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { dollarsSchema, microUsdOf, signedDollarsSchema } from '../../../src/providers/http/dollars.ts';

describe('decimal dollars of a network', () => {
  const said: readonly (readonly [number | string, bigint])[] = [
    [0, 0n],
    [0.1, 100_000n],
    [27.875342465753423, 27_875_343n],
    ['0.3509259259259259', 350_926n],
    [1e-7, 1n],
    ['1e-300', 1n],
    [1.5e3, 1_500_000_000n],
    [' 12 ', 12_000_000n],
    [0.29, 290_000n],
  ];
  said.forEach(([dollars, micro]) => {
    it(`are ${micro.toString()} micro-dollars for ${JSON.stringify(dollars)}`, () => {
      assert.equal(microUsdOf(dollars), micro);
    });
  });

  it('are taken exactly where they have six decimals at most, and up where they have more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 1, max: 999 }), (micro, rest) => {
        const text = `${Math.floor(micro / 1e6).toString()}.${(micro % 1e6).toString().padStart(6, '0')}`;
        assert.equal(microUsdOf(text), BigInt(micro));
        assert.equal(microUsdOf(text + rest.toString().padStart(3, '0')), BigInt(micro) + 1n);
      }),
    );
  });

  it('are a part of an amount, rounded up once', () => {
    assert.equal(microUsdOf(0.15, { times: 1n, over: 720n }), 209n);
    assert.equal(microUsdOf('0.15', { times: 50n, over: 720n }), 10_417n);
    assert.equal(microUsdOf(1.5e3, { times: 2n, over: 3n }), 1_000_000_000n);
  });

  it('may be below 0 where that makes sense', () => {
    assert.equal(signedDollarsSchema.parse(-0.1), -100_000n);
    assert.equal(signedDollarsSchema.parse(' 0.1'), 100_000n);
    assert.equal(signedDollarsSchema.safeParse('--1').success, false);
  });

  for (const none of [-1, Number.NaN, Infinity, '', 'free', '1,5', '0x10', '1e999', 1e10, '9'.repeat(5000)]) {
    it(`are not ${JSON.stringify(none).slice(0, 20)}`, () => {
      assert.throws(() => microUsdOf(none), RangeError);
      assert.equal(dollarsSchema.safeParse(none).success, false);
    });
  }
});
