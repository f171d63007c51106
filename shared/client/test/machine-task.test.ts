import assert from 'node:assert/strict';
import type { HitchClient, MachineTask } from '@hitch/contract';
import { HitchError } from '@hitch/contract';
import { followTask } from '../src/machine-task.ts';

const task = (change: Partial<MachineTask> = {}): MachineTask => ({
  id: 't1',
  kind: 'add',
  machine: 'gpu-box',
  state: 'running',
  step: 'Connecting to gpu-box.',
  hostKey: null,
  seen: null,
  stillThere: [],
  notLooked: null,
  freedMiB: null,
  problem: null,
  ...change,
});

/** A daemon that answers these, one after the other; the last one again and again. */
function daemon(...answers: readonly (MachineTask | Error)[]) {
  return daemonThat('cancelled', ...answers);
}

/** @param cancelledAs what has become of a task when it is cancelled */
function daemonThat(cancelledAs: MachineTask['state'], ...answers: readonly (MachineTask | Error)[]) {
  const left = [...answers];
  const cancelled: string[] = [];
  const networks = {
    task: () => {
      const next = left.length > 1 ? left.shift() : left[0];
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    cancelTask: ({ taskId }: { taskId: string }) => {
      cancelled.push(taskId);
      return Promise.resolve(task({ state: cancelledAs }));
    },
  };
  // What is used of a client.
  return { client: { api: { networks } } as unknown as HitchClient, cancelled };
}

const never = new AbortController().signal;

describe('something that is done on a machine of one’s own', () => {
  it('is followed to its end, each step said once', async () => {
    const { client, cancelled } = daemon(
      task(),
      task({ step: 'Looking at it.' }),
      task({ step: 'Looking at it.' }),
      task({ state: 'done' }),
    );
    const steps: string[] = [];
    const end = await followTask(client, task(), { signal: never, onStep: step => steps.push(step) });
    assert.equal(end.state, 'done');
    assert.deepEqual(steps, ['Connecting to gpu-box.', 'Looking at it.']);
    assert.deepEqual(cancelled, []);
  });

  it('comes back with the key that a person is asked about', async () => {
    const hostKey = { type: 'ED25519', fingerprint: 'SHA256:x' };
    const { client } = daemon(task({ state: 'asks_key', hostKey }));
    const end = await followTask(client, task(), { signal: never, onStep: () => undefined });
    assert.deepEqual(end.hostKey, hostKey);
  });

  it('fails with the sentence of the daemon', async () => {
    const problem = new HitchError('UNREACHABLE', 'gpu-box does not answer.').toEnvelope();
    const { client } = daemon(task({ state: 'failed', problem }));
    await assert.rejects(
      followTask(client, task(), { signal: never, onStep: () => undefined }),
      /gpu-box does not answer/,
    );
  });

  it('is done where a person gives up too late', async () => {
    const given = new AbortController();
    const { client, cancelled } = daemonThat('done', task());
    const end = await followTask(client, task(), {
      signal: given.signal,
      onStep: () => given.abort(new Error('given up')),
    });
    assert.equal(end.state, 'done');
    assert.deepEqual(cancelled, ['t1']);
  });

  it('is cancelled when a person gives up, and when the daemon cannot be asked', async () => {
    const given = new AbortController();
    const { client, cancelled } = daemon(task());
    const following = followTask(client, task(), {
      signal: given.signal,
      onStep: () => given.abort(new Error('given up')),
    });
    await assert.rejects(following, /given up/);
    assert.deepEqual(cancelled, ['t1']);
    const away = daemon(new HitchError('UNREACHABLE', 'It is away.'));
    await assert.rejects(
      followTask(away.client, task(), { signal: never, onStep: () => undefined }),
      /It is away/,
    );
    assert.deepEqual(away.cancelled, ['t1']);
  });
});
