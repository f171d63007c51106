/** Columns: one typed array a field, words as numbers into a list, so that 100,000 offers fit in a few megabytes. */

/** A list of distinct words; each offer holds a number. 0 stands for null. */
export class Dictionary {
  readonly words: (string | null)[] = [null];
  readonly #codes = new Map<string, number>();

  encode(word: string | null): number {
    if (word === null) {
      return 0;
    }
    const known = this.#codes.get(word);
    if (known !== undefined) {
      return known;
    }
    const code = this.words.push(word) - 1;
    this.#codes.set(word, code);
    return code;
  }

  /** The word's number, or −1 where no offer has it. */
  codeOf(word: string): number {
    return this.#codes.get(word) ?? -1;
  }

  decode(code: number): string | null {
    return this.words[code] ?? null;
  }

  /** One byte for each code: 1 where `wanted` holds for the word. */
  mask(wanted: (word: string | null) => boolean): Uint8Array {
    return Uint8Array.from(this.words, word => (wanted(word) ? 1 : 0));
  }
}

/** A column of words. */
export interface WordColumn {
  readonly dictionary: Dictionary;
  readonly codes: Uint32Array;
}

export function wordColumn<T>(rows: readonly T[], wordOf: (row: T) => string | null): WordColumn {
  const dictionary = new Dictionary();
  return { dictionary, codes: Uint32Array.from(rows, row => dictionary.encode(wordOf(row))) };
}

/** A column of numbers; null is NaN. */
export function numberColumn<T>(rows: readonly T[], numberOf: (row: T) => number | null): Float64Array {
  return Float64Array.from(rows, row => numberOf(row) ?? Number.NaN);
}

export function nullable(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
