/** What the market says of its conditions, and time that it sells ahead. */
import { costOver, type MicroUsd, type Offer, parseMicroUsd } from '@hitch/contract';
import type { CatalogueEntry } from './catalogue.ts';
import type { EntryConditions } from './conditions.ts';
import { MarketRefusal } from './market-refusal.ts';
import type { Rental } from './market-storage.ts';
import { priceAt } from './rental-view.ts';

/** What somebody asks the market for. */
export interface RentOrder {
  readonly ref: string;
  readonly entryId: string;
  readonly maxPricePerHourMicroUsd: MicroUsd;
  readonly endAtMs: number | null;
  /** How long is bought, where it is sold by terms. */
  readonly termMs?: number | null;
  /** Machines in this one rental; left out: one. */
  readonly members?: number;
  readonly letIn?: Rental['letIn'];
  /** Left out: what it comes with. */
  readonly diskGiB?: number;
  readonly image?: string | null;
  readonly bidPerHourMicroUsd?: MicroUsd | null;
}

type Conditioned = Pick<
  Offer,
  | 'nonRefundableMicroUsd'
  | 'floorMicroUsd'
  | 'termMs'
  | 'endsBillingAlone'
  | 'together'
  | 'dueNowMicroUsd'
  | 'refundable'
  | 'basis'
>;

/** An offer's conditions, as they stand on the shelf. */
export function conditionsOf(
  { feeMicroUsd, minimumMs, termMs, givesBack, depositMicroUsd, together }: EntryConditions,
  { fixed }: CatalogueEntry,
  { pricePerHourMicroUsd }: Pick<Offer, 'pricePerHourMicroUsd'>,
): Conditioned {
  const price = parseMicroUsd(pricePerHourMicroUsd);
  return {
    nonRefundableMicroUsd: feeMicroUsd,
    floorMicroUsd: costOver(price, minimumMs).toString(),
    ...(termMs !== null && givesBack
      ? { dueNowMicroUsd: costOver(price, termMs).toString(), refundable: 'exact_after_floor' }
      : {}),
    ...(depositMicroUsd === null
      ? {}
      : { dueNowMicroUsd: depositMicroUsd, refundable: 'deposit', basis: 'most' }),
    // What was paid ahead ends with what was paid.
    endsBillingAlone: fixed.endsBillingAlone || termMs !== null,
    ...(termMs === null ? {} : { termMs }),
    ...(together ? { together: { max: MOST_MEMBERS, replaceOne: false } } : {}),
  };
}

/** So many machines are sold as one at most. */
export const MOST_MEMBERS = 8;

/** @throws MarketRefusal for more machines in one rental than are sold like that. */
export function checkMembers({ together }: Pick<EntryConditions, 'together'>, members: number): void {
  if (members > (together ? MOST_MEMBERS : 1)) {
    throw new MarketRefusal(
      'conflict',
      together
        ? `At most ${MOST_MEMBERS.toString()} of these are rented together.`
        : 'These are rented one at a time.',
    );
  }
}

/** @throws MarketRefusal for time that is not sold like that. */
export function checkTerm({ termMs }: Pick<EntryConditions, 'termMs'>, bought: number | null): void {
  const isSold = termMs === null ? bought === null : bought !== null && bought > 0 && bought % termMs === 0;
  if (!isSold) {
    throw new MarketRefusal(
      'conflict',
      termMs === null
        ? 'This is not sold by terms.'
        : `This is sold for ${(termMs / 60_000).toString()} minutes at a time.`,
    );
  }
}

/** So much more of a rental, at its price now. */
export function moreTime(
  rental: Rental,
  ms: number,
  nowMs: number,
): Pick<Rental, 'endAtMs' | 'floorMicroUsd' | 'paidMicroUsd' | 'timesMore'> {
  const paid = costOver(priceAt(rental, nowMs), ms);
  const { floorMicroUsd, paidMicroUsd, givesBack } = rental;
  return {
    endAtMs: (rental.endAtMs ?? nowMs) + ms,
    floorMicroUsd: givesBack ? floorMicroUsd : (parseMicroUsd(floorMicroUsd) + paid).toString(),
    paidMicroUsd: paidMicroUsd === null ? null : (parseMicroUsd(paidMicroUsd) + paid).toString(),
    timesMore: rental.timesMore + 1,
  };
}

/** @throws MarketRefusal for a disk, an image or a bid that this entry is not sold with. */
export function checkChoices({ fixed }: CatalogueEntry, order: RentOrder, price: MicroUsd): void {
  const { disk, image, bid } = fixed.takes ?? {};
  const { diskGiB = fixed.diskGiB, bidPerHourMicroUsd = null } = order;
  const fits =
    diskGiB === fixed.diskGiB || (disk !== undefined && diskGiB >= disk.minGiB && diskGiB <= disk.maxGiB);
  if (!fits) {
    throw new MarketRefusal('conflict', `This is not sold with a disk of ${diskGiB.toString()} GiB.`);
  }
  if ((order.image ?? null) !== null && image !== true) {
    throw new MarketRefusal('conflict', 'This takes no image of its renter’s.');
  }
  if (bidPerHourMicroUsd !== null && bid === undefined) {
    throw new MarketRefusal('conflict', 'This takes no bids.');
  }
  if (bidPerHourMicroUsd !== null && bidPerHourMicroUsd < price) {
    throw new MarketRefusal('too_dear', 'Somebody else bids more for it.');
  }
}

/** What a disk of another size costs more an hour, or less. */
export function diskDifference({ fixed }: CatalogueEntry, diskGiB = fixed.diskGiB): MicroUsd {
  return BigInt(diskGiB - fixed.diskGiB) * parseMicroUsd(fixed.takes?.disk?.perGiBHourMicroUsd ?? '0');
}
