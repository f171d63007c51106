/** What the market says of a rental: its own words, which may be lies. */
import { type MicroUsd, parseMicroUsd } from '@hitch/contract';
import type { Rental } from './market-storage.ts';

/** A rental as the market shows it; `state` is the market's own word. */
export interface RentalView {
  readonly id: string;
  readonly label: string;
  readonly state: string;
  readonly pricePerHourMicroUsd: MicroUsd;
  readonly billedFromMs: number;
  readonly billedUntilMs: number | null;
}

const FLAP_MS = 7_000;

export function viewOf(rental: Rental, nowMs: number): RentalView {
  return {
    id: rental.id,
    label: rental.ref,
    state: wordFor(rental, nowMs),
    pricePerHourMicroUsd: parseMicroUsd(rental.pricePerHourMicroUsd),
    billedFromMs: rental.boughtAtMs,
    billedUntilMs: rental.endedAtMs,
  };
}

function wordFor(rental: Rental, nowMs: number): string {
  if (rental.endedAtMs !== null) {
    return 'terminated';
  }
  if (rental.destroyAtMs !== null) {
    return 'terminating';
  }
  if (rental.lie === 'unknown_word') {
    return 'contemplating';
  }
  if (rental.lie === 'flapping' && Math.floor(nowMs / FLAP_MS) % 2 === 1) {
    return 'provisioning';
  }
  const ready = rental.readyAtMs !== null && rental.readyAtMs <= nowMs;
  return ready || rental.lie === 'running_while_booting' ? 'running' : 'provisioning';
}
