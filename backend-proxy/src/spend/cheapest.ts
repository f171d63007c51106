/** The best offers that fit an order where nobody named one, and why there are none. */
import {
  DEFAULT_LIMITS,
  firstOffers,
  format,
  HitchError,
  leastCost,
  type Offer,
  type OfferFilter,
  type OfferPage,
  type OfferQuery,
  parseMicroUsd,
  type QuoteRequest,
  showDollars,
  wishWords,
} from '@hitch/contract';
import type { Vacancy } from '../providers/provider.ts';
import {
  type CandidateParts,
  type Candidates,
  fullNetworks,
  holdsAll,
  isBeside,
  isTooShort,
  limitOf,
  mostKept,
  noOffers,
  priceOf,
  purposeOf,
  slots,
  SPARE_CANDIDATES,
} from './fitting-offers.ts';
import { type DriverNeeds, driverProblem } from './drivers.ts';
import { hasWishes, termsProblem } from './on-terms.ts';
import { isBarred, lackingLogin, looksBeyond, spareFilter, staysAtOne } from './networks.ts';
import { everySold, everySoldWithin, soldOf } from './sold.ts';

/** The best that pass the filter; of one network where several nodes must reach each other. */
export function cheapest(parts: CandidateParts, request: QuoteRequest): Candidates {
  const { rentable: _always, ...asked } = request.filter;
  const filter = { ...asked, ...(request.nodes > 1 ? { multiNode: true } : {}) };
  const page = parts.offers.query({ ...CHEAPEST_FIRST, filter: { ...filter, rentable: true } });
  const isPart = hasWishes(request) || (parts.needs ?? null) !== null;
  const offers = isPart ? everySold(parts, filter, request) : soldOf(parts, page.offers, request);
  const full = fullNetworks(parts, offers, request.nodes);
  const found = among(parts, offers, full, request);
  if (found !== null) {
    return withOthers(parts, filter, request, found);
  }
  const shown = page.offers.length > 0 ? [] : parts.offers.query({ ...CHEAPEST_FIRST, filter }).offers;
  // Where only a login is missing, the choice stands: the account is asked for next, and that says so.
  const wanted = among(parts, sold(parts, shown, request), new Map(), request);
  if (wanted !== null) {
    return wanted;
  }
  if (page.hint === null) {
    refuseUnread(page, request);
  }
  const running = page.offers.filter(offer => driverProblem(offer, parts.needs ?? null) === null);
  const why =
    page.hint ??
    onlyShort(offers, request) ??
    (offers.length > 0 ? null : onlyOlder(page.offers, running, parts.needs ?? null)) ??
    (offers.length > 0 || !hasWishes(request) ? null : onlyPlain(running, request)) ??
    onlyShown(shown);
  throw noOffers(request, full, why ?? onlySpot(parts, request), parts.firm?.leftOut);
}

/**
 * Networks that were named and show nothing, such as one that wants a login first: the filter is not what is wrong.
 * @throws HitchError NO_OFFERS with their own sentences, where that is all of those that were named.
 */
function refuseUnread({ sources }: OfferPage, { filter }: QuoteRequest): void {
  const named = sources.filter(({ provider }) => filter.providers?.includes(provider));
  const problems = named.flatMap(({ count, problem }) => (count > 0 ? [] : (problem ?? [])));
  if (problems.length > 0 && problems.length === named.length) {
    throw new HitchError('NO_OFFERS', problems.join(' '), {
      next: 'Log in there (hitch networks login), choose another network, or ask again in a minute.',
    });
  }
}

const CHEAPEST_FIRST = {
  sort: { key: 'pricePerHour', descending: false },
  offset: 0,
  limit: 1000,
} as const satisfies Partial<OfferQuery>;

/** Those of offers that are shown which are sold as it is asked for, once somebody is logged in. */
const sold = (parts: CandidateParts, shown: readonly Offer[], request: QuoteRequest): readonly Offer[] =>
  soldOf(
    parts,
    shown.filter(({ notRentable }) => notRentable === undefined),
    request,
  );

/** What is tried besides the best ones from networks that were not named, where that is wanted, and what lacks a login. */
function withOthers(
  parts: CandidateParts,
  filter: OfferFilter,
  request: QuoteRequest,
  found: Candidates,
): Candidates {
  const [first] = found.offers;
  if (first === undefined || request.nodes > 1) {
    return found;
  }
  const wide = spareFilter(filter, request, first);
  const room = SPARE_CANDIDATES + 1 - found.offers.length;
  const taken = new Set(found.offers.map(({ id }) => id));
  const most = mostKept([first]);
  const beyond = looksBeyond(request)
    ? everySoldWithin(parts, wide, request, found.limit).filter(
        offer =>
          !taken.has(offer.id) &&
          offer.stock > 0 &&
          priceOf(offer) <= found.limit &&
          leastCost(offer) <= most &&
          !isTooShort(offer, request) &&
          !isBarred(parts, offer, first),
      )
    : [];
  return {
    ...found,
    offers: [...found.offers, ...beyond.slice(0, Math.max(0, room))],
    lackLogin: lackingLogin(parts, wide, offer => priceOf(offer) <= found.limit),
  };
}

function among(
  parts: CandidateParts,
  offers: readonly Offer[],
  full: ReadonlyMap<string, Vacancy>,
  request: QuoteRequest,
): Candidates | null {
  const there = offers.filter(
    offer =>
      offer.stock > 0 &&
      !full.has(offer.provider) &&
      !isTooShort(offer, request) &&
      holdsAll(offer, request.nodes),
  );
  const cap = request.capMicroUsd === null ? DEFAULT_LIMITS.capMicroUsd : parseMicroUsd(request.capMicroUsd);
  // What keeps more than the cap comes into question only where nothing else does: then the cap's size is what is wrong.
  const affordable = there.filter(offer => leastCost(offer) <= cap);
  return bestOf(parts, affordable, request) ?? bestOf(parts, there, request);
}

/** Why nothing fits, where what does can only be looked at. */
function onlyShown(shown: readonly Offer[]): string | null {
  const reasons = [...new Set(shown.flatMap(({ notRentable }) => notRentable ?? []))];
  const what = shown.length === 1 ? '1 offer that fits' : `${shown.length.toString()} offers that fit`;
  return reasons.length === 0 ? null : `What there is (${what}) can only be looked at: ${reasons.join(' ')}`;
}

function bestOf(parts: CandidateParts, offers: readonly Offer[], request: QuoteRequest): Candidates | null {
  const networks = staysAtOne(request) ? [...new Set(offers.map(({ provider }) => provider))] : [null];
  for (const network of networks) {
    const there = offers.filter(({ provider }) => network === null || provider === network);
    const [first] = there;
    if (first === undefined) {
      continue;
    }
    const dearest = firstOffers(there, request.nodes)
      .map(priceOf)
      .reduce((a, b) => (a > b ? a : b), 0n);
    const byFirst = limitOf(request, priceOf(first));
    // Where the best are too few for all nodes, the limit reaches as far as the nodes need.
    const reach = request.maxNodePricePerHourMicroUsd === null && dearest > byFirst;
    const limit = reach ? dearest : byFirst;
    const allowed = there.filter(offer => priceOf(offer) <= limit && !isBarred(parts, offer, first));
    if (slots(allowed) >= request.nodes) {
      return { offers: enough(allowed, request.nodes), limit };
    }
  }
  return null;
}

/** Why nothing fits, where something would without what is asked for beside it. */
function onlyPlain(listed: readonly Offer[], request: QuoteRequest): string | null {
  const [first] = listed;
  if (first === undefined) {
    return null;
  }
  const nearest = `The cheapest, ${format.machineTitle(first)} (${first.id}), ${termsProblem(first, request)?.says ?? ''}.`;
  return listed.length === 1
    ? nearest
    : `None of the ${listed.length.toString()} offers that fit is sold with ${wishWords(request)}. ${nearest}`;
}

/** Why nothing fits, where everything that does has a driver that is too old for the packages. */
function onlyOlder(
  listed: readonly Offer[],
  running: readonly Offer[],
  needs: DriverNeeds | null,
): string | null {
  const [first] = listed;
  const problem = first === undefined || running.length > 0 ? null : driverProblem(first, needs);
  if (first === undefined || problem === null) {
    return null;
  }
  const cheapestSays = `${format.machineTitle(first)} (${first.id}) ${problem}.`;
  return listed.length === 1
    ? cheapestSays
    : `None of the ${listed.length.toString()} offers that fit has a driver for it. The cheapest, ${cheapestSays}`;
}

/** Why nothing fits, where spot would. */
function onlySpot({ offers: source }: CandidateParts, { filter, nodes }: QuoteRequest): string | null {
  if (filter.markets?.includes('spot') !== false) {
    return null;
  }
  const { offers, matched } = source.query({
    filter: { ...filter, markets: ['spot'], rentable: true, ...(nodes > 1 ? { multiNode: true } : {}) },
    sort: { key: 'pricePerHour', descending: false },
    offset: 0,
    limit: 1,
  });
  const [first] = offers;
  return first === undefined
    ? null
    : `No offer on demand fits now; ${matched.toString()} spot ${matched === 1 ? 'offer does' : 'offers do'}, from ${showDollars(priceOf(first))}/h, which the network may take away at any moment.`;
}

/** As many as the nodes need, and the spare ones. */
function enough(offers: readonly Offer[], nodes: number): readonly Offer[] {
  let have = 0;
  const count = offers.findIndex(({ stock }) => (have += stock) >= nodes) + 1;
  const needed = offers.slice(0, count);
  const most = mostKept(needed);
  const others = offers
    .slice(count)
    .filter(offer => leastCost(offer) <= most && isBeside(needed, nodes, offer));
  return [...needed, ...others.slice(0, SPARE_CANDIDATES)];
}

/** Why nothing fits, where some of these would if they were sold for longer. */
function onlyShort(offers: readonly Offer[], request: QuoteRequest): string | null {
  const count = offers.filter(offer => isTooShort(offer, request)).length;
  const what = count === 1 ? '1 offer that fits is' : `${count.toString()} offers that fit are`;
  return count === 0 ? null : `${what} sold for a time that is too short to ${purposeOf(request)}.`;
}
