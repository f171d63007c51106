/**
 * What of a purchase is counted in the sums that stay when its records are forgotten: up to which moment, for each part of its
 * price. A network may show its machine again, with all parts or some, and more than once.
 */
import { costOver } from '@hitch/contract';
import * as z from 'zod';
import type { SegmentRecord } from './segment.ts';

export interface Counted {
  /** The latest moment up to which any part is counted; null: nothing is. */
  readonly countedUntilMs: number | null;
  /** The moment of each part, as {@link Moments} are written; null: it is that one for all that there are. */
  readonly countedParts: string | null;
}

/** Up to when each part is counted, by its label, in ms since the epoch. That of null is of every part that is not named. */
type Moments = ReadonlyMap<string | null, number>;

const momentsSchema = z.array(z.tuple([z.string().nullable(), z.number().int()]));

/** As a row holds it. A store of before parts had moments of their own has a label a line. */
export const countedPartsSchema = z
  .string()
  .refine(text => !text.startsWith('[') || readMoments(text) !== null, 'no moments of parts')
  .nullable();

function readMoments(text: string): Moments | null {
  try {
    const { data } = momentsSchema.safeParse(JSON.parse(text));
    return data === undefined ? null : new Map(data);
  } catch {
    return null;
  }
}

function momentsOf({ countedUntilMs, countedParts }: Counted): Moments {
  if (countedUntilMs === null) {
    return new Map();
  }
  if (countedParts === null) {
    return new Map([[null, countedUntilMs]]);
  }
  return readMoments(countedParts) ?? new Map(countedParts.split('\n').map(label => [label, countedUntilMs]));
}

/** The same with what these segments count too. No part is counted up to an earlier moment than before. */
export function countedWith<Of extends Counted>(before: Of, segments: readonly SegmentRecord[]): Of {
  const all = new Map(momentsOf(before));
  for (const [label, untilMs] of paidBy(segments)) {
    all.set(label, Math.max(untilMs, all.get(label) ?? all.get(null) ?? untilMs));
  }
  return all.size === 0
    ? before
    : { ...before, countedUntilMs: Math.max(...all.values()), countedParts: JSON.stringify([...all]) };
}

/**
 * Up to when a part of a price in such parts is counted already; null: it is not, as one that began while nobody looked. Where
 * none of the parts is known by its name, what is counted stood for all of them.
 */
export function countedUntilOf(
  counted: Counted,
  label: string,
  parts: readonly { readonly label: string }[],
): number | null {
  const moments = momentsOf(counted);
  const isOfOthers = !parts.some(part => moments.has(part.label));
  return moments.get(label) ?? moments.get(null) ?? (isOfOthers ? counted.countedUntilMs : null);
}

/** Up to when each part is paid by these segments: to its end, and those that ended last as long as the floor lasts. */
function paidBy(segments: readonly SegmentRecord[]): ReadonlyMap<string, number> {
  const rates = segments.filter(({ kind }) => kind === 'rate');
  const endOf = ({ startMs, endMs }: SegmentRecord): number => endMs ?? startMs;
  const lastMs = Math.max(...rates.map(endOf));
  const hours = rates.reduce(
    (sum, rate) => sum + costOver(rate.amountMicroUsd, endOf(rate) - rate.startMs),
    0n,
  );
  const floor = segments.reduce(
    (sum, { kind, amountMicroUsd }) => (kind === 'floor' ? sum + amountMicroUsd : sum),
    0n,
  );
  const lastRate = rates.reduce(
    (sum, rate) => (endOf(rate) === lastMs ? sum + rate.amountMicroUsd : sum),
    0n,
  );
  const left = floor > hours && lastRate > 0n ? ((floor - hours) * 3_600_000n) / lastRate : 0n;
  const until = new Map<string, number>();
  for (const rate of rates) {
    const untilMs = Math.floor(endOf(rate)) + (endOf(rate) === lastMs ? Number(left) : 0);
    until.set(rate.label, Math.max(untilMs, until.get(rate.label) ?? untilMs));
  }
  return until;
}
