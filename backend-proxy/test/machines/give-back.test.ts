import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { giveBackWhenQuiet } from '@hitch/platform/src/memory.ts';

const MIB = 1024 * 1024;

describe('what a busy time leaves behind', () => {
  /** A process of which the test says what it uses. */
  function scene() {
    const clock = new VirtualClock();
    const use = { heapBytes: 20 * MIB, cpuUs: 0, given: 0 };
    const timer = giveBackWhenQuiet(clock, {
      heapBytes: () => use.heapBytes,
      cpuUs: () => use.cpuUs,
      giveBack: () => {
        use.given += 1;
        use.heapBytes = 30 * MIB;
      },
    });
    const pass = async (seconds: number, busyShare: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        use.cpuUs += busyShare * 1e6;
        clock.jump(1_000);
        while ((clock.nextTimerAt() ?? Infinity) <= clock.now()) {
          clock.step();
          // The next look is set when this one is over.
          await Promise.resolve();
          await Promise.resolve();
        }
      }
    };
    return { use, timer, pass };
  }

  it('is given back once, when the busy time is over', async () => {
    const { use, timer, pass } = scene();
    use.heapBytes = 200 * MIB;
    await pass(60, 0.9);
    assert.equal(use.given, 0, 'while it works nothing stops it');
    await pass(4, 0.01);
    assert.equal(use.given, 1);
    await pass(600, 0.01);
    assert.equal(use.given, 1, 'there is nothing more to give');
    timer.cancel();
  });

  it('is left where it is little', async () => {
    const { use, timer, pass } = scene();
    use.heapBytes = 40 * MIB;
    await pass(600, 0.01);
    assert.equal(use.given, 0);
    timer.cancel();
  });

  it('is given back again after the next busy time', async () => {
    const { use, timer, pass } = scene();
    for (let time = 1; time <= 3; time++) {
      use.heapBytes = 200 * MIB;
      await pass(20, 0.9);
      await pass(4, 0.01);
      assert.equal(use.given, time);
    }
    timer.cancel();
  });
});
