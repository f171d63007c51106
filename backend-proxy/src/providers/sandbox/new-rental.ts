/** A rental the moment it is bought, with the faults that will befall it already decided. */
import type { MicroUsd } from '@hitch/contract';
import type { CatalogueEntry } from './catalogue.ts';
import type { EntryConditions } from './conditions.ts';
import type { FaultDice } from './faults.ts';
import { manifestMark } from './marks.ts';
import type { Rental } from './market-storage.ts';
import { chargesOf } from './terms.ts';

interface RentalOrder {
  readonly id: string;
  readonly ref: string;
  readonly entry: CatalogueEntry;
  /** Of all its machines. */
  readonly price: MicroUsd;
  readonly members: number;
  readonly letIn: Rental['letIn'];
  readonly conditions: EntryConditions;
  /** How long is bought, where it is sold by terms. */
  readonly termMs: number | null;
  readonly diskGiB: number | null;
  /** What its disk costs of the price. */
  readonly diskMicroUsd: MicroUsd;
  readonly image: string | null;
  readonly nowMs: number;
  readonly bootDelayMs: number;
  /** An answer that was lost or wrong: its list shows it only after a while. */
  readonly hiddenForMs: number;
  /** When every rental is shown at the latest, without `shows_late`. */
  readonly visibilityDelayMs: number;
  readonly endAtMs: number | null;
  readonly dice: FaultDice;
}

export function newRental(order: RentalOrder): Rental {
  const { id, ref, entry, nowMs, dice, termMs, conditions } = order;
  const isOrder = conditions.depositMicroUsd !== null;
  const charges = chargesOf(conditions, order.price, termMs);
  const readyAtMs = nowMs + order.bootDelayMs + (dice.strike('slow_boot', ref)?.delayMs ?? 0);
  const preempted = dice.strike('preempted', ref);
  // One that may end by itself while nobody can see it would leave a bill that no renter could ever know of.
  const lasts = preempted === null && termMs === null && !entry.fixed.endsBillingAlone;
  const boots = dice.strike('never_ready', ref) === null;
  const late = lasts ? dice.strike('shows_late', ref) : null;
  return {
    id,
    ref,
    entryId: entry.id,
    members: order.members,
    lostMember: lostOf(order, readyAtMs),
    letIn: order.letIn,
    pricePerHourMicroUsd: order.price.toString(),
    nonRefundableMicroUsd: (charges.feeMicroUsd * BigInt(order.members)).toString(),
    floorMicroUsd: charges.floorMicroUsd.toString(),
    got: gotOf(order),
    flaw: dice.strike('poor_machine', ref)?.lacks ?? null,
    termMs: conditions.termMs,
    moreTimeTries: 0,
    timesMore: 0,
    mark: isOrder
      ? manifestMark({ ref, entryId: entry.id, diskGiB: order.diskGiB, image: order.image })
      : null,
    showsMark: conditions.showsLabel,
    diskMicroUsd: conditions.partsApart ? order.diskMicroUsd.toString() : null,
    order: isOrder
      ? { bidsAtMs: bidsAtMs(order), leasedAtMs: null, bootMs: boots ? readyAtMs - nowMs : null, tries: 0 }
      : null,
    paidMicroUsd: charges.dueNowMicroUsd?.toString() ?? null,
    givesBack: conditions.givesBack,
    image: order.image,
    stepsToEnd: conditions.endSteps - 1,
    isHalted: false,
    // Two prices are kept of one part, from the purchase on.
    reprice: isOrder || conditions.partsApart ? null : repriceOf(order, readyAtMs),
    boughtAtMs: nowMs,
    readyAtMs: boots && !isOrder ? readyAtMs : null,
    visibleAtMs: nowMs + (late === null ? order.hiddenForMs : order.visibilityDelayMs + late.delayMs),
    endAtMs: termMs !== null ? nowMs + termMs : entry.fixed.endsBillingAlone ? order.endAtMs : null,
    preemptAtMs: preempted === null ? null : readyAtMs + preempted.afterMs,
    destroyAtMs: null,
    destroyTries: 0,
    mislaid: lasts && !isOrder ? mislaidOf(order, readyAtMs) : null,
    lie: dice.strike('lying_status', ref)?.as ?? null,
    endedAtMs: null,
  };
}

function lostOf({ ref, members, dice }: RentalOrder, readyAtMs: number): Rental['lostMember'] {
  const rule = members === 1 ? null : dice.strike('member_lost', ref);
  return rule === null ? null : { rank: members - 1, atMs: readyAtMs + rule.afterMs };
}

function bidsAtMs({ ref, nowMs, dice }: RentalOrder): number | null {
  return dice.strike('no_bids', ref) === null ? nowMs + (dice.strike('bids_late', ref)?.delayMs ?? 0) : null;
}

function gotOf({ ref, entry, dice }: RentalOrder): Rental['got'] {
  const { gpuModel, gpuCount, market, trust } = entry.fixed;
  return dice.strike('other_machine', ref) === null
    ? { gpuModel, gpuCount, market, trust }
    : { gpuModel, gpuCount: Math.max(0, gpuCount - 1), market: 'spot', trust: 'community' };
}

function repriceOf({ ref, price, dice }: RentalOrder, readyAtMs: number): Rental['reprice'] {
  const rule = dice.strike('repriced', ref);
  return rule === null
    ? null
    : {
        atMs: readyAtMs + rule.afterMs,
        pricePerHourMicroUsd: ((price * BigInt(100 + rule.percent) + 99n) / 100n).toString(),
      };
}

function mislaidOf({ ref, dice }: RentalOrder, readyAtMs: number): Rental['mislaid'] {
  const rule = dice.strike('mislaid', ref);
  return rule === null
    ? null
    : { fromMs: readyAtMs + rule.afterMs, untilMs: readyAtMs + rule.afterMs + rule.durationMs };
}
