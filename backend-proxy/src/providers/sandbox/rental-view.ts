/** What the market says of a rental: its own words, which may be lies. */
import { costOver, type MicroUsd, parseMicroUsd } from '@hitch/contract';
import type { SshAddress } from '../../ledger/records.ts';
import type { MarketRuntime } from './market-runtime.ts';
import type { Rental } from './market-storage.ts';

/** A part of its price. */
export interface RentalRate {
  readonly label: string;
  readonly perHourMicroUsd: MicroUsd;
  /** When it began to be charged; null: it has not. */
  readonly fromMs: number | null;
}

/** A rental as the market shows it; `state` is the market's own word. */
export interface RentalView {
  readonly id: string;
  /** Null where its own page does not say it. */
  readonly label: string | null;
  readonly state: string;
  /** All parts together. */
  readonly pricePerHourMicroUsd: MicroUsd;
  readonly rates: readonly RentalRate[];
  /** The least that its hours cost. */
  readonly floorMicroUsd: MicroUsd;
  /** What has left its renter's account for it; null: only what it costs. */
  readonly paidMicroUsd: MicroUsd | null;
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
    label: labelOf(rental),
    state: wordFor(rental, nowMs),
    pricePerHourMicroUsd: priceNow(rental, nowMs),
    rates: ratesOf(rental, nowMs),
    floorMicroUsd: parseMicroUsd(rental.floorMicroUsd),
    paidMicroUsd: rental.paidMicroUsd === null ? null : parseMicroUsd(rental.paidMicroUsd),
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

/** By what the market knows a rental: the label that it was given, or what it made of the order. */
export const labelOf = ({ ref, mark }: Rental): string => mark ?? ref;

/** When it runs, and may be charged as running. */
const startOf = ({ readyAtMs }: Rental, nowMs: number): number | null =>
  readyAtMs !== null && readyAtMs <= nowMs ? readyAtMs : null;

/** What it costs by the hour at some moment, a part each. */
function ratesOf(rental: Rental, nowMs: number): readonly RentalRate[] {
  const { order, diskMicroUsd, boughtAtMs, endedAtMs, got } = rental;
  const atMs = Math.min(nowMs, endedAtMs ?? nowMs);
  const perHourMicroUsd = priceAt(rental, atMs);
  const label = got?.gpuModel ?? 'Machine';
  if (diskMicroUsd === null) {
    const fromMs = order === null ? boughtAtMs : order.leasedAtMs;
    return [{ label, perHourMicroUsd, fromMs }];
  }
  const disk = parseMicroUsd(diskMicroUsd);
  return [
    { label: 'Disk', perHourMicroUsd: disk, fromMs: boughtAtMs },
    { label, perHourMicroUsd: perHourMicroUsd - disk, fromMs: startOf(rental, atMs) },
  ];
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
export const billOf = (rental: Rental, nowMs: number): MicroUsd =>
  billParts(rental, nowMs).reduce((sum, [, amount]) => sum + amount, 0n);

/** The same by part. */
export function billParts(
  rental: Rental,
  nowMs: number,
): readonly (readonly [label: string, amount: MicroUsd])[] {
  const untilMs = rental.endedAtMs ?? nowMs;
  const parts = rental.reprice === null ? usedByParts(rental, untilMs) : usedAtTwoPrices(rental, untilMs);
  const used = parts.reduce((sum, [, amount]) => sum + amount, 0n);
  // What was ordered and never rented costs nothing.
  const isRented = rental.order?.leasedAtMs !== null;
  const minimum = isRented ? parseMicroUsd(rental.floorMicroUsd) : 0n;
  return [
    ...parts,
    ['Minimum', used < minimum ? minimum - used : 0n],
    ['Fee', parseMicroUsd(rental.nonRefundableMicroUsd)],
  ];
}

type Part = readonly [label: string, amount: MicroUsd];

const usedByParts = (rental: Rental, untilMs: number): readonly Part[] =>
  ratesOf(rental, untilMs).map(({ label, perHourMicroUsd, fromMs }) => [
    label,
    fromMs === null ? 0n : costOver(perHourMicroUsd, untilMs - fromMs),
  ]);

function usedAtTwoPrices(
  { boughtAtMs, reprice, pricePerHourMicroUsd: first, got }: Rental,
  untilMs: number,
): readonly Part[] {
  const changedAtMs = reprice === null ? untilMs : Math.min(untilMs, reprice.atMs);
  return [
    [
      got?.gpuModel ?? 'Machine',
      costOver(parseMicroUsd(first), changedAtMs - boughtAtMs) +
        costOver(parseMicroUsd(reprice?.pricePerHourMicroUsd ?? '0'), untilMs - changedAtMs),
    ],
  ];
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
  if (rental.isHalted) {
    return 'halted';
  }
  if (rental.order?.leasedAtMs === null) {
    return 'ordered';
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

/** A rental as it is shown to whoever asks for it: with where ssh leads to each machine that runs. */
export async function withWays(
  rental: Rental,
  runtime: Pick<MarketRuntime, 'ssh'>,
  nowMs: number,
): Promise<RentalView> {
  const view = viewOf(rental, nowMs);
  const { readyAtMs, destroyAtMs, endedAtMs, isHalted } = rental;
  const isUp = readyAtMs !== null && readyAtMs <= nowMs && destroyAtMs === null && !isHalted;
  if (runtime.ssh === undefined || endedAtMs !== null || !isUp) {
    return view;
  }
  const wayTo = async (rank: number) =>
    isLostMember(rental, rank, nowMs) ? null : ((await runtime.ssh?.(rental, rank)) ?? null);
  const members = await Promise.all(
    view.members.map(async member => ({ ...member, ssh: await wayTo(member.rank) })),
  );
  return { ...view, members };
}
