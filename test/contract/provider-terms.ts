/** The part of the provider suite about how a purchase is made: its terms, its mark, its steps and the parts of its price. */
import assert from 'node:assert/strict';
import { costOver, type MicroUsd, type Offer, parseMicroUsd } from '@hitch/contract';
import { type CreateRequest, priceOf, type Provider } from '../../backend-proxy/src/providers/provider.ts';
import {
  aRequest,
  type Build,
  instancesOf,
  isFailure,
  listedLater,
  markFor,
  type NetworkFault,
  nextRef,
  rented,
  rents,
  signal,
  skipFor,
  untilGone,
} from './provider-rig.ts';

type WithFault = (fault: NetworkFault, title: string, test: () => Promise<void>) => void;

export function describePurchases(build: Build, withFault: WithFault): void {
  describeMarks(build, withFault);
  describeTerms(build);
  describePrices(build, withFault);
  describeParts(build, withFault);
  describeSteps(build, withFault);
  describeAhead(build, withFault);
}

function describeMarks(build: Build, withFault: WithFault): void {
  it('knows a request by one mark, whichever adapter object is asked, and another request by another', async () => {
    const subject = await build();
    const { provider } = subject;
    const request = await aRequest(provider);
    const mark = markFor(provider, request);
    assert.notEqual(mark, '');
    assert.equal(markFor(subject.restarted(), request), mark);
    assert.notEqual(markFor(provider, { ...request, ref: nextRef() }), mark);
    assert.equal(markFor(provider, { ...request, endAtMs: 1 }), mark, 'its end time moves');
  });

  withFault(
    'reply_lost_after_create',
    'is found by its mark after a lost answer, by another adapter object: a computed mark too',
    async () => {
      for (const faults of [[], ['sold_by_bids']] as const) {
        const subject = await build('reply_lost_after_create', ...faults);
        const request = await aRequest(subject.provider);
        await assert.rejects(subject.provider.create(request, signal), isFailure('unknownOutcome'));
        const other = subject.restarted();
        const found = await listedLater(subject, markFor(other, request), other);
        assert.equal(found.length, 1);
      }
    },
  );

  withFault(
    'detail_without_label',
    'says in its list whose a machine is, where the machine’s own page does not',
    async () => {
      const subject = await build('detail_without_label');
      const { provider } = subject;
      const request = await aRequest(provider);
      const { id } = await provider.create(request, signal);
      assert.equal((await provider.get(id, signal)).mark, null);
      const [listed] = await listedLater(subject, markFor(provider, request));
      assert.equal(listed?.id, id);
    },
  );
}

/** What somebody could ask for beside what an offer says. */
const CHOICES: readonly {
  readonly title: string;
  readonly isTaken: (offer: Offer) => boolean;
  readonly wish: (offer: Offer) => Partial<CreateRequest['terms']>;
}[] = [
  {
    title: 'a larger disk',
    isTaken: ({ takes, diskGiB }) => (takes?.disk?.maxGiB ?? 0) > diskGiB,
    wish: ({ diskGiB }) => ({ diskGiB: diskGiB + 10 }),
  },
  {
    title: 'an image',
    isTaken: ({ takes }) => takes?.image === true,
    wish: () => ({ image: 'example/own:1' }),
  },
  {
    title: 'a bid',
    isTaken: ({ takes }) => takes?.bid !== undefined,
    wish: ({ pricePerHourMicroUsd }) => ({ bidPerHourMicroUsd: 2n * parseMicroUsd(pricePerHourMicroUsd) }),
  },
];

function describeTerms(build: Build): void {
  for (const { title, isTaken, wish } of CHOICES) {
    it(`rents with ${title} where its offer takes it`, async function () {
      const { provider } = await build();
      const offer = (await provider.offers(signal)).find(each => each.stock > 0 && isTaken(each));
      if (offer === undefined) {
        return skipFor(this, provider, `does not take ${title}`);
      }
      const request = await withTerms(provider, offer, wish(offer));
      checkPrice(request, priceOf(await rented(provider, request)) ?? 0n);
    });

    it(`refuses ${title} where its offer does not take it, and rents nothing`, async function () {
      const { provider } = await build();
      const offer = (await provider.offers(signal)).find(each => each.stock > 0 && !isTaken(each));
      if (offer === undefined) {
        return skipFor(this, provider, `takes ${title} with every offer`);
      }
      const request = await withTerms(provider, offer, wish(offer));
      await assert.rejects(provider.create(request, signal), isFailure('permanent'));
      assert.deepEqual(await instancesOf(provider, markFor(provider, request)), []);
    });
  }
}

/**
 * What is said of a GiB and hour is rounded up to whole micro-dollars, and what is charged of a disk is not. Whose bid is
 * taken pays it, or what others pay.
 */
function checkPrice({ offer, terms }: CreateRequest, price: MicroUsd): void {
  const more = BigInt(terms.diskGiB - offer.diskGiB);
  const perGiB = parseMicroUsd(offer.takes?.disk?.perGiBHourMicroUsd ?? '0');
  const least = parseMicroUsd(offer.pricePerHourMicroUsd) + more * perGiB;
  const most = terms.bidPerHourMicroUsd ?? least;
  const rounding = BigInt(terms.diskGiB);
  assert.ok(price <= most && price >= least - rounding, `${price.toString()} µ$/h, not ${least.toString()}`);
}

function describePrices(build: Build, withFault: WithFault): void {
  it('says what an offer costs on terms, which is what it then costs', async function () {
    const { provider } = await build();
    if (provider.price === undefined) {
      return skipFor(this, provider, 'names firm prices in its list');
    }
    await costsWhatItSaid(provider, await aRequest(provider));
  });

  withFault(
    'list_price_off',
    'names a price on terms where its list’s is another, and sells at it',
    async () => {
      for (const [more, termsOf] of [
        [[], () => ({})],
        [[], ({ diskGiB }: Offer) => ({ diskGiB: diskGiB + 10 })],
        [['sold_by_terms'], ({ termMs = 0 }: Offer) => ({ termMs: 3 * termMs })],
        [['sold_ahead'], ({ termMs = 0 }: Offer) => ({ termMs: 2 * termMs })],
      ] as const) {
        const { provider } = await build('list_price_off', ...more);
        const offer = (await provider.offers(signal)).find(
          ({ stock, takes, gpuCount }) => stock > 2 && gpuCount > 0 && takes?.disk !== undefined,
        );
        assert.ok(offer !== undefined);
        const request = await withTerms(provider, offer, termsOf(offer));
        const price = await costsWhatItSaid(provider, request);
        assert.notEqual(price, parseMicroUsd(offer.pricePerHourMicroUsd));
      }
    },
  );

  withFault(
    'list_price_off',
    'names no price of what it does not sell so, and rents nothing by naming one',
    async () => {
      const { provider } = await build('list_price_off', 'sold_by_terms');
      const request = await aRequest(provider);
      const price = provider.price?.bind(provider) ?? assert.fail('it names prices');
      await assert.rejects(
        price(request.offer, { ...request.terms, termMs: null }, signal),
        isFailure('permanent'),
      );
      await price(request.offer, request.terms, signal);
      assert.deepEqual(await provider.list(signal), []);
    },
  );
}

/** @returns what it costs an hour. */
async function costsWhatItSaid(provider: Provider, request: CreateRequest): Promise<bigint> {
  const said = await provider.price?.(request.offer, request.terms, signal);
  assert.ok(said !== undefined);
  const perHour = said.perHour.reduce((sum, { perHourMicroUsd }) => sum + perHourMicroUsd, 0n);
  const bought = await provider.create({ ...request, maxPricePerHourMicroUsd: perHour }, signal);
  assert.equal(priceOf(bought), perHour);
  assert.equal(bought.floorMicroUsd, said.floorMicroUsd);
  assert.equal(bought.paidMicroUsd ?? null, said.dueNowMicroUsd);
  await assert.rejects(
    provider.create({ ...request, ref: nextRef(), maxPricePerHourMicroUsd: perHour - 1n }, signal),
    isFailure('capacity'),
  );
  return perHour;
}

async function withTerms(
  provider: Provider,
  offer: Offer,
  terms: Partial<CreateRequest['terms']>,
): Promise<CreateRequest> {
  const request = await aRequest(provider, offer);
  const maxPricePerHourMicroUsd = request.maxPricePerHourMicroUsd * 4n;
  return { ...request, maxPricePerHourMicroUsd, terms: { ...request.terms, ...terms } };
}

function describeParts(build: Build, withFault: WithFault): void {
  it('says what it costs by part, each once, and of all of them since when once it runs', async () => {
    const subject = await build();
    const { provider } = subject;
    const { id } = await rents(provider, await aRequest(provider));
    await subject.pass(600_000);
    const { rates } = await provider.get(id, signal);
    assert.equal(new Set(rates.map(({ label }) => label)).size, rates.length);
    for (const { isAhead, fromMs, perHourMicroUsd } of rates) {
      assert.notEqual(isAhead, true);
      assert.ok(fromMs === null || fromMs > 0);
      assert.ok(perHourMicroUsd >= 0n);
    }
  });

  withFault('disk_apart', 'says of each part when it began, and which have not', async () => {
    const subject = await build('disk_apart', 'slow_boot');
    const { provider } = subject;
    const request = await aRequest(provider);
    const bought = await rented(provider, request);
    const aheadOf = (rates: typeof bought.rates) => rates.map(({ isAhead }) => isAhead === true);
    assert.deepEqual(aheadOf(bought.rates), [false, true]);
    await subject.pass(600_000);
    const { rates } = await provider.get(bought.id, signal);
    assert.deepEqual(aheadOf(rates), [false, false]);
    const [disk, rest] = rates;
    const restFromMs = rest?.fromMs ?? null;
    assert.ok(restFromMs === null || (disk?.fromMs ?? Infinity) < restFromMs);
    checkPrice(request, priceOf({ rates }) ?? 0n);
  });
}

function describeSteps(build: Build, withFault: WithFault): void {
  withFault(
    'sold_by_bids',
    'orders first, for a deposit, and costs nothing by the hour until it is rented',
    async () => {
      const { provider } = await build('sold_by_bids');
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      assert.equal(order.status, 'ordered');
      assert.equal(order.paidMicroUsd?.toString(), request.offer.dueNowMicroUsd);
      assert.equal(request.offer.refundable, 'deposit');
      assert.ok(order.rates.length > 0 && order.rates.every(({ isAhead }) => isAhead === true));
      assert.equal((await provider.get(order.id, signal)).status, 'ordered');
      assert.deepEqual(order.members, [], 'there is no machine yet');
    },
  );

  withFault(
    'sold_by_bids',
    'is rented once, however often and by whomever its order is advanced',
    async () => {
      const subject = await build('sold_by_bids');
      const { provider } = subject;
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      const first = await advance(provider, order, request);
      assert.notEqual(first.status, 'ordered');
      assert.ok((priceOf(first) ?? 0n) <= request.maxPricePerHourMicroUsd);
      const other = subject.restarted();
      for (const adapter of [provider, other]) {
        const again = await advance(adapter, order, request);
        assert.deepEqual([again.id, again.rates], [first.id, first.rates]);
      }
      assert.equal((await listedLater(subject, markFor(provider, request))).length, 1);
    },
  );

  withFault(
    'sold_by_bids',
    'agrees to nothing above the limit, and is closed while it is an order',
    async () => {
      const subject = await build('sold_by_bids');
      const { provider } = subject;
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      const now = await advance(provider, order, { ...request, maxPricePerHourMicroUsd: 1n });
      assert.equal(now.status, 'ordered');
      await provider.destroy(order.id, signal);
      await untilGone(subject, order.id);
      assert.deepEqual(await instancesOf(provider, markFor(provider, request)), []);
      await assert.rejects(
        advance(provider, order, request).then(({ status }) => {
          assert.equal(status, 'gone');
          throw new Error('it stays closed');
        }),
      );
    },
  );

  withFault('bid_withdrawn', 'stands as an order when what it agreed to is withdrawn', async () => {
    const { provider } = await build('sold_by_bids', 'bid_withdrawn');
    const request = await aRequest(provider);
    const order = await provider.create(request, signal);
    assert.equal((await advance(provider, order, request)).status, 'ordered');
    assert.notEqual((await advance(provider, order, request)).status, 'ordered', 'the next one is agreed to');
  });

  for (const [fault, isRented] of [
    ['reply_lost_after_lease', true],
    ['reply_lost_before_lease', false],
  ] as const) {
    withFault(fault, `says unknown outcome of a step, and shows whether it was taken: ${fault}`, async () => {
      const { provider } = await build('sold_by_bids', fault);
      const request = await aRequest(provider);
      const order = await provider.create(request, signal);
      await assert.rejects(advance(provider, order, request), isFailure('unknownOutcome'));
      const now = await provider.get(order.id, signal);
      assert.equal(now.status !== 'ordered', isRented);
      const again = await advance(provider, now, request);
      assert.notEqual(again.status, 'ordered');
      assert.equal(again.id, order.id);
    });
  }

  withFault('ends_by_steps', 'is gone once it was asked to end often enough, and not before', async () => {
    const subject = await build('ends_by_steps');
    const { provider } = subject;
    const { id } = await provider.create(await aRequest(provider), signal);
    await provider.destroy(id, signal);
    assert.equal((await provider.get(id, signal)).status, 'stopped');
    await provider.destroy(id, signal);
    await untilGone(subject, id);
  });
}

function describeAhead(build: Build, withFault: WithFault): void {
  withFault(
    'sold_ahead',
    'says what was paid ahead, what of it is kept, and takes more when time is bought',
    async () => {
      const { provider } = await build('sold_ahead');
      const request = await aRequest(provider);
      const { offer } = request;
      const price = parseMicroUsd(offer.pricePerHourMicroUsd);
      const termMs = offer.termMs ?? 0;
      assert.equal(offer.refundable, 'exact_after_floor');
      assert.equal(offer.dueNowMicroUsd, costOver(price, termMs).toString());
      const bought = await provider.create(request, signal);
      assert.equal(bought.paidMicroUsd, costOver(price, termMs));
      assert.ok((bought.floorMicroUsd ?? 0n) <= (bought.paidMicroUsd ?? 0n));
      const more = await provider.buyTime?.(bought.id, termMs, signal);
      assert.equal(more?.paidMicroUsd, 2n * costOver(price, termMs));
      assert.equal(more?.floorMicroUsd, bought.floorMicroUsd, 'what is not used comes back');
    },
  );
}

async function advance(
  provider: Provider,
  order: Awaited<ReturnType<Provider['create']>>,
  request: CreateRequest,
) {
  assert.ok(provider.advance !== undefined, 'what is ordered can be advanced');
  return provider.advance(order, request, signal);
}
