import assert from 'node:assert/strict';
import fc from 'fast-check';
import { JUMP_MS, type KeptTime, SteadyClock, type TimeSource } from '../src/steady-clock.ts';

const START_MS = 1_800_000_000_000;
const HOUR = 3_600_000;

/** A computer: time passes, it sleeps, somebody sets its clock. */
class Computer implements TimeSource {
  bootId: string | null = 'first';
  #awakeMs = 5_000;
  #asleepMs = 0;
  #offMs = 0;
  trueMs = START_MS;

  wall = () => this.trueMs + this.#offMs;
  monotonic = () => this.#awakeMs;
  sinceBoot = () => this.#awakeMs + this.#asleepMs;

  pass(ms: number): void {
    this.#awakeMs += ms;
    this.trueMs += ms;
  }

  sleep(ms: number): void {
    this.#asleepMs += ms;
    this.trueMs += ms;
  }

  setClock(byMs: number): void {
    this.#offMs = byMs;
  }

  restart(offForMs: number): void {
    this.bootId = `${this.bootId ?? ''}+`;
    this.trueMs += offForMs;
    this.#awakeMs = 1_000;
    this.#asleepMs = 0;
  }
}

/** What a clock says right after it looked. */
const looked = (computer: Computer, clock: SteadyClock): number => {
  computer.pass(1_000);
  return clock.now();
};
const jumpOf = (clock: SteadyClock): number | null => clock.jump?.byMs ?? null;
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) <= JUMP_MS, `${actual.toString()} for ${expected.toString()}`);

describe('a clock that does not jump', () => {
  let computer: Computer;

  beforeEach(() => {
    computer = new Computer();
  });

  it('goes on as before when the wall clock is set, and says by how much', () => {
    const clock = new SteadyClock(computer);
    const jumps: (number | null)[] = [];
    clock.onJump(jump => jumps.push(jump?.byMs ?? null));
    for (const byMs of [400 * 24 * HOUR, -10 * 365 * 24 * HOUR, 6_000, 0]) {
      computer.setClock(byMs);
      near(looked(computer, clock), computer.trueMs);
    }
    assert.deepEqual(jumps, [400 * 24 * HOUR, -10 * 365 * 24 * HOUR, 6_000, null]);
    assert.equal(jumpOf(clock), null);
  });

  it('counts the sleep of the computer, whatever the wall clock says after it', () => {
    const clock = new SteadyClock(computer);
    computer.sleep(8 * HOUR);
    near(looked(computer, clock), computer.trueMs);
    assert.equal(jumpOf(clock), null, 'a night is no jump');
    assert.ok(clock.monotonic() >= 8 * HOUR);
    computer.setClock(-30 * HOUR);
    computer.sleep(HOUR);
    near(looked(computer, clock), computer.trueMs);
    assert.equal(jumpOf(clock), -30 * HOUR);
  });

  it('follows once somebody else confirms', () => {
    const clock = new SteadyClock(computer);
    computer.setClock(3 * HOUR);
    looked(computer, clock);
    clock.trust();
    near(looked(computer, clock), computer.wall());
    assert.equal(jumpOf(clock), null);
  });

  it('follows what a time server corrects, and never goes back for it', () => {
    const clock = new SteadyClock(computer);
    const before = looked(computer, clock);
    computer.setClock(-4_000);
    assert.ok(looked(computer, clock) >= before);
    computer.pass(60_000);
    assert.equal(clock.now(), Math.floor(computer.wall()));
  });

  it('is taken up by the next process, over a jump in between', () => {
    const kept = new SteadyClock(computer).kept();
    computer.pass(HOUR);
    computer.setClock(1_000 * HOUR);
    const clock = new SteadyClock(computer, kept);
    near(clock.now(), computer.trueMs);
    assert.equal(jumpOf(clock), 1_000 * HOUR);
    assert.ok(clock.isSure);
  });

  it('is not sure of itself after the computer was off for long, and knows that time did not go back', () => {
    const kept = new SteadyClock(computer).kept();
    computer.restart(10 * HOUR);
    const later = new SteadyClock(computer, kept);
    near(later.now(), computer.wall());
    assert.equal(later.isSure, false);
    later.confirm();
    assert.ok(later.isSure);

    computer.setClock(-100 * 365 * 24 * HOUR);
    const reset = new SteadyClock(computer, kept);
    assert.ok(reset.now() >= kept.nowMs);
    assert.ok((jumpOf(reset) ?? 0) < 0);
    computer.setClock(0);
    computer.restart(60_000);
    assert.equal(new SteadyClock(computer, kept).isSure, false);
  });

  it('is as little sure in the next process, until somebody confirms', () => {
    const kept = new SteadyClock(computer).kept();
    computer.restart(10 * HOUR);
    const unsure = new SteadyClock(computer, kept);
    computer.pass(60_000);
    const next = new SteadyClock(computer, unsure.kept());
    assert.equal(next.isSure, false, 'of the same start of the computer');
    computer.restart(60_000);
    const restarted = new SteadyClock(computer, next.kept());
    assert.equal(restarted.isSure, false, 'of one that was off for a minute');
    const told: boolean[] = [];
    restarted.onConfirmed(() => told.push(restarted.isSure));
    restarted.confirm();
    restarted.confirm();
    assert.deepEqual(told, [true], 'said once');
    assert.ok(new SteadyClock(computer, restarted.kept()).isSure);
  });

  it('takes no two starts for one where the computer does not name them', () => {
    computer.bootId = null;
    const kept = new SteadyClock(computer).kept();
    computer.pass(5_000);
    computer.restart(10 * HOUR);
    computer.bootId = null;
    computer.pass(HOUR);
    const clock = new SteadyClock(computer, kept);
    near(clock.now(), computer.trueMs);
    assert.equal(clock.isSure, false);
  });

  it('is never wrong by more than small corrections, and never goes back, whatever happens', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 10 * HOUR }) }),
      fc.record({ do: fc.constant('sleep' as const), ms: fc.integer({ min: 2_000, max: 30 * HOUR }) }),
      // Small corrections are followed, so they would only add up here.
      fc.record({
        do: fc.constant('set' as const),
        ms: fc.integer({ min: -1e12, max: 1e12 }).filter(ms => Math.abs(ms) > 60_000),
      }),
      fc.record({ do: fc.constant('process' as const), ms: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const one = new Computer();
        let clock = new SteadyClock(one);
        let before = clock.now();
        for (const each of steps) {
          if (each.do === 'pass') {
            one.pass(each.ms);
          } else if (each.do === 'sleep') {
            one.sleep(each.ms);
          } else if (each.do === 'set') {
            one.setClock(each.ms);
          } else {
            const kept: KeptTime = clock.kept();
            clock = new SteadyClock(one, kept);
          }
          const now = looked(one, clock);
          near(now, one.trueMs);
          assert.ok(now >= before);
          before = now;
        }
      }),
    );
  });
});
