/** What one thread sends and the other reads, a few pieces ahead. */
import { passed } from '../garbage.ts';
import { PIECES_AHEAD } from './messages.ts';

/** Pieces that arrive as messages, in order. Each that is taken out is answered, so that another one is sent. */
export class Arriving<T> implements AsyncIterable<T> {
  readonly #taken: () => void;
  readonly #left: () => void;
  readonly #pieces: T[] = [];
  #end: { readonly error: Error | null } | null = null;
  #wake: (() => void) | null = null;

  /** @param taken a piece was taken out. @param left whoever read has gone before the end. */
  constructor(taken: () => void, left: () => void = () => undefined) {
    this.#taken = taken;
    this.#left = left;
  }

  push(piece: T): void {
    this.#pieces.push(piece);
    this.#wake?.();
  }

  end(error: Error | null): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    let whole = false;
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          this.#taken();
          yield piece;
          if (piece instanceof Uint8Array) {
            passed(piece.length);
          }
        } else if (this.#end !== null) {
          whole = true;
          if (this.#end.error !== null) {
            throw this.#end.error;
          }
          return;
        } else {
          await new Promise<void>(resolve => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      if (!whole) {
        this.#left();
      }
    }
  }
}

/** Only then may it be handed over: a part of a larger buffer would take the rest along. */
export const isWholeBuffer = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;

/** Leave to send: some pieces from the beginning, one more for each that was taken. */
export class Leave {
  #free = PIECES_AHEAD;
  #wake: (() => void) | null = null;
  #over = false;

  give(): void {
    this.#free += 1;
    this.#wake?.();
  }

  /** Whoever waits goes on and finds that it is over. */
  end(): void {
    this.#over = true;
    this.#wake?.();
  }

  /** @returns false when nobody wants any more. */
  async take(): Promise<boolean> {
    while (this.#free === 0 && !this.#over) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    this.#free -= 1;
    return !this.#over;
  }
}
