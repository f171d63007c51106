/** Filters and orders, of searches and of lists: `{"gpu_ram":{"gte":24000}}`, `[["dph_total","asc"]]`. */
import type { Row } from './rows.ts';

const OPERATORS: Readonly<Record<string, (has: unknown, wanted: unknown) => boolean>> = {
  eq: (has, wanted) => has === wanted,
  neq: (has, wanted) => has !== wanted,
  gt: (has, wanted) => compare(has, wanted) > 0,
  gte: (has, wanted) => compare(has, wanted) >= 0,
  lt: (has, wanted) => compare(has, wanted) < 0,
  lte: (has, wanted) => compare(has, wanted) <= 0,
  in: (has, wanted) => Array.isArray(wanted) && wanted.includes(has),
  notin: (has, wanted) => Array.isArray(wanted) && !wanted.includes(has),
};

export type Filters = Readonly<Record<string, unknown>>;

/**
 * Whether a row has what is asked for. A column that it lacks is passed over (`chunked`, `georegion`: SkyPilot,
 * `sky/provision/vast/utils.py`, `launch`).
 */
export const fits = (row: Row, filters: Filters): boolean =>
  Object.entries(filters).every(([column, wanted]) => {
    const has = hasOf(row, column);
    return has === undefined || typeof wanted !== 'object' || wanted === null
      ? true
      : Object.entries(wanted).every(([operator, value]) =>
          (OPERATORS[operator] ?? (() => true))(has, wantedOf(has, value)),
        );
  });

/** A country stands at the end of a place that may say more (`launch`, as above). */
const hasOf = (row: Row, column: string): unknown => {
  const has = row[column];
  return column === 'geolocation' && typeof has === 'string' ? has.slice(-2) : has;
};

/**
 * Names of GPUs are taken with lines below in the place of spaces too (`search_offers.yaml`), and numbers as texts (`vastai`
 * 1.9.1, `search offers num_gpus=1`, sends `"1"`).
 */
const wantedOf = (has: unknown, value: unknown): unknown => {
  if (Array.isArray(value)) {
    return value.map(one => wantedOf(has, one));
  }
  if (typeof value !== 'string') {
    return value;
  }
  return typeof has === 'number' ? Number(value) : has === value ? value : value.replaceAll('_', ' ');
};

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') {
    return a - b;
  }
  return typeof a === 'string' && typeof b === 'string' ? (a < b ? -1 : a > b ? 1 : 0) : Number.NaN;
}

export interface Order {
  readonly column: string;
  readonly descending: boolean;
}

export const ordered = (rows: readonly Row[], orders: readonly Order[]): readonly Row[] =>
  rows.toSorted((one, other) => {
    for (const { column, descending } of orders) {
      const difference = compare(one[column], other[column]);
      if (difference !== 0 && !Number.isNaN(difference)) {
        return descending ? -difference : difference;
      }
    }
    return 0;
  });
