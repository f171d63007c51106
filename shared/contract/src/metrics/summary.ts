/** The figures of a whole log, each with its first and last value and its bounds. */
import { metricsOfLine } from './lines.ts';

export interface Metric {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  /** How often it was printed. */
  readonly count: number;
}

/** A program may print anything as a name. */
export const MOST_METRICS = 200;
/** Longer than any line of figures, whose end alone matters. */
const LONGEST_REST = 64 * 1024;

/** Reads a log in pieces, cut anywhere. */
export class MetricSummary {
  readonly #metrics = new Map<string, Metric>();
  #rest = '';
  #leftOut = 0;

  take(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    const rest = lines.pop() ?? '';
    this.#rest = rest.length > LONGEST_REST ? rest.slice(-LONGEST_REST) : rest;
    lines.forEach(line => this.#line(line));
  }

  /** In the order in which they were first printed. */
  end(): readonly Metric[] {
    this.#line(this.#rest);
    this.#rest = '';
    return [...this.#metrics.values()];
  }

  /** Values whose names came when there were {@link MOST_METRICS} already. */
  get leftOut(): number {
    return this.#leftOut;
  }

  #line(line: string): void {
    // A progress bar writes over its line; what stands there at last counts.
    const shown = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
    const row = metricsOfLine(shown);
    for (const [name, value] of [
      ...(row === null || row.step === null ? [] : [['step', row.step] as const]),
      ...(row?.values ?? []),
    ]) {
      const known = this.#metrics.get(name);
      if (known === undefined && this.#metrics.size >= MOST_METRICS) {
        this.#leftOut += 1;
        continue;
      }
      this.#metrics.set(name, {
        name,
        first: known?.first ?? value,
        last: value,
        min: Math.min(known?.min ?? value, value),
        max: Math.max(known?.max ?? value, value),
        count: (known?.count ?? 0) + 1,
      });
    }
  }
}
