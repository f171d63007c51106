import assert from 'node:assert/strict';
import { HitchError, type Offer, parseMicroUsd, type QuoteRequest } from '@hitch/contract';
import { seededRandom } from '@hitch/platform/src/random.ts';
import { freshName } from '../../src/spend/names.ts';
import type { Vacancy } from '../../src/providers/provider.ts';
import {
  clock,
  CUDA_13,
  offer,
  OFFERS,
  quote,
  quoteOfLock,
  quotesOver,
  refusal,
  refusalOf,
} from './made-quotes.ts';

describe('an offer of machines that are one purchase', () => {
  const pair = { min: 2, max: 4, replaceOne: false };
  const offers = [
    offer({ id: 'here:pods', pricePerHourMicroUsd: '100000', stock: 3, together: pair }),
    offer({ id: 'here:one', pricePerHourMicroUsd: '400000', stock: 9 }),
  ];
  const chosen = (nodes: number) => quote({ nodes }, offers).quote.candidates[0]?.offerId;

  it('is not chosen for fewer than go into one, nor for more than there are', () => {
    assert.deepEqual([1, 2, 3, 4].map(chosen), ['here:one', 'here:pods', 'here:pods', 'here:one']);
  });

  it('is refused with how many it takes where it is named', () => {
    const words = (nodes: number) => refusal({ nodes, offerIds: ['here:pods'] }, offers).message;
    assert.match(words(1), /is rented as one purchase, of 2 machines at least\.$/);
    assert.match(words(4), /is rented as one purchase, of 3 machines at most now\.$/);
  });
});

describe('an offer that is sold for a short time', () => {
  const MINUTE_MS = 60_000;
  const SAVES = { save: { paths: ['out'], toFolder: null } };
  const short = (minutes: number): Offer =>
    offer({
      id: 'here:short',
      pricePerHourMicroUsd: '370000',
      floorMicroUsd: '65000',
      termMs: minutes * MINUTE_MS,
    });

  it('is left out where that is too short to use it, and to save where something is saved', () => {
    const chosen = (minutes: number, request: Partial<QuoteRequest>) =>
      quote(request, [...OFFERS, short(minutes)]).quote.candidates[0]?.offerId;
    assert.equal(chosen(7, {}), 'here:short');
    assert.equal(chosen(6, {}), 'here:a');
    assert.equal(chosen(17, SAVES), 'here:short');
    assert.equal(chosen(16, SAVES), 'here:a');
  });

  it('is no spare of another', () => {
    const { quote: shown } = quote({ offerIds: ['here:a'] }, [...OFFERS, short(6)]);
    assert.ok(!shown.candidates.some(({ offerId }) => offerId === 'here:short'));
  });

  it('is refused where it is named, and named where nothing else fits', () => {
    const { code, message } = refusal({ ...SAVES, offerIds: ['here:short'] }, [short(10)]);
    assert.equal(code, 'BAD_INPUT');
    assert.match(message, /\(here:short\) is sold for 10 min at a time, too short to use and save\.$/);
    assert.match(
      refusal({}, [short(5)]).message,
      /1 offer that fits is sold for a time that is too short to use and delete/,
    );
  });
});

describe('an offer that can only be looked at', () => {
  const WHY = 'Network here gives no ssh to its machines.';
  const shown = offer({ id: 'here:shown', pricePerHourMicroUsd: '100000', notRentable: WHY });

  it('is never chosen, and is no spare of another', () => {
    for (const request of [{}, { nodes: 2 }, { offerIds: ['here:b'] }, { diskGiB: 50 }]) {
      const { offers } = quote(request, [shown, ...OFFERS]);
      assert.ok(!offers.some(({ id }) => id === 'here:shown'), JSON.stringify(request));
    }
  });

  it('is refused where it is named, and named where nothing else fits', () => {
    const { code, message } = refusal({ offerIds: ['here:shown'] }, [shown, ...OFFERS]);
    assert.equal(code, 'NO_OFFERS');
    assert.match(message, /\(here:shown\) can only be looked at\. Network here gives no ssh/);
    assert.equal(
      refusal({}, [shown]).message,
      `What there is (1 offer that fits) can only be looked at: ${WHY}`,
    );
  });
});

describe('a network at which nobody is logged in', () => {
  const cheap = offer({ id: 'real:cheap', pricePerHourMicroUsd: '100000', practice: false });
  const chosen = (offers: readonly Offer[], request: Partial<QuoteRequest> = {}) =>
    quote(request, offers, undefined, name => name === 'real').offers.map(({ id }) => id);

  it('is passed over while another has what fits', () => {
    assert.deepEqual(chosen([cheap, ...OFFERS]), chosen(OFFERS));
    assert.ok(!chosen([cheap, ...OFFERS], { diskGiB: 50 }).includes('real:cheap'));
  });

  it('is chosen where it is named or nothing else fits: then a login is what is asked for', () => {
    assert.deepEqual(chosen([cheap, ...OFFERS], { offerIds: ['real:cheap'] })[0], 'real:cheap');
    assert.deepEqual(chosen([cheap]), ['real:cheap']);
    assert.deepEqual(chosen([cheap], { filter: { rentable: true } }), ['real:cheap']);
  });
});

describe('a network that shows nothing', () => {
  const why = 'Shut shows its offers to those who are logged in.';
  const message = (providers: string[]) => {
    const shut = quotesOver(OFFERS, book => book.fail('shut', why));
    try {
      shut({ filter: { providers } });
    } catch (error) {
      return error instanceof HitchError ? error.message : String(error);
    }
    return 'quoted';
  };

  it('is the reason where it was named alone, and none where another one was', () => {
    assert.equal(message(['shut']), why);
    assert.equal(message(['shut', 'here']), 'quoted');
  });
});

describe('a quote', () => {
  it('freezes the cheapest that fit, in order, at most a tenth over the first', () => {
    const { quote: shown, maxNodePricePerHourMicroUsd } = quote();
    assert.deepEqual(
      shown.candidates.map(({ offerId }) => offerId),
      ['here:a', 'there:d', 'here:b'],
    );
    assert.equal(maxNodePricePerHourMicroUsd, 440_000n);
    assert.equal(shown.ratePerHourMicroUsd, '400000');
    assert.equal(shown.highestRatePerHourMicroUsd, '440000');
    assert.equal(shown.engine, 'single');
    assert.equal(shown.caps.totalMicroUsd, '2000000');
    assert.equal(shown.caps.idleMs, 1_800_000);
    assert.equal(shown.expiresAtMs, shown.createdAtMs + 600_000);
    assert.equal(shown.yes, 'Rent for up to $0.44/h');
  });

  it('takes several nodes from one network whose machines reach each other, as far as stock goes', () => {
    const { quote: shown, maxNodePricePerHourMicroUsd } = quote({ nodes: 4 });
    assert.equal(shown.engine, 'ray');
    assert.deepEqual(
      shown.candidates.map(({ offerId }) => offerId),
      ['here:a', 'here:b', 'here:c'],
    );
    assert.equal(maxNodePricePerHourMicroUsd, 900_000n);
    assert.equal(parseMicroUsd(shown.ratePerHourMicroUsd), 400_000n + 2n * 420_000n + 900_000n);
    assert.equal(shown.parts[0]?.perHourMicroUsd, shown.ratePerHourMicroUsd);
  });

  it('keeps enough back to save and destroy, more when something is saved', () => {
    const without = parseMicroUsd(quote().quote.savingReserveMicroUsd);
    const saving = parseMicroUsd(
      quote({ save: { paths: ['out'], toFolder: null } }).quote.savingReserveMicroUsd,
    );
    assert.ok(without > 0n && saving > without);
  });

  it('says in its lines when a host is a stranger’s and when others may be taken', () => {
    const { lines } = quote({ offerIds: ['here:c', 'here:b'] }).quote;
    assert.ok(lines.some(line => line.includes('its owner can read your data')));
    assert.ok(lines.some(line => line.startsWith('If this offer is gone, Hitch tries up to 3 similar ones')));
    assert.ok(lines[0]?.includes('Network here'));
  });

  it('takes no spot offer that was not asked for or named, and says where only spot would fit', () => {
    const spot = { ...offer({ id: 'here:spot', pricePerHourMicroUsd: '100000' }), market: 'spot' as const };
    const ids = (request: Partial<QuoteRequest>) =>
      quote(request, [spot, ...OFFERS]).offers.map(({ id }) => id);
    assert.ok(!ids({}).includes('here:spot'));
    assert.deepEqual(
      quote({}, [spot, ...OFFERS]).order?.filter.markets,
      ['on_demand'],
      'kept with the order',
    );
    assert.equal(ids({ filter: { markets: ['spot'] } })[0], 'here:spot');
    assert.equal(ids({ offerIds: ['here:spot'] })[0], 'here:spot');
    const { lines } = quote({ offerIds: ['here:spot'] }, [spot]).quote;
    assert.match(lines[0] ?? '', /\(spot, verified, DE\)/);
    assert.ok(lines.some(line => line.startsWith('Spot: ')));
    assert.match(
      refusal({}, [spot]).message,
      /^No offer on demand fits now; 1 spot offer does, from \$0\.10\/h/,
    );
  });

  it('has others like the one that was named, inside the filters and the price', () => {
    const like = (id: string, change: Partial<Offer> = {}) =>
      offer({ id, pricePerHourMicroUsd: '410000', ...change });
    const all = [
      ...OFFERS,
      like('here:like', { country: 'NO' }),
      like('here:other-gpu', { gpuModel: 'RTX 3090' }),
      like('here:more-gpus', { gpuCount: 2 }),
      like('here:spot', { market: 'spot' }),
      like('here:stranger', { trust: 'community' }),
      like('here:ends-not', { endsBillingAlone: false }),
      like('here:dear', { pricePerHourMicroUsd: '600000' }),
      like('here:sold', { stock: 0 }),
    ];
    const ids = (request: Partial<QuoteRequest>) => quote(request, all).offers.map(({ id }) => id);
    assert.deepEqual(ids({ offerIds: ['here:a'] }), ['here:a', 'here:like', 'there:d', 'here:b']);
    assert.deepEqual(ids({ offerIds: ['here:a'], filter: { countries: ['NO'] } }), ['here:a', 'here:like']);
    const { lines } = quote({ offerIds: ['here:a'] }, all).quote;
    assert.equal(
      lines.at(-1),
      'If this offer is gone, Hitch tries up to 3 similar ones (Network here, Network there), at most $0.44/h',
    );
  });

  it('refuses with a sentence and the field', () => {
    assert.equal(refusal({ capMicroUsd: '1000' }).code, 'CAP_TOO_LOW');
    assert.equal(refusal({ stopAtMs: clock.now() - 1 }).field, 'stopAtMs');
    assert.equal(refusal({ idleMs: 5_000 }).field, 'idleMs');
    assert.equal(refusal({ engine: 'slurm' }).field, 'engine');
    assert.equal(refusal({ engine: 'single', nodes: 2 }).field, 'engine');
    assert.equal(refusal({ save: { paths: [], toFolder: 'relative' } }).field, 'save.toFolder');
    assert.equal(refusal({ nodes: 50 }).code, 'NO_OFFERS');
    assert.equal(refusal({ maxNodePricePerHourMicroUsd: '1' }).code, 'NO_OFFERS');
    assert.equal(refusal({ offerIds: ['here:vanished'] }).code, 'NO_OFFERS');
    assert.equal(refusal({ offerIds: ['there:d', 'here:a'], nodes: 2 }).field, 'offerIds');
    assert.equal(refusal({}, []).code, 'NO_OFFERS');
  });
});

describe('names of clusters nobody named', () => {
  it('are never taken ones, however many there are', () => {
    const random = seededRandom(5);
    const taken = new Set<string>();
    for (let count = 0; count < 3_000; count++) {
      const name = freshName(random, other => taken.has(other));
      assert.match(name, /^[a-z][a-z0-9-]{0,38}[a-z0-9]$/);
      taken.add(name);
    }
    assert.equal(taken.size, 3_000);
  });

  it('hostile: is refused above what a network has room for at this moment, and says so', () => {
    const sentence = 'Here runs 14 of the 16 nodes that it offers at once.';
    const vacancyOf = (provider: string): Vacancy | null =>
      provider === 'here' ? { free: 2, sentence } : null;
    assert.equal(quote({ nodes: 2 }, OFFERS, vacancyOf).quote.nodes, 2);
    const cheapest = refusal({ nodes: 3 }, OFFERS, vacancyOf);
    assert.equal(cheapest.code, 'NO_OFFERS');
    assert.equal(cheapest.message, `No network has 3 machines that fit now. ${sentence}`);
    const named = refusal({ nodes: 3, offerIds: ['here:c'] }, OFFERS, vacancyOf);
    assert.equal(named.message, `The named offers do not have 3 machines that fit now. ${sentence}`);
    const full = (provider: string): Vacancy | null => (provider === 'here' ? { free: 0, sentence } : null);
    // A network without room leaves the others.
    assert.equal(quote({}, OFFERS, full).offers[0]?.id, 'there:d');
  });

  describe('of machines whose first hour is paid in any case', () => {
    const kept = (id: string, price: string, change: Partial<Offer> = {}) =>
      offer({ id, pricePerHourMicroUsd: price, floorMicroUsd: price, ...change });

    it('says so, keeps it inside the cap and tries nothing that keeps more instead', () => {
      const offers = [
        kept('here:a', '400000'),
        kept('here:b', '410000'),
        offer({ id: 'here:c', pricePerHourMicroUsd: '420000' }),
      ];
      const { quote: shown } = quote({ capMicroUsd: '400000' }, offers);
      assert.equal(shown.floorMicroUsd, '400000');
      assert.ok(
        shown.lines[1]?.endsWith('At least $0.40: the first hour is paid in any case'),
        shown.lines[1],
      );
      assert.deepEqual(
        shown.candidates.map(({ offerId }) => offerId),
        ['here:a', 'here:c'],
      );
      const { code, message } = refusal({ capMicroUsd: '399999' }, offers.slice(0, 2));
      assert.equal(code, 'CAP_TOO_LOW');
      assert.equal(message, 'The spending limit of $0.40 does not cover what is paid in any case, $0.40.');
    });

    it('takes one that the cap can carry before a cheaper one that it cannot', () => {
      const offers = [
        kept('here:a', '400000', { floorMicroUsd: '4000000' }),
        offer({ id: 'here:b', pricePerHourMicroUsd: '900000' }),
      ];
      assert.equal(quote({}, offers).quote.candidates[0]?.offerId, 'here:b');
      const aDay = { capMicroUsd: '30000000', stopAtMs: clock.now() + 24 * 3_600_000 };
      assert.equal(quote(aDay, offers).quote.candidates[0]?.offerId, 'here:a');
      assert.equal(quote({ capMicroUsd: '9000000' }, offers).quote.candidates[0]?.offerId, 'here:b');
    });
  });
});

describe('an offer whose driver is too old for the packages', () => {
  const card = (
    id: string,
    pricePerHourMicroUsd: string,
    cudaMax: string | null,
    change: Partial<Offer> = {},
  ) => offer({ id, pricePerHourMicroUsd, cudaMax, practice: false, ...change });
  const old = card('here:old', '100000', '12.8');
  const older = card('here:older', '200000', '11.8');
  const chosen = (offers: readonly Offer[], request: Partial<QuoteRequest> = {}) =>
    quoteOfLock(CUDA_13, offers, request).quote.candidates.map(({ offerId }) => offerId);

  it('is left out before anything is bought, and is no spare of another', () => {
    const fits = card('here:fits', '300000', '13.0');
    assert.deepEqual(chosen([old, older, fits]), ['here:fits']);
    assert.deepEqual(chosen([old, fits], { offerIds: ['here:fits'] }), ['here:fits']);
    assert.deepEqual(chosen([old, fits], { diskGiB: 50 }), ['here:fits']);
    // Any minor version of it does.
    assert.deepEqual(chosen([card('here:newer', '300000', '13.2')]), ['here:newer']);
  });

  it('is taken where its network does not say what its driver runs, it has no GPU or is one’s own', () => {
    for (const other of [
      card('here:b', '100000', null),
      card('here:b', '100000', '12.8', { gpuCount: 0, gpuModel: null }),
      card('here:b', '100000', '12.8', { trust: 'own' }),
    ]) {
      assert.deepEqual(chosen([other]), ['here:b']);
    }
  });

  it('is named with what it runs and what is needed, where nothing else fits', () => {
    const words = (offers: readonly Offer[], request: Partial<QuoteRequest> = {}) =>
      refusalOf(() => quoteOfLock(CUDA_13, offers, request)).message;
    assert.equal(
      words([old]),
      '1× RTX 4090, 24 GB (here:old) has a driver for CUDA up to 12.8, and requirements.lock brings CUDA 13.',
    );
    assert.match(words([old, older]), /^None of the 2 offers that fit has a driver for it\. The cheapest, /);
    assert.match(words([old], { diskGiB: 50 }), /has a driver for CUDA up to 12\.8/);
    assert.match(
      words([old], { offerIds: ['here:old'] }),
      /^1× RTX 4090, 24 GB \(here:old\) has a driver for CUDA/,
    );
  });

  it('is as good as any for packages that bring no CUDA', () => {
    assert.deepEqual(quoteOfLock({ ...CUDA_13, accelerator: 'cpu' }, [old], {}).quote.candidates.length, 1);
  });
});
