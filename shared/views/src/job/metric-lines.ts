/** Series of figures as lines on one axis: steps where a program says them, else the time since the first value. */
import { isOwnFigure, type JobMetrics, type MetricSeries } from '@hitch/contract/src/metrics/wire.ts';

export type MetricAxis = 'step' | 'time';

export interface MetricLine {
  readonly series: MetricSeries;
  /** Pieces that hang together: a value that is no number parts them. */
  readonly pieces: readonly (readonly (readonly [x: number, y: number])[])[];
}

export interface MetricPicture {
  readonly axis: MetricAxis;
  /** Of all lines: under each other, one place is one moment. */
  readonly from: number;
  readonly to: number;
  readonly lines: readonly MetricLine[];
}

/** Moments at which a step is known, both growing. */
type StepClock = readonly (readonly [atMs: number, step: number])[];

/** Of the series that says most steps: what has none, as the use of a GPU, is laid beside them by its time. */
function stepClock({ series }: Pick<JobMetrics, 'series'>): StepClock {
  const stepped = series.filter(each => isOwnFigure(each) && each.lastStep !== null);
  const [best] = [...stepped].sort((a, b) => b.count - a.count);
  const clock: [number, number][] = [];
  best?.points.timesMs.forEach((atMs, at) => {
    const step = best.points.steps[at];
    const last = clock.at(-1);
    if (typeof step === 'number' && (last === undefined || (atMs >= last[0] && step >= last[1]))) {
      clock.push([atMs, step]);
    }
  });
  return clock;
}

/** Between two moments as if it went evenly; before the first and after the last it stands. */
export function stepAt(clock: StepClock, atMs: number): number {
  let [low, high] = [0, clock.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((clock[middle]?.[0] ?? 0) < atMs) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const [after, before] = [clock[low], clock[low - 1]];
  if (after === undefined) {
    return 0;
  }
  if (before === undefined || atMs >= after[0] || after[0] === before[0]) {
    return after[1];
  }
  return before[1] + ((atMs - before[0]) / (after[0] - before[0])) * (after[1] - before[1]);
}

export function metricPicture(metrics: Pick<JobMetrics, 'series'>, wanted: MetricAxis): MetricPicture {
  const clock = stepClock(metrics);
  const axis = clock.length === 0 ? 'time' : wanted;
  const firstMs = Math.min(...metrics.series.flatMap(({ points }) => points.timesMs.slice(0, 1)));
  const lines = metrics.series.map(series => ({
    series,
    pieces: piecesOf(series, (step, atMs) =>
      axis === 'time' ? (atMs - firstMs) / 1000 : (step ?? stepAt(clock, atMs)),
    ),
  }));
  const places = lines.flatMap(({ pieces }) => pieces.flatMap(piece => [piece[0], piece.at(-1)]));
  const all = places.flatMap(place => (place === undefined ? [] : [place[0]]));
  return {
    axis,
    lines,
    from: all.length === 0 ? 0 : Math.min(...all),
    to: all.length === 0 ? 1 : Math.max(...all),
  };
}

function piecesOf(
  { points }: MetricSeries,
  place: (step: number | null, atMs: number) => number,
): [number, number][][] {
  const pieces: [number, number][][] = [[]];
  points.values.forEach((value, at) => {
    const atMs = points.timesMs[at];
    if (value === null || atMs === undefined) {
      pieces.push([]);
    } else {
      pieces.at(-1)?.push([place(points.steps[at] ?? null, atMs), value]);
    }
  });
  return pieces.filter(piece => piece.length > 0);
}
