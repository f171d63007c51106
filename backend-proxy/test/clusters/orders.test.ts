/** Purchases of several steps, and prices whose parts begin at different times. */
import assert from 'node:assert/strict';
import { parseMicroUsd } from '@hitch/contract';
import { ProviderError } from '../../src/providers/provider.ts';
import type { FaultRule } from '../../src/providers/sandbox/faults.ts';
import { endsClean, wrap } from './faulty.ts';
import { Practice, type PracticeOptions } from './practice.ts';

const MINUTE_MS = 60_000;
const DEPOSIT = 5_000_000;
const BY_BIDS: FaultRule = { fault: 'sold_by_bids', chance: 1, depositMicroUsd: DEPOSIT };

const market = (rules: readonly FaultRule[], options: PracticeOptions = {}): Promise<Practice> =>
  new Practice({ faults: { seed: 1, rules: [...rules] }, ...options }).open();

describe('a machine that is ordered first', () => {
  it('is rented once there is a bid, at no more than was agreed to, and its deposit is said to come back', async () => {
    const practice = await market([BY_BIDS]);
    const { id } = await practice.rent();
    const ready = await practice.untilPhase(id, 'ready');
    const [rental, ...others] = practice.market.rentals();
    assert.deepEqual(others, []);
    assert.notEqual(rental?.order?.leasedAtMs, null);
    const back = parseMicroUsd(ready.usage.comesBackMicroUsd ?? '0');
    assert.equal(back, BigInt(DEPOSIT) - parseMicroUsd(ready.usage.accruedMicroUsd));
    const over = await endsClean(practice, ready);
    assert.equal(over.usage.comesBackMicroUsd, undefined);
  });

  it('costs nothing by the hour while nobody bids, and is closed for the next offer', async function () {
    this.timeout(120_000);
    const practice = await market([BY_BIDS, { fault: 'no_bids', chance: 1 }]);
    const { id } = await practice.rent({ maxNodePricePerHourMicroUsd: '1000000' });
    await practice.until(() => practice.service.get(id).conditions.billing.reason === 'ordered', MINUTE_MS);
    const waiting = practice.service.get(id);
    assert.equal(waiting.usage.ratePerHourMicroUsd, '0');
    assert.equal(waiting.usage.comesBackMicroUsd, DEPOSIT.toString());
    assert.match(waiting.message, /Ordered: waiting for a machine to be offered/);
    await practice.until(() => practice.market.rentals().length > 1, 15 * MINUTE_MS);
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    assert.ok(
      events.some(({ message }) => /had no machine for the order within 10 min; it is closed/.test(message)),
    );
    const over = await endsClean(practice, practice.service.get(id));
    assert.equal(over.usage.accruedMicroUsd, '0');
  });

  it('is found by its computed mark after its answer was lost, by the next daemon, and rented once', async () => {
    const practice = await market([BY_BIDS, { fault: 'reply_lost_after_create', chance: 1 }]);
    const { id } = await practice.rent();
    await practice.until(() => practice.market.rentals().length === 1, MINUTE_MS);
    practice.close();
    await practice.open();
    const ready = await practice.untilPhase(id, 'ready');
    await practice.until(
      () => practice.service.get(id).nodes[0]?.attempts[0]?.instanceId === 'sbx-1',
      5 * MINUTE_MS,
    );
    await endsClean(practice, ready);
  });

  it('is not leased twice where the answer to the lease is lost and the daemon dies', async () => {
    const practice = await market([BY_BIDS, { fault: 'reply_lost_after_lease', chance: 1, times: 1 }]);
    const { id } = await practice.rent();
    await practice.until(() => practice.market.rentals()[0]?.order?.tries === 1, 5 * MINUTE_MS);
    practice.close();
    await practice.open();
    const ready = await practice.untilPhase(id, 'ready');
    assert.deepEqual(
      practice.market.rentals().map(({ order }) => order?.tries),
      [1],
    );
    await endsClean(practice, ready);
  });

  it('is closed where its network refuses the next step for good', async () => {
    let asked = 0;
    const practice = await market([BY_BIDS], {
      wrapProvider: provider =>
        wrap(provider, {
          advance: (instance, request, signal) =>
            asked++ === 0
              ? Promise.reject(new ProviderError('permanent', 'This order cannot be filled.'))
              : (provider.advance?.(instance, request, signal) ?? Promise.resolve(instance)),
        }),
    });
    const { id } = await practice.rent();
    const ready = await practice.untilPhase(id, 'ready');
    const [first] = ready.nodes[0]?.attempts ?? [];
    assert.match(first?.message ?? '', /This order cannot be filled; it is closed|confirmed that it is gone/);
    assert.equal(practice.market.rentals().length, 2);
    await endsClean(practice, ready);
  });
});

describe('a price of several parts', () => {
  it('costs its disk from the purchase and the rest from when it runs', async () => {
    const practice = await market([{ fault: 'disk_apart', chance: 1 }], { bootDelayMs: 10 * MINUTE_MS });
    const { id } = await practice.rent();
    await practice.until(() => practice.service.get(id).usage.parts.length === 1, MINUTE_MS);
    const [disk] = practice.service.get(id).usage.parts;
    assert.equal(disk?.label, 'Disk');
    const ready = await practice.untilPhase(id, 'ready');
    const [, rest] = ready.usage.parts;
    assert.ok((rest?.startMs ?? 0) - disk.startMs >= 10 * MINUTE_MS);
    assert.deepEqual(
      (await practice.pass(practice.service.events(id, 0, 1000))).filter(({ kind }) => kind === 'price'),
      [],
      'a part that begins is no other price',
    );
    await endsClean(practice, ready);
  });

  it('is ended by as many calls as its network wants', async () => {
    const practice = await market([{ fault: 'ends_by_steps', chance: 1 }]);
    const { id } = await practice.rent();
    await endsClean(practice, await practice.untilPhase(id, 'ready'));
  });
});

describe('a machine that is paid ahead and gives back', () => {
  it('costs what it is used, and what comes back falls as it is', async () => {
    const practice = await market([{ fault: 'sold_ahead', chance: 1, minutes: 60, keptMinutes: 10 }]);
    const { id } = await practice.rent({ capMicroUsd: '20000000', idleMs: 0 });
    const ready = await practice.untilPhase(id, 'ready');
    const hour = parseMicroUsd(ready.usage.ratePerHourMicroUsd);
    const first = parseMicroUsd(ready.usage.comesBackMicroUsd ?? '0');
    assert.ok(first > 0n && first < hour);
    await practice.run(30 * MINUTE_MS);
    const later = practice.service.get(id);
    const back = parseMicroUsd(later.usage.comesBackMicroUsd ?? '0');
    assert.equal(back + parseMicroUsd(later.usage.accruedMicroUsd), hour);
    assert.ok(back < first);
    const over = await endsClean(practice, later);
    assert.ok(parseMicroUsd(over.usage.accruedMicroUsd) < hour);
  });
});
