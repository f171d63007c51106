/** One figure of a run as a small curve, kept up as points come: for lists, which must not read files. */
import { eachPoint } from '@hitch/contract/src/metrics/points.ts';
import {
  isOwnFigure,
  type MetricGlance,
  metricGlanceSchema,
  MOST_GLANCE,
  type SeriesName,
} from '@hitch/contract/src/metrics/wire.ts';
import * as z from 'zod';

export const keptGlanceSchema = metricGlanceSchema.extend({
  series: z.number().int(),
  /** Values of the series so far, and of how many one is in the curve. */
  seen: z.number().int(),
  stride: z.number().int(),
});
export type KeptGlance = z.infer<typeof keptGlanceSchema>;

/** The loss, as it is usually called, else what was told of first; -1: nothing was. */
function chosen(names: readonly SeriesName[]): number {
  const loss = names.findIndex(each => isOwnFigure(each) && /^(?:train[/_]?)?loss$/i.test(each.name));
  return loss >= 0 ? loss : names.findIndex(isOwnFigure);
}

export function glanceAfter(
  before: KeptGlance | null,
  names: readonly SeriesName[],
  bytes: Uint8Array,
): KeptGlance | null {
  const series = chosen(names);
  const name = names[series]?.name;
  if (name === undefined) {
    return null;
  }
  const same = before?.series === series ? before : null;
  let { seen, stride, last, step } = same ?? { seen: 0, stride: 1, last: null, step: null };
  let values = [...(same?.values ?? [])];
  eachPoint(bytes, (of, at, _atMs, value) => {
    if (of !== series) {
      return;
    }
    last = Number.isFinite(value) ? value : null;
    step = Number.isFinite(at) ? at : null;
    if (seen % stride === 0 && last !== null) {
      values.push(last);
    }
    seen += 1;
    // One place is left for the last value.
    if (values.length === MOST_GLANCE) {
      values = values.filter((_, place) => place % 2 === 0);
      stride *= 2;
    }
  });
  return { name, last, step, values, series, seen, stride };
}

export const shownGlance = ({ name, last, step, values }: KeptGlance): MetricGlance => ({
  ...{ name, last, step },
  values: last === null || values.at(-1) === last ? values : [...values, last],
});
