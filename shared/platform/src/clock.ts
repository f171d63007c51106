/** The one clock. Everything that waits or asks the time gets it injected, so that a race replays from a seed. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time in ms since the epoch. It can jump. */
  now(): number;
  /** Milliseconds that only ever grow; for measuring how long something took. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms`. Does not keep the process alive. */
  setTimer(run: () => void, ms: number): Timer;
}

/** Node refuses longer timers; a longer wait fires early and its owner looks at the clock again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    delay(Math.min(ms, LONGEST_TIMER_MS), undefined, signal === undefined ? {} : { signal }),
  setTimer: (run, ms) => {
    const handle = setTimeout(run, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Gives `run` a signal that aborts after `ms`, with the reason that `AbortSignal.timeout` has. */
export async function within<T>(
  clock: Clock,
  ms: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = clock.setTimer(() => late.abort(new DOMException('no answer in time', 'TimeoutError')), ms);
  try {
    return await run(late.signal);
  } finally {
    timer.cancel();
  }
}

/** Looks every `ms`, counted from the end of one look to the begin of the next; a look that fails is followed too. */
export function repeat(clock: Clock, ms: number, look: () => Promise<unknown>): Timer {
  let isOver = false;
  const next = (): Timer =>
    clock.setTimer(() => {
      const again = (): void => {
        timer = isOver ? timer : next();
      };
      look().then(again, again);
    }, ms);
  let timer = next();
  return {
    cancel: () => {
      isOver = true;
      timer.cancel();
    },
  };
}

interface PendingTimer {
  readonly at: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** A clock that moves only when told; timers run in time order, ties in the order they were set. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #start: number;
  #sequence = 0;
  #timers: PendingTimer[] = [];

  constructor(startMs = 1_800_000_000_000) {
    this.#now = startMs;
    this.#start = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#start;
  }

  setTimer(run: () => void, ms: number): Timer {
    const timer = { at: this.#now + Math.max(0, ms), sequence: this.#sequence++, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter(other => other !== timer);
      },
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        timer.cancel();
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const timer = this.setTimer(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      if (signal?.aborted === true) {
        abort();
      } else {
        signal?.addEventListener('abort', abort, { once: true });
      }
    });
  }

  /** When the next timer is due, or null. */
  nextTimerAt(): number | null {
    return this.#timers.reduce<number | null>(
      (first, { at }) => (first === null || at < first ? at : first),
      null,
    );
  }

  /** Moves to the next timer and runs it. @returns false when there is none. */
  step(): boolean {
    const next = this.#timers.reduce<PendingTimer | null>(
      (first, timer) =>
        first === null || timer.at < first.at || (timer.at === first.at && timer.sequence < first.sequence)
          ? timer
          : first,
      null,
    );
    if (next === null) {
      return false;
    }
    this.#timers = this.#timers.filter(timer => timer !== next);
    this.#now = Math.max(this.#now, next.at);
    next.run();
    return true;
  }

  /** Jumps, as a laptop's clock does after sleep or a time server's correction; runs nothing by itself. */
  jump(ms: number): void {
    this.#now += ms;
  }
}
