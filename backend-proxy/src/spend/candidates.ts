/** Which offers a quote holds, in the order in which they are tried, and how much one may cost. */
import {
  cutText,
  DEFAULT_LIMITS,
  firstOffers,
  format,
  HitchError,
  isAlike,
  leastCost,
  type MicroUsd,
  type Offer,
  type OfferFilter,
  type OfferPage,
  type OfferQuery,
  parseMicroUsd,
  type QuoteRequest,
  showDollars,
  trustSchema,
  type Wishes,
  wishWords,
} from '@hitch/contract';
import type { Vacancy } from '../providers/provider.ts';
import { reserveMs } from './budget.ts';
import { USEFUL_MS } from './limits.ts';
import { checkBid, hasWishes, onTerms, termsProblem } from './on-terms.ts';

/** The part of the offer book that quotes need. */
export interface OfferSource {
  get(offerId: string): Offer | null;
  query(query: OfferQuery): OfferPage;
}

/** Others that are tried when the first choices are taken. */
const SPARE_CANDIDATES = 4;

export function priceOf({ pricePerHourMicroUsd }: Offer): MicroUsd {
  return parseMicroUsd(pricePerHourMicroUsd);
}

export function sumOf(amounts: readonly MicroUsd[]): MicroUsd {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

/** What it takes to choose among offers. */
export interface CandidateParts {
  readonly offers: OfferSource;
  /** Room for more machines on a network that knows it at once; null: its offers say it. */
  readonly vacancyOf: (provider: string) => Vacancy | null;
}

export interface Candidates {
  readonly offers: readonly Offer[];
  /** No node may cost more than this an hour. */
  readonly limit: MicroUsd;
}

/** @param passedOver offers that are not to be tried. */
export function chooseCandidates(
  parts: CandidateParts,
  request: QuoteRequest,
  passedOver: readonly string[] = [],
): Candidates {
  checkBid(request);
  return request.offerIds.length > 0 ? named(parts, request, passedOver) : cheapest(parts, request);
}

/** Machines that are one purchase hold all nodes or none: those of two purchases may not reach each other. */
export const holdsAll = ({ together, stock }: Offer, nodes: number): boolean =>
  together === undefined || Math.min(together.max, stock) >= nodes;

/** Sold for so short a time that saving would have to begin before it was of any use. */
export function isTooShort({ termMs }: Offer, order: Pick<QuoteRequest, 'save'>): boolean {
  return termMs !== undefined && termMs < shortestTermMs(order);
}

const shortestTermMs = ({ save }: Pick<QuoteRequest, 'save'>): number =>
  USEFUL_MS + reserveMs(save.paths.length > 0);

function limitOf(
  { maxNodePricePerHourMicroUsd: most, bidPerHourMicroUsd: bid }: QuoteRequest,
  first: MicroUsd,
): MicroUsd {
  // Up to the bid is agreed to by bidding, and no bid is above the limit.
  const limit = bid ?? most;
  return limit === null ? (first * 11n) / 10n : parseMicroUsd(limit);
}

export function slots(offers: readonly Offer[]): number {
  return offers.reduce((sum, { stock }) => sum + Math.max(0, stock), 0);
}

/** The networks of these offers that have no room for all nodes, whatever their offers say. */
export function fullNetworks(
  { vacancyOf }: CandidateParts,
  offers: readonly Offer[],
  nodes: number,
): ReadonlyMap<string, Vacancy> {
  const full = new Map<string, Vacancy>();
  for (const network of new Set(offers.map(({ provider }) => provider))) {
    const vacancy = vacancyOf(network);
    if (vacancy !== null && vacancy.free < nodes) {
      full.set(network, vacancy);
    }
  }
  return full;
}

/** The offers the person named, in that order. Naming one is a yes to its price. */
function named(parts: CandidateParts, request: QuoteRequest, passedOver: readonly string[]): Candidates {
  const offers = [...new Set(request.offerIds)].map(id => {
    const offer = parts.offers.get(id);
    if (offer === null) {
      throw new HitchError('NO_OFFERS', `The offer ${cutText(id, 80)} is no longer available.`, {
        field: 'offerIds',
        next: 'Look at the offers again; prices and stock move.',
      });
    }
    if (isTooShort(offer, request)) {
      throw tooShort(offer, request);
    }
    return namedOnTerms(offer, request);
  });
  const [first] = offers;
  if (first === undefined) {
    throw noOffers(request);
  }
  if (request.nodes > 1) {
    const apart = offers.find(({ multiNode, provider }) => !multiNode || provider !== first.provider);
    if (apart !== undefined) {
      throw new HitchError(
        'BAD_INPUT',
        `${format.machineTitle(apart)} (${apart.id}) cannot reach the other nodes.`,
        {
          field: 'offerIds',
          next: 'For several nodes choose offers of one network that are marked for clusters.',
        },
      );
    }
  }
  const small = offers.find(offer => !holdsAll(offer, request.nodes));
  if (small !== undefined) {
    const most = Math.min(small.together?.max ?? 1, small.stock).toString();
    throw new HitchError(
      'NO_OFFERS',
      `${format.machineTitle(small)} (${small.id}) is rented as one purchase, of ${most} machines at most now.`,
      { field: 'offerIds', next: `Ask for ${most} nodes, or choose another offer.` },
    );
  }
  const dearest = offers.map(priceOf).reduce((a, b) => (a > b ? a : b));
  const byFirst = limitOf(request, priceOf(first));
  const limit = request.maxNodePricePerHourMicroUsd === null && dearest > byFirst ? dearest : byFirst;
  const full = fullNetworks(parts, offers, request.nodes);
  const allowed = offers.filter(offer => priceOf(offer) <= limit && !full.has(offer.provider));
  if (slots(allowed) < request.nodes) {
    throw noOffers(request, full);
  }
  return { offers: [...allowed, ...spares(parts, request, { named: allowed, limit, passedOver })], limit };
}

/** @throws HitchError BAD_INPUT where the offer is not sold with what is asked for. */
function namedOnTerms(offer: Offer, request: QuoteRequest): Offer {
  const sold = onTerms(offer, request);
  if (sold === null) {
    const problem = termsProblem(offer, request);
    throw new HitchError('BAD_INPUT', `${format.machineTitle(offer)} (${offer.id}) ${problem?.says ?? ''}.`, {
      field: problem?.field ?? 'offerIds',
      next: 'Leave it out, ask for less, or choose an offer that is sold so.',
    });
  }
  return sold;
}

function tooShort(offer: Offer, request: QuoteRequest): HitchError {
  const term = format.duration(offer.termMs ?? 0);
  return new HitchError(
    'BAD_INPUT',
    `${format.machineTitle(offer)} (${offer.id}) is sold for ${term} at a time, too short to ${purposeOf(request)}.`,
    {
      field: 'offerIds',
      next: `Choose an offer that is sold for at least ${format.duration(shortestTermMs(request))} at a time, or by use.`,
    },
  );
}

const purposeOf = ({ save }: QuoteRequest): string =>
  save.paths.length > 0 ? 'use and save' : 'use and delete';

/** Why nothing fits, where some of these would if they were sold for longer. */
function onlyShort(offers: readonly Offer[], request: QuoteRequest): string | null {
  const count = offers.filter(offer => isTooShort(offer, request)).length;
  const what = count === 1 ? '1 offer that fits is' : `${count.toString()} offers that fit are`;
  return count === 0 ? null : `${what} sold for a time that is too short to ${purposeOf(request)}.`;
}

/** No other GPU, no less trust, no spot for on demand: whoever named one machine gets one like it or none. */
function likeFilter(filter: OfferFilter, first: Offer): OfferFilter {
  const { gpuModel, gpuCount, market, trust, practice, endsBillingAlone } = first;
  return {
    ...filter,
    practice: practice ? 'only' : 'exclude',
    ...(gpuModel === null ? {} : { gpuModels: [gpuModel] }),
    minGpuCount: gpuCount,
    maxGpuCount: gpuCount,
    markets: filter.markets ?? (market === 'spot' ? ['spot', 'on_demand'] : ['on_demand']),
    trusts: filter.trusts ?? trustSchema.options.slice(0, trustSchema.options.indexOf(trust) + 1),
    ...(endsBillingAlone ? { endsBillingAlone } : {}),
  };
}

/** The cheapest offers like the first one that pass the filter too, and are none of these. */
function spares(
  parts: CandidateParts,
  request: QuoteRequest,
  {
    named: offers,
    limit,
    passedOver,
  }: { named: readonly Offer[]; limit: MicroUsd; passedOver: readonly string[] },
): readonly Offer[] {
  const [first] = offers;
  if (first === undefined) {
    return [];
  }
  const { filter, nodes } = request;
  const together = nodes > 1 ? { multiNode: true, providers: [first.provider] } : {};
  const taken = new Set([...passedOver, ...offers.map(({ id }) => id)]);
  const most = mostKept(firstOffers(offers, nodes));
  const found: Offer[] = [];
  for (const offer of everySold(parts.offers, { ...likeFilter(filter, first), ...together }, request)) {
    if (priceOf(offer) > limit || found.length === SPARE_CANDIDATES) {
      break;
    }
    const fits = !isTooShort(offer, request) && holdsAll(offer, nodes) && isAlike(first, offer);
    const hasRoom = offer.stock > 0 && (parts.vacancyOf(offer.provider)?.free ?? nodes) >= nodes;
    const isNear = isBeside(offers, nodes, offer);
    if (hasRoom && fits && isNear && leastCost(offer) <= most && !taken.has(offer.id)) {
      found.push(offer);
    }
  }
  return found;
}

const PAGE = 1000;

/** All that pass, the cheapest first. */
export function* everyOffer(source: OfferSource, filter: OfferFilter): Generator<Offer> {
  for (let offset = 0; ; offset += PAGE) {
    const { offers } = source.query({
      filter,
      sort: { key: 'pricePerHour', descending: false },
      offset,
      limit: PAGE,
    });
    yield* offers;
    if (offers.length < PAGE) {
      return;
    }
  }
}

/** All that pass and are sold on these terms, at their prices on them, the cheapest first. */
export function* everySold(source: OfferSource, filter: OfferFilter, wishes: Wishes): Generator<Offer> {
  if (hasWishes(wishes)) {
    const sold = [...everyOffer(source, filter)].flatMap(offer => onTerms(offer, wishes) ?? []);
    yield* sold.sort((one, other) => (priceOf(one) < priceOf(other) ? -1 : 1));
  } else {
    yield* everyOffer(source, filter);
  }
}

/** The cheapest that pass the filter; of one network where several nodes must reach each other. */
function cheapest(parts: CandidateParts, request: QuoteRequest): Candidates {
  const filter = { ...request.filter, ...(request.nodes > 1 ? { multiNode: true } : {}) };
  const { offers: listed, hint } = parts.offers.query({
    filter,
    sort: { key: 'pricePerHour', descending: false },
    offset: 0,
    limit: 1000,
  });
  const offers = hasWishes(request) ? [...everySold(parts.offers, filter, request)] : listed;
  const full = fullNetworks(parts, offers, request.nodes);
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
  const found = cheapestOf(affordable, request) ?? cheapestOf(there, request);
  if (found !== null) {
    return found;
  }
  const why = hint ?? onlyShort(offers, request) ?? (offers.length > 0 ? null : onlyPlain(listed, request));
  throw noOffers(request, full, why ?? onlySpot(parts, request));
}

function cheapestOf(offers: readonly Offer[], request: QuoteRequest): Candidates | null {
  const networks = request.nodes > 1 ? [...new Set(offers.map(({ provider }) => provider))] : [null];
  for (const network of networks) {
    const there = offers.filter(({ provider }) => network === null || provider === network);
    const [first] = there;
    if (first === undefined) {
      continue;
    }
    const last = firstOffers(there, request.nodes).at(-1) ?? first;
    const byFirst = limitOf(request, priceOf(first));
    // Where the cheapest are too few for all nodes, the limit reaches as far as the nodes need.
    const reach = request.maxNodePricePerHourMicroUsd === null && priceOf(last) > byFirst;
    const limit = reach ? priceOf(last) : byFirst;
    const allowed = there.filter(offer => priceOf(offer) <= limit);
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

/** Why nothing fits, where spot would. */
function onlySpot({ offers: source }: CandidateParts, { filter, nodes }: QuoteRequest): string | null {
  if (filter.markets?.includes('spot') !== false) {
    return null;
  }
  const { offers, matched } = source.query({
    filter: { ...filter, markets: ['spot'], ...(nodes > 1 ? { multiNode: true } : {}) },
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

/** Whether it may stand in for one of these. Several nodes on one machine of one's own stay together: there nobody else reaches them. */
function isBeside(needed: readonly Offer[], nodes: number, offer: Offer): boolean {
  const [first] = needed;
  const isOneMachine = needed.every(({ supplier, trust }) => trust === 'own' && supplier === first?.supplier);
  return nodes === 1 || !isOneMachine || offer.supplier === first?.supplier;
}

/** The most that one of these costs in any case: a yes to them is no yes to an offer that keeps more. */
const mostKept = (offers: readonly Offer[]): MicroUsd =>
  offers.map(leastCost).reduce((a, b) => (a > b ? a : b), 0n);

function noOffers(
  { nodes, offerIds, maxNodePricePerHourMicroUsd }: QuoteRequest,
  full: ReadonlyMap<string, Vacancy> = new Map(),
  hint: string | null = null,
): HitchError {
  const what = offerIds.length > 0 ? 'The named offers do not have' : 'No network has';
  const price =
    maxNodePricePerHourMicroUsd === null
      ? ''
      : ` for at most ${showDollars(parseMicroUsd(maxNodePricePerHourMicroUsd))}/h each`;
  const machines = nodes === 1 ? 'a machine that fits' : `${nodes.toString()} machines that fit`;
  const sentences = [
    hint ?? `${what} ${machines}${price} now.`,
    ...[...full.values()].map(({ sentence }) => sentence),
  ];
  return new HitchError('NO_OFFERS', sentences.join(' '), {
    next:
      full.size === 0
        ? 'Widen the filter, allow a higher price, or ask again in a minute.'
        : 'Stop a cluster that is not needed, widen the filter, or ask for fewer nodes.',
  });
}
