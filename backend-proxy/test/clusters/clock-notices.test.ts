import assert from 'node:assert/strict';
import { clockNotices } from '../../src/clusters/notices.ts';
import { SteadyClock } from '@hitch/platform/src/steady-clock.ts';

const HOUR = 3_600_000;
const START_MS = 1_800_000_000_000;

describe('what is said of this computer’s clock', () => {
  let wallMs = START_MS;
  let awakeMs = 0;

  /** After the computer was off for a day, or for a minute. */
  const clockAfter = (offForMs: number): SteadyClock => {
    wallMs = START_MS;
    awakeMs = 0;
    const source = {
      wall: () => wallMs,
      monotonic: () => awakeMs,
      sinceBoot: () => awakeMs,
      bootId: 'second',
    };
    return new SteadyClock(source, {
      bootId: 'first',
      sinceBootMs: 5_000,
      nowMs: START_MS - offForMs,
      isSure: true,
    });
  };

  it('is nothing while it agrees with the time that is counted on', () => {
    assert.deepEqual(clockNotices({ time: clockAfter(60_000) }), []);
    assert.deepEqual(clockNotices({ time: null }), []);
  });

  it('is that it ends nothing while it is in doubt, and for how long', () => {
    const time = clockAfter(24 * HOUR);
    const [said, ...more] = clockNotices({ time });
    assert.match(said ?? '', /This computer stops no cluster by its limits until .*15 minutes/);
    assert.deepEqual(more, []);
    time.confirm();
    assert.deepEqual(clockNotices({ time }), []);
  });

  it('is both where it jumped while it was in doubt: then it is not just believed after a while', () => {
    const time = clockAfter(24 * HOUR);
    wallMs += 5 * HOUR;
    awakeMs += 1_000;
    time.now();
    const [jumped, doubted] = clockNotices({ time });
    assert.match(jumped ?? '', /was set 5 hours ahead/);
    assert.match(doubted ?? '', /stops no cluster by its limits until one does;/);
  });
});
