/** What an offer is and on which terms it is sold, in the words of every client's table. */
import { dueNow, floorOf } from './charges.ts';
import { dollars, duration, machineTitle } from './format.ts';
import { showDollars } from './money.ts';
import type { Offer } from './offers.ts';
import { asWritten, type Translate } from './translate.ts';

const HOUR_MS = 3_600_000;

/** `1 h`, `24 h`: time that is sold, which a person counts in hours. */
export const termWords = (ms: number): string =>
  ms % HOUR_MS === 0 ? `${(ms / HOUR_MS).toString()} h` : duration(ms);

/** `cluster of 2–8`: what is rented as one, and of how many machines; null: each is rented by itself. */
export function togetherWords(
  { together, stock }: Pick<Offer, 'together' | 'stock'>,
  t: Translate = asWritten,
): string | null {
  if (together === undefined) {
    return null;
  }
  const { min, max } = together;
  const most = Math.min(max, Math.max(stock, min ?? 1));
  return min === undefined
    ? t('cluster of up to %1', most)
    : most === min
      ? t('cluster of %1', min)
      : t('cluster of %1–%2', min, most);
}

/** Such as `1× RTX 4090, 24 GB`, or `cluster of 2–8: 8× H100, 80 GB` of what is rented as one: that is not cut off first. */
export const offerMachine = (offer: Offer, t: Translate = asWritten): string =>
  [togetherWords(offer, t), machineTitle(offer)].filter(part => part !== null).join(': ');

/** When it is paid and what comes back; nothing where it is paid as it is used. */
function paidWords(offer: Offer, t: Translate): readonly string[] {
  const { termMs, refundable } = offer;
  const due = dueNow(offer);
  if (termMs === undefined) {
    return refundable === 'deposit' && due !== null ? [t('deposit %1', showDollars(due))] : [];
  }
  const time = termWords(termMs);
  return [
    termMs === HOUR_MS ? t('whole hours, paid ahead') : t('%1 at a time, paid ahead', time),
    ...(refundable === 'exact_after_floor' ? [t('the rest comes back')] : []),
  ];
}

/** What is to be known of how it is sold, the dearest first; nothing where it costs just what it is used. */
export function offerTerms(offer: Offer, t: Translate = asWritten): readonly string[] {
  const { nonRefundableMicroUsd, basis, market, security, multiNode, together } = offer;
  const floor = floorOf(offer);
  return [
    ...paidWords(offer, t),
    ...(floor === 0n ? [] : [t('at least %1', showDollars(floor))]),
    ...(nonRefundableMicroUsd === '0' ? [] : [t('%1 non-refundable', dollars(nonRefundableMicroUsd))]),
    ...(basis === 'estimate' ? [t('estimate')] : basis === 'most' ? [t('at most')] : []),
    ...(market === 'spot' ? [t('can be taken back')] : []),
    ...(security === 'standard' ? [] : [security === 'soc2' ? 'SOC 2' : t('confidential')]),
    ...(multiNode && together === undefined ? [t('multi-node')] : []),
  ];
}
