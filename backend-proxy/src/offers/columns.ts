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

// Plain loops: the `from` of typed arrays goes through an iterator and takes ten times as long.

export function wordColumn<T>(rows: readonly T[], wordOf: (row: T) => string | null): WordColumn {
  const dictionary = new Dictionary();
  const codes = new Uint32Array(rows.length);
  rows.forEach((row, index) => {
    codes[index] = dictionary.encode(wordOf(row));
  });
  return { dictionary, codes };
}

/** A column of one of a few words; null is −1. */
export interface ChoiceColumn<T extends string> {
  readonly options: readonly T[];
  readonly codes: Int8Array;
}

export function choiceColumn<R, T extends string>(
  rows: readonly R[],
  options: readonly T[],
  choiceOf: (row: R) => T | null,
): ChoiceColumn<T> {
  const codes = new Int8Array(rows.length);
  rows.forEach((row, index) => {
    const choice = choiceOf(row);
    codes[index] = choice === null ? -1 : options.indexOf(choice);
  });
  return { options, codes };
}

/** A column of numbers; null is NaN. */
export function numberColumn<T>(rows: readonly T[], numberOf: (row: T) => number | null): Float64Array {
  const numbers = new Float64Array(rows.length);
  rows.forEach((row, index) => {
    numbers[index] = numberOf(row) ?? Number.NaN;
  });
  return numbers;
}

/** A column of bits. */
export function flagColumn<T>(rows: readonly T[], flagOf: (row: T) => boolean): Uint8Array {
  const flags = new Uint8Array(rows.length);
  rows.forEach((row, index) => {
    flags[index] = Number(flagOf(row));
  });
  return flags;
}

export function nullable(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
