/** The practice market under a clock that moves only when told: its faults, its limits and its memory. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Offer, costOver } from '@hitch/contract';
import fc from 'fast-check';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { type FaultRule } from '../../src/providers/sandbox/faults.ts';
import { MarketRefusal } from '../../src/providers/sandbox/market-refusal.ts';
import { folderStorage } from '../../src/providers/sandbox/market-storage.ts';
import { NullRuntime } from '../../src/providers/sandbox/null-runtime.ts';
import { HOUR_MS, isRefusal, open, rentOne, signal } from './sandbox-rig.ts';

describe('practice market: its faults', () => {
  it('takes a machine back when it is preempted, and bills until then', async () => {
    const { clock, market } = open({ bootDelayMs: 0 }, [{ fault: 'preempted', chance: 1, afterMs: HOUR_MS }]);
    const { rental } = await rentOne(market, 'hitch-taken');
    clock.jump(HOUR_MS - 1);
    assert.equal((await market.show(rental.id, signal))?.state, 'running');
    clock.jump(HOUR_MS);
    assert.equal((await market.show(rental.id, signal))?.state, 'terminated');
    assert.equal(market.billed('hitch-taken'), rental.pricePerHourMicroUsd);
  });

  it('says of what is over the price at its end, however the price moved later', async () => {
    const reprice = { fault: 'repriced' as const, chance: 1, percent: 50, afterMs: 600_000 };
    const { clock, market } = open({}, [reprice]);
    const { rental } = await rentOne(market, 'hitch-dearerlater1');
    clock.jump(60_000);
    await market.end(rental.id, signal);
    clock.jump(HOUR_MS);
    const [over] = await market.history('hitch-dearerlater1', signal);
    assert.equal(over?.pricePerHourMicroUsd, rental.pricePerHourMicroUsd);
    assert.equal(market.billed('hitch-dearerlater1'), costOver(rental.pricePerHourMicroUsd, 60_000));
  });

  it('bills the first hour in any case where an offer says so, and no more than its hours after it', async () => {
    const { clock, market } = open();
    const isKept = ({ floorMicroUsd }: Offer) => BigInt(floorMicroUsd ?? '0') > 0n;
    const offers = await market.offers(signal);
    assert.ok(offers.some(isKept) && !offers.every(isKept));
    for (const offer of offers.filter(isKept)) {
      assert.equal(offer.floorMicroUsd, offer.pricePerHourMicroUsd, offer.id);
    }
    const { rental: short } = await rentOne(market, 'hitch-short', isKept);
    const { rental: long } = await rentOne(market, 'hitch-long', isKept);
    assert.equal(short.floorMicroUsd, short.pricePerHourMicroUsd);
    clock.jump(HOUR_MS / 2);
    await market.end(short.id, signal);
    assert.equal(market.billed('hitch-short'), short.pricePerHourMicroUsd);
    clock.jump(HOUR_MS);
    await market.end(long.id, signal);
    assert.equal(market.billed('hitch-long'), costOver(long.pricePerHourMicroUsd, 1.5 * HOUR_MS));
  });

  it('never gets ready a machine that never is', async () => {
    const { clock, market } = open({}, [{ fault: 'never_ready', chance: 1 }]);
    const { rental } = await rentOne(market, 'hitch-never');
    clock.jump(100 * HOUR_MS);
    assert.equal((await market.show(rental.id, signal))?.state, 'provisioning');
    await assert.rejects(market.host(rental.id, 0, signal), isRefusal('not_ready'));
  });

  it('says running, or both by turns, of a machine with a lying status', async () => {
    const early = open({ bootDelayMs: HOUR_MS }, [
      { fault: 'lying_status', chance: 1, as: 'running_while_booting' },
    ]);
    const lying = (await rentOne(early.market, 'hitch-lies')).rental;
    assert.equal(lying.state, 'running');
    await assert.rejects(early.market.host(lying.id, 0, signal), isRefusal('not_ready'));
    const turns = open({}, [{ fault: 'lying_status', chance: 1, as: 'flapping' }]);
    const { rental } = await rentOne(turns.market, 'hitch-flaps');
    const seen = new Set<string | undefined>();
    for (let second = 0; second < 30; second++) {
      turns.clock.jump(1000);
      seen.add((await turns.market.show(rental.id, signal))?.state);
    }
    assert.deepEqual(seen, new Set(['running', 'provisioning']));
  });

  it('fails the first so many ends of a machine and then ends it', async () => {
    const { market } = open({}, [{ fault: 'destroy_fails', chance: 1, times: 3 }]);
    const { rental } = await rentOne(market, 'hitch-sticky');
    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(market.end(rental.id, signal), isRefusal('server_error'));
    }
    await market.end(rental.id, signal);
    assert.equal((await market.show(rental.id, signal))?.state, 'terminated');
  });

  it('hides a lost purchase from its list no longer than it says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60_000 }), fc.nat(), async (visibilityDelayMs, number) => {
        const { clock, market } = open({ visibilityDelayMs }, [
          { fault: 'reply_lost_after_create', chance: 1 },
        ]);
        await assert.rejects(rentOne(market, `hitch-${number.toString()}`));
        clock.jump(visibilityDelayMs);
        assert.equal((await market.list(signal)).rows.length, 1);
      }),
      { numRuns: 30 },
    );
  });

  it('decides about a rental from the seed and its ref alone, not from what else happens', async () => {
    const rules: FaultRule[] = [{ fault: 'never_ready', chance: 0.5 }];
    const outcome = async (refs: readonly string[]) => {
      const { market } = open({ stock: 1000 }, rules);
      for (const ref of refs) {
        await rentOne(market, ref);
      }
      return new Map(market.rentals().map(({ ref, readyAtMs }) => [ref, readyAtMs === null]));
    };
    const refs = Array.from({ length: 40 }, (_, index) => `hitch-${index.toString()}`);
    const [forwards, backwards] = [await outcome(refs), await outcome(refs.toReversed())];
    assert.deepEqual(new Map([...forwards].toSorted()), new Map([...backwards].toSorted()));
    assert.equal(new Set(forwards.values()).size, 2);
  });
});

describe('practice market: how often it answers', () => {
  const waitOf = async (call: () => Promise<unknown>): Promise<number | null> => {
    try {
      await call();
      return 0;
    } catch (error) {
      assert.ok(error instanceof MarketRefusal && error.code === 'rate_limited', String(error));
      return error.retryAfterMs;
    }
  };

  it('says until when it does not answer a kind of call, each limit by itself, and answers then', async () => {
    const { market, clock } = open({}, [
      { fault: 'limited_route', on: 'list', everyMs: 1_000 },
      { fault: 'limited_route', on: 'offers', perMinute: 2, perDay: 3 },
    ]);
    assert.deepEqual(market.limits, { list: { everyMs: 1_000 }, offers: { perMinute: 2, perDay: 3 } });
    const [list, offers] = [() => market.list(signal), () => market.offers(signal)];
    assert.deepEqual([await waitOf(list), await waitOf(list)], [0, 1_000]);
    assert.deepEqual([await waitOf(offers), await waitOf(offers), await waitOf(offers)], [0, 0, 60_000]);
    clock.jump(1_000);
    assert.deepEqual([await waitOf(list), await waitOf(offers)], [0, 59_000]);
    clock.jump(59_000);
    assert.equal(await waitOf(offers), 0);
    const tomorrowMs = 24 * HOUR_MS - (clock.now() % (24 * HOUR_MS));
    assert.equal(await waitOf(offers), tomorrowMs);
    clock.jump(tomorrowMs);
    assert.equal(await waitOf(offers), 0);
    assert.equal(await waitOf(() => market.show('sbx-1', signal)), 0, 'of others it says nothing');
  });
});

describe('practice market: its memory', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-market-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('outlives the daemon: rentals, bills and ends are as they were', async () => {
    const clock = new VirtualClock();
    const runtime = new NullRuntime({ clock });
    const reopen = () => open({ clock, runtime, storage: folderStorage(folder) }).market;
    const { rental: kept } = await rentOne(reopen(), 'hitch-kept');
    const { rental: ended } = await rentOne(reopen(), 'hitch-ended');
    clock.jump(HOUR_MS);
    await reopen().end(ended.id, signal);
    clock.jump(HOUR_MS);
    assert.deepEqual(
      (await reopen().list(signal)).rows.map(({ id }) => id),
      [kept.id],
    );
    assert.equal(reopen().billed('hitch-kept'), costOver(kept.pricePerHourMicroUsd, 2 * HOUR_MS));
    assert.equal(reopen().billed('hitch-ended'), costOver(ended.pricePerHourMicroUsd, HOUR_MS));
    const { rental: third } = await rentOne(reopen(), 'hitch-third');
    assert.ok(![kept.id, ended.id].includes(third.id));
  });

  it('fails its calls with the file to blame, and loses nothing, when a file of it is broken', async () => {
    await rentOne(open({ storage: folderStorage(folder) }).market, 'hitch-broken');
    const [name = ''] = readdirSync(folder);
    writeFileSync(join(folder, name), '{ half');
    const { market } = open({ storage: folderStorage(folder) });
    await assert.rejects(market.list(signal), (error: unknown) => {
      assert.ok(error instanceof MarketRefusal);
      assert.ok(error.message.includes(name), error.message);
      return true;
    });
    assert.equal(readFileSync(join(folder, name), 'utf8'), '{ half');
  });
});
