/** Several machines in one purchase: what all of them cost stands once, in the offer that the purchase was made of. */
import { formatMicroUsd, type Offer, parseMicroUsd } from '@hitch/contract';
import type { AttemptRecord } from './records.ts';

/** The offer of so many machines at once. */
export function offerOfAll(offer: Offer, members: number): Offer {
  return members === 1 ? offer : eachAmount(offer, amount => amount * BigInt(members));
}

/** The offer of one of its machines, as it stands on the shelf. */
export function offerOfOne({ offer, members }: Pick<AttemptRecord, 'offer' | 'members'>): Offer {
  const count = BigInt(members.length);
  return count === 1n ? offer : eachAmount(offer, amount => amount / count);
}

function eachAmount(offer: Offer, change: (amount: bigint) => bigint): Offer {
  const changed = (amount: string): string => formatMicroUsd(change(parseMicroUsd(amount)));
  const { floorMicroUsd, dueNowMicroUsd } = offer;
  return {
    ...offer,
    pricePerHourMicroUsd: changed(offer.pricePerHourMicroUsd),
    priceParts: offer.priceParts.map(part => ({ ...part, perHourMicroUsd: changed(part.perHourMicroUsd) })),
    nonRefundableMicroUsd: changed(offer.nonRefundableMicroUsd),
    ...(floorMicroUsd === undefined ? {} : { floorMicroUsd: changed(floorMicroUsd) }),
    ...(dueNowMicroUsd === undefined ? {} : { dueNowMicroUsd: changed(dueNowMicroUsd) }),
  };
}
