/** Records that are reached by their key, of all kinds: a layer shows what was put into it, and else what lies below. */
import { type KeptKind, keyOf } from './kind.ts';
import type { Change } from './store.ts';

export class KeptRecords {
  readonly #below: KeptRecords | null;
  readonly #rows = new Map<string, Map<string, object>>();

  constructor(below: KeptRecords | null = null) {
    this.#below = below;
  }

  get<R extends object>(kind: KeptKind<R>, key: string): R | undefined {
    return this.#of(kind)?.get(key) ?? this.#below?.get(kind, key);
  }

  *all<R extends object>(kind: KeptKind<R>): Generator<R> {
    const here = this.#of(kind);
    if (this.#below !== null) {
      for (const record of this.#below.all(kind)) {
        if (here?.has(keyOf(kind, record)) !== true) {
          yield record;
        }
      }
    }
    yield* here?.values() ?? [];
  }

  put<R extends object>(kind: KeptKind<R>, record: R): void {
    const rows = this.#of(kind) ?? new Map<string, R>();
    this.#rows.set(kind.name, rows.set(keyOf(kind, record), record));
  }

  /** Takes one out of this layer. */
  delete<R extends object>(kind: KeptKind<R>, key: string): void {
    this.#of(kind)?.delete(key);
  }

  /** Takes over what a layer above has. */
  takeOver({ rows }: { readonly rows: ReadonlyMap<string, ReadonlyMap<string, object>> }): void {
    for (const [name, records] of rows) {
      const here = this.#rows.get(name) ?? new Map<string, object>();
      records.forEach((record, key) => here.set(key, record));
      this.#rows.set(name, here);
    }
  }

  get rows(): ReadonlyMap<string, ReadonlyMap<string, object>> {
    return this.#rows;
  }

  /** What lies in this layer, as a change. */
  change(): Change {
    return Object.fromEntries([...this.#rows].map(([name, records]) => [name, [...records.values()]]));
  }

  #of<R extends object>({ name }: KeptKind<R>): Map<string, R> | undefined {
    // Under a kind's name lie its own records and nothing else.
    return this.#rows.get(name) as Map<string, R> | undefined;
  }
}
