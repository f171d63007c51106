/** The offer book against a plain filter and sort over the same offers. */
import assert from 'node:assert/strict';
import {
  type Offer,
  type OfferFilter,
  type OfferQuery,
  type OfferSortKey,
  connectivitySchema,
  offerFilterSchema,
  offerSchema,
  offerSortKeySchema,
  rankFacts,
  rankOf,
  RANKED_MS,
} from '@hitch/contract';
import fc from 'fast-check';
import { OfferBook } from '../../src/offers/offer-book.ts';
import { makeUpOffers } from './made-up-offers.ts';

const CONNECTIVITY = connectivitySchema.options;

/** What the contract's comments say, an offer at a time. */
function passes(offer: Offer, filter: OfferFilter): boolean {
  const text = [offer.gpuModel, offer.provider, offer.country, offer.region, offer.supplier]
    .join(' ')
    .toLowerCase();
  const among = <T>(list: readonly T[] | undefined, value: T | null) =>
    list === undefined || (value !== null && list.includes(value));
  const atLeast = (bound: number | undefined, value: number | null) =>
    bound === undefined || (value !== null && value >= bound);
  const stated = (bound: number | undefined, value: number | null) =>
    atLeast(bound, value) || (filter.orNotStated === true && (value === null || value === 0));
  return (
    (filter.text ?? '')
      .toLowerCase()
      .split(/\s+/)
      .every(word => text.includes(word)) &&
    among(filter.providers, offer.provider) &&
    (filter.practice === undefined || (filter.practice === 'only') === offer.practice) &&
    among(filter.gpuModels, offer.gpuModel) &&
    atLeast(filter.minGpuCount, offer.gpuCount) &&
    (filter.maxGpuCount === undefined || offer.gpuCount <= filter.maxGpuCount) &&
    atLeast(filter.minVramMiB, offer.vramMiB) &&
    (filter.maxPricePerHourMicroUsd === undefined ||
      BigInt(offer.pricePerHourMicroUsd) <= BigInt(filter.maxPricePerHourMicroUsd)) &&
    among(filter.countries, offer.country) &&
    among(filter.kinds, offer.kind) &&
    among(filter.markets, offer.market) &&
    among(filter.trusts, offer.trust) &&
    stated(filter.minReliability, offer.reliability) &&
    (filter.minConnectivity === undefined ||
      (offer.connectivity !== null &&
        CONNECTIVITY.indexOf(offer.connectivity) >= CONNECTIVITY.indexOf(filter.minConnectivity))) &&
    among(filter.securities, offer.security) &&
    stated(filter.minCpuCores, offer.cpuCores) &&
    stated(filter.minRamMiB, offer.ramMiB) &&
    stated(filter.minDiskGiB, Math.max(offer.diskGiB, offer.takes?.disk?.maxGiB ?? 0)) &&
    stated(filter.minDownMbps, offer.downMbps) &&
    (filter.multiNode === undefined || offer.multiNode === filter.multiNode) &&
    (filter.endsBillingAlone === undefined || offer.endsBillingAlone === filter.endsBillingAlone) &&
    (filter.rentable === undefined || offer.notRentable === undefined)
  );
}

function keyOf(offer: Offer, key: OfferSortKey): number | string | null {
  switch (key) {
    case 'best': {
      const rank = rankOf(rankFacts(offer), RANKED_MS);
      return Number.isNaN(rank) ? null : rank;
    }
    case 'pricePerHour':
      return Number(offer.pricePerHourMicroUsd);
    case 'pricePerGpuHour':
      return offer.gpuCount === 0 ? null : Number(offer.pricePerHourMicroUsd) / offer.gpuCount;
    case 'gpuModel':
      return offer.gpuModel;
    case 'gpuCount':
      return offer.gpuCount;
    case 'vram':
      return offer.vramMiB;
    case 'reliability':
      return offer.reliability;
    case 'cpuCores':
      return offer.cpuCores;
    case 'ram':
      return offer.ramMiB;
    case 'disk':
      return offer.diskGiB;
    case 'down':
      return offer.downMbps;
    case 'readyIn':
      return offer.readyInMs;
  }
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

/** Leaves the keys out whose value is undefined, as JSON does. */
const without = (filter: Readonly<Record<string, unknown>>): OfferFilter =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));

const filters = fc
  .record({
    text: maybe(fc.constantFrom('4090', 'rtx us', 'supplier-1', 'nothing like it', '')),
    providers: maybe(fc.subarray(['alpha', 'beta'])),
    practice: maybe(fc.constantFrom('only' as const, 'exclude' as const)),
    gpuModels: maybe(fc.subarray(['RTX 4090', 'H100 SXM', 'unheard of'])),
    minGpuCount: maybe(fc.integer({ min: 0, max: 8 })),
    maxGpuCount: maybe(fc.integer({ min: 0, max: 8 })),
    minVramMiB: maybe(fc.constantFrom(0, 24 * 1024, 48 * 1024)),
    maxPricePerHourMicroUsd: maybe(fc.integer({ min: 0, max: 30_000_000 }).map(String)),
    countries: maybe(fc.subarray(['US', 'DE', 'ZZ'])),
    kinds: maybe(fc.subarray(['vm' as const, 'container' as const])),
    markets: maybe(fc.subarray(['spot' as const])),
    trusts: maybe(fc.subarray(['data_center' as const, 'community' as const])),
    minReliability: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
    minConnectivity: maybe(fc.constantFrom(...CONNECTIVITY)),
    securities: maybe(fc.subarray(['soc2' as const])),
    minCpuCores: maybe(fc.integer({ min: 0, max: 128 })),
    minRamMiB: maybe(fc.integer({ min: 0, max: 1_000_000 })),
    minDiskGiB: maybe(fc.integer({ min: 0, max: 4000 })),
    minDownMbps: maybe(fc.integer({ min: 0, max: 10_000 })),
    multiNode: maybe(fc.boolean()),
    endsBillingAlone: maybe(fc.boolean()),
    orNotStated: maybe(fc.constant(true as const)),
    rentable: maybe(fc.constant(true as const)),
  })
  .map(without);

const query = (over: Partial<OfferQuery> = {}): OfferQuery => ({
  filter: {},
  sort: { key: 'pricePerHour', descending: false },
  offset: 0,
  limit: 100,
  ...over,
});

describe('OfferBook', () => {
  const alpha = makeUpOffers(300, { provider: 'alpha', seed: 1 });
  const beta = makeUpOffers(200, { provider: 'beta', seed: 2, practice: true });
  const all = [...alpha, ...beta];
  const book = new OfferBook();
  book.replace('alpha', alpha, 1);
  book.replace('beta', beta, 2);

  it('gives back each offer exactly as the network gave it', () => {
    for (const offer of all) {
      assert.deepEqual(book.get(offer.id), offer);
      offerSchema.parse(book.get(offer.id));
    }
  });

  it('answers the offers that pass any filter, as many as it says', () => {
    fc.assert(
      fc.property(filters, filter => {
        const page = book.query(query({ filter, limit: 1000 }));
        assert.deepEqual(
          book
            .every(filter)
            .map(({ id }) => id)
            .toSorted(),
          page.offers.map(({ id }) => id).toSorted(),
        );
        const expected = all.filter(offer => passes(offer, filter));
        assert.deepEqual(page.offers.map(({ id }) => id).sort(), expected.map(({ id }) => id).sort());
        assert.equal(page.matched, expected.length);
        assert.equal(page.total, all.length);
      }),
      { numRuns: 300 },
    );
  });

  for (const key of offerSortKeySchema.options) {
    for (const descending of [false, true]) {
      it(`sorts by ${key} ${descending ? 'falling' : 'rising'} over all networks, what has no value last`, () => {
        const { offers } = book.query(query({ sort: { key, descending }, limit: 1000 }));
        assert.equal(offers.length, all.length);
        const keys = offers.map(offer => keyOf(offer, key));
        const present = keys.filter(value => value !== null);
        assert.deepEqual(keys.slice(0, present.length), present);
        for (const [index, value] of present.slice(1).entries()) {
          const before = present[index] ?? value;
          assert.ok(
            descending ? before >= value : before <= value,
            `${String(before)} then ${String(value)}`,
          );
        }
      });
    }
  }

  it('cuts pages that together are the whole list, each offer once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom(...offerSortKeySchema.options),
        (limit, key) => {
          const sort = { key, descending: false };
          const whole = book.query(query({ sort, limit: 1000 })).offers;
          const pages: Offer[] = [];
          for (let offset = 0; offset < all.length; offset += limit) {
            pages.push(...book.query(query({ sort, offset, limit })).offers);
          }
          assert.deepEqual(pages, whole);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('says of each condition how many it hides that all others let pass, where it is asked', () => {
    fc.assert(
      fc.property(filters, filter => {
        const { hides = [], matched } = book.query(query({ filter, explain: true }));
        for (const field of offerFilterSchema.keyof().options) {
          const { [field]: own, ...others } = filter;
          const wider = field === 'orNotStated' ? { ...others, orNotStated: true as const } : others;
          const more = all.filter(offer => passes(offer, wider)).length - matched;
          const expected =
            field === 'practice' || (own === undefined && field !== 'orNotStated') ? 0 : Math.max(0, more);
          assert.equal(hides.find(hidden => hidden.field === field)?.count ?? 0, expected, field);
        }
      }),
      { numRuns: 100 },
    );
    assert.equal(book.query(query({ filter: { minGpuCount: 2 } })).hides, undefined);
  });

  it('ranks by what became of our own purchases, as soon as that is known, and for the hours that are wanted', () => {
    const [one, other] = makeUpOffers(2, { provider: 'twins' }).map((made, index) => ({
      ...made,
      id: `twins:${index.toString()}`,
      gpuModel: 'T4',
      gpuCount: 1,
      trust: 'verified' as const,
      reliability: 0.99,
      pricePerHourMicroUsd: index === 0 ? '100000' : '110000',
      nonRefundableMicroUsd: '0',
      floorMicroUsd: index === 0 ? '300000' : '0',
      hostId: `h${index.toString()}`,
    }));
    assert.ok(one !== undefined && other !== undefined);
    const ranked = new OfferBook();
    ranked.replace('twins', [one, other], 1);
    const first = (forMs?: number) =>
      ranked.query(
        query({ sort: { key: 'best', descending: false }, ...(forMs === undefined ? {} : { forMs }) }),
      ).offers[0];
    assert.equal(first()?.id, 'twins:0');
    assert.equal(first(3_600_000)?.id, 'twins:1');
    let version = 0;
    const history = {
      of: 'machine' as const,
      purchases: 3,
      cameUp: 0,
      notUp: 3,
      failedChecks: 0,
      died: 0,
      usualReadyMs: null,
      lastFailure: null,
    };
    ranked.useHistories({
      of: ({ hostId }) => (version > 0 && hostId === 'h0' ? history : undefined),
      versionOf: () => version,
    });
    assert.equal(first()?.id, 'twins:0');
    version = 3;
    assert.equal(first()?.id, 'twins:1');
    assert.deepEqual(ranked.get('twins:0')?.history, history);
  });

  it('finds a network by its name as people know it, and by its id', () => {
    const named = new OfferBook({ titleOf: provider => (provider === 'alpha' ? 'Alpha.net' : provider) });
    named.replace('alpha', alpha, 1);
    named.replace('beta', beta, 1);
    const found = (text: string) => named.query(query({ filter: { text } })).matched;
    assert.deepEqual(
      [found('alpha.net'), found('alpha'), found('Alpha.Net rtx')],
      [alpha.length, alpha.length, alpha.filter(({ gpuModel }) => gpuModel?.includes('RTX') === true).length],
    );
    assert.equal(book.query(query({ filter: { text: 'alpha.net' } })).matched, 0);
  });

  it('answers an empty page beyond the end', () => {
    const page = book.query(query({ offset: 100_000 }));
    assert.deepEqual(page.offers, []);
    assert.equal(page.matched, all.length);
  });

  it('keeps the last known offers when a refresh fails, and says so', () => {
    const failing = new OfferBook();
    failing.fail('alpha', 'It was down from the start.');
    assert.deepEqual(failing.sources(), [
      { provider: 'alpha', count: 0, fetchedAtMs: null, problem: 'It was down from the start.' },
    ]);
    failing.replace('alpha', alpha, 5);
    failing.fail('alpha', 'It is down.');
    assert.equal(failing.query(query()).matched, alpha.length);
    assert.deepEqual(failing.query(query()).sources, [
      { provider: 'alpha', count: alpha.length, fetchedAtMs: 5, problem: 'It is down.' },
    ]);
    failing.replace('alpha', alpha.slice(0, 3), 9);
    assert.deepEqual(failing.sources(), [{ provider: 'alpha', count: 3, fetchedAtMs: 9, problem: null }]);
    assert.equal(failing.get(alpha[7]?.id ?? ''), null);
  });

  it('tells what a network leaves out from a refresh that failed', () => {
    const partly = new OfferBook();
    partly.replace('alpha', alpha, 5);
    partly.leaveOut('alpha', '1 has no price.');
    const source = { provider: 'alpha', count: alpha.length, fetchedAtMs: 5 };
    assert.deepEqual(partly.sources(), [{ ...source, problem: '1 has no price.', isPartOnly: true }]);
    partly.fail('alpha', 'It is down.');
    assert.deepEqual(partly.sources(), [{ ...source, problem: 'It is down.' }]);
  });

  it('never puts practice offers between real ones once somebody is logged in at a network, unless asked', () => {
    let loggedIn = false;
    const real = new OfferBook({ loggedIn: () => loggedIn });
    real.replace('alpha', alpha, 1);
    real.replace('beta', beta, 1);
    assert.equal(real.query(query()).matched, all.length);
    loggedIn = true;
    assert.ok(real.query(query({ limit: 1000 })).offers.every(({ practice }) => !practice));
    assert.equal(real.query(query({ filter: { practice: 'only' } })).matched, beta.length);
    const aside = (filter: OfferFilter) =>
      real
        .query(query({ filter, explain: true }))
        .hides?.filter(({ field }) => field === 'practice')
        .map(({ count }) => count);
    assert.deepEqual(aside({}), [beta.length]);
    assert.deepEqual(aside({ practice: 'exclude' }), []);
    assert.deepEqual(aside({ practice: 'only' }), []);
    assert.equal(book.query(query()).matched, all.length);
  });

  it('takes what needs a login that is not there for nothing that can be rented', () => {
    let lacking = ['alpha'];
    const some = new OfferBook({ lacksLogin: provider => lacking.includes(provider) });
    some.replace('alpha', alpha, 1);
    some.replace('beta', beta, 1);
    const rentable = () => some.query(query({ filter: { rentable: true } })).matched;
    const of = (offers: readonly Offer[]) =>
      offers.filter(({ notRentable }) => notRentable === undefined).length;
    assert.equal(rentable(), of(beta));
    assert.equal(some.query(query()).matched, all.length, 'it is shown all the same');
    lacking = [];
    assert.equal(rentable(), of(all));
  });

  it('answers null for an id that no network has', () => {
    for (const id of ['', ':', 'alpha', 'alpha:', 'alpha:99999', 'gamma:1']) {
      assert.equal(book.get(id), null);
    }
  });

  it('passes a machine with an unknown value through no bound on that value', () => {
    const matched = (filter: OfferFilter) => book.query(query({ filter, limit: 1000 })).offers;
    assert.ok(matched({ minReliability: 0 }).every(({ reliability }) => reliability !== null));
    assert.ok(matched({ minDownMbps: 0 }).every(({ downMbps }) => downMbps !== null));
  });

  it('says why nothing matches where a GPU or a network is unknown, with the nearest ones', () => {
    const hint = (filter: OfferFilter) => book.query(query({ filter })).hint;
    assert.equal(hint({ gpuModels: ['rtx4090'] }), null);
    assert.equal(
      hint({ gpuModels: ['H1O0'] }),
      'No network offers a GPU called “H1O0” now; near it is H100 SXM.',
    );
    assert.equal(hint({ gpuModels: ['zzz'] }), 'No network offers a GPU called “zzz” now.');
    assert.equal(hint({ providers: ['alfa'] }), 'There is no network “alfa” here; near it is alpha.');
    assert.equal(hint({ providers: ['zz'] }), 'There is no network “zz” here; there are alpha and beta.');
    assert.equal(hint({ gpuModels: ['H100'], minGpuCount: 999 }), null);
    assert.equal(new OfferBook().query(query({ filter: { providers: ['alpha'] } })).hint, null);
  });
});
