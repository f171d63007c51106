import assert from 'node:assert/strict';
import { sampleAt, sumsOf, useLines } from '../src/use/lines.ts';

describe('The lines of a machine’s use', () => {
  const timesMs = Array.from({ length: 1_000 }, (_, at) => at * 2_000);

  it('keep the highest of what a plot has no room for', () => {
    const values = timesMs.map((_, at) => (at === 501 ? 99 : 5));
    const pieces = useLines(timesMs, { values }, 100);
    assert.equal(pieces.length, 1);
    assert.equal(pieces[0]?.length, 100);
    assert.deepEqual(
      pieces[0]?.find(({ value }) => value === 99),
      { atMs: 501 * 2_000, value: 99 },
    );
  });

  it('are parted where nothing was measured for a while, and not by one value that is missing', () => {
    const lengths = useLines(timesMs, { values: timesMs.map(() => 1) }, 1_000).map(piece => piece.length);
    assert.deepEqual(lengths, [1_000]);
    const close = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 300, 301];
    const one = close.map((_, at) => (at === 3 ? null : 1));
    assert.deepEqual(
      useLines(close, { values: one }, 100).map(piece => piece.length),
      [19, 2],
    );
  });

  it('know the moment under a pointer', () => {
    assert.equal(sampleAt({ timesMs: [0, 10, 20] }, 4), 0);
    assert.equal(sampleAt({ timesMs: [0, 10, 20] }, 6), 1);
    assert.equal(sampleAt({ timesMs: [0, 10, 20] }, 99), 2);
    assert.equal(sampleAt({ timesMs: [] }, 1), -1);
  });

  it('are added up as a table', () => {
    assert.deepEqual(sumsOf({ values: [2, null, 4] }), { low: 2, mean: 3, high: 4 });
    assert.deepEqual(sumsOf({ values: [null] }), { low: null, mean: null, high: null });
  });
});
