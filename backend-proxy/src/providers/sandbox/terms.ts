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
}

/** An offer's conditions, as they stand on the shelf. */
export function conditionsOf(
  { feeMicroUsd, minimumMs, termMs, together }: EntryConditions,
  { fixed }: CatalogueEntry,
  { pricePerHourMicroUsd }: Pick<Offer, 'pricePerHourMicroUsd'>,
): Pick<Offer, 'nonRefundableMicroUsd' | 'floorMicroUsd' | 'termMs' | 'endsBillingAlone' | 'together'> {
  return {
    nonRefundableMicroUsd: feeMicroUsd,
    floorMicroUsd: costOver(parseMicroUsd(pricePerHourMicroUsd), minimumMs).toString(),
    // What was paid ahead ends with what was paid.
    endsBillingAlone: fixed.endsBillingAlone || termMs !== null,
    ...(termMs === null ? {} : { termMs }),
    ...(together ? { together } : {}),
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
): Pick<Rental, 'endAtMs' | 'floorMicroUsd' | 'timesMore'> {
  const paid = costOver(priceAt(rental, nowMs), ms);
  return {
    endAtMs: (rental.endAtMs ?? nowMs) + ms,
    floorMicroUsd: (parseMicroUsd(rental.floorMicroUsd) + paid).toString(),
    timesMore: rental.timesMore + 1,
  };
}
