/**
 * Which rows stand in the view. Browsers cap an element's height (17 million pixels in Firefox, 33 in Chromium), so
 * beyond a bound the scrolled element is shorter than the rows together: a wheel still moves row by row, and a drag of
 * the scroll bar moves in proportion.
 */

/** Well under every browser's cap, and exact in the 32-bit floats of their compositors. */
export const MAX_HEIGHT_PX = 12_000_000;

export interface RowWindow {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

export class ScrollMap {
  readonly rowHeight: number;
  readonly #maxHeight: number;
  #rows = 0;
  #viewport = 0;
  /** Where the view's top stands among all rows, in pixels. */
  #top = 0;
  /** Where the scrolled element stands. */
  #physical = 0;

  constructor(rowHeight: number, maxHeight = MAX_HEIGHT_PX) {
    this.rowHeight = rowHeight;
    this.#maxHeight = maxHeight;
  }

  /** Takes a new size; the place is kept as far as there still are rows. */
  resize(rows: number, viewport: number): void {
    this.#rows = rows;
    this.#viewport = viewport;
    this.#top = Math.min(this.#top, this.#lastTop);
    this.settle();
  }

  get top(): number {
    return this.#top;
  }

  /** Where the element is to be scrolled to. */
  get physical(): number {
    return this.#physical;
  }

  /** The scrolled element's height. */
  get height(): number {
    return Math.min(this.#virtualHeight, this.#maxHeight);
  }

  get #virtualHeight(): number {
    return this.#rows * this.rowHeight;
  }

  get #lastTop(): number {
    return Math.max(0, this.#virtualHeight - this.#viewport);
  }

  get #lastPhysical(): number {
    return Math.max(0, this.height - this.#viewport);
  }

  get #compressed(): boolean {
    return this.#virtualHeight > this.#maxHeight;
  }

  /** The browser scrolled the element to `physical`. */
  scrolled(physical: number): void {
    const delta = physical - this.#physical;
    const jump = Math.abs(delta) > 2 * this.#viewport;
    this.#physical = physical;
    if (!this.#compressed) {
      this.#top = physical;
    } else if (jump || physical <= 0 || physical >= this.#lastPhysical) {
      this.#top = this.#virtualOf(physical);
    } else {
      this.#top = clamp(this.#top + delta, 0, this.#lastTop);
    }
  }

  #virtualOf(physical: number): number {
    return this.#lastPhysical === 0
      ? 0
      : Math.round((clamp(physical, 0, this.#lastPhysical) / this.#lastPhysical) * this.#lastTop);
  }

  /**
   * Brings the scroll bar to where the rows are, once nothing moves: small steps have let the two drift apart.
   * @returns whether the element has to be scrolled to `physical`
   */
  settle(): boolean {
    const wanted =
      this.#lastTop === 0
        ? 0
        : this.#compressed
          ? Math.round((this.#top / this.#lastTop) * this.#lastPhysical)
          : this.#top;
    const moved = wanted !== this.#physical;
    this.#physical = wanted;
    return moved;
  }

  /** Moves so that `row` stands in the view whole. @returns whether it had to */
  reveal(row: number): boolean {
    const start = row * this.rowHeight;
    const end = start + this.rowHeight;
    if (start < this.#top) {
      this.#top = start;
    } else if (end > this.#top + this.#viewport) {
      this.#top = Math.min(end - this.#viewport, this.#lastTop);
    } else {
      return false;
    }
    this.settle();
    return true;
  }

  toTop(): void {
    this.#top = 0;
    this.settle();
  }

  /** A row's place inside the scrolled element. */
  placeOf(row: number): number {
    return row * this.rowHeight + this.#physical - this.#top;
  }

  /** Rows in the view, and `beside` more on each side. */
  window(beside: number): RowWindow {
    const first = Math.floor(this.#top / this.rowHeight) - beside;
    const end = Math.ceil((this.#top + this.#viewport) / this.rowHeight) + beside;
    return { first: clamp(first, 0, this.#rows), end: clamp(end, 0, this.#rows) };
  }

  /** Rows that a page key moves by. */
  get pageRows(): number {
    return Math.max(1, Math.floor(this.#viewport / this.rowHeight) - 1);
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
