/** What one network does keeps Hitch from nothing at another. */
import assert from 'node:assert/strict';
import { type Cluster, offerQuerySchema, parseMicroUsd } from '@hitch/contract';
import { faultPlanSchema } from '../../src/providers/sandbox/faults.ts';
import { type Provider, ProviderError } from '../../src/providers/provider.ts';
import { endsClean, states } from './faulty.ts';
import { OTHER, otherNetwork } from './other-network.ts';
import { Practice, type PracticeOptions } from './practice.ts';

const later = () => new ProviderError('retryable', 'Too many requests.', { retryAfterMs: 300_000 });
const refuse = (error: () => Error) => () => Promise.reject(error());
const hang = () => new Promise<never>(() => undefined);

const troubled = (answers: (market: Provider) => Partial<Provider>, options: PracticeOptions = {}) =>
  new Practice({ ...options, others: clock => [otherNetwork(clock, answers)] }).open();

const nodeOf = (practice: Practice, { id }: Cluster) => practice.service.get(id).nodes[0];

describe('one network’s trouble', () => {
  const kinds: Readonly<Record<string, () => Promise<never>>> = {
    'that asks to wait for minutes': refuse(later),
    'that does not answer': hang,
    'that does not take its key': refuse(() => new ProviderError('auth', 'The key is not valid.')),
  };
  for (const [kind, answer] of Object.entries(kinds)) {
    it(`keeps no price of another from being noted: one ${kind}`, async () => {
      const rule = { fault: 'repriced', chance: 1, percent: 10, afterMs: 600_000 } as const;
      const practice = await troubled(() => ({ list: answer, get: answer }), {
        faults: faultPlanSchema.parse({ rules: [rule] }),
      });
      const { id } = await practice.rent({ filter: { providers: ['sandbox'] }, idleMs: 0 });
      const ready = await practice.untilPhase(id, 'ready');
      const rate = () => parseMicroUsd(practice.service.get(id).usage.ratePerHourMicroUsd);
      const before = rate();
      const [rental] = practice.billing();
      await practice.run((rental?.reprice?.atMs ?? 0) - practice.clock.now() - 1_000);
      assert.equal(rate(), before);
      // One round of this network's own.
      await practice.run(32_000);
      assert.notEqual(rate(), before);
      await endsClean(practice, ready);
    });

    it(`keeps no leftover of another from being taken back: one ${kind}`, async () => {
      const rule = { fault: 'refused_but_rented', chance: 1, times: 1 } as const;
      const practice = await troubled(() => ({ list: answer, get: answer }), {
        faults: faultPlanSchema.parse({ rules: [rule] }),
      });
      const { id } = await practice.rent({ filter: { providers: ['sandbox'], endsBillingAlone: false } });
      await practice.until(() => states(practice.service.get(id)).includes('refused'));
      const [rental] = practice.billing();
      await practice.until(() => practice.market.rentals(rental?.ref)[0]?.endedAtMs !== null, 150_000);
      await practice.untilPhase(id, 'failed');
      await endsClean(practice, practice.service.get(id));
    });
  }

  it('sends a purchase that it asks to wait to the next offer at once', async () => {
    let asked = 0;
    const practice = await troubled(() => ({
      create: () => {
        asked += 1;
        return Promise.reject(later());
      },
    }));
    const filter: { markets: ['on_demand'] } = { markets: ['on_demand'] };
    const cheapest = (network: string) =>
      practice.book.query(offerQuerySchema.parse({ filter: { ...filter, providers: [network] } })).offers[0];
    const [offer, next] = [cheapest(OTHER), cheapest('sandbox')];
    assert.ok(offer !== undefined && next !== undefined);
    const pricePerHourMicroUsd = (parseMicroUsd(next.pricePerHourMicroUsd) - 1n).toString();
    // The only one there, and the first of all.
    const best = { pricePerHourMicroUsd, reliability: 1, nonRefundableMicroUsd: '0', floorMicroUsd: '0' };
    practice.book.replace(OTHER, [{ ...offer, ...best, stock: 100 }], practice.clock.now());
    const startMs = practice.clock.now();
    const cluster = await practice.rent({ filter: { ...filter, providers: [OTHER, 'sandbox'] } });
    await practice.until(() => states(practice.service.get(cluster.id)).includes('owned'));
    assert.ok(practice.clock.now() - startMs < 30_000);
    assert.deepEqual(
      [asked, ...(nodeOf(practice, cluster)?.attempts.map(({ provider }) => provider) ?? [])],
      [1, OTHER, 'sandbox'],
    );
    await endsClean(practice, cluster);
  });

  it('is waited for where no other has an offer, and the row says until when', async () => {
    let waits = true;
    const practice = await troubled(market => ({
      create: (request, signal) => (waits ? Promise.reject(later()) : market.create(request, signal)),
    }));
    const cluster = await practice.rent({ filter: { providers: [OTHER] } });
    await practice.until(() =>
      /Other market asks to wait until \d\d:\d\d\./.test(nodeOf(practice, cluster)?.message ?? ''),
    );
    waits = false;
    await practice.until(() => states(practice.service.get(cluster.id)).includes('owned'), 400_000);
    await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
    await practice.untilPhase(cluster.id, 'stopped');
    practice.close();
  });

  it('is said in the row of a machine that starts there, for as long as it asks to wait', async () => {
    let waits = false;
    const practice = await troubled(market => ({
      get: (id, signal) => (waits ? Promise.reject(later()) : market.get(id, signal)),
    }));
    const cluster = await practice.rent({ filter: { providers: [OTHER] }, idleMs: 0 });
    await practice.until(() => nodeOf(practice, cluster)?.phase === 'booting');
    waits = true;
    await practice.until(() => /asks to wait until/.test(nodeOf(practice, cluster)?.message ?? ''));
    waits = false;
    await practice.untilPhase(cluster.id, 'ready');
    await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
    await practice.untilPhase(cluster.id, 'stopped');
    practice.close();
  });

  it('holds up no end of a machine there longer than it asks for, and the row says until when', async () => {
    let waits = false;
    const order: string[] = [];
    const practice = await troubled(market => ({
      list: signal => (waits ? Promise.reject(later()) : market.list(signal)),
      get: (id, signal) => {
        order.push('get');
        return market.get(id, signal);
      },
      destroy: (id, signal) => {
        order.push('destroy');
        return market.destroy(id, signal);
      },
    }));
    const cluster = await practice.rent({ filter: { providers: [OTHER] }, idleMs: 0 });
    await practice.untilPhase(cluster.id, 'ready');
    waits = true;
    await practice.run(31_000);
    order.length = 0;
    await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
    await practice.until(
      () =>
        /not ended it yet: Other market asks to wait/.test(
          nodeOf(practice, cluster)?.attempts[0]?.message ?? '',
        ),
      5_000,
    );
    waits = false;
    await practice.untilPhase(cluster.id, 'stopped');
    assert.equal(order[0], 'destroy', order.join());
    practice.close();
  });

  it('makes no stop time late: one that does not answer when it is told of limits', async () => {
    const practice = await troubled(() => ({ extend: hang }));
    const stopAtMs = practice.clock.now() + 1_800_000;
    const filter = { providers: [OTHER], endsBillingAlone: true };
    const { id } = await practice.rent({ filter, stopAtMs, idleMs: 0 });
    await practice.untilPhase(id, 'ready');
    await practice.run(stopAtMs - practice.clock.now() + 1_000);
    assert.notEqual(practice.service.get(id).phase, 'ready');
    await practice.untilPhase(id, 'expired');
    practice.close();
  });
});
