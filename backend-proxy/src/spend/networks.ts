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

/** How many of these cannot be rented because nobody is logged in at their network: every one of them is counted, the most first. */
export const lackingLogin = (
  { offers }: Pick<CandidateParts, 'offers'>,
  filter: OfferFilter,
  fits: (offer: Offer) => boolean,
): readonly LeftOut[] =>
  [...offers.countBehindLogin(filter, fits)]
    .map(([provider, count]) => ({ provider, count }))
    .sort((one, other) => other.count - one.count);

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
    `${first.count.toLocaleString('en')} ${first.count === 1 ? 'offer' : 'offers'} of ${titleOf(first.provider)}`,
    ...others.map(({ provider, count }) => `${count.toLocaleString('en')} of ${titleOf(provider)}`),
  ];
  const list = new Intl.ListFormat('en', { type: 'conjunction' }).format(each);
  return [`${list} that ${many ? 'fit' : 'fits'}: you are not logged in there.`];
}
