/** Dialling a silent machine: the first of several tries that answers stays, and there are never many. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { FarError } from '../../../src/access/tunnel/far-shell.ts';
import { SpareTries, firstToAnswer } from '../../../src/access/tunnel/several-tries.ts';

const GAP_MS = 1_000;
const silence = (): FarError => new FarError('unreachable', 'It does not answer.');

interface Dialled {
  readonly signal: AbortSignal;
  readonly answer: (name: string) => void;
  readonly fail: (error: Error) => void;
}

/** Tries that the test answers; whoever is given up fails as `ssh` does. */
function dialling(options: { gapMs?: number | null; spare?: SpareTries } = {}) {
  const clock = new VirtualClock();
  const dialled: Dialled[] = [];
  const closed: string[] = [];
  const over = new AbortController();
  const first = firstToAnswer<string>({
    open: signal => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      dialled.push({ signal, answer: resolve, fail: reject });
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      return promise;
    },
    close: name => void closed.push(name),
    clock,
    gapMs: GAP_MS,
    spare: new SpareTries(8),
    signal: over.signal,
    ...options,
  });
  first.catch(() => undefined);
  const pass = async (steps: number): Promise<void> => {
    for (let step = 0; step < steps; step++) {
      clock.step();
      await setImmediate();
    }
  };
  const running = (): readonly number[] =>
    dialled.flatMap(({ signal }, index) => (signal.aborted ? [] : [index]));
  return { clock, dialled, closed, over, first, pass, running };
}

describe('several tries to reach a machine', () => {
  it('are one where nothing is known of it', async () => {
    const { clock, dialled, first } = dialling({ gapMs: null });
    assert.equal(clock.nextTimerAt(), null);
    dialled[0]?.answer('one');
    assert.equal(await first, 'one');
  });

  it('are joined by another after each pause, and the first that answers stays', async () => {
    const { clock, dialled, first, pass, running } = dialling();
    await pass(2);
    assert.deepEqual(running(), [0, 1, 2]);
    dialled[1]?.answer('the second');
    assert.equal(await first, 'the second');
    assert.deepEqual(running(), [1]);
    assert.equal(clock.nextTimerAt(), null, 'nothing is tried any more');
  });

  it('are the oldest and the latest ones, and no more', async () => {
    const { pass, running } = dialling();
    await pass(7);
    assert.deepEqual(running(), [0, 5, 6, 7]);
  });

  it('share what may be tried with those of other machines, and give it back', async () => {
    const spare = new SpareTries(2);
    const one = dialling({ spare });
    await one.pass(4);
    assert.deepEqual(one.running(), [0, 1, 2]);
    const other = dialling({ spare });
    await other.pass(4);
    assert.deepEqual(other.running(), [0]);
    one.dialled[0]?.answer('one');
    await one.first;
    await other.pass(4);
    assert.deepEqual(other.running(), [0, 1, 2]);
  });

  it('go on when one of them is given up by ssh, and are over when the last one is', async () => {
    const { dialled, first, pass, running } = dialling();
    await pass(1);
    dialled[0]?.fail(silence());
    await setImmediate();
    assert.deepEqual(running().includes(1), true);
    dialled[1]?.fail(new FarError('unreachable', 'The last one.'));
    await assert.rejects(first, /The last one/);
  });

  it('are over at the first word of the machine', async () => {
    const { clock, dialled, first, pass } = dialling();
    await pass(2);
    dialled[2]?.fail(new FarError('login', 'It lets nobody in.'));
    await assert.rejects(first, /It lets nobody in/);
    assert.ok(dialled.slice(0, 2).every(({ signal }) => signal.aborted));
    assert.equal(clock.nextTimerAt(), null);
  });

  it('close one that answers when another has', async () => {
    const { dialled, closed, first, pass } = dialling();
    await pass(1);
    dialled[0]?.answer('first');
    dialled[1]?.answer('late');
    assert.equal(await first, 'first');
    await setImmediate();
    assert.deepEqual(closed, ['late']);
  });

  it('end with whoever waits for them', async () => {
    const { dialled, first, over, pass } = dialling();
    await pass(2);
    over.abort(new Error('Nobody waits.'));
    await assert.rejects(first, /Nobody waits/);
    assert.ok(dialled.every(({ signal }) => signal.aborted));
  });
});
