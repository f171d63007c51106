/**
 * Which offer is the best one: what it costs in all for the hours that are wanted, for each GPU-hour that is likely to be
 * of use. One function ranks and another one says why, from the same numbers.
 */
import { duration, TRUST_WORDS } from './format.ts';
import { historyWords } from './host-history.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { showDollars } from './money.ts';
import type { Offer } from './offers.ts';

/** What is reckoned with besides the hours: an image, packages and a model come to about so much. */
export const RANKED_DOWNLOAD_GB = 20;
/** How long a machine is wanted where nobody says it. */
export const RANKED_MS: number = DEFAULT_LIMITS.stopAfterMs;

/**
 * What stated reliability counts beside our own purchases: as much as so many of them. Four: two vain purchases in a row
 * outweigh a price that is a third lower, and one does not.
 */
const PRIOR_PURCHASES = 4;
/** The share of purchases that come to nothing where no reliability is stated. Assumed: no network publishes it. */
const ASSUMED_FAILURES: Readonly<Record<Offer['trust'], number>> = {
  own: 0.01,
  data_center: 0.02,
  verified: 0.05,
  community: 0.1,
};
/** However bad a host was, it keeps a place at the end of the list. */
const MOST_FAILURES = 0.95;

/** What the rank of an offer depends on; amounts are in micro-USD. */
export interface RankFacts extends Pick<Offer, 'gpuCount' | 'trust' | 'reliability'> {
  readonly perHour: number;
  readonly once: number;
  readonly floor: number;
  /** Paid by whole terms that are not given back; null: by use. */
  readonly termMs: number | null;
  readonly downPerGB: number;
  readonly history: Pick<NonNullable<Offer['history']>, 'cameUp' | 'notUp' | 'died'> | null;
}

export const rankFacts = (offer: Offer): RankFacts => ({
  gpuCount: offer.gpuCount,
  trust: offer.trust,
  reliability: offer.reliability,
  perHour: Number(offer.pricePerHourMicroUsd),
  once: Number(offer.nonRefundableMicroUsd),
  floor: Number(offer.floorMicroUsd ?? 0),
  termMs: offer.refundable === 'exact_after_floor' ? null : (offer.termMs ?? null),
  downPerGB: Number(offer.traffic?.downPerGBMicroUsd ?? 0),
  history: offer.history ?? null,
});

const HOUR_MS = 3_600_000;

/** What `ms` there cost in all, traffic too. */
export function allInCost({ perHour, once, floor, termMs, downPerGB }: RankFacts, ms: number): number {
  const paidMs = termMs === null ? ms : Math.ceil(ms / termMs) * termMs;
  return Math.max(floor, (perHour * paidMs) / HOUR_MS) + once + downPerGB * RANKED_DOWNLOAD_GB;
}

/** The share of such purchases that is likely to come to nothing: what is stated, moved by what became of our own. */
export function failureShare({ trust, reliability, history }: RankFacts): number {
  const stated = reliability === null ? ASSUMED_FAILURES[trust] : 1 - reliability;
  const failed = history === null ? 0 : history.notUp + history.died;
  const tried = history === null ? 0 : history.cameUp + history.notUp;
  return Math.min(MOST_FAILURES, (stated * PRIOR_PURCHASES + failed) / (PRIOR_PURCHASES + tried));
}

/** What a machine costs for each hour that is likely to be of use. */
export const costPerUsefulHour = (facts: RankFacts, ms: number): number =>
  allInCost(facts, ms) / ((ms / HOUR_MS) * (1 - failureShare(facts)));

/** The same for one of its GPUs: the least is the best. Not a number for a machine without one. */
export const rankOf = (facts: RankFacts, ms: number): number =>
  facts.gpuCount === 0 ? Number.NaN : costPerUsefulHour(facts, ms) / facts.gpuCount;

/** Why an offer stands where it does, a sentence for each thing that counts. */
export function whyWords(offer: Offer, ms: number = RANKED_MS): string[] {
  const facts = rankFacts(offer);
  const all = allInCost(facts, ms);
  const share = failureShare(facts);
  const hours = duration(ms);
  const each = facts.gpuCount > 1 ? ` for each of ${facts.gpuCount.toString()} GPUs` : '';
  const useful = costPerUsefulHour(facts, ms) / Math.max(1, facts.gpuCount);
  return [
    `${money(all)} in all for ${hours}: ${parts(facts, ms).join(', ')}.`,
    failureSentence(offer, share),
    ...(offer.history === undefined ? [] : [`Your own purchases: ${historyWords(offer.history)}.`]),
    `Reckoned with that, ${money(useful)} for an hour of use${each}.`,
  ];
}

function parts(facts: RankFacts, ms: number): string[] {
  const { perHour, once, floor, termMs, downPerGB } = facts;
  const byHours = allInCost({ ...facts, once: 0, floor: 0, downPerGB: 0 }, ms);
  const rate = `${money(perHour)}/h with disk and fees`;
  const term = termMs === null ? '' : `, sold for ${duration(termMs)} at a time`;
  const least = floor > byHours ? `, at least ${money(floor)}` : '';
  return [
    `${rate}${term}${least}`,
    ...(once > 0 ? [`${money(once)} once`] : []),
    ...(downPerGB > 0
      ? [`${money(downPerGB * RANKED_DOWNLOAD_GB)} for ${RANKED_DOWNLOAD_GB.toString()} GB of downloads`]
      : []),
  ];
}

function failureSentence({ trust, reliability, history }: Offer, share: number): string {
  const stated =
    reliability === null
      ? `its network states no reliability, and ${percent(ASSUMED_FAILURES[trust])} is assumed for ${TRUST_WORDS[trust]} machines`
      : `its network states a reliability of ${percent(reliability)}`;
  const own = history === undefined ? '' : ', moved by your own purchases';
  return `About ${percent(share)} of such purchases come to nothing: ${stated}${own}.`;
}

const percent = (share: number): string => `${(Math.round(share * 1000) / 10).toString()} %`;

/** Rounded to a cent, or to a tenth of one where it is little. */
/** As every price is shown; what floating point adds to a whole micro-dollar is none. */
const money = (microUsd: number): string => showDollars(BigInt(Math.ceil(microUsd - 0.001)));
