/** A seeded source of chance, the same on every platform: every run of a test that draws from it can be had again. */
const BLOCK_BYTES = 4096;

export class Chance {
  readonly #word: () => number;

  constructor(seed: number) {
    // sfc32, as in the daemon's own source.
    let a = 0x9e3779b9 ^ seed;
    let b = 0x243f6a88;
    let c = 0xb7e15162 ^ (seed << 13);
    let d = 1;
    this.#word = () => {
      const t = (((a + b) | 0) + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (c << 21) | (c >>> 11);
      c = (c + t) | 0;
      return t >>> 0;
    };
    for (let warmUp = 0; warmUp < 12; warmUp++) {
      this.#word();
    }
  }

  /** 0 ≤ x < 1. */
  next(): number {
    return this.#word() / 2 ** 32;
  }

  /** An integer, `low` ≤ n ≤ `high`. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True so many times of one. */
  happens(share: number): boolean {
    return this.next() < share;
  }

  /** @throws RangeError when there are none. */
  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) {
      throw new RangeError('pick needs at least one item');
    }
    return item;
  }

  /** `count` different ones of `items`, or all where there are fewer. */
  some<T>(items: readonly T[], count: number): T[] {
    const left = [...items];
    const chosen: T[] = [];
    while (chosen.length < count && left.length > 0) {
      chosen.push(...left.splice(Math.floor(this.next() * left.length), 1));
    }
    return chosen;
  }

  /** Content in which no two blocks are the same, so that bytes at a wrong place show. */
  content(size: number): Buffer {
    const block = Buffer.alloc(Math.min(BLOCK_BYTES, size));
    for (let at = 0; at < block.length; at++) {
      block[at] = this.#word() & 0xff;
    }
    const content = Buffer.allocUnsafe(size);
    for (let at = 0; at < size; at += block.length) {
      block.copy(content, at);
      if (size - at >= 4) {
        content.writeUInt32BE(this.#word(), at);
      }
    }
    return content;
  }
}
