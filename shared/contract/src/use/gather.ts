/** Pages of a machine's use put together by whoever looks on: a series keeps its place, and what is too old goes. */
import { MOST_USE_SAMPLES, type UseName, useKey, type UsePage, type UseSeries } from './wire.ts';

/** Life of a machine in minutes is thinned from here on: no screen shows more. */
const MOST_HELD = 2 * MOST_USE_SAMPLES;

/** Empty, to begin with. */
export const NO_USE: UsePage = { timesMs: [], series: [], more: false };

/** What was held with a page after it. @param sinceMs what is older goes; of equal length, every second sample goes instead. */
export function withPage(held: UsePage, page: UsePage, sinceMs = 0): UsePage {
  const lastMs = held.timesMs.at(-1) ?? -1;
  const later = page.timesMs.findIndex(atMs => atMs > lastMs);
  const fresh = later === -1 ? [] : page.timesMs.slice(later);
  const from = held.timesMs.findIndex(atMs => atMs >= sinceMs);
  const kept = from === -1 ? [] : held.timesMs.slice(from);
  const names = new Map<string, UseName>();
  for (const { of, id, name, kind, most } of [...held.series, ...page.series]) {
    names.set(useKey({ of, id, kind }), { of, id, name, kind, most });
  }
  const valuesOf = (all: readonly UseSeries[], key: string, count: number): UseSeries['values'] => {
    const values = all.find(each => useKey(each) === key)?.values;
    return values === undefined
      ? Array.from({ length: count }, () => null)
      : values.slice(values.length - count);
  };
  const series = [...names].map(([key, name]) => ({
    ...name,
    values: [...valuesOf(held.series, key, kept.length), ...valuesOf(page.series, key, fresh.length)],
  }));
  const whole = { timesMs: [...kept, ...fresh], more: page.more, series };
  return thinned({
    ...whole,
    // Of programs that are long over nothing is left.
    series: series.filter(({ values }) => values.some(value => value !== null)),
  });
}

function thinned(page: UsePage): UsePage {
  if (page.timesMs.length <= MOST_HELD) {
    return page;
  }
  const isKept = (_: unknown, at: number): boolean => at % 2 === 1;
  return {
    ...page,
    timesMs: page.timesMs.filter(isKept),
    series: page.series.map(each => ({ ...each, values: each.values.filter(isKept) })),
  };
}

/** The latest value that was measured; null: none was. @param backTo so many samples back. */
export function lastValue({ values }: Pick<UseSeries, 'values'>, backTo = 10): number | null {
  return values.slice(-backTo).findLast(value => value !== null) ?? null;
}
