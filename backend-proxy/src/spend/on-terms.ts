/**
 * What a person asks for beside what an offer says (a disk, an image, a bid), and what that makes of the offer: its disk
 * and its price, frozen in the quote. What is not sold so is left out, or refused where it was named.
 */
import {
  costOver,
  floorOf,
  format,
  formatMicroUsd,
  HitchError,
  type MicroUsd,
  type Offer,
  parseMicroUsd,
  type QuoteRequest,
  type Wishes,
} from '@hitch/contract';
import type { Terms } from '../ledger/records.ts';
import { plainTerms } from '../ledger/terms.ts';

export const hasWishes = ({ diskGiB, image, bidPerHourMicroUsd }: Wishes): boolean =>
  diskGiB !== null || image !== null || bidPerHourMicroUsd !== null;

/** The offer as it is sold on these terms, at their price; null where it is not. */
export function onTerms(offer: Offer, wishes: Wishes): Offer | null {
  return termsProblem(offer, wishes) === null ? withDisk(offer, wishes.diskGiB) : null;
}

/** What is agreed to beside an offer that {@link onTerms} gave. */
export const termsFor = (offer: Offer, { image, bidPerHourMicroUsd }: Wishes): Terms => ({
  ...plainTerms(offer),
  image,
  bidPerHourMicroUsd: bidPerHourMicroUsd === null ? null : parseMicroUsd(bidPerHourMicroUsd),
});

export interface TermsProblem {
  readonly field: keyof Wishes;
  /** The rest of a sentence that begins with the offer. */
  readonly says: string;
}

/** Why an offer is not sold on these terms; null where it is. */
export function termsProblem(offer: Offer, wishes: Wishes): TermsProblem | null {
  return diskProblem(offer, wishes) ?? imageProblem(offer, wishes) ?? bidProblem(offer, wishes);
}

function diskProblem({ diskGiB: has, takes }: Offer, { diskGiB: wanted }: Wishes): TermsProblem | null {
  const most = Math.max(has, takes?.disk?.maxGiB ?? 0);
  const rest = takes?.disk === undefined ? 'and is sold with no other' : 'at most';
  return wanted === null || wanted <= most
    ? null
    : { field: 'diskGiB', says: `has a disk of ${most.toString()} GB ${rest}` };
}

function imageProblem({ takes }: Offer, { image }: Wishes): TermsProblem | null {
  return image === null || takes?.image === true
    ? null
    : { field: 'image', says: 'takes no image of your own' };
}

function bidProblem(offer: Offer, { bidPerHourMicroUsd }: Wishes): TermsProblem | null {
  if (bidPerHourMicroUsd === null) {
    return null;
  }
  const field = 'bidPerHourMicroUsd';
  const { bid } = offer.takes ?? {};
  if (bid === undefined || offer.market !== 'spot') {
    return { field, says: 'takes no bids' };
  }
  const amount = parseMicroUsd(bidPerHourMicroUsd);
  if (amount < parseMicroUsd(bid.leastPerHourMicroUsd)) {
    return { field, says: `takes no bid under ${format.dollars(bid.leastPerHourMicroUsd)}/h` };
  }
  const { pricePerHourMicroUsd } = offer;
  return amount < parseMicroUsd(pricePerHourMicroUsd)
    ? { field, says: `costs ${format.dollars(pricePerHourMicroUsd)}/h now, more than your bid` }
    : null;
}

/** With a disk of that size where one can be chosen: the disk's price is added, or taken off. */
function withDisk(offer: Offer, wanted: number | null): Offer {
  const { disk } = offer.takes ?? {};
  // One that cannot be chosen so small or so large comes as it is: it is large enough.
  if (wanted === null || disk === undefined || wanted > disk.maxGiB) {
    return offer;
  }
  const diskGiB = Math.max(wanted, disk.minGiB);
  return repriced(
    { ...offer, diskGiB },
    BigInt(diskGiB - offer.diskGiB) * parseMicroUsd(disk.perGiBHourMicroUsd),
  );
}

/** So much dearer an hour. What is paid in any case, and ahead, is for hours, and rises with them; a deposit stays. */
function repriced(offer: Offer, more: MicroUsd): Offer {
  const before = parseMicroUsd(offer.pricePerHourMicroUsd);
  const after = before + more > 0n ? before + more : 0n;
  const floor = floorOf(offer);
  const isPaidAhead = offer.termMs !== undefined && offer.dueNowMicroUsd !== undefined;
  return {
    ...offer,
    pricePerHourMicroUsd: formatMicroUsd(after),
    priceParts: withPart(offer.priceParts, after - before),
    ...(floor === 0n || before === 0n
      ? {}
      : { floorMicroUsd: formatMicroUsd((floor * after + before - 1n) / before) }),
    ...(isPaidAhead && offer.refundable !== 'deposit'
      ? { dueNowMicroUsd: formatMicroUsd(costOver(after, offer.termMs ?? 0)) }
      : {}),
  };
}

/** The parts of a price, which still add up to it. */
function withPart(parts: Offer['priceParts'], more: MicroUsd): Offer['priceParts'] {
  const holds = ({ perHourMicroUsd }: Offer['priceParts'][number]) =>
    parseMicroUsd(perHourMicroUsd) + more >= 0n;
  const changed =
    parts.find(part => part.label === DISK && holds(part)) ?? (more < 0n ? parts.find(holds) : undefined);
  return changed === undefined
    ? [...parts, ...(more > 0n ? [{ label: DISK, perHourMicroUsd: formatMicroUsd(more) }] : [])]
    : parts.map(part =>
        part === changed
          ? { ...part, perHourMicroUsd: formatMicroUsd(parseMicroUsd(part.perHourMicroUsd) + more) }
          : part,
      );
}

const DISK = 'disk';

/** @throws HitchError BAD_INPUT for a bid above the price that is accepted. */
export function checkBid({ bidPerHourMicroUsd: bid, maxNodePricePerHourMicroUsd: most }: QuoteRequest): void {
  if (bid !== null && most !== null && parseMicroUsd(bid) > parseMicroUsd(most)) {
    throw new HitchError(
      'BAD_INPUT',
      `The bid of ${format.dollars(bid)}/h is above the highest price that is accepted, ${format.dollars(most)}/h each.`,
      { field: 'bidPerHourMicroUsd', next: 'Bid less, or accept a higher price.' },
    );
  }
}
