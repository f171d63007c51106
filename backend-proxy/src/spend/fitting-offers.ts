/** What every choice among offers goes by: which of them hold an order, and what one may cost. */
import {
  HitchError,
  leastCost,
  type MicroUsd,
  type Offer,
  type OfferFilter,
  type OfferPage,
  type OfferQuery,
  parseMicroUsd,
  type ProviderId,
  type QuoteRequest,
  showDollars,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Terms } from '../ledger/records.ts';
import type { Price, Vacancy } from '../providers/provider.ts';
import { reserveMs } from './budget.ts';
import type { DriverNeeds } from './drivers.ts';
import { USEFUL_MS } from './limits.ts';

/** The part of the offer book that quotes need. */
export interface OfferSource {
  get(offerId: string): Offer | null;
  query(query: OfferQuery): OfferPage;
  /** How many that pass and `fit` nobody can rent before they log in at their network, by network. */
  countBehindLogin(filter: OfferFilter, fits: (offer: Offer) => boolean): ReadonlyMap<ProviderId, number>;
}

/** Others that are tried when the first choices are taken. */
export const SPARE_CANDIDATES = 4;

export function priceOf({ pricePerHourMicroUsd }: Offer): MicroUsd {
  return parseMicroUsd(pricePerHourMicroUsd);
}

export function sumOf(amounts: readonly MicroUsd[]): MicroUsd {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

/** What networks say of prices on terms, which their lists do not. */
export interface FirmPrices {
  /** Undefined: the offer's own price is firm, or nobody has asked yet. Null: it was asked for in vain. */
  of(offer: Offer, terms: Terms): Price | null | undefined;
  /** The offers whose price was asked for in vain, a sentence each. */
  readonly leftOut: readonly string[];
}

/** What it takes to choose among offers. */
export interface CandidateParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly offers: OfferSource;
  /** Left out: what the offers say is firm. */
  readonly firm?: FirmPrices;
  /** Networks that others than the first choices are not taken from, and why, a sentence each. Left out: none. */
  readonly barred?: ReadonlyMap<ProviderId, string>;
  /** What the packages of the order need of a driver. Left out: nothing. */
  readonly needs?: DriverNeeds | null;
  /** Room for more machines on a network that knows it at once; null: its offers say it. */
  readonly vacancyOf: (provider: string) => Vacancy | null;
}

/** Offers that would come into question if somebody were logged in there. */
export interface LeftOut {
  readonly provider: ProviderId;
  readonly count: number;
}

export interface Candidates {
  /** What is left out for want of a login. Left out: nothing. */
  readonly lackLogin?: readonly LeftOut[];
  readonly offers: readonly Offer[];
  /** No node may cost more than this an hour. */
  readonly limit: MicroUsd;
}

/** Machines that are one purchase hold all nodes or none: those of two purchases may not reach each other, and one may be too few. */
export const holdsAll = ({ together, stock }: Offer, nodes: number): boolean =>
  together === undefined || (nodes >= (together.min ?? 1) && Math.min(together.max, stock) >= nodes);

/** Sold for so short a time that saving would have to begin before it was of any use. */
export function isTooShort({ termMs }: Offer, order: Pick<QuoteRequest, 'save'>): boolean {
  return termMs !== undefined && termMs < shortestTermMs(order);
}

export const shortestTermMs = ({ save }: Pick<QuoteRequest, 'save'>): number =>
  USEFUL_MS + reserveMs(save.paths.length > 0);

export function limitOf(
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

export const purposeOf = ({ save }: QuoteRequest): string =>
  save.paths.length > 0 ? 'use and save' : 'use and delete';

/** Whether it may stand in for one of these. Several nodes on one machine of one's own stay together: there nobody else reaches them. */
export function isBeside(needed: readonly Offer[], nodes: number, offer: Offer): boolean {
  const [first] = needed;
  const isOneMachine = needed.every(({ supplier, trust }) => trust === 'own' && supplier === first?.supplier);
  return nodes === 1 || !isOneMachine || offer.supplier === first?.supplier;
}

/** The most that one of these costs in any case: a yes to them is no yes to an offer that keeps more. */
export const mostKept = (offers: readonly Offer[]): MicroUsd =>
  offers.map(leastCost).reduce((a, b) => (a > b ? a : b), 0n);

export function noOffers(
  { nodes, offerIds, maxNodePricePerHourMicroUsd }: QuoteRequest,
  full: ReadonlyMap<string, Vacancy> = new Map(),
  hint: string | null = null,
  leftOut: readonly string[] = [],
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
    ...leftOut,
  ];
  return new HitchError('NO_OFFERS', sentences.join(' '), {
    next:
      full.size === 0
        ? 'Widen the filter, allow a higher price, or ask again in a minute.'
        : 'Stop a cluster that is not needed, widen the filter, or ask for fewer nodes.',
  });
}
