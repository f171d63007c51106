/** Points of one run as columns of each series, and what of them is shown: ends, bounds, and a thinned curve. */
import type { MetricSeries, MetricsQuery, SeriesName } from '@hitch/contract/src/metrics/wire.ts';
import { eachPoint } from '@hitch/contract/src/metrics/points.ts';

const FIRST_SIZE = 64;

export class Column {
  readonly name: SeriesName;
  #steps = new Float64Array(FIRST_SIZE);
  #times = new Float64Array(FIRST_SIZE);
  #values = new Float64Array(FIRST_SIZE);
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #notFinite = 0;
  #notFiniteAtStep = Number.NaN;

  constructor(name: SeriesName) {
    this.name = name;
  }

  get count(): number {
    return this.#count;
  }

  add(step: number, atMs: number, value: number): void {
    if (this.#count === this.#steps.length) {
      this.#steps = longer(this.#steps);
      this.#times = longer(this.#times);
      this.#values = longer(this.#values);
    }
    this.#steps[this.#count] = step;
    this.#times[this.#count] = atMs;
    this.#values[this.#count] = value;
    this.#count += 1;
    if (Number.isFinite(value)) {
      this.#min = Math.min(this.#min, value);
      this.#max = Math.max(this.#max, value);
    } else {
      this.#notFiniteAtStep = this.#notFinite === 0 ? step : this.#notFiniteAtStep;
      this.#notFinite += 1;
    }
  }

  shown(most: number): MetricSeries {
    const last = this.#count - 1;
    const places = this.#places(most);
    return {
      ...this.name,
      count: this.#count,
      first: finite(this.#values[0]),
      last: finite(this.#values[last]),
      lastStep: finite(this.#steps[last]),
      min: finite(this.#min),
      max: finite(this.#max),
      notFinite: this.#notFinite,
      notFiniteAtStep: finite(this.#notFiniteAtStep),
      points: {
        steps: places.map(at => finite(this.#steps[at])),
        timesMs: places.map(at => this.#times[at] ?? 0),
        values: places.map(at => finite(this.#values[at])),
      },
    };
  }

  /** In their order, both ends among them; of more than `most`, the lowest and the highest of equal parts: a peak is never lost. */
  #places(most: number): number[] {
    if (most === 0) {
      return [];
    }
    if (this.#count <= most) {
      return Array.from({ length: this.#count }, (_, at) => at);
    }
    const places = new Set([0]);
    const parts = Math.max(1, Math.floor(most / 2) - 1);
    for (let part = 0; part < parts; part++) {
      const from = Math.floor((part * this.#count) / parts);
      const end = Math.floor(((part + 1) * this.#count) / parts);
      let [low, high] = [from, from];
      for (let at = from; at < end; at++) {
        const value = this.#values[at] ?? Number.NaN;
        // What is no number is as high as can be: it is to be seen.
        low = value < (this.#values[low] ?? 0) ? at : low;
        high = value > (this.#values[high] ?? 0) || Number.isNaN(value) ? at : high;
      }
      places.add(Math.min(low, high)).add(Math.max(low, high));
    }
    places.add(this.#count - 1);
    return [...places].slice(0, most);
  }
}

/** All series of a run, in the order in which they were first told of. */
export class Columns {
  readonly #columns: Column[] = [];

  get all(): readonly Column[] {
    return this.#columns;
  }

  /** @param names of all series by now. A point of none of them is left out. */
  add(names: readonly SeriesName[], bytes: Uint8Array): void {
    for (let at = this.#columns.length; at < names.length; at++) {
      const name = names[at];
      if (name !== undefined) {
        this.#columns.push(new Column(name));
      }
    }
    eachPoint(bytes, (series, step, atMs, value) => this.#columns[series]?.add(step, timeOf(atMs), value));
  }

  shown({ from, most, points }: Omit<MetricsQuery, 'run'>): MetricSeries[] {
    return this.#columns.slice(from, from + most).map(column => column.shown(points));
  }
}

function longer(numbers: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const more = new Float64Array(numbers.length * 2);
  more.set(numbers);
  return more;
}

const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

/** A machine may say any; a `Date` holds no others. */
const timeOf = (atMs: number): number => (atMs >= 0 && atMs <= 8.64e15 ? atMs : 0);
