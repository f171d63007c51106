/** What of a purchase is counted once its records are forgotten, part by part, however often that happens. */
import assert from 'node:assert/strict';
import {
  type Counted,
  countedPartsSchema,
  countedUntilOf,
  countedWith,
} from '../../src/ledger/kinds/counted.ts';
import type { SegmentRecord } from '../../src/ledger/records.ts';

const HOUR = 3_600_000;
const NOTHING: Counted = { countedUntilMs: null, countedParts: null };

const stretch = (label: string, startMs: number, endMs: number, more: Partial<SegmentRecord> = {}) =>
  ({ kind: 'rate', label, startMs, endMs, amountMicroUsd: 1_000_000n, ...more }) as SegmentRecord;
const labels = (...all: readonly string[]) => all.map(label => ({ label }));
/** Of each of these parts, of a price that has all of them. */
const until = (counted: Counted, ...all: readonly string[]) =>
  all.map(label => countedUntilOf(counted, label, labels(...all)));

describe('what is counted of a purchase that is forgotten', () => {
  it('is each part up to where it ended', () => {
    const counted = countedWith(NOTHING, [
      stretch('GPU', 100, 300),
      stretch('GPU', 300, 500),
      stretch('Disk', 0, 900),
    ]);
    assert.deepEqual(until(counted, 'GPU', 'Disk'), [500, 900]);
    assert.equal(counted.countedUntilMs, 900);
  });

  it('is nothing of a part that began while nobody looked', () => {
    const counted = countedWith(NOTHING, [stretch('Disk', 0, 900)]);
    assert.deepEqual(until(counted, 'GPU', 'Disk'), [null, 900]);
  });

  it('stood for all parts where the price has other ones', () => {
    const counted = countedWith(NOTHING, [stretch('RTX 4090', 0, 900)]);
    assert.deepEqual(until(counted, 'GPU', 'Disk'), [900, 900]);
  });

  it('grows by a second life for the parts alone that this one had', () => {
    const first = countedWith(NOTHING, [stretch('GPU', 100, 500), stretch('Disk', 0, 500)]);
    const second = countedWith(first, [stretch('Disk', 500, 900)]);
    assert.deepEqual(until(second, 'GPU', 'Disk'), [500, 900]);
  });

  it('never shrinks', () => {
    const first = countedWith(NOTHING, [stretch('GPU', 0, 900), stretch('Disk', 0, 900)]);
    const second = countedWith(first, [stretch('GPU', 900, 900), stretch('Disk', 0, 200)]);
    assert.deepEqual(until(second, 'GPU', 'Disk'), [900, 900]);
    assert.deepEqual(countedWith(first, []), first);
  });

  it('lasts as long as the floor does, for what ended last', () => {
    const floor = stretch('Minimum charge', 0, 0, { kind: 'floor', amountMicroUsd: 2_000_000n });
    const counted = countedWith(NOTHING, [floor, stretch('GPU', 0, HOUR), stretch('Disk', 0, HOUR / 2)]);
    assert.deepEqual(until(counted, 'GPU', 'Disk'), [1.5 * HOUR, HOUR / 2]);
  });

  it('is read from a store that had one moment for all parts, and goes on from there', () => {
    const lines = { countedUntilMs: 500, countedParts: 'GPU\nDisk' };
    assert.deepEqual(until(lines, 'GPU', 'Disk', 'Traffic'), [500, 500, null]);
    assert.deepEqual(until(countedWith(lines, [stretch('Disk', 500, 900)]), 'GPU', 'Disk'), [500, 900]);
    const all = { countedUntilMs: 500, countedParts: null };
    assert.deepEqual(until(countedWith(all, [stretch('Disk', 500, 900)]), 'GPU', 'Disk'), [500, 900]);
  });

  it('is no row where its moments cannot be read', () => {
    assert.ok(
      countedPartsSchema.safeParse(countedWith(NOTHING, [stretch('GPU', 0, 9)]).countedParts).success,
    );
    assert.ok(countedPartsSchema.safeParse('GPU\nDisk').success);
    for (const odd of ['[', '["GPU"]', '[["GPU","9"]]']) {
      assert.ok(!countedPartsSchema.safeParse(odd).success, odd);
    }
  });
});
