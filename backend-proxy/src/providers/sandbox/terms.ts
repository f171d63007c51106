/** What the market says of its conditions, and time that it sells ahead. */
import { costOver, type MicroUsd, type Offer, parseMicroUsd } from '@hitch/contract';
import type { CatalogueEntry } from './catalogue.ts';
import type { EntryConditions } from './conditions.ts';
import { MarketRefusal } from './market-refusal.ts';
import type { Rental } from './market-storage.ts';
import { priceAt } from './rental-view.ts';

/** What is asked for beside what an entry says. */
export interface Terms {
  /** How long is bought, where it is sold by terms. */
  readonly termMs?: number | null;
  /** Left out: what it comes with. */
  readonly diskGiB?: number;
  readonly image?: string | null;
  readonly bidPerHourMicroUsd?: MicroUsd | null;
}

/** What somebody asks the market for. */
export interface RentOrder extends Terms {
  readonly ref: string;
  readonly entryId: string;
  readonly maxPricePerHourMicroUsd: MicroUsd;
  readonly endAtMs: number | null;
  /** Machines in this one rental; left out: one. */
  readonly members?: number;
  readonly letIn?: Rental['letIn'];
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

/** What is paid beside its hours. */
export interface Charges {
  readonly feeMicroUsd: MicroUsd;
  /** The least that its hours cost. */
  readonly floorMicroUsd: MicroUsd;
  /** What leaves its renter's account at once; null: only what it costs. */
  readonly dueNowMicroUsd: MicroUsd | null;
  readonly refundable: NonNullable<Offer['refundable']>;
  readonly basis: NonNullable<Offer['basis']>;
}

/** @param price of one machine, by the hour @param bought how long is bought at once; null: it costs what it is used. */
export function chargesOf(
  { feeMicroUsd, minimumMs, givesBack, depositMicroUsd }: EntryConditions,
  price: MicroUsd,
  bought: number | null,
): Charges {
  const isBack = bought !== null && givesBack;
  return {
    feeMicroUsd: parseMicroUsd(feeMicroUsd),
    floorMicroUsd: costOver(price, givesBack ? minimumMs : (bought ?? minimumMs)),
    dueNowMicroUsd: isBack
      ? costOver(price, bought)
      : depositMicroUsd === null
        ? null
        : parseMicroUsd(depositMicroUsd),
    refundable: isBack ? 'exact_after_floor' : depositMicroUsd === null ? 'no' : 'deposit',
    basis: depositMicroUsd === null ? 'firm' : 'most',
  };
}

/** An offer's conditions, as they stand on the shelf: of one term, where it is sold by terms. */
export function conditionsOf(
  conditions: EntryConditions,
  { fixed }: CatalogueEntry,
  { pricePerHourMicroUsd }: Pick<Offer, 'pricePerHourMicroUsd'>,
): Conditioned {
  const { termMs, together } = conditions;
  const charges = chargesOf(conditions, parseMicroUsd(pricePerHourMicroUsd), termMs);
  return {
    nonRefundableMicroUsd: charges.feeMicroUsd.toString(),
    floorMicroUsd: charges.floorMicroUsd.toString(),
    ...(charges.dueNowMicroUsd === null
      ? {}
      : { dueNowMicroUsd: charges.dueNowMicroUsd.toString(), refundable: charges.refundable }),
    ...(charges.basis === 'firm' ? {} : { basis: charges.basis }),
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
export function checkChoices({ fixed }: CatalogueEntry, order: Terms, price: MicroUsd): void {
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

const MOST_OFF_PERCENT = 50;

/** What one machine costs an hour on these terms, and its disk of that. @param listed by the list */
export function priceOn(
  entry: CatalogueEntry,
  listed: Pick<Offer, 'pricePerHourMicroUsd'>,
  { listOff, termMs }: Pick<EntryConditions, 'listOff' | 'termMs'>,
  terms: Terms,
): { readonly price: MicroUsd; readonly diskMicroUsd: MicroUsd } {
  const diskMicroUsd = BigInt(entry.diskMicroUsd) + diskDifference(entry, terms.diskGiB);
  const machine = parseMicroUsd(listed.pricePerHourMicroUsd) - BigInt(entry.diskMicroUsd);
  if (listOff === null) {
    return { price: machine + diskMicroUsd, diskMicroUsd };
  }
  const times = termMs === null ? 1 : (terms.termMs ?? termMs) / termMs;
  const off = Math.min(MOST_OFF_PERCENT, listOff.longerPercent * Math.max(0, Math.ceil(times) - 1));
  const percent = BigInt(100 + listOff.percent) * BigInt(100 - off);
  return { price: (machine * percent + 9_999n) / 10_000n + diskMicroUsd, diskMicroUsd };
}

/** What a disk of another size costs more an hour, or less. */
function diskDifference({ fixed }: CatalogueEntry, diskGiB = fixed.diskGiB): MicroUsd {
  return BigInt(diskGiB - fixed.diskGiB) * parseMicroUsd(fixed.takes?.disk?.perGiBHourMicroUsd ?? '0');
}
