import assert from 'node:assert/strict';
import type { WatchdogConfig } from '@hitch/contract';
import fc from 'fast-check';
import {
  arm,
  step,
  touch,
  watchdogState,
  type Effect,
  type Watch,
} from '../../src/agent/watchdog/machine.ts';

const MINUTE = 60_000;
const START = 1_800_000_000_000;

/** Steps a watch through time that passes as it should, unless `jump` moves the wall clock alone. */
class Node {
  wallMs = START;
  monotonicMs = 5_000;
  watch: Watch;
  readonly effects: Effect[] = [];

  constructor(config: Partial<WatchdogConfig>) {
    const whole = { stopAtMs: null, idleMs: null, warnBeforeMs: 10 * MINUTE, webhookUrl: null, ...config };
    this.watch = arm(whole, this, null);
  }

  pass(ms: number, activity: readonly string[] = [], everyMs = 5_000): this {
    for (let left = ms; left > 0; left -= everyMs) {
      this.wallMs += Math.min(everyMs, left);
      this.monotonicMs += Math.min(everyMs, left);
      this.look(activity);
    }
    return this;
  }

  jump(ms: number): this {
    this.wallMs += ms;
    return this;
  }

  look(activity: readonly string[] = []): this {
    const next = step(this.watch, { wallMs: this.wallMs, monotonicMs: this.monotonicMs, activity });
    this.watch = next.watch;
    this.effects.push(...next.effects);
    return this;
  }

  get told(): string[] {
    return this.effects.map(effect => (effect.do === 'warn' ? 'warn' : `end ${effect.reason}`));
  }
}

const busy = ['kernel train.ipynb is busy'];

describe('The watchdog', () => {
  const table: { does: string; node: () => Node; told: string[]; state: string }[] = [
    {
      does: 'is off without rules, however long nothing happens',
      node: () => new Node({}).pass(600 * MINUTE, [], MINUTE),
      told: [],
      state: 'off',
    },
    {
      does: 'is armed while its stop time is far',
      node: () => new Node({ stopAtMs: START + 60 * MINUTE }).pass(49 * MINUTE, busy),
      told: [],
      state: 'armed',
    },
    {
      does: 'warns once when its stop time is near',
      node: () => new Node({ stopAtMs: START + 60 * MINUTE }).pass(55 * MINUTE, busy),
      told: ['warn'],
      state: 'warned',
    },
    {
      does: 'ends at its stop time, however busy it is',
      node: () => new Node({ stopAtMs: START + 60 * MINUTE }).pass(61 * MINUTE, busy),
      told: ['warn', 'end stop_time'],
      state: 'ending',
    },
    {
      does: 'ends once, whatever it sees after that',
      node: () => new Node({ stopAtMs: START + MINUTE }).pass(30 * MINUTE, busy),
      told: ['warn', 'end stop_time'],
      state: 'ending',
    },
    {
      does: 'ends at once when it is armed with a stop time that is past',
      node: () => new Node({ stopAtMs: START - MINUTE }).look(busy),
      told: ['end stop_time'],
      state: 'ending',
    },
    {
      does: 'warns in the last third of its idle time and ends after all of it',
      node: () => new Node({ idleMs: 30 * MINUTE }).pass(30 * MINUTE),
      told: ['warn', 'end idle'],
      state: 'ending',
    },
    {
      does: 'never ends for being idle while something works',
      node: () => new Node({ idleMs: 30 * MINUTE }).pass(600 * MINUTE, busy, MINUTE),
      told: [],
      state: 'armed',
    },
    {
      does: 'goes back to armed when work begins after the warning, and counts anew',
      node: () =>
        new Node({ idleMs: 30 * MINUTE })
          .pass(25 * MINUTE)
          .pass(5_000, busy)
          .pass(19 * MINUTE),
      told: ['warn'],
      state: 'armed',
    },
    {
      does: 'says the rule that is due first',
      node: () => new Node({ stopAtMs: START + 300 * MINUTE, idleMs: 10 * MINUTE }).pass(11 * MINUTE),
      told: ['warn', 'end idle'],
      state: 'ending',
    },
    {
      does: 'does not believe a clock that jumps past the stop time until it says so for a minute',
      node: () =>
        new Node({ stopAtMs: START + 60 * MINUTE })
          .pass(MINUTE, busy)
          .jump(120 * MINUTE)
          .pass(MINUTE / 2, busy),
      told: ['warn'],
      state: 'warned',
    },
    {
      does: 'believes the clock when it stays there',
      node: () =>
        new Node({ stopAtMs: START + 60 * MINUTE })
          .pass(MINUTE, busy)
          .jump(120 * MINUTE)
          .pass(2 * MINUTE, busy),
      told: ['warn', 'end stop_time'],
      state: 'ending',
    },
    {
      does: 'forgets a jump that was taken back',
      node: () =>
        new Node({ stopAtMs: START + 60 * MINUTE })
          .pass(MINUTE, busy)
          .jump(120 * MINUTE)
          .pass(MINUTE / 2, busy)
          .jump(-120 * MINUTE)
          .pass(30 * MINUTE, busy),
      told: ['warn'],
      state: 'armed',
    },
    {
      does: 'is not stretched by a clock that is set back',
      node: () =>
        new Node({ stopAtMs: START + 60 * MINUTE })
          .pass(MINUTE, busy)
          .jump(-300 * MINUTE)
          .pass(60 * MINUTE, busy),
      told: ['warn', 'end stop_time'],
      state: 'ending',
    },
    {
      does: 'does not count a jump of the clock as idle time',
      node: () =>
        new Node({ idleMs: 30 * MINUTE })
          .pass(MINUTE)
          .jump(60 * MINUTE)
          .pass(MINUTE),
      told: [],
      state: 'armed',
    },
    {
      does: 'does not count a standstill of its own as an hour of idleness',
      node: () => new Node({ idleMs: 30 * MINUTE }).pass(MINUTE).pass(60 * MINUTE, [], 60 * MINUTE),
      told: [],
      state: 'armed',
    },
  ];

  for (const { does, node, told, state } of table) {
    it(does, () => {
      const after = node();
      assert.deepEqual(after.told, told);
      assert.equal(watchdogState(after.watch).state, state);
    });
  }

  it('lets a later stop time undo a warning, and keeps what was idle', () => {
    const node = new Node({ stopAtMs: START + 12 * MINUTE, idleMs: 60 * MINUTE }).pass(5 * MINUTE);
    assert.equal(node.watch.phase, 'warned');
    node.watch = arm({ ...node.watch.config, stopAtMs: START + 600 * MINUTE }, node, node.watch);
    node.look();
    assert.equal(node.watch.phase, 'armed');
    assert.ok(node.watch.idleForMs >= 5 * MINUTE);
  });

  it('does not turn back once it ends', () => {
    const node = new Node({ stopAtMs: START + MINUTE }).pass(2 * MINUTE);
    node.watch = arm({ ...node.watch.config, stopAtMs: null }, node, node.watch);
    assert.equal(node.watch.phase, 'ending');
  });

  it('counts idle time anew when somebody types', () => {
    const node = new Node({ idleMs: 30 * MINUTE }).pass(29 * MINUTE);
    node.watch = touch(node.watch);
    node.pass(15 * MINUTE);
    assert.equal(node.watch.phase, 'armed');
  });

  it('says how long is left in its warning', () => {
    const node = new Node({ stopAtMs: START + 10 * MINUTE }).pass(5_000, busy);
    assert.match(node.effects[0]?.sentence ?? '', /^This node ends in 10 min: its stop time is near\./);
  });

  it('never spends past its stop time by more than a look, whatever the wall clock does', () => {
    const jumps = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 1, max: 20 * MINUTE }),
        byMs: fc.integer({ min: -600 * MINUTE, max: 600 * MINUTE }),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(jumps, moves => {
        const node = new Node({ stopAtMs: START + 60 * MINUTE });
        const begun = node.monotonicMs;
        for (const { afterMs, byMs } of moves) {
          node.pass(afterMs, busy).jump(byMs);
        }
        node.pass(Math.max(5_000, 60 * MINUTE - (node.monotonicMs - begun) + 5_000), busy);
        assert.equal(node.watch.phase, 'ending');
        assert.equal(node.told.filter(told => told.startsWith('end')).length, 1);
      }),
      { numRuns: 200 },
    );
  });
});
