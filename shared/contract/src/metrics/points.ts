/**
 * Points of a job's figures as they are kept and sent: four little-endian doubles each (the number of its series, the step, the
 * time in ms, the value), so that a page is a piece of the file that it comes from. No step is NaN.
 */
export const POINT_BYTES = 32;
const NUMBERS = POINT_BYTES / 8;

/** Of one run, all series together; what comes after that is counted and not kept. */
export const MOST_POINTS = 1_000_000;
/** Names of figures of one run. */
export const MOST_SERIES = 500;
export const LONGEST_SERIES_NAME = 200;

export interface Point {
  /** Place of its series in the list. */
  readonly series: number;
  /** NaN: none was said. */
  readonly step: number;
  readonly atMs: number;
  readonly value: number;
}

/** Points that are gathered for writing. */
export class PointWriter {
  #numbers = new Float64Array(1_024 * NUMBERS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(series: number, step: number, atMs: number, value: number): void {
    let at = this.#count * NUMBERS;
    if (at === this.#numbers.length) {
      const more = new Float64Array(this.#numbers.length * 2);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[at++] = series;
    this.#numbers[at++] = step;
    this.#numbers[at++] = atMs;
    this.#numbers[at] = value;
    this.#count += 1;
  }

  /** What was gathered, which stays until {@link drop}. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#numbers.buffer, 0, this.#count * POINT_BYTES).slice();
  }

  /** Forgets the first so many: they are written. */
  drop(count: number): void {
    this.#numbers.copyWithin(0, count * NUMBERS, this.#count * NUMBERS);
    this.#count -= count;
    if (this.#count === 0 && this.#numbers.length > 1_024 * NUMBERS) {
      this.#numbers = new Float64Array(1_024 * NUMBERS);
    }
  }
}

/** Calls `take` for each whole point of the bytes. */
export function eachPoint(
  bytes: Uint8Array,
  take: (series: number, step: number, atMs: number, value: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + POINT_BYTES <= bytes.byteLength; at += POINT_BYTES) {
    take(
      view.getFloat64(at, true),
      view.getFloat64(at + 8, true),
      view.getFloat64(at + 16, true),
      view.getFloat64(at + 24, true),
    );
  }
}
