/** How soon those who watch an agent's status hear of a change. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { AgentStatus } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { StatusFeed } from '../../src/agent/status.ts';

const off = { state: 'starting', pid: null, restarts: 0, message: '' } as const;
const STATUS: AgentStatus = {
  protocol: 1,
  version: 'test',
  nodeId: 'n',
  ref: 'r',
  startedAtMs: 0,
  nowMs: 0,
  jupyter: off,
  engine: { ...off, state: 'off', headAddress: null, nodesAlive: null, rayVersion: null },
  kernels: [],
  watchdog: { state: 'off', reason: 'none', idleSinceMs: null, activity: [], stopAtMs: null },
  signals: null,
};

/** A feed with somebody who watches it; `heard` has the messages of Jupyter's state as they came. */
async function watched() {
  const clock = new VirtualClock();
  let status = STATUS;
  const feed = new StatusFeed(clock, () => status);
  const heard: string[] = [];
  const over = new AbortController();
  const reading = (async () => {
    for await (const { jupyter } of feed.watch(over.signal)) {
      heard.push(jupyter.message);
    }
  })();
  const say = (message: string): void => {
    status = { ...status, jupyter: { ...status.jupyter, message } };
  };
  const pass = async (ms: number): Promise<void> => {
    await setImmediate();
    const untilMs = clock.now() + ms;
    for (let next = clock.nextTimerAt(); next !== null && next <= untilMs; next = clock.nextTimerAt()) {
      clock.step();
      await setImmediate();
    }
  };
  await pass(0);
  heard.length = 0;
  return { feed, heard, say, pass, end: async () => (over.abort(), reading) };
}

describe('the status of an agent', () => {
  it('is told a moment after a change, with those that follow it', async () => {
    const { feed, heard, say, pass, end } = await watched();
    say('one');
    feed.changed();
    await pass(0);
    assert.deepEqual(heard, []);
    say('two');
    feed.changed();
    await pass(1_000);
    assert.deepEqual(heard, ['two']);
    await end();
  });

  it('is told at once when a program comes up or goes down', async () => {
    const { feed, heard, say, pass, end } = await watched();
    say('one');
    feed.changed();
    say('up');
    feed.turned();
    await pass(0);
    assert.deepEqual(heard, ['up']);
    await pass(1_000);
    assert.deepEqual(heard, ['up']);
    await end();
  });
});
