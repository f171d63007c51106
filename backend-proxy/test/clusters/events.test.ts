import assert from 'node:assert/strict';
import type { WatchedEvent } from '@hitch/contract';
import { Practice } from './practice.ts';
import { settle } from './turn.ts';

/** Collects what a watcher hears, until it is stopped. */
function listen(practice: Practice, cursor?: string) {
  const controller = new AbortController();
  const heard: WatchedEvent[] = [];
  const done = (async () => {
    for await (const event of practice.service.watch(cursor, controller.signal)) {
      heard.push(event);
    }
  })();
  return {
    heard,
    stop: async () => {
      controller.abort();
      await done;
    },
  };
}

const places = (events: readonly WatchedEvent[]) =>
  events.map(({ event }) => `${event.clusterId} ${event.seq.toString()}`);

describe('watching events', () => {
  it('hears every event once and in order, from any cursor, over the death of the daemon', async () => {
    const practice = await new Practice().open();
    const beginning = practice.service.cursor();
    const whole = listen(practice, beginning);
    const { id } = await practice.rent({ nodes: 2 });
    const other = await practice.rent();
    await practice.untilPhase(id, 'ready');
    await whole.stop();
    practice.close();
    await practice.open();
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    await practice.pass(practice.service.remove(id));
    const replayed = listen(practice, beginning);
    await practice.run(1_000);
    await replayed.stop();
    assert.deepEqual(places(replayed.heard).slice(0, whole.heard.length), places(whole.heard));
    assert.equal(new Set(places(replayed.heard)).size, replayed.heard.length);
    for (const clusterId of [id, other.id]) {
      const seqs = replayed.heard
        .filter(({ event }) => event.clusterId === clusterId)
        .map(({ event }) => event.seq);
      assert.deepEqual(
        seqs,
        seqs.map((_, index) => index + 1),
      );
    }
    assert.ok(replayed.heard.some(({ event }) => event.kind === 'removed'));
    for (const { cursor } of replayed.heard) {
      const rest = listen(practice, cursor);
      await settle();
      await settle();
      await rest.stop();
      const at = replayed.heard.findIndex(event => event.cursor === cursor);
      assert.deepEqual(places(rest.heard), places(replayed.heard.slice(at + 1)));
    }
    practice.close();
  });

  it('hears only what is new without a cursor', async () => {
    const practice = await new Practice().open();
    await practice.rent();
    await practice.run(1_000);
    const live = listen(practice);
    const { id } = await practice.rent();
    await practice.run(10);
    await live.stop();
    assert.ok(live.heard.length > 0);
    assert.equal(live.heard[0]?.event.clusterId, id);
    practice.close();
  });

  it('says what is wrong with a cursor that is not one of its own', async () => {
    const practice = await new Practice().open();
    for (const cursor of ['', 'nonsense', 'ezzzzzzzz', 'e-1']) {
      assert.throws(() => practice.service.watch(cursor, new AbortController().signal), /event cursor/);
    }
    practice.close();
  });
});
