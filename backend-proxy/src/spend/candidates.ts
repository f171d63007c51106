/** Which offers a quote holds, in the order in which they are tried, and how much one may cost. */
import {
  cutText,
  firstOffers,
  format,
  HitchError,
  isAlike,
  leastCost,
  type MicroUsd,
  type Offer,
  type OfferFilter,
  type QuoteRequest,
  trustSchema,
} from '@hitch/contract';
import { cheapest } from './cheapest.ts';
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
  shortestTermMs,
  slots,
  SPARE_CANDIDATES,
} from './fitting-offers.ts';
import { driverProblem } from './drivers.ts';
import { checkBid, checkTerm, termsProblem } from './on-terms.ts';
import { isBarred, lackingLogin, spareFilter } from './networks.ts';
import { everySoldWithin, soldAs } from './sold.ts';

/** Which others may be tried: none of `passedOver`, and where a machine of one's own is named only those of it. */
export type SpareLimits = { readonly passedOver: readonly string[]; readonly supplier: string | null };

export function chooseCandidates(
  parts: CandidateParts,
  request: QuoteRequest,
  limits: SpareLimits = { passedOver: [], supplier: null },
): Candidates {
  checkBid(request);
  checkTerm(request, parts.clock.now());
  return request.offerIds.length > 0 ? named(parts, request, limits) : cheapest(parts, request);
}

/** The offers the person named, in that order. Naming one is a yes to its price. */
function named(parts: CandidateParts, request: QuoteRequest, limits: SpareLimits): Candidates {
  const offers = [...new Set(request.offerIds)].flatMap(id => {
    const offer = parts.offers.get(id);
    if (offer === null) {
      throw new HitchError('NO_OFFERS', `The offer ${cutText(id, 80)} is no longer available.`, {
        field: 'offerIds',
        next: 'Look at the offers again; prices and stock move.',
      });
    }
    if (offer.notRentable !== undefined) {
      throw new HitchError(
        'NO_OFFERS',
        `${format.machineTitle(offer)} (${offer.id}) can only be looked at. ${offer.notRentable}`,
        { field: 'offerIds', next: 'Choose an offer of another network.' },
      );
    }
    if (isTooShort(offer, request)) {
      throw tooShort(offer, request);
    }
    return namedOnTerms(parts, offer, request) ?? [];
  });
  const [first] = offers;
  if (first === undefined) {
    throw noOffers(request, new Map(), null, parts.firm?.leftOut);
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
    const isFew = request.nodes < (small.together?.min ?? 1);
    const count = (
      isFew ? (small.together?.min ?? 1) : Math.min(small.together?.max ?? 1, small.stock)
    ).toString();
    throw new HitchError(
      'NO_OFFERS',
      `${format.machineTitle(small)} (${small.id}) is rented as one purchase, of ${count} machines at ${isFew ? 'least' : 'most now'}.`,
      { field: 'offerIds', next: `Ask for ${count} nodes, or choose another offer.` },
    );
  }
  const dearest = offers.map(priceOf).reduce((a, b) => (a > b ? a : b));
  const byFirst = limitOf(request, priceOf(first));
  const limit = request.maxNodePricePerHourMicroUsd === null && dearest > byFirst ? dearest : byFirst;
  const full = fullNetworks(parts, offers, request.nodes);
  const allowed = offers.filter(offer => priceOf(offer) <= limit && !full.has(offer.provider));
  if (slots(allowed) < request.nodes) {
    throw noOffers(request, full, null, parts.firm?.leftOut);
  }
  const like = spareFilter(likeFilter(request.filter, first), request, first);
  return {
    offers: [...allowed, ...spares(parts, request, { named: allowed, limit, ...limits })],
    limit,
    lackLogin:
      request.nodes > 1
        ? []
        : lackingLogin(parts, like, offer => priceOf(offer) <= limit && isAlike(first, offer)),
  };
}

/** Null where its price is not known. @throws HitchError where its driver is too old or it is not sold with what is asked for. */
function namedOnTerms(parts: CandidateParts, offer: Offer, request: QuoteRequest): Offer | null {
  const driver = driverProblem(offer, parts.needs ?? null);
  if (driver !== null) {
    throw new HitchError('NO_OFFERS', `${format.machineTitle(offer)} (${offer.id}) ${driver}.`, {
      field: 'offerIds',
      next: 'Choose an offer with a newer driver, or a lock for the CUDA that this one runs.',
    });
  }
  const problem = termsProblem(offer, request);
  if (problem !== null) {
    throw new HitchError('BAD_INPUT', `${format.machineTitle(offer)} (${offer.id}) ${problem.says}.`, {
      field: problem.field,
      next: 'Leave it out, ask for less, or choose an offer that is sold so.',
    });
  }
  return soldAs(parts, offer, request)?.offer ?? null;
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

/** The best offers like the first one that pass the filter too, and are none of these. */
function spares(
  parts: CandidateParts,
  request: QuoteRequest,
  {
    named: offers,
    limit,
    passedOver,
    supplier,
  }: SpareLimits & { readonly named: readonly Offer[]; readonly limit: MicroUsd },
): readonly Offer[] {
  const [first] = offers;
  if (first === undefined) {
    return [];
  }
  const { filter, nodes } = request;
  const like = spareFilter(likeFilter(filter, first), request, first);
  const taken = new Set([...passedOver, ...offers.map(({ id }) => id)]);
  const most = mostKept(firstOffers(offers, nodes));
  const found: Offer[] = [];
  const within = { ...like, ...(nodes > 1 ? { multiNode: true } : {}) };
  for (const offer of everySoldWithin(parts, within, request, limit)) {
    if (found.length === SPARE_CANDIDATES) {
      break;
    }
    if (priceOf(offer) > limit || isBarred(parts, offer, first)) {
      continue;
    }
    const fits = !isTooShort(offer, request) && holdsAll(offer, nodes) && isAlike(first, offer);
    const hasRoom = offer.stock > 0 && (parts.vacancyOf(offer.provider)?.free ?? nodes) >= nodes;
    const isNear = isBeside(offers, nodes, offer) && (supplier === null || offer.supplier === supplier);
    if (hasRoom && fits && isNear && leastCost(offer) <= most && !taken.has(offer.id)) {
      found.push(offer);
    }
  }
  return found;
}
