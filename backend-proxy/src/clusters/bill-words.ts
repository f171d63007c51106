/** Why a network's bill and the meter differ, as far as the parts of both tell. */
import { costOver, type MicroUsd, showDollars, shownName } from '@hitch/contract';
import type { SegmentRecord } from '../ledger/records.ts';
import type { BillLine } from '../providers/provider.ts';

/** Bills come with rounded amounts and moments: what differs by less than both of these agrees. */
const AGREES_PERCENT = 1n;
const AGREES_MICRO_USD = 10_000n;
const HOUR_MS = 3_600_000;

export function agree(counted: MicroUsd, billed: MicroUsd): boolean {
  const difference = counted > billed ? counted - billed : billed - counted;
  return difference < AGREES_MICRO_USD || difference * 100n <= counted * AGREES_PERCENT;
}

interface Part {
  /** As the bill, or else the meter, calls it. */
  readonly label: string;
  readonly billed: MicroUsd | null;
  readonly counted: MicroUsd | null;
  /** The same time by whole hours. */
  readonly wholeHours: MicroUsd;
}

/**
 * Sentences on the parts that differ; empty where the parts tell nothing.
 * @param segments what was counted for what these lines are of
 */
export function whyDiffers(
  lines: readonly BillLine[],
  segments: readonly SegmentRecord[],
  untilMs: number,
): string {
  const parts = partsOf(lines, segments, untilMs);
  // A bill that names no part of the meter's says all under a name of its own.
  const isByPart = parts.some(({ billed, counted }) => billed !== null && counted !== null);
  const floor = sumOf(
    segments.filter(({ kind }) => kind === 'floor'),
    ({ amountMicroUsd }) => amountMicroUsd,
  );
  const billed = sumOf(lines, ({ amountMicroUsd }) => amountMicroUsd);
  return [
    ...(isByPart ? parts.flatMap(wordsOf) : []),
    ...(floor > billed && lines.length > 0
      ? [`Hitch counts at least ${showDollars(floor)}, which was said to be paid in any case.`]
      : []),
    ...(lines.length === 0 ? ['The bill has no line for it.'] : []),
  ].join(' ');
}

function wordsOf({ label, billed, counted, wholeHours }: Part): readonly string[] {
  const name = shownName(label);
  if (counted === null) {
    return billed === null || billed === 0n
      ? []
      : [`${showDollars(billed)} of it is for ${name}, which Hitch does not count.`];
  }
  if (billed === null || agree(counted, billed)) {
    return billed === null && counted >= AGREES_MICRO_USD
      ? [`${name} is not on it (${showDollars(counted)} counted).`]
      : [];
  }
  const both = `${name}: ${showDollars(billed)} billed, ${showDollars(counted)} counted`;
  return billed > counted
    ? [`${both}${whyMore(label, billed, wholeHours)}.`]
    : [`${both}; the network may have charged for less time.`];
}

function whyMore(label: string, billed: MicroUsd, wholeHours: MicroUsd): string {
  if (wholeHours > 0n && agree(wholeHours, billed)) {
    return ': it bills whole hours';
  }
  return /disk|storage/i.test(label)
    ? ': a disk costs for as long as it is there, also before its machine runs and after it was stopped'
    : '';
}

function partsOf(
  lines: readonly BillLine[],
  segments: readonly SegmentRecord[],
  untilMs: number,
): readonly Part[] {
  const parts = new Map<string, Part>();
  const put = (label: string, change: (part: Part) => Partial<Part>): void => {
    const key = label.trim().toLowerCase();
    const part = parts.get(key) ?? { label, billed: null, counted: null, wholeHours: 0n };
    parts.set(key, { ...part, ...change(part) });
  };
  for (const { label, amountMicroUsd } of lines) {
    put(label, ({ billed }) => ({ billed: (billed ?? 0n) + amountMicroUsd }));
  }
  for (const { kind, label, amountMicroUsd, startMs, endMs } of segments) {
    const ms = Math.max(0, Math.min(endMs ?? untilMs, untilMs) - startMs);
    if (kind === 'rate') {
      put(label, ({ counted, wholeHours }) => ({
        counted: (counted ?? 0n) + costOver(amountMicroUsd, ms),
        wholeHours: wholeHours + amountMicroUsd * BigInt(Math.ceil(ms / HOUR_MS)),
      }));
    } else if (kind === 'once') {
      put(label, ({ counted }) => ({ counted: (counted ?? 0n) + amountMicroUsd }));
    }
  }
  return [...parts.values()];
}

const sumOf = <T>(all: readonly T[], amount: (each: T) => MicroUsd): MicroUsd =>
  all.reduce((sum, each) => sum + amount(each), 0n);
