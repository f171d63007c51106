/**
 * What time costs where some of it is paid already: a machine whose first hour is paid in any case costs nothing more
 * within that hour.
 */
import { costOver, type MicroUsd, parseMicroUsd } from './money.ts';
import type { Offer } from './offers.ts';

/** One machine's price by the hour. */
export interface Charge {
  readonly ratePerHourMicroUsd: MicroUsd;
  /** Of the time to come so much is paid. */
  readonly paidMicroUsd: MicroUsd;
}

/** The least that a machine of this offer costs, its hours counted in. */
export const floorOf = ({ floorMicroUsd }: Pick<Offer, 'floorMicroUsd'>): MicroUsd =>
  parseMicroUsd(floorMicroUsd ?? '0');

/** What a machine of this offer costs in any case. */
export const leastCost = (offer: Pick<Offer, 'floorMicroUsd' | 'nonRefundableMicroUsd'>): MicroUsd =>
  floorOf(offer) + parseMicroUsd(offer.nonRefundableMicroUsd);

/** What leaves the account when a machine of this offer is bought: what is not used of it may come back. */
export const dueNow = ({ dueNowMicroUsd }: Pick<Offer, 'dueNowMicroUsd'>): MicroUsd | null =>
  dueNowMicroUsd === undefined ? null : parseMicroUsd(dueNowMicroUsd);

/** A machine of this offer that is rented now. */
export function chargeOf(offer: Pick<Offer, 'floorMicroUsd' | 'pricePerHourMicroUsd'>): Charge {
  return {
    ratePerHourMicroUsd: parseMicroUsd(offer.pricePerHourMicroUsd),
    paidMicroUsd: floorOf(offer),
  };
}

/** What a machine of this offer costs that is kept for `ms` milliseconds. */
export function costOfOffer(
  offer: Pick<
    Offer,
    'floorMicroUsd' | 'pricePerHourMicroUsd' | 'nonRefundableMicroUsd' | 'termMs' | 'refundable'
  >,
  ms: number,
): MicroUsd {
  const { ratePerHourMicroUsd, paidMicroUsd } = chargeOf(offer);
  const termMs = offer.refundable === 'exact_after_floor' ? undefined : offer.termMs;
  const hours = costOver(ratePerHourMicroUsd, termMs === undefined ? ms : Math.ceil(ms / termMs) * termMs);
  return parseMicroUsd(offer.nonRefundableMicroUsd) + (hours > paidMicroUsd ? hours : paidMicroUsd);
}

/** What the next `ms` milliseconds cost on top of what is paid. */
export function costAhead(charges: readonly Charge[], ms: number): MicroUsd {
  return charges.reduce((sum, { ratePerHourMicroUsd, paidMicroUsd }) => {
    const beyond = costOver(ratePerHourMicroUsd, ms) - paidMicroUsd;
    return beyond > 0n ? sum + beyond : sum;
  }, 0n);
}

const MS_PER_HOUR = 3_600_000n;

/** How many milliseconds `amount` lasts from now on, rounded down; null where nothing costs. */
export function lastsMs(amount: MicroUsd, charges: readonly Charge[]): number | null {
  const costly = charges.filter(({ ratePerHourMicroUsd }) => ratePerHourMicroUsd > 0n).sort(runsOutFirst);
  let rate = 0n;
  let budget = amount;
  for (const { ratePerHourMicroUsd, paidMicroUsd } of costly) {
    // Until this one begins to cost, the money is for those before it.
    if (rate > 0n && budget * ratePerHourMicroUsd <= paidMicroUsd * rate) {
      break;
    }
    rate += ratePerHourMicroUsd;
    budget += paidMicroUsd;
  }
  return rate === 0n ? null : Number((budget * MS_PER_HOUR) / rate);
}

/** By the time for which each is paid, as fractions so that nothing is rounded. */
function runsOutFirst(one: Charge, other: Charge): number {
  const difference =
    one.paidMicroUsd * other.ratePerHourMicroUsd - other.paidMicroUsd * one.ratePerHourMicroUsd;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
