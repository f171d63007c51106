/**
 * Numbers that a client was led past without a message or a gap in their place. The gap that speaks of them can come
 * later, under a number of its own, and it must not be taken for one that the client knows.
 */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Above that the oldest are taken for one hole: rather is a loss told twice than not at all. */
const MOST_HOLES = 1_000;

export class Holes {
  #spans: Span[] = [];

  /** The client was led past these numbers, the last ones so far. */
  add(from: number, to: number): void {
    if (from > to) {
      return;
    }
    this.#spans.push({ from, to });
    const [first, second] = this.#spans;
    if (this.#spans.length > MOST_HOLES && first !== undefined && second !== undefined) {
      this.#spans.splice(0, 2, { from: first.from, to: second.to });
    }
  }

  /** Whether any of these numbers is in a hole; if so the client is told now, and they are in none any more. */
  take(from: number, to: number): boolean {
    const isIn = this.#spans.some(span => span.from <= to && span.to >= from);
    if (isIn) {
      this.#spans = this.#spans.flatMap(span =>
        [
          { from: span.from, to: Math.min(span.to, from - 1) },
          { from: Math.max(span.from, to + 1), to: span.to },
        ].filter(part => part.from <= part.to),
      );
    }
    return isIn;
  }
}
