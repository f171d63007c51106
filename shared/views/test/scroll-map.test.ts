import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ScrollMap } from '../src/offers/scroll-map.ts';

function map(rows: number, maxHeight = 10_000_000): ScrollMap {
  const made = new ScrollMap(28, maxHeight);
  made.resize(rows, 560);
  return made;
}

describe('the rows in the view', () => {
  it('are those under the scroll bar while the rows fit into an element', () => {
    const plain = map(100_000);
    assert.equal(plain.height, 2_800_000);
    plain.scrolled(28_000);
    assert.deepEqual(plain.window(0), { first: 1000, end: 1020 });
    assert.equal(plain.placeOf(1000), 28_000);
    assert.equal(plain.settle(), false);
  });

  it('reach the last row where a browser caps the height', () => {
    const huge = map(5_000_000);
    assert.equal(huge.height, 10_000_000);
    huge.scrolled(huge.height - 560);
    assert.equal(huge.window(0).end, 5_000_000);
    assert.equal(huge.placeOf(4_999_999) + 28, huge.height);
    huge.scrolled(0);
    assert.deepEqual(huge.window(0), { first: 0, end: 20 });
  });

  it('move by a wheel as far as the wheel says, also where the height is capped', () => {
    const huge = map(5_000_000);
    huge.scrolled(5_000_000);
    const before = huge.top;
    huge.scrolled(5_000_100);
    assert.equal(huge.top - before, 100);
    const { first } = huge.window(0);
    const place = huge.placeOf(first) - huge.physical;
    huge.settle();
    assert.equal(huge.placeOf(first) - huge.physical, place, 'settling moves nothing on the screen');
  });

  it('show a row that is asked for, whole and without moving more than needed', () => {
    const plain = map(1000);
    assert.equal(plain.reveal(5), false);
    assert.equal(plain.reveal(20), true);
    assert.deepEqual(plain.window(0), { first: 1, end: 21 });
    assert.equal(plain.reveal(0), true);
    assert.equal(plain.top, 0);
  });

  it('stay among the rows that are left', () => {
    const plain = map(1000);
    plain.scrolled(20_000);
    plain.resize(30, 560);
    assert.equal(plain.window(0).end, 30);
    plain.resize(0, 560);
    assert.deepEqual(plain.window(8), { first: 0, end: 0 });
  });

  it('are never outside the list and never outside the element, whatever is scrolled', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3_000_000 }),
        fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 30 }),
        (rows, moves) => {
          const any = map(rows, 1_000_000);
          for (const move of moves) {
            any.scrolled(Math.min(move, Math.max(0, any.height - 560)));
            const { first, end } = any.window(3);
            assert.ok(first >= 0 && first <= end && end <= rows);
            assert.ok(rows === 0 || end > first);
            any.settle();
            assert.ok(any.physical >= 0 && any.physical <= any.height);
          }
        },
      ),
    );
  });
});
