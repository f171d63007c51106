/** Who may ask the simulated io.net, and how often. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { SimAnswer } from '../frame/simulator.ts';
import { detail } from './answers.ts';

/** The key that is accepted where no other is named. */
export const IONET_KEY = 'io-v2-simulated-0123456789abcdef';

/** Of one key (`RateLimitError` of `iocloud/errors.py`). */
const CALLS_A_MINUTE = 300;
const MINUTE_MS = 60_000;

export class Door {
  readonly #clock: Clock;
  readonly #keys: readonly string[];
  readonly #limits: boolean;
  readonly #calls = new Map<string, readonly number[]>();

  /** @param limits whether whoever asks too often is refused */
  constructor(clock: Clock, keys: readonly string[], limits: boolean) {
    this.#clock = clock;
    this.#keys = keys;
    this.#limits = limits;
  }

  /** Null: come in. */
  refusal(key: string | null): SimAnswer | null {
    if (key === null || !this.#keys.includes(key)) {
      return detail(401, 'Invalid API key');
    }
    const nowMs = this.#clock.now();
    const calls = (this.#calls.get(key) ?? []).filter(atMs => atMs > nowMs - MINUTE_MS);
    const [firstMs] = calls;
    if (this.#limits && firstMs !== undefined && calls.length >= CALLS_A_MINUTE) {
      const seconds = Math.ceil((firstMs + MINUTE_MS - nowMs) / 1000);
      return { ...detail(429, 'Too many requests'), headers: { 'retry-after': seconds.toString() } };
    }
    this.#calls.set(key, [...calls, nowMs]);
    return null;
  }
}
