/** Machines that are sold for an hour at a time, paid ahead. */
import assert from 'node:assert/strict';
import { type Cluster, parseMicroUsd, type QuoteRequest } from '@hitch/contract';
import { type Instance, type Provider, ProviderError } from '../../src/providers/provider.ts';
import type { FaultRule } from '../../src/providers/sandbox/faults.ts';
import { endsClean, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const BY_THE_HOUR: FaultRule = { fault: 'sold_by_terms', chance: 1, minutes: 60 };

/** A market that sells by the hour, and how often it was asked for more. */
async function byTheHour(
  rules: readonly FaultRule[] = [],
  buyTime?: (provider: Provider) => NonNullable<Provider['buyTime']>,
  shown: (instance: Instance) => Instance = instance => instance,
): Promise<{ practice: Practice; asked: number[] }> {
  const asked: number[] = [];
  const practice = await new Practice({
    faults: { seed: 1, rules: [BY_THE_HOUR, ...rules] },
    wrapProvider: provider =>
      wrap(provider, {
        extend: () => assert.fail('what is paid ahead has no end time that can be moved'),
        create: async (order, signal) => shown(await provider.create(order, signal)),
        get: async (id, signal) => shown(await provider.get(id, signal)),
        list: async signal => (await provider.list(signal)).map(shown),
        buyTime: async (id, ms, signal) => {
          asked.push(ms);
          const buy = buyTime?.(provider) ?? provider.buyTime?.bind(provider) ?? assert.fail();
          return shown(await buy(id, ms, signal));
        },
      }),
  }).open();
  return { practice, asked };
}

async function rented(practice: Practice, request: Partial<QuoteRequest> = {}): Promise<Cluster> {
  const { id } = await practice.rent({ capMicroUsd: '20000000', idleMs: 0, ...request });
  return practice.untilPhase(id, 'ready');
}

/** The one machine there is, in the market's own book. */
function machine(practice: Practice) {
  const [rental, ...others] = practice.market.rentals();
  assert.ok(rental !== undefined && others.length === 0);
  return rental;
}

async function warnings(
  practice: Practice,
  { id }: Cluster,
  kind = 'stopping_soon',
): Promise<readonly string[]> {
  const events = await practice.pass(practice.service.events(id, 0, 1000));
  return events.filter(({ value }) => value === kind).map(({ message }) => message);
}

describe('a machine that is sold by the hour', () => {
  it('is paid ahead: each hour costs the whole of it', async () => {
    const { practice } = await byTheHour();
    const ready = await rented(practice);
    const hour = parseMicroUsd(ready.usage.ratePerHourMicroUsd);
    assert.equal(ready.usage.accruedMicroUsd, hour.toString());
    await practice.run(20 * MINUTE_MS);
    const over = await endsClean(practice, ready);
    assert.equal(over.usage.accruedMicroUsd, hour.toString());
  });

  it('gets another hour before the last is over, as long as the limits allow', async () => {
    const { practice, asked } = await byTheHour();
    const ready = await rented(practice);
    await practice.run(2.5 * HOUR_MS);
    assert.equal(practice.service.get(ready.id).phase, 'ready');
    assert.deepEqual(asked, [HOUR_MS, HOUR_MS]);
    assert.equal(machine(practice).timesMore, 2);
    assert.deepEqual(await warnings(practice, ready), [], 'nobody is told of an end that is put off');
    await endsClean(practice, ready);
  });

  it('gets none where it stops before', async () => {
    const { practice, asked } = await byTheHour();
    const ready = await rented(practice, { stopAtMs: practice.clock.now() + 50 * MINUTE_MS });
    const over = await practice.untilPhase(ready.id, 'expired');
    assert.equal(over.message, 'Its stop time was reached.');
    assert.deepEqual(asked, []);
    await endsClean(practice, ready);
  });

  it('is bought until its stop time at once where nobody says for how long', async () => {
    const { practice, asked } = await byTheHour();
    const ready = await rented(practice, { stopAtMs: practice.clock.now() + 2.7 * HOUR_MS });
    const hour = parseMicroUsd(ready.usage.ratePerHourMicroUsd);
    assert.equal(machine(practice).floorMicroUsd, (2n * hour).toString());
    await practice.run(2 * HOUR_MS);
    assert.equal(practice.service.get(ready.id).phase, 'expired');
    assert.deepEqual(asked, []);
    const over = await endsClean(practice, ready);
    assert.equal(over.usage.accruedMicroUsd, (2n * hour).toString());
  });

  it('is bought for no longer at once than the spending limit goes', async () => {
    const { practice, asked } = await byTheHour();
    const first = await rented(practice);
    const hour = parseMicroUsd(first.usage.ratePerHourMicroUsd);
    await endsCleanly(practice, first);
    const ready = await rented(practice, {
      capMicroUsd: (3n * hour + hour / 2n).toString(),
      stopAtMs: practice.clock.now() + 24 * HOUR_MS,
    });
    const [, rental] = practice.market.rentals();
    assert.equal(rental?.endAtMs, (rental?.boughtAtMs ?? 0) + 3 * HOUR_MS);
    await practice.run(3 * HOUR_MS);
    assert.equal(practice.service.get(ready.id).message, 'The time that was paid for was over.');
    assert.deepEqual(asked, []);
    await endsClean(practice, ready);
  });

  it('is bought for as long as a person says, and gets as many hours more as lie before its stop time', async () => {
    const { practice, asked } = await byTheHour();
    const ready = await rented(practice, {
      stopAtMs: practice.clock.now() + 3 * HOUR_MS,
      termMs: HOUR_MS,
    });
    const hour = parseMicroUsd(ready.usage.ratePerHourMicroUsd);
    await practice.run(3 * HOUR_MS);
    assert.equal(practice.service.get(ready.id).phase, 'expired');
    assert.deepEqual(asked, [HOUR_MS, HOUR_MS]);
    const over = await endsClean(practice, ready);
    assert.equal(over.usage.accruedMicroUsd, (3n * hour).toString());
  });

  it('stops in time for saving where another hour would go over the cap, and that is no fault', async () => {
    const { practice, asked } = await byTheHour();
    const offered = await practice.rent({ capMicroUsd: '20000000', idleMs: 0 });
    const hour = parseMicroUsd((await practice.untilPhase(offered.id, 'ready')).usage.ratePerHourMicroUsd);
    await endsCleanly(practice, offered);
    const before = practice.clock.now();
    const capMicroUsd = ((hour * 19n) / 10n).toString();
    const { id } = await practice.rent({ capMicroUsd, idleMs: 0, save: { paths: ['out'], toFolder: null } });
    const over = await practice.untilPhase(id, 'expired', 'failed');
    assert.equal(over.message, 'The time that was paid for was over.');
    assert.equal((await warnings(practice, over)).length, 1);
    assert.ok(practice.clock.now() - before < HOUR_MS);
    assert.deepEqual(asked, []);
    assert.ok(practice.market.rentals().every(({ endedAtMs, endAtMs }) => (endedAtMs ?? 0) < (endAtMs ?? 0)));
    practice.close();
  });

  it('is bought once where the answer is lost: the end time is read, and nothing repeated', async () => {
    const { practice, asked } = await byTheHour([{ fault: 'reply_lost_after_more_time', chance: 1 }]);
    const ready = await rented(practice);
    await practice.run(1.5 * HOUR_MS);
    assert.equal(practice.service.get(ready.id).phase, 'ready');
    assert.deepEqual(asked, [HOUR_MS]);
    assert.equal(machine(practice).timesMore, 1);
    await endsClean(practice, ready);
  });

  it('is bought once where the daemon dies while it is asked for', async () => {
    const { practice, asked } = await byTheHour([], provider => async (id, ms, signal) => {
      await provider.buyTime?.(id, ms, signal);
      return new Promise<never>(() => undefined);
    });
    const ready = await rented(practice);
    await practice.until(() => asked.length === 1);
    await practice.run(1_000);
    practice.close();
    await practice.open();
    await practice.run(10 * MINUTE_MS);
    assert.deepEqual(asked, [HOUR_MS]);
    assert.equal(machine(practice).timesMore, 1);
    const { usage } = practice.service.get(ready.id);
    assert.equal(parseMicroUsd(usage.accruedMicroUsd), practice.billed(ready.id));
    practice.close();
    await practice.open();
    await practice.run(10 * MINUTE_MS);
    assert.deepEqual(asked, [HOUR_MS]);
    await endsClean(practice, ready);
  });

  it('is asked for by another intent once its network has shown that it sold none', async () => {
    const { practice, asked } = await byTheHour([
      { fault: 'reply_lost_before_more_time', chance: 1, times: 1 },
    ]);
    const ready = await rented(practice);
    await practice.run(1.5 * HOUR_MS);
    assert.equal(practice.service.get(ready.id).phase, 'ready');
    assert.deepEqual(asked, [HOUR_MS, HOUR_MS]);
    assert.equal(machine(practice).timesMore, 1);
    await endsClean(practice, ready);
  });
});

describe('a network that sells more time', () => {
  it('is asked again with pauses while it cannot, and that is said once', async () => {
    const { practice, asked } = await byTheHour([], () => () => {
      throw new ProviderError('retryable', 'It is busy.');
    });
    const ready = await rented(practice);
    const over = await practice.untilPhase(ready.id, 'expired');
    assert.equal(over.message, 'The time that was paid for was over.');
    assert.ok(asked.length > 1 && asked.length <= 61, `it was asked ${asked.length.toString()} times`);
    assert.deepEqual(await warnings(practice, over, 'no_more_time'), [
      'Practice market sold no more time: It is busy.',
    ]);
    await endsClean(practice, ready);
  });

  it('may reckon its end anew for each answer', async () => {
    let answers = 0;
    const { practice, asked } = await byTheHour([], undefined, instance =>
      instance.endsAtMs === undefined
        ? instance
        : { ...instance, endsAtMs: instance.endsAtMs + (answers++ % 7) * 1_000 },
    );
    const ready = await rented(practice);
    await practice.run(2.5 * HOUR_MS);
    assert.deepEqual(asked, [HOUR_MS, HOUR_MS]);
    assert.equal(practice.service.get(ready.id).phase, 'ready');
    await endsClean(practice, ready);
  });

  it('need not say what it keeps: an hour that it sold counts in any case', async () => {
    const { practice } = await byTheHour([], undefined, instance => {
      const { floorMicroUsd: _, ...rest } = instance;
      return rest;
    });
    const ready = await rented(practice);
    await practice.run(HOUR_MS);
    assert.equal(machine(practice).timesMore, 1);
    const { usage } = practice.service.get(ready.id);
    assert.equal(parseMicroUsd(usage.accruedMicroUsd), 2n * parseMicroUsd(usage.ratePerHourMicroUsd));
    await endsClean(practice, ready);
  });

  it('gets no more than the first hour where it does not say when that ends, and the cluster stops in time', async () => {
    const { practice, asked } = await byTheHour([], undefined, instance => {
      const { endsAtMs: _, ...rest } = instance;
      return rest;
    });
    const ready = await rented(practice);
    const over = await practice.untilPhase(ready.id, 'expired', 'failed');
    assert.equal(over.message, 'The time that was paid for was over.');
    assert.deepEqual(asked, []);
    const { endedAtMs, endAtMs } = machine(practice);
    assert.ok((endedAtMs ?? 0) < (endAtMs ?? 0));
    await endsClean(practice, ready);
  });
});

describe('two machines that are sold by the hour', () => {
  const TWO = { nodes: 2, capMicroUsd: '90000000' };

  it('get another hour each before the last is over', async () => {
    const { practice, asked } = await byTheHour();
    const ready = await rented(practice, TWO);
    await practice.run(2.5 * HOUR_MS);
    assert.equal(practice.service.get(ready.id).phase, 'ready');
    assert.equal(asked.length, 4);
    assert.deepEqual(
      practice.market.rentals().map(({ timesMore }) => timesMore),
      [2, 2],
    );
    await endsClean(practice, ready);
  });

  it('do not go on buying while one of them gets none', async () => {
    for (const starved of [0, 1]) {
      const bought: string[] = [];
      const { practice } = await byTheHour([], provider => (id, ms, signal) => {
        if (id === practice.market.rentals()[starved]?.id) {
          throw new ProviderError('unknownOutcome', 'The connection broke.');
        }
        bought.push(id);
        return provider.buyTime?.(id, ms, signal) ?? assert.fail();
      });
      const ready = await rented(practice, TWO);
      const over = await practice.untilPhase(ready.id, 'expired');
      assert.equal(over.message, 'The time that was paid for was over.');
      assert.ok(bought.length <= 1, `${bought.length.toString()} hours were bought for the other one`);
      await endsClean(practice, ready);
    }
  });
});

async function endsCleanly(practice: Practice, { id }: Cluster): Promise<void> {
  await practice.pass(practice.service.stop(id, { skipSave: true }));
  await practice.untilPhase(id, 'stopped');
}
