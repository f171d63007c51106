/**
 * Copies into the same place take turns: two that write one file would write one part of it. A copy that asks somebody
 * lets others go first meanwhile.
 */
import { aborted } from './endings.ts';

export class Turns {
  readonly #held = new Set<Turn>();

  /** @param places what a copy writes to, as strings in which `/` leads from a folder to what is in it. */
  of(places: readonly string[], signal: AbortSignal): Turn {
    return new Turn(this.#held, places, signal);
  }
}

export class Turn {
  readonly #held: Set<Turn>;
  readonly #places: readonly string[];
  readonly #signal: AbortSignal;
  #over = Promise.withResolvers<undefined>();

  constructor(held: Set<Turn>, places: readonly string[], signal: AbortSignal) {
    this.#held = held;
    this.#places = places;
    this.#signal = signal;
  }

  /** @param wait is told that others go first. @throws the signal's reason when the copy is ended meanwhile. */
  async take(wait: () => void): Promise<void> {
    for (let first = this.#before(); first !== undefined; first = this.#before()) {
      wait();
      await Promise.race([first.#over.promise, aborted(this.#signal)]);
      this.#signal.throwIfAborted();
    }
    this.#over = Promise.withResolvers();
    this.#held.add(this);
  }

  give(): void {
    this.#held.delete(this);
    this.#over.resolve(undefined);
  }

  /** Lets others go first while something else goes on. */
  async pausedFor<T>(run: () => Promise<T>): Promise<T> {
    this.give();
    const result = await run();
    await this.take(() => undefined);
    return result;
  }

  #before(): Turn | undefined {
    return [...this.#held].find(other => other !== this && overlap(other.#places, this.#places));
  }
}

const overlap = (some: readonly string[], others: readonly string[]): boolean =>
  some.some(one => others.some(other => isIn(one, other) || isIn(other, one)));

const isIn = (folder: string, path: string): boolean => path === folder || path.startsWith(`${folder}/`);
