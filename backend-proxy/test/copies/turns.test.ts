/** Copies into the same place go one after the other, and nobody else waits. */
import assert from 'node:assert/strict';
import { Turns } from '../../src/copies/turns.ts';

describe('copies that write to the same place', () => {
  const { signal } = new AbortController();
  const never = (): void => assert.fail('it waits for nothing');
  const soon = (): Promise<void> => new Promise(done => setImmediate(done));

  it('take turns where one lies in the other, and only there', async () => {
    const turns = new Turns();
    const first = turns.of(['c/data'], signal);
    await first.take(never);
    const inside = turns.of(['c/models', 'c/data/sub'], signal);
    let waits = 0;
    let begun = false;
    const inTurn = inside.take(() => (waits += 1)).then(() => (begun = true));
    for (const place of ['c/data2', 'c/other', 'd/data']) {
      await turns.of([place], signal).take(never);
    }
    await soon();
    assert.deepEqual([waits, begun], [1, false]);
    first.give();
    await inTurn;
    assert.equal(begun, true);
    let all = false;
    const whole = turns.of(['c'], signal);
    const last = whole.take(() => undefined).then(() => (all = true));
    await soon();
    assert.equal(all, false, 'a folder waits for what goes into it');
    inside.give();
    await soon();
    assert.equal(all, false, 'it waits for all of them');
    void last;
  });

  it('are not held up by one that asks, which goes on in its turn', async () => {
    const turns = new Turns();
    const asking = turns.of(['c'], signal);
    await asking.take(never);
    const { promise, resolve } = Promise.withResolvers<string>();
    const answered = asking.pausedFor(() => promise);
    const other = turns.of(['c'], signal);
    await other.take(never);
    let answer = '';
    void answered.then(text => (answer = text));
    resolve('replace');
    await soon();
    assert.equal(answer, '', 'the other one is at it');
    other.give();
    assert.equal(await answered, 'replace');
  });

  it('are ended while they wait', async () => {
    const turns = new Turns();
    await turns.of(['c'], signal).take(never);
    const ending = new AbortController();
    const waiting = turns.of(['c'], ending.signal).take(() => ending.abort(new Error('cancelled')));
    await assert.rejects(waiting, /cancelled/);
  });
});
