/** No two nodes here ask for what only one of them can have. */
import assert from 'node:assert/strict';
import { type Cluster, type Offer, offerQuerySchema } from '@hitch/contract';
import type { Provider } from '../../src/providers/provider.ts';
import { endsClean, wrap } from './faulty.ts';
import { Practice, type PracticeOptions } from './practice.ts';

/** A market, and the offers that it was asked for. */
async function watched(options: PracticeOptions = {}): Promise<{ practice: Practice; asked: string[] }> {
  const asked: string[] = [];
  const practice = await new Practice({
    ...options,
    wrapProvider: (provider: Provider) =>
      wrap(provider, {
        create: (request, signal) => {
          asked.push(request.offer.id);
          return provider.create(request, signal);
        },
      }),
  }).open();
  return { practice, asked };
}

function offersLike(practice: Practice, wanted: (offer: Offer) => boolean): readonly Offer[] {
  const page = practice.book.query(
    offerQuerySchema.parse({ filter: { markets: ['on_demand'] }, limit: 1000 }),
  );
  return page.offers.filter(wanted);
}

const LIMITS = { maxNodePricePerHourMicroUsd: '5000000', capMicroUsd: '50000000' };

/** Two clusters at once, each with the offer that it names first. */
async function rentBoth(practice: Practice, one: Offer, other: Offer): Promise<readonly Cluster[]> {
  const first = await practice.rent({ offerIds: [one.id], ...LIMITS });
  const second = await practice.rent({ offerIds: [other.id], ...LIMITS });
  return [await practice.untilPhase(first.id, 'ready'), await practice.untilPhase(second.id, 'ready')];
}

async function endBoth(practice: Practice, clusters: readonly Cluster[]): Promise<void> {
  for (const { id } of clusters.slice(1)) {
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
  }
  const [first] = clusters;
  assert.ok(first !== undefined);
  await endsClean(practice, first);
}

describe('an offer that only one can have', () => {
  it('is asked for by one of two clusters; the other takes the next', async () => {
    const { practice, asked } = await watched();
    const [last] = offersLike(practice, ({ stock, gpuCount }) => stock === 1 && gpuCount === 0);
    assert.ok(last !== undefined);
    const clusters = await rentBoth(practice, last, last);
    assert.equal(asked.length, 2);
    assert.equal(asked.filter(id => id === last.id).length, 1);
    await endBoth(practice, clusters);
  });

  it('is waited for while it is not certain that another has it', async () => {
    const { practice, asked } = await watched({
      faults: { seed: 1, rules: [{ fault: 'reply_lost_before_create', chance: 1, times: 1 }] },
    });
    const [last] = offersLike(practice, ({ stock, gpuCount }) => stock === 1 && gpuCount === 0);
    assert.ok(last !== undefined);
    const only = { offerIds: [last.id], maxNodePricePerHourMicroUsd: last.pricePerHourMicroUsd };
    const first = await practice.rent({ ...only, filter: { providers: ['sandbox'], text: last.id } });
    const second = await practice.rent({ ...only, filter: { providers: ['sandbox'], text: last.id } });
    await practice.until(() => asked.length === 1);
    await practice.run(4_000);
    assert.equal(asked.length, 1);
    assert.equal(practice.service.get(second.id).phase, 'purchasing');
    await practice.pass(practice.service.stop(first.id, { skipSave: true }));
    await practice.until(() => asked.length === 2);
    assert.deepEqual(asked, [last.id, last.id]);
    await practice.pass(practice.service.stop(second.id, { skipSave: true }));
    await practice.until(() => practice.service.get(second.id).conditions.cleanup.status === 'yes');
    await endsClean(practice, practice.service.get(first.id));
  });

  it('is any other offer of a machine of which one was bought, until the network has said what is left', async () => {
    const { practice, asked } = await watched();
    const onHost = async (hostId: string): Promise<readonly Offer[]> => {
      await practice.stockUp();
      const offers = await practice.market.offers(new AbortController().signal);
      practice.book.replace(
        'sandbox',
        offers.map(offer => ({ ...offer, hostId })),
        practice.clock.now(),
      );
      return offersLike(practice, ({ gpuCount, stock }) => gpuCount === 0 && stock > 2);
    };
    const [one, other] = await onHost('host-7');
    assert.ok(one !== undefined && other !== undefined);
    const first = await practice.rent({ offerIds: [one.id] });
    const second = await practice.rent({ offerIds: [other.id] });
    const ready = await practice.untilPhase(first.id, 'ready');
    const failed = await practice.untilPhase(second.id, 'failed');
    assert.match(failed.message, /Other nodes of yours have taken the rest of them\./);
    assert.deepEqual(asked, [one.id]);
    await onHost('host-7');
    const third = await practice.rent({ offerIds: [other.id] });
    await practice.untilPhase(third.id, 'ready');
    assert.deepEqual(asked, [one.id, other.id]);
    await endBoth(practice, [ready, practice.service.get(third.id)]);
  });
});
