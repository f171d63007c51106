/** Several machines in one purchase: bought once, paid once, ended together. */
import assert from 'node:assert/strict';
import { type Cluster, HitchError, type Offer, quoteRequestSchema } from '@hitch/contract';
import type * as z from 'zod';
import { type Instance, type Provider, ProviderError } from '../../src/providers/provider.ts';
import { faultPlanSchema, type faultRuleSchema } from '../../src/providers/sandbox/faults.ts';
import { endsClean, wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const NODES = 3;
const MINUTE = 60_000;

/** A market that rents several machines as one, where this goes wrong besides. */
function selling(
  rules: readonly z.input<typeof faultRuleSchema>[] = [],
  wrapProvider?: (provider: Provider) => Provider,
): Promise<Practice> {
  return new Practice({
    faults: faultPlanSchema.parse({ seed: 1, rules: [{ fault: 'sold_together' }, ...rules] }),
    ...(wrapProvider === undefined ? {} : { wrapProvider }),
  }).open();
}

const rent = (practice: Practice): Promise<Cluster> => practice.rent({ nodes: NODES, idleMs: 0 });

/** Each machine that was rented: how many of them, and what stands behind each. */
const rented = (practice: Practice): readonly number[] =>
  practice.market.rentals().map(({ members }) => members);

/** As `selling`, of a market that answers ten seconds after it was asked. */
async function answeringLate(): Promise<Practice> {
  const practice: Practice = await selling([], provider =>
    wrap(provider, {
      create: async (request, signal) => {
        await practice.clock.sleep(10_000, signal);
        return provider.create(request, signal);
      },
    }),
  );
  return practice;
}

/** Offers that have room for all nodes in one purchase, the cheapest first. */
async function offersForAll({ market }: Practice): Promise<readonly Offer[]> {
  const price = ({ pricePerHourMicroUsd }: Offer): number => Number(pricePerHourMicroUsd);
  return (await market.offers(new AbortController().signal))
    .filter(({ stock, together }) => Math.min(stock, together?.max ?? 0) >= NODES)
    .sort((a, b) => price(a) - price(b));
}

/** Rents, and waits until it is known whether that went well. */
async function readyOnce(practice: Practice, limits: Parameters<Practice['rent']>[0] = {}): Promise<Cluster> {
  const { id } = await practice.rent({ nodes: NODES, idleMs: 0, ...limits });
  const cluster = await practice.untilPhase(id, 'ready', 'failed');
  assert.equal(cluster.phase, 'ready', cluster.message);
  return cluster;
}

describe('several machines in one purchase', () => {
  it('are bought once, live each in a node of its own, and cost once', async () => {
    const practice = await selling();
    const cluster = await rent(practice);
    await practice.untilPhase(cluster.id, 'ready');
    assert.deepEqual(rented(practice), [NODES]);
    const { nodes } = practice.service.get(cluster.id);
    assert.deepEqual(
      nodes.map(({ phase, attempts }) => [phase, attempts.length]),
      [
        ['ready', 1],
        ['ready', 0],
        ['ready', 0],
      ],
      'the purchase stands once, in the row of the first',
    );
    assert.ok(nodes.every(({ title }) => title === nodes[0]?.title));
    await practice.run(20 * MINUTE);
    await endsClean(practice, cluster);
  });

  it('cost more as they appear, up to what was agreed to: that is shown meanwhile, and is no other price', async () => {
    let there = 1n;
    const part = (instance: Instance): Instance => ({
      ...instance,
      rates: instance.rates.map(rate => ({
        ...rate,
        perHourMicroUsd: (rate.perHourMicroUsd * there) / BigInt(NODES),
      })),
    });
    const practice = await selling([], provider =>
      wrap(provider, {
        get: async (id, signal) => part(await provider.get(id, signal)),
        list: async (signal, nextPage) => (await provider.list(signal, nextPage)).map(part),
      }),
    );
    const { id } = await rent(practice);
    await practice.untilPhase(id, 'bootstrapping');
    const { usage } = practice.service.get(id);
    const agreed = BigInt(usage.agreedRatePerHourMicroUsd ?? '0');
    assert.ok(agreed > 2n * BigInt(usage.ratePerHourMicroUsd), JSON.stringify(usage));
    there = BigInt(NODES);
    await practice.untilPhase(id, 'ready');
    await practice.run(2 * MINUTE);
    const after = practice.service.get(id).usage;
    assert.deepEqual(
      [after.ratePerHourMicroUsd, after.agreedRatePerHourMicroUsd],
      [agreed.toString(), undefined],
    );
    const events = await practice.pass(practice.service.events(id, 0, 1000));
    assert.ok(!events.some(({ value }) => value === 'dearer'), 'it is the price of the yes');
  });

  it('are given up by none of their nodes while the network takes its time to answer', async () => {
    const practice = await answeringLate();
    const cluster = await readyOnce(practice);
    assert.deepEqual(rented(practice), [NODES]);
    await endsClean(practice, cluster);
  });

  it('are bought for no node once more where the next offers are rented one by one', async () => {
    const practice = await answeringLate();
    const [first, ...dearer] = await offersForAll(practice);
    assert.ok(first !== undefined && dearer.length >= NODES);
    const single = dearer.slice(0, 5).map(({ together: _, ...offer }) => offer);
    practice.book.replace('sandbox', [first, ...single], practice.clock.now());
    const cluster = await readyOnce(practice, {
      offerIds: [first, ...single].map(({ id }) => id),
      capMicroUsd: '900000000',
    });
    assert.deepEqual(rented(practice), [NODES]);
    await endsClean(practice, cluster);
  });

  it('are given up where the limit that is left has room for one of them alone', async () => {
    let calls = 0;
    const practice: Practice = await selling([], provider =>
      wrap(provider, {
        create: async (_, signal) => {
          calls += 1;
          await practice.clock.sleep(10_000, signal);
          throw new ProviderError('capacity', 'Sold out.');
        },
      }),
    );
    const hours = (await offersForAll(practice)).filter(
      ({ nonRefundableMicroUsd, floorMicroUsd = '0' }) =>
        nonRefundableMicroUsd === '0' && floorMicroUsd === '0',
    );
    const [first, second] = hours;
    assert.ok(first !== undefined && second !== undefined);
    const { id } = await practice.rent({
      nodes: NODES,
      idleMs: 0,
      offerIds: [first.id, second.id],
      capMicroUsd: '900000000',
    });
    await practice.until(() => calls === 1);
    // Nine minutes of one machine: two are kept for ending each, and five are the least that is of use.
    const capMicroUsd = (BigInt(second.pricePerHourMicroUsd) * 9n) / 60n;
    await practice.pass(practice.service.extend(id, { capMicroUsd: capMicroUsd.toString() }));
    await practice.run(15_000);
    assert.equal(practice.service.get(id).phase, 'failed');
    assert.match(practice.service.get(id).message, /^Renting one more machine needs /);
    assert.equal(calls, 1);
    assert.ok(
      practice.purchases.read().split('\n').length < 10,
      'no purchase was written down again and again',
    );
    practice.close();
  });

  it('are said to be one purchase before the yes, and that a lost one cannot be replaced alone', async () => {
    const practice = await selling();
    const quoted = async (nodes: number): Promise<string> =>
      (await practice.pass(practice.service.quote(quoteRequestSchema.parse({ nodes })))).lines.join('\n');
    assert.match(
      await quoted(NODES),
      /^Rented together: the machines are one purchase and end together; one that is lost cannot be replaced alone/m,
    );
    assert.doesNotMatch(await quoted(1), /Rented together/);
  });

  it('are found as one by the daemon after one that died between the answer and the record of it', async () => {
    let hangs = true;
    const practice = await selling([], provider =>
      wrap(provider, {
        create: async (request, signal) => {
          const instance = await provider.create(request, signal);
          return hangs ? new Promise<never>(() => undefined) : instance;
        },
      }),
    );
    const cluster = await rent(practice);
    await practice.until(() => practice.market.rentals().length === 1);
    practice.close();
    hangs = false;
    await practice.open();
    await practice.untilPhase(cluster.id, 'ready');
    assert.deepEqual(rented(practice), [NODES]);
    assert.ok(practice.service.get(cluster.id).nodes.every(({ phase }) => phase === 'ready'));
    await endsClean(practice, cluster);
  });

  it('are looked for together when the answer never comes, and only one purchase stays', async () => {
    const practice = await selling([{ fault: 'reply_lost_after_create', times: 1, chance: 1 }]);
    const cluster = await rent(practice);
    await practice.run(30 * MINUTE);
    await practice.until(() => practice.billing().length <= 1);
    assert.ok(rented(practice).every(members => members === NODES));
    await endsClean(practice, cluster);
  });

  it('are found again, each with its node, when the store is lost', async () => {
    const practice = await selling();
    const cluster = await rent(practice);
    await practice.untilPhase(cluster.id, 'ready');
    practice.loseStore();
    await practice.open();
    await practice.untilPhase(cluster.id, 'ready');
    assert.deepEqual(rented(practice), [NODES]);
    assert.equal(practice.service.get(cluster.id).nodes.length, NODES);
    await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
    await practice.until(() => practice.billing().length === 0);
    practice.close();
  });

  it('go back together where they cost more than was agreed to, and the next offer is tried for all', async () => {
    let isFirst = true;
    const practice = await selling([], provider =>
      wrap(provider, {
        create: async (request, signal) => {
          const instance = await provider.create(request, signal);
          const factor = isFirst ? 100n : 1n;
          isFirst = false;
          const rates = instance.rates.map(rate => ({
            ...rate,
            perHourMicroUsd: rate.perHourMicroUsd * factor,
          }));
          return { ...instance, rates };
        },
      }),
    );
    // Dear enough that there is more than one offer that has room for all.
    const limits = { maxNodePricePerHourMicroUsd: '2000000', capMicroUsd: '900000000' };
    const cluster = await practice.rent({ nodes: NODES, idleMs: 0, ...limits });
    await practice.untilPhase(cluster.id, 'ready');
    assert.deepEqual(rented(practice), [NODES, NODES]);
    const events = await practice.pass(practice.service.events(cluster.id, 0, 1000));
    assert.ok(
      events.some(({ message }) =>
        /more than the .*\/h that you accepted; the machine is given back/.test(message),
      ),
    );
    await practice.pass(practice.service.stop(cluster.id, { skipSave: true }));
    await practice.until(() => practice.billing().length === 0);
    practice.close();
  });

  it('go on without one that is lost, which is said, and all end when the cluster does', async () => {
    const practice = await selling([{ fault: 'member_lost', afterMs: 10 * MINUTE }]);
    const cluster = await rent(practice);
    await practice.untilPhase(cluster.id, 'ready');
    const lost = () => practice.service.get(cluster.id).nodes[NODES - 1];
    await practice.until(() => lost()?.phase === 'gone');
    assert.match(
      lost()?.message ?? '',
      /lost the machine\. It was rented together with the others, and cannot be replaced alone\.$/,
    );
    assert.deepEqual(
      practice.service.get(cluster.id).nodes.map(({ phase }) => phase),
      ['ready', 'ready', 'gone'],
    );
    await assert.rejects(
      practice.pass(practice.service.quoteAgain(cluster.id, { skipTried: false })),
      (error: unknown) =>
        error instanceof HitchError &&
        error.code === 'CONFLICT' &&
        /was rented together with the others, and cannot be replaced alone/.test(error.message),
    );
    await practice.run(10 * MINUTE);
    assert.equal(practice.billing().length, 1, 'the rest of the purchase runs');
    await endsClean(practice, cluster);
  });

  it('end together when the network takes the purchase back', async () => {
    const practice = await selling([{ fault: 'preempted', afterMs: 10 * MINUTE }]);
    const cluster = await rent(practice);
    await practice.untilPhase(cluster.id, 'ready');
    await practice.untilPhase(cluster.id, 'failed');
    assert.deepEqual(rented(practice), [NODES]);
    await endsClean(practice, cluster);
  });
});
