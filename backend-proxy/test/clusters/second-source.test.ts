import assert from 'node:assert/strict';
import { verdict } from '../../src/clusters/second-source.ts';
import { SteadyClock } from '@hitch/platform/src/steady-clock.ts';
import { mute, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const HOUR = 3_600_000;

describe('who is asked whether this computer’s clock is right', () => {
  it('follows a small jump where the same clocks agree with both', () => {
    assert.equal(verdict(20_000, [19_000, 20_000]), 'follow');
    assert.equal(verdict(-6_000, [-500]), 'follow');
    assert.equal(verdict(40_000, [15_000]), 'follow');
    assert.equal(verdict(20_000, [45_000]), 'follow', 'it agrees with the clock alone');
    assert.equal(verdict(20_000, [20_000, 10 * HOUR]), 'follow', 'who agrees with neither says nothing');
    assert.equal(verdict(20_000, [20_000, -25_000]), 'stay', 'more agree with the time that is counted on');
    assert.equal(verdict(20_000, []), 'unknown');
  });

  it('does not go by a machine that is silent: what it said last was of another time', async () => {
    let pausedMs = 0;
    let silent = '';
    let time: SteadyClock | null = null;
    const practice = await new Practice({
      daemonClock: world => {
        const monotonic = (): number => world.monotonic() - pausedMs;
        time = new SteadyClock(
          { wall: () => world.now(), monotonic, sinceBoot: monotonic, bootId: 'this one' },
          null,
          world,
        );
        return time;
      },
      wrapProvider: provider => ({ ...wrap(provider, {}), kind: 'network' }),
      wrapAgent: mute(at => at === silent),
    }).open();
    const jumpOf = (): number | null => time?.jump?.byMs ?? null;
    const [first, second] = [await practice.rent({ idleMs: 0 }), await practice.rent({ idleMs: 0 })];
    await practice.untilPhase(first.id, 'ready');
    await practice.untilPhase(second.id, 'ready');
    const ref = practice.service.get(first.id).nodes[0]?.attempts[0]?.ref;
    assert.ok(ref !== undefined);
    silent = `/null/${ref}.sock`;
    await practice.untilPhase(first.id, 'unreachable');
    // A virtual machine that stands still: its clock is set right after it, and none of what only grows has grown.
    pausedMs = HOUR;
    practice.clock.jump(HOUR);
    await practice.until(() => jumpOf() !== null);
    await practice.until(() => jumpOf() === null);
    assert.ok(Math.abs((time ?? practice.clock).now() - practice.clock.now()) < 60_000, 'it is followed');
    assert.equal(practice.service.get(first.id).phase, 'unreachable');
    practice.close();
  });
});
