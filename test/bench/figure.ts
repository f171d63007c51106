/** One measured figure, and the arithmetic all of them share. */

/** What `npm run bench` prints, one JSON line each. */
export interface Figure {
  readonly name: string;
  /** The figure itself, in `unit`. */
  readonly value: number;
  readonly unit: string;
  /** The same thing done by hand in the same run, in `unit`; null where there is nothing to compare with. */
  readonly baseline: number | null;
  /** `value / baseline`. */
  readonly ratio: number | null;
  /** What the project wants of it, such as `<= 1`. */
  readonly target: string;
  readonly met: boolean;
  readonly note?: string;
}

/** Measures one or several figures that share a set-up. */
export interface Benchmark {
  readonly names: readonly string[];
  run(report: (progress: string) => void): Promise<readonly Figure[]>;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest-rank percentile. @throws RangeError when there are no values. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)];
  if (value === undefined) {
    throw new RangeError('no values were measured');
  }
  return value;
}

const round = (value: number): number => Number(value.toPrecision(4));

export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** Builds a figure; the target applies to `value`, or to `ratio` where `of` says so. */
export function figure(options: {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: number;
  readonly target: Target;
  readonly of?: 'value' | 'ratio';
  readonly note?: string;
}): Figure {
  const { baseline, target } = options;
  const ratio = baseline === undefined || baseline === 0 ? null : options.value / baseline;
  const judged = options.of === 'ratio' ? (ratio ?? Number.NaN) : options.value;
  const met = 'atMost' in target ? judged <= target.atMost : judged >= target.atLeast;
  return {
    name: options.name,
    value: round(options.value),
    unit: options.unit,
    baseline: baseline === undefined ? null : round(baseline),
    ratio: ratio === null ? null : round(ratio),
    target: 'atMost' in target ? `<= ${target.atMost.toString()}` : `>= ${target.atLeast.toString()}`,
    met,
    ...(options.note === undefined ? {} : { note: options.note }),
  };
}

/** Runs both sides in turn, A B, B A, A B…, so that a drifting machine favours neither. */
export async function pairs<T>(
  count: number,
  ours: () => Promise<T>,
  theirs: () => Promise<T>,
): Promise<{ readonly ours: readonly T[]; readonly theirs: readonly T[] }> {
  const result: { ours: T[]; theirs: T[] } = { ours: [], theirs: [] };
  for (let pair = 0; pair < count; pair++) {
    if (pair % 2 === 0) {
      result.ours.push(await ours());
      result.theirs.push(await theirs());
    } else {
      result.theirs.push(await theirs());
      result.ours.push(await ours());
    }
  }
  return result;
}

/** Milliseconds that `run` takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
