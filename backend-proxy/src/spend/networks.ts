/** From which networks the candidates of a quote come, in which order they are tried, and why some are left out. */
import {
  costPerUsefulHour,
  type Offer,
  type OfferFilter,
  type ProviderId,
  type QuoteRequest,
  rankFacts,
  RANKED_MS,
} from '@hitch/contract';
import type { CandidateParts, LeftOut } from './fitting-offers.ts';

/** What the others that may be tried come from. Machines that must reach each other are of one network. */
export function spareFilter(filter: OfferFilter, request: QuoteRequest, first: Offer): OfferFilter {
  const { providers: _named, ...any } = filter;
  if (staysAtOne(request)) {
    return { ...any, providers: [first.provider] };
  }
  return request.otherNetworks === true ? any : filter;
}

export const staysAtOne = ({ nodes, otherNetworks }: QuoteRequest): boolean =>
  nodes > 1 || otherNetworks === false;

/** Whether networks beside those that were named come into question, for what is tried when these are gone. */
export const looksBeyond = (request: QuoteRequest): boolean =>
  !staysAtOne(request) && request.otherNetworks === true && request.filter.providers !== undefined;

/** For how long it is wanted. */
export const wantedMs = ({ stopAtMs }: QuoteRequest, nowMs: number): number =>
  stopAtMs === null ? RANKED_MS : Math.max(60_000, stopAtMs - nowMs);

/** The best first: the least for an hour of one machine that is likely to be of use, everything included. */
export function byRank(
  { clock }: Pick<CandidateParts, 'clock'>,
  request: QuoteRequest,
): (one: Offer, other: Offer) => number {
  const ms = wantedMs(request, clock.now());
  const ranks = new Map<Offer, number>();
  const rankOf = (offer: Offer): number => {
    const known = ranks.get(offer) ?? costPerUsefulHour(rankFacts(offer), ms);
    ranks.set(offer, known);
    return known;
  };
  return (one, other) => rankOf(one) - rankOf(other);
}

/** Whether it would be tried besides the first choice, and its network is not to be. */
export const isBarred = ({ barred }: CandidateParts, { provider }: Offer, first: Offer): boolean =>
  provider !== first.provider && barred?.has(provider) === true;

/** How many of these cannot be rented because nobody is logged in at their network. */
export function lackingLogin(
  { offers: book }: Pick<CandidateParts, 'offers'>,
  filter: OfferFilter,
  fits: (offer: Offer) => boolean,
): readonly LeftOut[] {
  const query = { sort: { key: 'pricePerHour', descending: false }, offset: 0, limit: 1000 } as const;
  const { rentable: _always, ...all } = filter;
  const shown = book.query({ ...query, filter: all }).offers;
  const rentable = new Set(
    book.query({ ...query, filter: { ...all, rentable: true } }).offers.map(({ provider }) => provider),
  );
  const counts = new Map<ProviderId, number>();
  for (const offer of shown) {
    if (offer.notRentable === undefined && !rentable.has(offer.provider) && fits(offer)) {
      counts.set(offer.provider, (counts.get(offer.provider) ?? 0) + 1);
    }
  }
  return [...counts].map(([provider, count]) => ({ provider, count }));
}

/** `12 offers of RunPod and 3 of io.net that fit: nobody is logged in there.` */
export function loginSentence(
  leftOut: readonly LeftOut[],
  titleOf: (provider: ProviderId) => string,
): readonly string[] {
  const [first, ...others] = leftOut;
  if (first === undefined) {
    return [];
  }
  const many = leftOut.length > 1 || first.count > 1;
  const each = [
    `${first.count.toString()} ${first.count === 1 ? 'offer' : 'offers'} of ${titleOf(first.provider)}`,
    ...others.map(({ provider, count }) => `${count.toString()} of ${titleOf(provider)}`),
  ];
  const list = new Intl.ListFormat('en', { type: 'conjunction' }).format(each);
  return [`${list} that ${many ? 'fit' : 'fits'}: you are not logged in there.`];
}
