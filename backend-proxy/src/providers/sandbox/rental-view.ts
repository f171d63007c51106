/** What the market says of a rental: its own words, which may be lies. */
import { costOver, type MicroUsd, parseMicroUsd } from '@hitch/contract';
import type { SshAddress } from '../../ledger/records.ts';
import type { Rental } from './market-storage.ts';

/** A part of its price. */
export interface RentalRate {
  readonly label: string;
  readonly perHourMicroUsd: MicroUsd;
  readonly fromMs: number | null;
}

/** A rental as the market shows it; `state` is the market's own word. */
export interface RentalView {
  readonly id: string;
  readonly label: string;
  readonly state: string;
  /** All parts together. */
  readonly pricePerHourMicroUsd: MicroUsd;
  readonly rates: readonly RentalRate[];
  /** The least that its hours cost. */
  readonly floorMicroUsd: MicroUsd;
  readonly got: Rental['got'];
  /** When it ends by itself; null: never. */
  readonly endsAtMs: number | null;
  readonly billedUntilMs: number | null;
  /** Its machines, by their rank, in the market's own words. */
  readonly members: readonly MemberView[];
}

export interface MemberView {
  readonly rank: number;
  readonly state: string;
  /** Where ssh leads to it, where it is asked for itself and runs. */
  readonly ssh: SshAddress | null;
}

const FLAP_MS = 7_000;

export function viewOf(rental: Rental, nowMs: number): RentalView {
  return {
    id: rental.id,
    label: rental.ref,
    state: wordFor(rental, nowMs),
    pricePerHourMicroUsd: priceNow(rental, nowMs),
    rates: ratesOf(rental, nowMs),
    floorMicroUsd: parseMicroUsd(rental.floorMicroUsd),
    got: rental.got,
    endsAtMs: rental.endAtMs,
    billedUntilMs: rental.endedAtMs,
    members: membersOf(rental, nowMs),
  };
}

function membersOf(rental: Rental, nowMs: number): readonly MemberView[] {
  return Array.from({ length: rental.members }, (_, rank) => ({
    rank,
    state: isLostMember(rental, rank, nowMs) ? 'terminated' : wordFor(rental, nowMs),
    ssh: null,
  }));
}

export const isLostMember = ({ lostMember }: Rental, rank: number, nowMs: number): boolean =>
  lostMember !== null && lostMember.rank === rank && lostMember.atMs <= nowMs;

/** What is over costs what it cost at its end, however the price moved later. */
const priceNow = (rental: Rental, nowMs: number): MicroUsd =>
  priceAt(rental, Math.min(nowMs, rental.endedAtMs ?? nowMs));

function ratesOf(rental: Rental, nowMs: number): readonly RentalRate[] {
  const perHourMicroUsd = priceNow(rental, nowMs);
  return [{ label: rental.got?.gpuModel ?? 'Machine', perHourMicroUsd, fromMs: rental.boughtAtMs }];
}

/** What a rental costs an hour at some moment. */
export function priceAt({ pricePerHourMicroUsd, reprice }: Rental, atMs: number): MicroUsd {
  return parseMicroUsd(
    reprice !== null && atMs >= reprice.atMs ? reprice.pricePerHourMicroUsd : pricePerHourMicroUsd,
  );
}

/**
 * The market's bill for a rental up to now: what was taken at once, and each stretch at its price or, where that is less,
 * the minimum.
 */
export function billOf(rental: Rental, nowMs: number): MicroUsd {
  const { boughtAtMs, reprice, pricePerHourMicroUsd: first } = rental;
  const untilMs = rental.endedAtMs ?? nowMs;
  const changedAtMs = reprice === null ? untilMs : Math.min(untilMs, reprice.atMs);
  const used =
    costOver(parseMicroUsd(first), changedAtMs - boughtAtMs) +
    costOver(parseMicroUsd(reprice?.pricePerHourMicroUsd ?? '0'), untilMs - changedAtMs);
  const minimum = parseMicroUsd(rental.floorMicroUsd);
  return parseMicroUsd(rental.nonRefundableMicroUsd) + (used < minimum ? minimum : used);
}

/** Whether the market knows nothing of a rental now. One that it is ending it does not lose. */
export const isMislaid = ({ mislaid, destroyAtMs }: Rental, nowMs: number): boolean =>
  mislaid !== null && destroyAtMs === null && nowMs >= mislaid.fromMs && nowMs < mislaid.untilMs;

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
