/** A rental the moment it is bought, with the faults that will befall it already decided. */
import type { MicroUsd } from '@hitch/contract';
import type { CatalogueEntry } from './catalogue.ts';
import type { FaultDice } from './faults.ts';
import type { Rental } from './market-storage.ts';

export function newRental(order: {
  readonly id: string;
  readonly ref: string;
  readonly entry: CatalogueEntry;
  readonly price: MicroUsd;
  readonly nowMs: number;
  readonly bootDelayMs: number;
  readonly hiddenForMs: number;
  readonly endAtMs: number | null;
  readonly dice: FaultDice;
}): Rental {
  const { id, ref, entry, nowMs, dice } = order;
  const readyAtMs = nowMs + order.bootDelayMs + (dice.strike('slow_boot', ref)?.delayMs ?? 0);
  const preempted = dice.strike('preempted', ref);
  return {
    id,
    ref,
    entryId: entry.id,
    pricePerHourMicroUsd: order.price.toString(),
    nonRefundableMicroUsd: '0',
    boughtAtMs: nowMs,
    readyAtMs: dice.strike('never_ready', ref) === null ? readyAtMs : null,
    visibleAtMs: nowMs + order.hiddenForMs,
    endAtMs: entry.fixed.endsBillingAlone ? order.endAtMs : null,
    preemptAtMs: preempted === null ? null : readyAtMs + preempted.afterMs,
    destroyAtMs: null,
    destroyTries: 0,
    lie: dice.strike('lying_status', ref)?.as ?? null,
    endedAtMs: null,
  };
}
