/** Offers as they are sold for a request: on the terms that are wanted, at the price of those. */
import type { MicroUsd, Offer, OfferFilter, QuoteRequest } from '@hitch/contract';
import { driverProblem } from './drivers.ts';
import { type CandidateParts, type OfferSource, priceOf } from './fitting-offers.ts';
import { byRank } from './networks.ts';
import { atPrice, hasWishes, onTerms, type Sold } from './on-terms.ts';

/** An offer on the terms that are wanted, at its firm price where that is known; null: it is not sold so, or cannot run the order. */
export function soldAs(
  { clock, firm, needs = null }: CandidateParts,
  offer: Offer,
  request: QuoteRequest,
): Sold | null {
  const sold = driverProblem(offer, needs) === null ? onTerms(offer, request, clock.now()) : null;
  const price = sold === null ? undefined : firm?.of(sold.offer, sold.terms);
  return sold === null || price === null
    ? null
    : price === undefined
      ? sold
      : { ...sold, offer: atPrice(sold.offer, price) };
}

/** Those of some offers that are sold so, the best first. */
export const soldOf = (
  parts: CandidateParts,
  offers: readonly Offer[],
  request: QuoteRequest,
): readonly Offer[] =>
  offers.flatMap(offer => soldAs(parts, offer, request)?.offer ?? []).sort(byRank(parts, request));

const PAGE = 1000;

/** All that pass and can be rented now, the cheapest first. */
function* everyOffer(source: OfferSource, filter: OfferFilter): Generator<Offer> {
  for (let offset = 0; ; offset += PAGE) {
    const { offers } = source.query({
      filter: { ...filter, rentable: true },
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

/** All that pass, can be rented now and are sold on these terms, at their prices on them, the best first. */
export const everySold = (
  parts: CandidateParts,
  filter: OfferFilter,
  request: QuoteRequest,
): readonly Offer[] => soldOf(parts, [...everyOffer(parts.offers, filter)], request);

/** The same of those that cost no more than `limit` by the list; what is asked for beside may take some below it. */
export function everySoldWithin(
  parts: CandidateParts,
  filter: OfferFilter,
  request: QuoteRequest,
  limit: MicroUsd,
): readonly Offer[] {
  if (hasWishes(request)) {
    return everySold(parts, filter, request);
  }
  const near: Offer[] = [];
  for (const offer of everyOffer(parts.offers, filter)) {
    if (priceOf(offer) > limit) {
      break;
    }
    near.push(offer);
  }
  return soldOf(parts, near, request);
}
