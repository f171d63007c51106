/** So many programs at once over one connection: the order is kept, and nobody waits after giving up. */
import assert from 'node:assert/strict';
import { Turns } from '../../../src/access/tunnel/turns.ts';

const signal = new AbortController().signal;

/** Work that runs until the test ends it. */
function held() {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  return { work: () => promise, end: () => resolve(null) };
}

describe('turns over one connection', () => {
  it('are taken in order, so many at once', async () => {
    const turns = new Turns(1);
    const first = held();
    const done: string[] = [];
    const all = [
      turns.take(signal, first.work),
      ...['second', 'third'].map(name =>
        turns.take(signal, () => {
          done.push(name);
          return Promise.resolve();
        }),
      ),
    ];
    await Promise.resolve();
    assert.deepEqual(done, []);
    first.end();
    await Promise.all(all);
    assert.deepEqual(done, ['second', 'third']);
  });

  it('are waited for by nobody who has given up, and the next in the line gets the turn', async () => {
    const turns = new Turns(1);
    const first = held();
    const running = turns.take(signal, first.work);
    const leaving = new AbortController();
    let ran = false;
    const waiting = turns.take(leaving.signal, () => {
      ran = true;
      return Promise.resolve();
    });
    const last = turns.take(signal, () => Promise.resolve('last'));
    leaving.abort(new Error('no longer wanted'));
    await assert.rejects(waiting, /no longer wanted/);
    first.end();
    await running;
    assert.equal(await last, 'last');
    assert.equal(ran, false);
    // The turn of the one that left is not lost.
    assert.equal(await turns.take(signal, () => Promise.resolve('again')), 'again');
  });

  it('are not begun for somebody who gave up before', async () => {
    const turns = new Turns(1);
    const gone = AbortSignal.abort(new Error('gone'));
    await assert.rejects(
      turns.take(gone, () => Promise.resolve()),
      /gone/,
    );
    assert.equal(await turns.take(signal, () => Promise.resolve(1)), 1);
  });

  it('come free again when the work fails', async () => {
    const turns = new Turns(1);
    await assert.rejects(
      turns.take(signal, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    assert.equal(await turns.take(signal, () => Promise.resolve(1)), 1);
  });
});
