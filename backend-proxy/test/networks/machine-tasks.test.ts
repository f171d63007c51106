/** What is done on machines of one's own, and how it ends. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { createIds, seededRandom } from '@hitch/platform/src/random.ts';
import { KeyNotKnown, MachineTasks } from '../../src/networks/machine-tasks.ts';

describe('a task on a machine of one’s own that is cancelled', () => {
  const clock = new VirtualClock();
  const tasks = new MachineTasks({
    clock,
    ids: createIds(clock, seededRandom(1)),
    log: silentLog,
    sentenceOf: error => error,
  });

  it('has ended by then, and says so', async () => {
    let isWorking = true;
    const { id } = tasks.start('test', 'gpu-box', signal => {
      const ended = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => {
        isWorking = false;
        ended.reject(new Error('given up'));
      });
      return ended.promise;
    });
    const { state, step } = await tasks.cancel(id);
    assert.equal(isWorking, false);
    assert.deepEqual([state, step], ['cancelled', 'Cancelled.']);
  });

  it('is done where its work was over before it could be ended', async () => {
    const written = Promise.withResolvers<undefined>();
    const { id } = tasks.start('remove', 'gpu-box', async () => {
      await written.promise;
      return { notLooked: 'gpu-box does not answer.' };
    });
    const cancelling = tasks.cancel(id);
    assert.deepEqual((await tasks.get(id)).step, 'Cancelling.');
    written.resolve(undefined);
    const { state, notLooked } = await cancelling;
    assert.deepEqual([state, notLooked], ['done', 'gpu-box does not answer.']);
  });

  it('asks nobody for a key', async () => {
    const { id } = tasks.start('add', 'gpu-box', async signal => {
      await new Promise(resolve => signal.addEventListener('abort', resolve));
      throw new KeyNotKnown({ type: 'ED25519', fingerprint: 'SHA256:x' });
    });
    const { state, hostKey } = await tasks.cancel(id);
    assert.deepEqual([state, hostKey], ['cancelled', null]);
  });
});
