/**
 * What things cost: a pure function of price segments and time. No ticks are kept.
 *
 * A `rate` segment costs its hourly amount over its whole milliseconds, rounded up to the micro-dollar once for
 * the segment; a `once` segment costs its amount from its moment on. A `floor` segment is paid at its moment too, and
 * its attempt's hours are free until they have used it up: an attempt costs the larger of the two. So cutting a stretch
 * of time in two adds at most one micro-dollar for each cut, and a cost never falls as time passes.
 */
import { type Charge, costOver, type MicroUsd } from '@hitch/contract';
import type { SegmentRecord } from '../ledger/records.ts';

export type Priced = Pick<SegmentRecord, 'attemptId' | 'kind' | 'amountMicroUsd' | 'startMs' | 'endMs'>;

/** What `segment` alone costs within [`fromMs`, `untilMs`), whatever a floor covers of it. */
function segmentCost(segment: Priced, untilMs: number, fromMs = Number.NEGATIVE_INFINITY): MicroUsd {
  if (segment.kind !== 'rate') {
    return segment.startMs >= fromMs && segment.startMs <= untilMs ? segment.amountMicroUsd : 0n;
  }
  const start = Math.max(segment.startMs, fromMs);
  const end = Math.min(segment.endMs ?? untilMs, untilMs);
  return costOver(segment.amountMicroUsd, end - start);
}

/** The segments of each attempt that has a floor. */
function floored(segments: readonly Priced[]): ReadonlyMap<string, readonly Priced[]> {
  const byAttempt = new Map<string, Priced[]>();
  for (const { attemptId, kind } of segments) {
    if (kind === 'floor') {
      byAttempt.set(attemptId, []);
    }
  }
  if (byAttempt.size > 0) {
    segments.forEach(segment => byAttempt.get(segment.attemptId)?.push(segment));
  }
  return byAttempt;
}

interface Pool {
  /** Paid for hours in any case. */
  readonly floor: MicroUsd;
  /** What the hours cost by themselves. */
  readonly hours: MicroUsd;
}

/** @param isPaid whether a floor that is paid at this moment counts. */
function poolOf(segments: readonly Priced[], untilMs: number, isPaid: (atMs: number) => boolean): Pool {
  let [floor, hours] = [0n, 0n];
  for (const segment of segments) {
    if (segment.kind === 'rate') {
      hours += segmentCost(segment, untilMs);
    } else if (segment.kind === 'floor' && isPaid(segment.startMs)) {
      floor += segment.amountMicroUsd;
    }
  }
  return { floor, hours };
}

const covered = ({ floor, hours }: Pool): MicroUsd => (floor < hours ? floor : hours);

export function totalCost(
  segments: readonly Priced[],
  untilMs: number,
  fromMs = Number.NEGATIVE_INFINITY,
): MicroUsd {
  if (fromMs > untilMs) {
    // A clock that was set back.
    return 0n;
  }
  const plain = segments.reduce((sum, segment) => sum + segmentCost(segment, untilMs, fromMs), 0n);
  return [...floored(segments).values()].reduce((sum, own) => {
    const free = covered(poolOf(own, untilMs, atMs => atMs <= untilMs));
    const freeBefore = covered(poolOf(own, fromMs, atMs => atMs < fromMs));
    return sum - (free - freeBefore);
  }, plain);
}

/** What all segments cost together an hour at the moment `atMs`. */
export function rateAt(segments: readonly Priced[], atMs: number): MicroUsd {
  return segments.reduce((sum, segment) => (costsAt(segment, atMs) ? sum + segment.amountMicroUsd : sum), 0n);
}

const costsAt = ({ kind, startMs, endMs }: Priced, atMs: number): boolean =>
  kind === 'rate' && startMs <= atMs && (endMs === null || endMs > atMs);

/** What costs at the moment `atMs`, with what of it is paid. */
export function chargesAt(segments: readonly Priced[], atMs: number): readonly Charge[] {
  const paid = new Map(
    [...floored(segments)].map(([attemptId, own]) => {
      const pool = poolOf(own, atMs, paidAtMs => paidAtMs <= atMs);
      return [attemptId, pool.floor - covered(pool)];
    }),
  );
  const rates = new Map<string, MicroUsd>();
  for (const segment of segments) {
    if (costsAt(segment, atMs)) {
      const { attemptId, amountMicroUsd } = segment;
      rates.set(attemptId, (rates.get(attemptId) ?? 0n) + amountMicroUsd);
    }
  }
  return [...rates].map(([attemptId, ratePerHourMicroUsd]) => ({
    ratePerHourMicroUsd,
    paidMicroUsd: paid.get(attemptId) ?? 0n,
  }));
}

/** A segment as it is shown: from when on it costs, and what. */
export interface ShownCost<S extends Priced> {
  readonly segment: S;
  readonly startMs: number;
  readonly costMicroUsd: MicroUsd;
}

/**
 * What each segment adds, in order; together that is the total. Hours that a floor covers add nothing: a stretch is
 * shown from where its floor is used up, and left out before.
 */
export function shownCosts<S extends Priced>(segments: readonly S[], nowMs: number): readonly ShownCost<S>[] {
  const left = new Map(
    [...floored(segments)].map(([attemptId, own]) => [
      attemptId,
      poolOf(own, nowMs, atMs => atMs <= nowMs).floor,
    ]),
  );
  return segments.flatMap(segment => {
    const cost = segmentCost(segment, nowMs);
    const free = segment.kind === 'rate' ? (left.get(segment.attemptId) ?? 0n) : 0n;
    if (free === 0n) {
      return [{ segment, startMs: segment.startMs, costMicroUsd: cost }];
    }
    left.set(segment.attemptId, free > cost ? free - cost : 0n);
    const freeMs = Number(
      (free * 3_600_000n) / (segment.amountMicroUsd === 0n ? 1n : segment.amountMicroUsd),
    );
    return cost <= free ? [] : [{ segment, startMs: segment.startMs + freeMs, costMicroUsd: cost - free }];
  });
}
