/** Which machines of one's own can be one cluster. */
import assert from 'node:assert/strict';
import { reachEachOther, type Standing } from '../../src/providers/ssh/reach.ts';

const standing = (name: string, ...reaches: readonly string[]): Standing => ({
  name,
  machine: `machine ${name}`,
  at: { address: `10.0.0.${name}`, port: 22 },
  reaches: new Set(reaches.map(other => `10.0.0.${other}/22`)),
});

const together = (...all: readonly Standing[]): readonly string[] => [...reachEachOther(all)].toSorted();

describe('machines of one’s own', () => {
  it('are one cluster where each reaches each, itself too', () => {
    assert.deepEqual(together(standing('1', '1', '2'), standing('2', '1', '2')), ['1', '2']);
    assert.deepEqual(together(standing('1', '1', '2'), standing('2', '2')), []);
    assert.deepEqual(together(standing('1', '2'), standing('2', '1', '2')), []);
    assert.deepEqual(together(standing('1', '1')), []);
    assert.deepEqual(together(), []);
  });

  it('are those of the largest group where not all reach all', () => {
    const all = ['1', '2', '3'];
    const three = all.map(name => standing(name, ...all, '4'));
    assert.deepEqual(together(standing('4', '4'), ...three), all);
    // 5 reaches 1 alone, and 1 it.
    const [first, ...others] = three;
    assert.ok(first !== undefined);
    const both = standing('1', ...all, '5');
    assert.deepEqual(together(standing('5', '1', '5'), both, ...others), all);
  });

  it('are none where two have the same address, at which each finds itself', () => {
    const one = standing('1', '1');
    assert.deepEqual(together(one, { ...one, name: 'another', machine: 'another machine' }), []);
    assert.deepEqual(together(one, { ...one, name: 'the same' }), ['1', 'the same']);
  });

  it('are none without an address of their own', () => {
    assert.deepEqual(together({ ...standing('1', '1', '2'), at: null }, standing('2', '1', '2')), []);
  });
});
