/**
 * What things cost: a pure function of price segments and time. No ticks are kept.
 *
 * A `rate` segment costs its hourly amount over its whole milliseconds, rounded up to the micro-dollar once for
 * the segment; a `once` segment costs its amount from its moment on. So cutting a stretch of time in two adds at
 * most one micro-dollar for each cut, and a cost never falls as time passes.
 */
import { costOver, type MicroUsd } from '@hitch/contract';
import type { SegmentRecord } from '../clusters/records.ts';

type Priced = Pick<SegmentRecord, 'kind' | 'amountMicroUsd' | 'startMs' | 'endMs'>;

/** What `segment` costs within [`fromMs`, `untilMs`). */
export function segmentCost(segment: Priced, untilMs: number, fromMs = Number.NEGATIVE_INFINITY): MicroUsd {
  if (segment.kind === 'once') {
    return segment.startMs >= fromMs && segment.startMs <= untilMs ? segment.amountMicroUsd : 0n;
  }
  const start = Math.max(segment.startMs, fromMs);
  const end = Math.min(segment.endMs ?? untilMs, untilMs);
  return costOver(segment.amountMicroUsd, end - start);
}

export function totalCost(segments: readonly Priced[], untilMs: number, fromMs?: number): MicroUsd {
  return segments.reduce((sum, segment) => sum + segmentCost(segment, untilMs, fromMs), 0n);
}

/** What all segments cost together an hour at the moment `atMs`. */
export function rateAt(segments: readonly Priced[], atMs: number): MicroUsd {
  return segments.reduce(
    (sum, { kind, amountMicroUsd, startMs, endMs }) =>
      kind === 'rate' && startMs <= atMs && (endMs === null || endMs > atMs) ? sum + amountMicroUsd : sum,
    0n,
  );
}

/** How many milliseconds `amount` lasts at `ratePerHour`, rounded down; null where nothing costs. */
export function lastsMs(amount: MicroUsd, ratePerHour: MicroUsd): number | null {
  return ratePerHour === 0n ? null : Number((amount * 3_600_000n) / ratePerHour);
}
