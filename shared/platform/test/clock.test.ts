import assert from 'node:assert/strict';
import { repeat, VirtualClock, within } from '../src/clock.ts';

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('what is asked for within a time', () => {
  it('gives the answer and leaves no timer behind, also after a failure', async () => {
    const clock = new VirtualClock();
    assert.equal(await within(clock, 1000, () => Promise.resolve(7)), 7);
    await assert.rejects(
      within(clock, 1000, () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(clock.nextTimerAt(), null);
  });

  it('is aborted as by a timeout', async () => {
    const clock = new VirtualClock();
    const asked = within(
      clock,
      1000,
      signal =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    assert.ok(clock.step());
    await assert.rejects(asked, { name: 'TimeoutError' });
  });
});

describe('what is looked at every so often', () => {
  it('is looked at again a pause after each look has ended, whether it failed or not, until it is cancelled', async () => {
    const clock = new VirtualClock();
    const looks: { resolve: (value: undefined) => void; reject: (error: Error) => void }[] = [];
    const timer = repeat(
      clock,
      1000,
      () => new Promise((resolve, reject) => looks.push({ resolve, reject })),
    );
    assert.ok(clock.step());
    assert.deepEqual([looks.length, clock.nextTimerAt()], [1, null]);
    clock.jump(5000);
    looks[0]?.reject(new Error('no'));
    await settled();
    assert.equal(clock.nextTimerAt(), clock.now() + 1000);
    assert.ok(clock.step());
    timer.cancel();
    looks[1]?.resolve(undefined);
    await settled();
    assert.deepEqual([looks.length, clock.nextTimerAt()], [2, null]);
  });
});
