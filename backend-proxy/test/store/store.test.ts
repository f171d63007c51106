import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError, MAX_MICRO_USD } from '@hitch/contract';
import fc from 'fast-check';
import type { Change, Store } from '../../src/ledger/store.ts';
import { MemoryDisk } from '../../src/store/memory-disk.ts';
import { openStore } from '../../src/store/open.ts';
import { attempt, cluster, event, ids, node, quote, segment, START_MS } from './records.ts';

const now = () => START_MS;

for (const worker of [true, false]) {
  describe(`the store ${worker ? 'in its own thread' : 'in the caller’s thread'}`, function () {
    this.timeout(60_000);
    let folder = '';
    let path = '';
    const opened: Store[] = [];
    const open = async () => {
      const store = await openStore({ path, worker, now });
      opened.push(store);
      return store;
    };

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'hitch-store-'));
      path = join(folder, 'home', 'hitch.db');
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map(store => store.close()));
      rmSync(folder, { recursive: true, force: true });
    });

    it('gives back after a restart exactly what was committed, under a higher lease epoch', async () => {
      const mine = cluster();
      const head = node(mine);
      const tried = attempt(head);
      const change: Change = {
        clusters: [mine],
        nodes: [head],
        attempts: [tried],
        segments: [segment(tried), segment(tried, { index: 1, kind: 'once', amountMicroUsd: MAX_MICRO_USD })],
        quotes: [quote(), quote({}, mine.id)],
        events: [event(mine, 1), event(mine, 2)],
      };
      const first = await open();
      const empty = await first.load();
      assert.deepEqual([empty.clusters.length, empty.lastPosition, empty.leaseEpoch], [0, 0, 1]);
      await first.commit(change);
      await first.close();

      const second = await open();
      const snapshot = await second.load();
      assert.deepEqual(snapshot.clusters, change.clusters);
      assert.deepEqual(snapshot.nodes, change.nodes);
      assert.deepEqual(snapshot.attempts, change.attempts);
      assert.deepEqual(snapshot.segments, change.segments);
      assert.deepEqual(new Set(snapshot.quotes), new Set(change.quotes));
      assert.deepEqual([snapshot.lastPosition, snapshot.leaseEpoch], [2, 2]);
      assert.deepEqual(await second.eventsOf(mine.id, 1, 10), [event(mine, 2)]);
      assert.deepEqual(await second.eventsAfter(0, 1), [event(mine, 1)]);
    });

    it('keeps the last version of a row when many are committed at once, and resolves in order', async () => {
      const store = await open();
      await store.load();
      const mine = cluster();
      const order: number[] = [];
      await Promise.all(
        Array.from({ length: 300 }, async (_, index) => {
          await store.commit({ clusters: [{ ...mine, message: `step ${index.toString()}` }] });
          order.push(index);
        }),
      );
      assert.deepEqual(
        order,
        Array.from({ length: 300 }, (_, index) => index),
      );
      await store.close();
      const snapshot = await (await open()).load();
      assert.equal(snapshot.clusters[0]?.message, 'step 299');
    });

    it('refuses one impossible change without losing those committed beside it', async () => {
      const store = await open();
      await store.load();
      const mine = cluster();
      const outcomes = await Promise.allSettled([
        store.commit({ clusters: [mine], events: [event(mine, 1)] }),
        store.commit({ events: [event(mine, 1)] }),
        store.commit({ clusters: [{ ...mine, message: 'after' }], events: [event(mine, 2)] }),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.equal((await store.eventsAfter(0, 10)).length, 2);
      await store.close();
      assert.equal((await (await open()).load()).clusters[0]?.message, 'after');
    });

    it('forgets a cluster, keeps its cost to the micro-dollar and its events', async () => {
      const store = await open();
      await store.load();
      const mine = cluster();
      const other = cluster({ name: 'other' });
      const tried = attempt(node(mine));
      const hourMs = 3_600_000;
      await store.commit({
        clusters: [mine, other],
        attempts: [tried],
        segments: [
          segment(tried, { startMs: START_MS, endMs: START_MS + hourMs }),
          segment(tried, { index: 1, kind: 'once', amountMicroUsd: 7n, endMs: START_MS }),
          segment(tried, { index: 2, kind: 'floor', amountMicroUsd: 420_003n, endMs: START_MS }),
          segment(attempt(node(mine)), { kind: 'floor', amountMicroUsd: 50n, endMs: START_MS }),
        ],
        quotes: [quote({}, mine.id)],
        events: [event(mine, 1)],
      });
      await store.commit({ forget: [mine.id], events: [event(mine, 2, { kind: 'removed' })] });
      assert.equal(await store.forgottenCost(START_MS, START_MS + hourMs), 420_060n);
      assert.equal(await store.forgottenCost(START_MS + hourMs / 2, START_MS + 2 * hourMs), 210_000n);
      assert.equal(await store.forgottenCost(START_MS - hourMs, START_MS), 0n);
      assert.equal((await store.eventsOf(mine.id, 0, 10)).length, 2);
      await store.close();
      const snapshot = await (await open()).load();
      assert.deepEqual(
        snapshot.clusters.map(({ name }) => name),
        ['other'],
      );
      assert.deepEqual(
        [snapshot.attempts.length, snapshot.segments.length, snapshot.quotes.length],
        [0, 0, 0],
      );
    });

    it('drops quotes that expired unused and keeps those that a cluster used', async () => {
      const store = await open();
      await store.load();
      const old = { expiresAtMs: START_MS - 1 };
      const used = quote(old, ids.next('clu'));
      await store.commit({ quotes: [quote(old), used] });
      await store.close();
      assert.deepEqual((await (await open()).load()).quotes, [used]);
    });

    it('is held by one at a time', async () => {
      await open();
      await assert.rejects(
        open(),
        (error: unknown) =>
          error instanceof HitchError &&
          error.code === 'CONFLICT' &&
          /Another Hitch daemon holds/.test(error.message),
      );
    });

    it('stores every amount of money exactly', async () => {
      const store = await open();
      await store.load();
      const mine = cluster();
      const head = node(mine);
      const tried = attempt(head);
      await store.commit({ clusters: [mine], nodes: [head], attempts: [tried] });
      const amounts: bigint[] = [];
      await fc.assert(
        fc.asyncProperty(fc.bigInt({ min: 0n, max: MAX_MICRO_USD }), async amount => {
          await store.commit({
            segments: [segment(tried, { index: amounts.length, amountMicroUsd: amount })],
          });
          amounts.push(amount);
        }),
      );
      await store.close();
      const snapshot = await (await open()).load();
      assert.deepEqual(
        snapshot.segments.map(({ amountMicroUsd }) => amountMicroUsd),
        amounts,
      );
    });
  });
}

describe('the store on a disk in memory', () => {
  it('refuses a killed daemon’s late commits once the next daemon loaded', async () => {
    const disk = new MemoryDisk();
    const open = () => openStore({ path: ':memory:', worker: false, now, disk });
    const killed = await open();
    await killed.load();
    const inFlight = killed.commit({ clusters: [cluster()] });
    const next = await open();
    assert.equal((await next.load()).clusters.length, 1);
    await inFlight;
    await assert.rejects(killed.commit({ clusters: [cluster()] }), /Another Hitch daemon took .* over/);
  });
});
