/**
 * Dials a machine with several tries, of which the first that answers stays. What is lost while a connection is opened is
 * sent again after 1, 3, 7 and 15 s: a try that began while the way was cut notices late that it is mended, one that begins
 * after the mend at once. So another begins every now and then, beside those that wait.
 */
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import { FarError } from './far-shell.ts';

/** Tries of one machine at once: the oldest waits as long as it may, and of the others the latest. */
const TRIES_AT_ONCE = 4;

/** How many tries there may be beside the first ones, of all machines together: where many are away, they share these. */
export class SpareTries {
  #free: number;

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  take(): boolean {
    if (this.#free === 0) {
      return false;
    }
    this.#free--;
    return true;
  }

  giveBack(): void {
    this.#free++;
  }
}

export interface SeveralTries<T> {
  readonly open: (signal: AbortSignal) => Promise<T>;
  /** What is done with one that answered too late. */
  readonly close: (opened: T) => void;
  readonly clock: Clock;
  /** Milliseconds from one try to the next; null: there is one only. */
  readonly gapMs: number | null;
  readonly spare: SpareTries;
  readonly signal: AbortSignal;
}

/** @throws what the last try throws, or the first that is more than silence. */
export function firstToAnswer<T>(options: SeveralTries<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    new Tries(options, resolve, reject).begin();
  });
}

interface Try {
  readonly given: AbortController;
  readonly isSpare: boolean;
}

class Tries<T> {
  readonly #options: SeveralTries<T>;
  readonly #resolve: (opened: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #running: Try[] = [];
  #next: Timer | null = null;
  #isOver = false;

  constructor(options: SeveralTries<T>, resolve: (opened: T) => void, reject: (error: unknown) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    this.#try(false);
    this.#tryLater();
  }

  #tryLater(): void {
    const { clock, gapMs, spare } = this.#options;
    if (gapMs !== null && !this.#isOver) {
      this.#next = clock.setTimer(() => {
        if (this.#running.length === TRIES_AT_ONCE) {
          this.#end(this.#running[1]);
        }
        if (spare.take()) {
          this.#try(true);
        }
        this.#tryLater();
      }, gapMs);
    }
  }

  #try(isSpare: boolean): void {
    const { open, close, signal } = this.#options;
    const one: Try = { given: new AbortController(), isSpare };
    this.#running.push(one);
    open(AbortSignal.any([signal, one.given.signal])).then(
      opened => {
        if (this.#drop(one)) {
          this.#over();
          this.#resolve(opened);
        } else {
          close(opened);
        }
      },
      (error: unknown) => {
        if (this.#drop(one) && (this.#running.length === 0 || !isSilence(error))) {
          this.#over();
          this.#reject(error);
        }
      },
    );
  }

  /** Takes one out of those that count. @returns whether it was one of them. */
  #drop(one: Try | undefined): one is Try {
    const at = one === undefined ? -1 : this.#running.indexOf(one);
    if (one === undefined || at < 0) {
      return false;
    }
    this.#running.splice(at, 1);
    if (one.isSpare) {
      this.#options.spare.giveBack();
    }
    return true;
  }

  #end(one: Try | undefined): void {
    if (this.#drop(one)) {
      one.given.abort(new Error('Another try stands in its place.'));
    }
  }

  #over(): void {
    this.#isOver = true;
    this.#next?.cancel();
    [...this.#running].forEach(one => this.#end(one));
  }
}

/** Nothing was heard of the machine, which another try may change; every other error is its word. */
export const isSilence = (error: unknown): boolean =>
  error instanceof FarError && error.kind === 'unreachable';
