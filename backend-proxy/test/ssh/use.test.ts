import assert from 'node:assert/strict';
import { type Carried, wasUsed } from '../../src/cli/ssh-use.ts';

/** A key and its echo are a packet each. */
const KEY = { up: 76, down: 76 };
/** What an open editor sends: its own question every five seconds, and ssh's every fifteen. */
const OPEN_ONLY = { up: 8 * 100, down: 8 * 100 };

const times = ({ up, down }: Carried, count: number): Carried => ({ up: up * count, down: down * count });

describe('somebody at work over ssh', () => {
  const before = { up: 1_000_000, down: 5_000_000 };
  const after = ({ up, down }: Carried): boolean =>
    wasUsed(before, { up: before.up + up, down: before.down + down });

  it('is seen by keys that are typed, and by files either way', () => {
    assert.equal(after(times(KEY, 40)), true);
    assert.equal(after({ up: 1_000_000, down: 4_000 }), true);
    assert.equal(after({ up: 500, down: 1_000_000 }), true);
  });

  it('is not seen in an editor that is only open, nor in a program that only shows the time', () => {
    assert.equal(after(OPEN_ONLY), false);
    assert.equal(after({ up: OPEN_ONLY.up, down: 40_000 }), false);
    assert.equal(after({ up: 0, down: 0 }), false);
  });
});
