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
  paidFor,
  parseMicroUsd,
  type QuoteRequest,
  termBought,
  type Wishes,
} from '@hitch/contract';
import type { Terms } from '../ledger/records.ts';
import { plainTerms } from '../ledger/terms.ts';
import type { Price } from '../providers/provider.ts';
import { TERM_SLACK_MS } from './limits.ts';

/** What decides about the terms of a purchase. */
export type Wanted = Wishes & Pick<QuoteRequest, 'stopAtMs' | 'capMicroUsd' | 'nodes' | 'filter'>;

export const hasWishes = ({ diskGiB, image, bidPerHourMicroUsd, termMs }: Wishes): boolean =>
  diskGiB !== null || image !== null || bidPerHourMicroUsd !== null || termMs !== null;

/** An offer as it is sold on the terms that are wanted, at their price by its network's list. */
export interface Sold {
  readonly offer: Offer;
  readonly terms: Terms;
}

/** Null where it is not sold so. */
export function onTerms(offer: Offer, wanted: Wanted, nowMs: number): Sold | null {
  if (termsProblem(offer, wanted) !== null) {
    return null;
  }
  const { image, bidPerHourMicroUsd } = wanted;
  const plain = withDisk(offer, wanted.diskGiB ?? filteredDisk(offer, wanted));
  const termMs = termBought(plain, wanted, nowMs);
  return {
    offer: termMs === null ? plain : paidFor(plain, termMs),
    terms: {
      ...plainTerms(plain),
      termMs,
      image,
      bidPerHourMicroUsd: bidPerHourMicroUsd === null ? null : parseMicroUsd(bidPerHourMicroUsd),
    },
  };
}

/** An offer passes a filter with the largest disk that it can have: where it comes with a smaller one, it is bought as large as that. */
const filteredDisk = (offer: Offer, { filter: { minDiskGiB = 0 } }: Pick<Wanted, 'filter'>): number | null =>
  offer.takes?.disk !== undefined && offer.diskGiB < minDiskGiB ? minDiskGiB : null;

/** The disk that a filter makes some offer larger by than it comes with; null: each comes as it is. */
export const raisedDisk = (
  offers: readonly Offer[],
  request: Pick<Wanted, 'filter' | 'diskGiB'>,
): number | null =>
  request.diskGiB === null && offers.some(offer => filteredDisk(offer, request) !== null)
    ? (request.filter.minDiskGiB ?? null)
    : null;

/** The offer at the price that its network says of these terms. */
export function atPrice(offer: Offer, price: Price): Offer {
  const { dueNowMicroUsd: _due, refundable: _back, basis: _basis, ...rest } = offer;
  const { dueNowMicroUsd, refundable, basis } = price;
  return {
    ...rest,
    pricePerHourMicroUsd: formatMicroUsd(
      price.perHour.reduce((sum, { perHourMicroUsd }) => sum + perHourMicroUsd, 0n),
    ),
    priceParts: price.perHour.map(({ label, perHourMicroUsd }) => ({
      label,
      perHourMicroUsd: formatMicroUsd(perHourMicroUsd),
    })),
    floorMicroUsd: formatMicroUsd(price.floorMicroUsd),
    nonRefundableMicroUsd: formatMicroUsd(price.nonRefundableMicroUsd),
    ...(dueNowMicroUsd === null ? {} : { dueNowMicroUsd: formatMicroUsd(dueNowMicroUsd) }),
    ...(refundable === 'no' ? {} : { refundable }),
    ...(basis === 'firm' ? {} : { basis }),
  };
}

export interface TermsProblem {
  readonly field: keyof Wishes;
  /** The rest of a sentence that begins with the offer. */
  readonly says: string;
}

/** Why an offer is not sold on these terms; null where it is. */
export function termsProblem(offer: Offer, wishes: Wishes): TermsProblem | null {
  return (
    diskProblem(offer, wishes) ??
    imageProblem(offer, wishes) ??
    bidProblem(offer, wishes) ??
    termProblem(offer, wishes)
  );
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

function termProblem({ termMs: has }: Offer, { termMs: asked }: Wishes): TermsProblem | null {
  const field = 'termMs';
  if (asked === null) {
    return null;
  }
  if (has === undefined) {
    return { field, says: 'costs as it is used: none of its time is paid ahead' };
  }
  return has <= asked
    ? null
    : { field, says: `is sold for ${format.duration(has)} at a time, not for ${format.duration(asked)}` };
}

/** With a disk of that size where one can be chosen: the disk's price is added, or taken off. */
function withDisk(offer: Offer, wanted: number | null): Offer {
  const { disk } = offer.takes ?? {};
  // One that cannot be chosen so small or so large comes as it is: it is large enough.
  if (wanted === null || disk === undefined || wanted > disk.maxGiB) {
    return offer;
  }
  const diskGiB = Math.max(wanted, disk.minGiB);
  if (diskGiB === offer.diskGiB) {
    return offer;
  }
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

/** @throws HitchError BAD_INPUT for more time paid ahead than there is until the stop time. */
export function checkTerm({ termMs, stopAtMs }: Wanted, nowMs: number): void {
  if (termMs !== null && stopAtMs !== null && termMs > stopAtMs - nowMs + TERM_SLACK_MS) {
    throw new HitchError(
      'BAD_INPUT',
      `${format.duration(termMs)} would be paid at once, and it stops in ${format.duration(Math.max(0, stopAtMs - nowMs))}.`,
      { field: 'termMs', next: 'Pay for less at once, or choose a later stop time.' },
    );
  }
}

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
