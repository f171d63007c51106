/** Two machines under the mark of one purchase: a network that bought twice, or shows twice. */
import assert from 'node:assert/strict';
import { type Cluster, parseMicroUsd } from '@hitch/contract';
import { faultPlanSchema } from '../../src/providers/sandbox/faults.ts';
import { type Instance, type Provider, ProviderError } from '../../src/providers/provider.ts';
import { endsClean, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

describe('a second machine under the mark of one purchase', () => {
  it('is ended on its second sighting, said and counted; the one in use stays', async () => {
    const practice = await new Practice().open();
    const { cluster, own, second } = await rentedTwice(practice);
    await practice.until(() => practice.billing().length === 1, 120_000);
    assert.equal(practice.billing()[0]?.id, own.id);
    await practice.run(1_000);
    const events = await practice.pass(practice.service.events(cluster.id, 0, 1000));
    const said = events.filter(({ value }) => value === 'second_machine').map(({ message }) => message);
    assert.equal(said.length, 2);
    assert.match(said[0] ?? '', new RegExp(`two machines for one purchase: ${second.id} is not used`));
    assert.match(said[1] ?? '', new RegExp(`${second.id} is gone: it cost`));
    assert.equal(practice.service.get(cluster.id).phase, 'ready');
    await endsClean(practice, cluster);
  });

  it('is on the bill of its purchase where that names ids alone, also once it is over', async () => {
    let second = '';
    const wrapProvider = (provider: Provider): Provider =>
      wrap(provider, {
        bill: () =>
          Promise.resolve([{ mark: null, instanceId: second, label: 'GPU', amountMicroUsd: 70_000n }]),
      });
    const practice = await new Practice({ wrapProvider }).open();
    const rented = await rentedTwice(practice);
    second = rented.second.id;
    const billed = async () => {
      await practice.pass(practice.bills.look());
      return practice.bills.of('sandbox').map(({ billedMicroUsd }) => billedMicroUsd);
    };
    await practice.until(() => practice.billing().length === 1, 120_000);
    await practice.run(1_000);
    const parts = practice.service.usage(rented.cluster.id).parts;
    assert.equal(parts.filter(({ label }) => label.includes(second)).length, 1, 'it is over, and counted');
    assert.deepEqual(await billed(), ['70000']);
    second = 'somebody-elses';
    assert.deepEqual(await billed(), ['0']);
    await endsClean(practice, rented.cluster);
  });

  it('is counted where both came and went while nobody looked', async () => {
    let isFirst = true;
    const wrapProvider = (provider: Provider): Provider =>
      wrap(provider, {
        create: async (request, signal) => {
          await provider.create(request, signal);
          if (isFirst) {
            isFirst = false;
            const other = (await provider.offers(signal)).find(({ id }) => id !== request.offer.id);
            assert.ok(other !== undefined);
            const dear = { ...request, offer: other, maxPricePerHourMicroUsd: 10n ** 9n };
            await provider.create(dear, signal);
            throw new ProviderError('unknownOutcome', 'The answer was lost.');
          }
          throw new ProviderError('capacity', 'It is sold out.');
        },
        history: async (mark, signal) => (await provider.history?.(mark, signal)) ?? [],
        list: async signal => {
          // Its list lags, and it ends them the moment before they would be seen.
          const begun = practice.market.rentals()[0]?.boughtAtMs ?? 0;
          if (practice.clock.now() - begun < 10_000) {
            return [];
          }
          const all = await provider.list(signal);
          await Promise.all(all.map(({ id }) => provider.destroy(id, signal)));
          return provider.list(signal);
        },
      });
    const practice = new Practice({ wrapProvider });
    await practice.open();
    const { id } = await practice.rent({ idleMs: 0 });
    await practice.until(() => practice.market.rentals().length > 1, 120_000);
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.until(() => practice.service.get(id).conditions.cleanup.status === 'yes', 3_600_000);
    const [first, second] = practice.market.rentals();
    assert.equal(first?.ref, second?.ref);
    const billed = practice.market.billed(first?.ref ?? '');
    const { accruedMicroUsd, parts } = practice.service.usage(id);
    assert.ok(billed > 0n && parts.some(({ label }) => label.startsWith('Second machine')));
    assert.equal(parseMicroUsd(accruedMicroUsd), billed);
  });

  it('keeps its cluster from being over, removed or started again until it is counted', async () => {
    let isStuck = true;
    let stuck = '';
    const wrapProvider = (provider: Provider): Provider =>
      wrap(provider, {
        destroy: (id, signal) =>
          isStuck && id === stuck
            ? Promise.reject(new ProviderError('retryable', 'It is busy.'))
            : provider.destroy(id, signal),
      });
    const practice = await new Practice({ wrapProvider }).open();
    const { cluster, second } = await rentedTwice(practice);
    stuck = second.id;
    await practice.run(120_000);
    await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
    await practice.until(() => practice.billing().length === 1, 600_000);
    await practice.run(120_000);
    const ending = practice.service.get(cluster.id);
    assert.equal(ending.phase, 'stopping');
    assert.deepEqual(
      [ending.conditions.billing, ending.conditions.cleanup].map(({ status, reason, message }) => [
        status,
        reason,
        message,
      ]),
      [
        ['yes', 'until_confirmed', 'Billing until Practice market confirms.'],
        ['no', 'machines_left', 'Waiting for confirmation that 1 machine is gone.'],
      ],
    );
    await assert.rejects(
      practice.pass(practice.service.remove(cluster.id)),
      /1 of its purchases are not confirmed gone/,
    );
    await assert.rejects(
      practice.pass(practice.service.quoteAgain(cluster.id, { skipTried: false })),
      /not confirmed gone yet/,
    );
    isStuck = false;
    await practice.untilPhase(cluster.id, 'stopped');
    const counted = practice.service.usage(cluster.id).parts.filter(({ label }) => label.includes(second.id));
    assert.equal(counted.length, 1);
    await endsClean(practice, cluster);
  });

  it('costs what it costs in any case', async () => {
    const rules = [{ fault: 'minimum_time', minutes: 60 }];
    const practice = await new Practice({ faults: faultPlanSchema.parse({ rules }) }).open();
    const { cluster } = await rentedTwice(practice);
    await practice.until(() => practice.billing().length === 1, 120_000);
    await practice.run(1_000);
    await endsClean(practice, cluster);
  });

  it('is not ended sooner where looks fail and are repeated at once', async () => {
    let unclear = '';
    let doubled = '';
    const seen: number[] = [];
    const ended: number[] = [];
    const wrapProvider = (provider: Provider): Provider =>
      wrap(provider, {
        // One machine is missing and cannot be asked after: every look fails in the end.
        list: async signal => {
          const list = await provider.list(signal);
          seen.push(...(list.some(({ id }) => id === doubled) ? [practice.clock.monotonic()] : []));
          return list.filter(({ id }) => id !== unclear);
        },
        get: (id, signal) =>
          id === unclear
            ? Promise.reject(new ProviderError('retryable', 'Not now.'))
            : provider.get(id, signal),
        destroy: (id, signal) => {
          ended.push(...(id === doubled ? [practice.clock.monotonic()] : []));
          return provider.destroy(id, signal);
        },
      });
    const practice = new Practice({ wrapProvider });
    await practice.open();
    const other = await practice.rent({ idleMs: 0 });
    const ready = await practice.untilPhase(other.id, 'ready');
    unclear = ready.nodes[0]?.attempts[0]?.instanceId ?? '';
    const { cluster, second } = await rentedTwice(practice);
    doubled = second.id;
    await practice.until(() => ended.length > 0, 600_000);
    const apartMs = (ended[0] ?? 0) - (seen[0] ?? 0);
    assert.ok(apartMs >= 30_000, `it was ended after ${apartMs.toString()} ms`);
    unclear = '';
    await practice.pass(practice.service.stop(other.id, { skipSave: true }));
    await practice.untilPhase(other.id, 'stopped');
    await endsClean(practice, cluster);
  });

  it('is counted by the next daemon where one dies between its end and the confirmation', async () => {
    let ended = '';
    let isDead = false;
    const wrapProvider = (provider: Provider): Provider =>
      wrap(provider, {
        destroy: async (id, signal) => {
          await provider.destroy(id, signal);
          ended = id;
        },
        get: (id, signal) =>
          id === ended && !isDead
            ? Promise.reject(new ProviderError('retryable', 'Not now.'))
            : provider.get(id, signal),
      });
    const practice = await new Practice({ wrapProvider }).open();
    const { cluster, second } = await rentedTwice(practice);
    await practice.until(() => ended === second.id, 120_000);
    practice.close();
    isDead = true;
    await practice.open();
    await practice.until(
      () => practice.service.usage(cluster.id).parts.some(({ label }) => label.includes(second.id)),
      120_000,
    );
    await practice.run(120_000);
    const counted = practice.service.usage(cluster.id).parts.filter(({ label }) => label.includes(second.id));
    assert.equal(counted.length, 1);
    await endsClean(practice, cluster);
  });

  it('is counted once, however long its network goes on to list it', async () => {
    let late: Instance | null = null;
    let ended = '';
    const wrapProvider = (provider: Provider): Provider =>
      wrap(provider, {
        list: async signal => {
          const list = await provider.list(signal);
          late = list.find(({ id }) => id === ended) ?? late;
          const isMissing = late !== null && !list.some(({ id }) => id === ended);
          return isMissing && late !== null ? [...list, late] : list;
        },
      });
    const practice = await new Practice({ wrapProvider }).open();
    const { cluster, second } = await rentedTwice(practice);
    ended = second.id;
    await practice.until(() => practice.billing().length === 1, 120_000);
    await practice.run(600_000);
    const parts = () =>
      practice.service.usage(cluster.id).parts.filter(({ label }) => label.includes(second.id));
    assert.deepEqual(parts(), [], 'it is not confirmed gone while the list shows it');
    ended = '';
    late = null;
    await practice.run(120_000);
    assert.equal(parts().length, 1);
    await endsClean(practice, cluster);
  });
});

/** A network that made two machines of the one purchase of a cluster that works. */
async function rentedTwice(
  practice: Practice,
): Promise<{ cluster: Cluster; own: { readonly id: string }; second: { readonly id: string } }> {
  const { id } = await practice.rent({ idleMs: 0 });
  const cluster = await practice.untilPhase(id, 'ready');
  const { ref } = cluster.nodes[0]?.attempts.find(({ state }) => state === 'owned') ?? {};
  const own = practice.billing().find(rental => rental.ref === ref);
  assert.ok(own !== undefined);
  const { signal } = new AbortController();
  const [offer] = await practice.pass(practice.market.offers(signal));
  const entryId = (offer?.id ?? '').slice('sandbox:'.length);
  const order = { ref: own.ref, entryId, maxPricePerHourMicroUsd: 10n ** 9n, endAtMs: null };
  const second = await practice.pass(practice.market.rent(order, signal));
  assert.equal(practice.billing().filter(rental => rental.ref === ref).length, 2);
  return { cluster, own, second };
}
