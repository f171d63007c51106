/** What a manifest adds up to, and which of its entries are done with. */
import type { Spooled } from './spool.ts';

export interface Totals {
  readonly files: number;
  readonly bytes: number;
  readonly inTheWay: { readonly count: number; readonly names: readonly string[] };
  readonly sameFiles: number;
}

/** So many names stand in a question. */
const NAMED = 5;

/** Whether anything is other than it is to be. */
export type Work = 'none' | 'some';

/** What a manifest adds up to. */
export class Sums {
  #work: Work = 'none';
  #files = 0;
  #bytes = 0;
  #sameFiles = 0;
  #inTheWay = 0;
  readonly #names: string[] = [];

  add({ entry, standing }: Spooled, path: string): void {
    if (standing !== 'same') {
      this.#work = 'some';
    }
    if (standing === 'differs') {
      this.#inTheWay += 1;
      if (this.#names.length < NAMED) {
        this.#names.push(path);
      }
    }
    if (entry.kind !== 'file') {
      return;
    }
    if (standing === 'same' || standing === 'touch') {
      this.#sameFiles += 1;
    } else {
      this.#files += 1;
      this.#bytes += entry.sizeBytes;
    }
  }

  get work(): Work {
    return this.#work;
  }

  totals(): Totals {
    return {
      files: this.#files,
      bytes: this.#bytes,
      sameFiles: this.#sameFiles,
      inTheWay: { count: this.#inTheWay, names: [...this.#names] },
    };
  }
}

/** Which entries of a manifest are done with, a bit each. */
export class Marks {
  #bits = new Uint8Array(1024);

  add(at: number): void {
    const byte = at >> 3;
    if (byte >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(this.#bits.length * 2, byte + 1));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    this.#bits[byte] = (this.#bits[byte] ?? 0) | (1 << (at & 7));
  }

  has(at: number): boolean {
    return ((this.#bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }
}
