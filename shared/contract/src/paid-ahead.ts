/** Time that is sold ahead: how much of it is paid at once, and what that makes of an offer's price. */
import { floorOf, lastsMs } from './charges.ts';
import { DEFAULT_LIMITS, TERM_SLACK_MS } from './limits.ts';
import { costOver, formatMicroUsd, type MicroUsd, parseMicroUsd, showDollars } from './money.ts';
import { termWords } from './offer-words.ts';
import type { Offer } from './offers.ts';
import { asWritten, type Translate } from './translate.ts';

/** What decides how long is paid at once. */
export interface TimeWanted {
  /** As long as that; null: until the stop time. */
  readonly termMs: number | null;
  readonly stopAtMs: number | null;
  /** Null: the usual one. */
  readonly capMicroUsd: string | null;
  readonly nodes: number;
}

/**
 * How long is paid at once: as long as was asked for, or else until the stop time as far as the spending limit goes; in whole
 * terms, and one at least. Null where it is not sold by terms.
 */
export function termBought(
  offer: Offer,
  { termMs: asked, stopAtMs, capMicroUsd, nodes }: TimeWanted,
  nowMs: number,
): number | null {
  const { termMs } = offer;
  if (termMs === undefined) {
    return null;
  }
  const whole = (ms: number): number => Math.max(1, Math.floor(ms / termMs)) * termMs;
  if (asked !== null) {
    return whole(asked);
  }
  const cap = capMicroUsd === null ? DEFAULT_LIMITS.capMicroUsd : parseMicroUsd(capMicroUsd);
  const forHours = cap / BigInt(nodes) - parseMicroUsd(offer.nonRefundableMicroUsd);
  const lasts = lastsMs(forHours > 0n ? forHours : 0n, [
    { ratePerHourMicroUsd: parseMicroUsd(offer.pricePerHourMicroUsd), paidMicroUsd: 0n },
  ]);
  return stopAtMs === null
    ? termMs
    : whole(Math.min(wholeTerms(stopAtMs - nowMs, termMs) * termMs, lasts ?? Number.POSITIVE_INFINITY));
}

/** The whole terms in `ms`. Whoever reckoned with a stop time did so a moment ago: what it lacks of one for that is not missed. */
export const wholeTerms = (ms: number, termMs: number): number =>
  Math.floor((ms + Math.min(TERM_SLACK_MS / 2, termMs / 20)) / termMs);

/** The offer with so long paid at once: all of it is kept, or leaves the account. */
export function paidFor(offer: Offer, ms: number): Offer {
  if (ms === offer.termMs) {
    return offer;
  }
  const paid = costOver(parseMicroUsd(offer.pricePerHourMicroUsd), ms);
  const floor = floorOf(offer);
  return {
    ...offer,
    ...(offer.refundable === 'exact_after_floor'
      ? {}
      : { floorMicroUsd: formatMicroUsd(paid > floor ? paid : floor) }),
    ...(offer.dueNowMicroUsd === undefined || offer.refundable === 'deposit'
      ? {}
      : { dueNowMicroUsd: formatMicroUsd(paid) }),
  };
}

/**
 * `4 h: $2.40 now; what is not used comes back, but for $0.60`, for machines of these offers; null: none of their time is sold
 * ahead.
 */
export function paidNowWords(
  offers: readonly Offer[],
  wanted: TimeWanted,
  nowMs: number,
  t: Translate = asWritten,
): string | null {
  const sold = offers.flatMap(offer => {
    const ms = termBought(offer, wanted, nowMs);
    return ms === null ? [] : [{ offer, ms }];
  });
  if (sold.length === 0) {
    return null;
  }
  const sum = (amounts: readonly MicroUsd[]): MicroUsd => amounts.reduce((all, amount) => all + amount, 0n);
  const now = showDollars(
    sum(sold.map(({ offer, ms }) => costOver(parseMicroUsd(offer.pricePerHourMicroUsd), ms))),
  );
  const kept = sum(sold.map(({ offer }) => floorOf(offer)));
  const [time, ...others] = new Set(sold.map(({ ms }) => termWords(ms)));
  const start = others.length === 0 && time !== undefined ? t('%1: %2 now', time, now) : t('%1 now', now);
  return !sold.every(({ offer }) => offer.refundable === 'exact_after_floor')
    ? t('%1; not given back', start)
    : kept === 0n
      ? t('%1; what is not used comes back', start)
      : t('%1; what is not used comes back, but for %2', start, showDollars(kept));
}
