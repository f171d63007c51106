import assert from 'node:assert/strict';
import { SharedWork } from '../../../src/machines/far/shared-work.ts';

const never = new AbortController().signal;

describe('work that several want at once', () => {
  it('is done once for all who wait, and again for who comes later', async () => {
    const shared = new SharedWork<number>();
    let done = 0;
    const work = async (): Promise<number> => {
      await Promise.resolve();
      return ++done;
    };
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => shared.join('a', never, work))), [1, 1, 1]);
    assert.equal(await shared.join('a', never, work), 2);
  });

  it('is its own for each name', async () => {
    const shared = new SharedWork<string>();
    const both = ['a', 'b'].map(name => shared.join(name, never, () => Promise.resolve(name)));
    assert.deepEqual(await Promise.all(both), ['a', 'b']);
  });

  it('fails for all who wait, and not for who comes later', async () => {
    const shared = new SharedWork<string>();
    const fail = (): Promise<string> => Promise.reject(new Error('no'));
    const both = [shared.join('a', never, fail), shared.join('a', never, fail)];
    assert.deepEqual(
      (await Promise.allSettled(both)).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(await shared.join('a', never, () => Promise.resolve('yes')), 'yes');
  });

  it('goes on while one waits for it, and is given up with the last', async () => {
    const shared = new SharedWork<string>();
    const answer = Promise.withResolvers<string>();
    const signals: AbortSignal[] = [];
    const begin = (signal: AbortSignal): Promise<string> => {
      signals.push(signal);
      return answer.promise;
    };
    const [one, other] = [new AbortController(), new AbortController()];
    const first = shared.join('a', one.signal, begin);
    const second = shared.join('a', other.signal, begin);
    one.abort(new Error('one gave up'));
    await assert.rejects(first, /one gave up/);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [false],
    );
    other.abort(new Error('the other gave up'));
    await assert.rejects(second, /the other gave up/);
    assert.equal(signals[0]?.aborted, true);
    const later = shared.join('a', never, begin);
    answer.resolve('yes');
    assert.equal(await later, 'yes');
    assert.equal(signals.length, 2);
  });
});
