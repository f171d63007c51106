/** A machine's use as lines: how many points a plot has room for, and which moment is under the pointer. */
import type { UsePage, UseSeries } from '@hitch/contract/src/use/wire.ts';

export interface UsePoint {
  readonly atMs: number;
  readonly value: number;
}

/** A pause of so many usual steps is a gap: the agent was away. */
const GAP_STEPS = 5;

/**
 * The points of a series in pieces that hang together, no more than `most` in all: of more, the highest of each part, since a
 * moment in which memory ran out must be seen.
 */
export function useLines(
  timesMs: readonly number[],
  { values }: Pick<UseSeries, 'values'>,
  most: number,
): UsePoint[][] {
  const [firstMs = 0, lastMs = 0] = [timesMs[0], timesMs.at(-1)];
  const stepMs = timesMs.length < 2 ? 0 : (lastMs - firstMs) / (timesMs.length - 1);
  const each = Math.max(1, Math.ceil(timesMs.length / most));
  const pieces: UsePoint[][] = [];
  let beforeMs = Number.NEGATIVE_INFINITY;
  for (let from = 0; from < timesMs.length; from += each) {
    const highest = highestIn(timesMs, values, from, Math.min(timesMs.length, from + each));
    if (highest === null) {
      continue;
    }
    const piece = pieces.at(-1);
    if (piece === undefined || highest.atMs - beforeMs > GAP_STEPS * each * stepMs) {
      pieces.push([highest]);
    } else {
      piece.push(highest);
    }
    beforeMs = highest.atMs;
  }
  return pieces;
}

function highestIn(
  timesMs: readonly number[],
  values: UseSeries['values'],
  from: number,
  to: number,
): UsePoint | null {
  let highest: UsePoint | null = null;
  for (let at = from; at < to; at++) {
    const [atMs, value] = [timesMs[at], values[at] ?? null];
    if (atMs !== undefined && value !== null && (highest === null || value > highest.value)) {
      highest = { atMs, value };
    }
  }
  return highest;
}

/** Number of the sample nearest to a moment; -1 where there is none. */
export function sampleAt({ timesMs }: Pick<UsePage, 'timesMs'>, atMs: number): number {
  const after = timesMs.findIndex(each => each >= atMs);
  const at = after === -1 ? timesMs.length - 1 : after;
  const [before, next] = [timesMs[at - 1], timesMs[at]];
  return before !== undefined && next !== undefined && atMs - before < next - atMs ? at - 1 : at;
}

export interface UseSums {
  readonly low: number | null;
  readonly mean: number | null;
  readonly high: number | null;
}

export function sumsOf({ values }: Pick<UseSeries, 'values'>): UseSums {
  const known = values.filter(value => value !== null);
  return known.length === 0
    ? { low: null, mean: null, high: null }
    : {
        low: known.reduce((low, value) => Math.min(low, value)),
        mean: known.reduce((sum, value) => sum + value, 0) / known.length,
        high: known.reduce((high, value) => Math.max(high, value)),
      };
}
