import { RayError } from './errors.ts';
import { pause } from './sleep.ts';
import type { Sleep } from './sleep.ts';

/** How a call that goes on for long meets failures that may pass. */
export interface RetryOptions {
  /** Pause before the second try in milliseconds, doubled after each further one. Default 500. */
  retryDelayMs?: number | undefined;
  /** Longest pause in milliseconds. Default 15,000. */
  maxRetryDelayMs?: number | undefined;
  /** Give up after so many failures in a row. By default never: unreachable does not mean dead, and `signal` ends it. */
  maxFailures?: number | undefined;
  /** Told of each failure that will be tried again. */
  onRetry?: ((error: RayError, delayMs: number) => void) | undefined;
}

/** Pauses that grow while nothing succeeds. */
export class Backoff {
  readonly #options: RetryOptions;
  readonly #sleep: Sleep;
  readonly #signal: AbortSignal | undefined;
  #fruitless = 0;
  #failures = 0;

  constructor(options: RetryOptions, sleep: Sleep, signal: AbortSignal | undefined) {
    this.#options = options;
    this.#sleep = sleep;
    this.#signal = signal;
  }

  /** Something worked: the next pause is the shortest again. */
  progressed(): void {
    this.#fruitless = 0;
    this.#failures = 0;
  }

  /** Waits after a failure; throws it when it cannot pass or came too often. */
  async failed(error: unknown): Promise<void> {
    if (!(error instanceof RayError) || !error.retryable) throw error;
    this.#failures += 1;
    if (this.#failures > (this.#options.maxFailures ?? Infinity)) throw error;
    const delayMs = this.#nextDelay();
    this.#options.onRetry?.(error, delayMs);
    await pause(this.#sleep, delayMs, this.#signal);
  }

  /** Waits after an answer that was good but brought nothing. */
  async fruitless(): Promise<void> {
    this.#failures = 0;
    await pause(this.#sleep, this.#nextDelay(), this.#signal);
  }

  #nextDelay(): number {
    const first = this.#options.retryDelayMs ?? 500;
    const delayMs = Math.min(first * 2 ** this.#fruitless, this.#options.maxRetryDelayMs ?? 15_000);
    this.#fruitless += 1;
    return delayMs;
  }
}
