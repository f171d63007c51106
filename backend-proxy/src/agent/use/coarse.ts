/** Samples of a minute as one: the mean, and the highest of what must not be missed. */
import { type UseKind, type UseName, useKey } from '@hitch/contract/src/use/wire.ts';
import type { UseSample } from './use-log.ts';

/** A minute that was full for a moment was full. */
const HIGHEST: ReadonlySet<UseKind> = new Set(['memory', 'vram', 'disk', 'temperature']);

interface Sum {
  name: UseName;
  sum: number;
  highest: number;
  count: number;
}

export class CoarseSample {
  readonly #spanMs: number;
  readonly #sums = new Map<string, Sum>();
  #endMs: number | null = null;

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** @returns the span before, where this sample begins another one. */
  add({ atMs, names, values }: UseSample): UseSample | null {
    const endMs = (Math.floor(atMs / this.#spanMs) + 1) * this.#spanMs;
    const done = this.#endMs === null || this.#endMs === endMs ? null : this.#whole(this.#endMs);
    this.#endMs = endMs;
    names.forEach((name, at) => this.#addValue(name, values[at] ?? null));
    return done;
  }

  #addValue(name: UseName, value: number | null): void {
    if (value === null) {
      return;
    }
    const key = useKey(name);
    const known = this.#sums.get(key);
    if (known === undefined) {
      this.#sums.set(key, { name, sum: value, highest: value, count: 1 });
      return;
    }
    known.name = name;
    known.sum += value;
    known.highest = Math.max(known.highest, value);
    known.count += 1;
  }

  #whole(endMs: number): UseSample {
    const sums = [...this.#sums.values()];
    this.#sums.clear();
    return {
      atMs: endMs,
      names: sums.map(({ name }) => name),
      values: sums.map(({ name, sum, highest, count }) => (HIGHEST.has(name.kind) ? highest : sum / count)),
    };
  }
}
