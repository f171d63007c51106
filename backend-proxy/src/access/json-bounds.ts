/**
 * Looks at JSON as it arrives, before anybody builds objects of it: a few million empty lists take two bytes each on the
 * way and fifty in memory, and what is nested too deep cannot be written again.
 */
import { NotUnderstood } from './not-understood.ts';

export interface JsonLimits {
  readonly bytes: number;
  /** Lists and objects inside each other. */
  readonly depth: number;
  /** Values, counted by what separates them. */
  readonly values: number;
  /** Lists and objects: each takes many times the memory of a number. */
  readonly containers: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

export class JsonBounds {
  readonly #limits: JsonLimits;
  #bytes = 0;
  #depth = 0;
  #values = 0;
  #containers = 0;
  #inText = false;
  #escaped = false;

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  /** @throws NotUnderstood naming the bound that it goes over. */
  see(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.bytes) {
      throw tooMuch('bytes', this.#limits.bytes);
    }
    for (const byte of chunk) {
      if (this.#inText) {
        this.#seeText(byte);
      } else {
        this.#seeMark(byte);
      }
    }
  }

  #seeText(byte: number): void {
    if (this.#escaped) {
      this.#escaped = false;
    } else if (byte === BACKSLASH) {
      this.#escaped = true;
    } else if (byte === QUOTE) {
      this.#inText = false;
    }
  }

  #seeMark(byte: number): void {
    if (byte === QUOTE) {
      this.#inText = true;
    } else if (byte === COMMA || byte === COLON) {
      this.#count();
    } else if (OPENING.has(byte)) {
      this.#containers += 1;
      if (this.#containers > this.#limits.containers) {
        throw tooMuch('lists and objects', this.#limits.containers);
      }
      this.#depth += 1;
      if (this.#depth > this.#limits.depth) {
        throw tooMuch('levels', this.#limits.depth);
      }
    } else if (CLOSING.has(byte)) {
      this.#depth -= 1;
    }
  }

  #count(): void {
    this.#values += 1;
    if (this.#values > this.#limits.values) {
      throw tooMuch('values', this.#limits.values);
    }
  }
}

export const tooMuch = (what: string, most: number): NotUnderstood =>
  new NotUnderstood(`more than ${most.toLocaleString('en')} ${what} in one answer`);
