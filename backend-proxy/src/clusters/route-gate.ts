/** How often one kind of call to a network may be made now: its limits, and what it asked for itself. */
import type { RouteLimit, RouteUse } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { CallsLeft } from '../offers/day-budget.ts';
import type { Pause } from './pause.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export class RouteGate {
  readonly pause: Pause;
  readonly #clock: Clock;
  readonly #limit: RouteLimit;
  /** When calls of the last minute were made, the oldest first, by the clock that only grows. */
  #lately: number[] = [];
  #lastAt = Number.NEGATIVE_INFINITY;
  #day = 0;
  #today = 0;

  constructor(clock: Clock, pause: Pause, limit: RouteLimit) {
    this.#clock = clock;
    this.pause = pause;
    this.#limit = limit;
  }

  /** How long nobody gets through; 0: now. */
  get waitMs(): number {
    return Math.max(this.pause.waitMs, this.quotaMs, this.#paceMs());
  }

  /** How long until the day is over whose calls are all made; 0: there are some left. */
  get quotaMs(): number {
    const { perDay } = this.#limit;
    const nowMs = this.#clock.now();
    return perDay === undefined || this.#countToday(nowMs) < perDay ? 0 : DAY_MS - (nowMs % DAY_MS);
  }

  /** What is left of a day's calls; null: they are not counted. */
  get today(): CallsLeft | null {
    const { perDay } = this.#limit;
    const nowMs = this.#clock.now();
    return perDay === undefined
      ? null
      : {
          perDay,
          left: Math.max(0, perDay - this.#countToday(nowMs)),
          untilMs: nowMs + DAY_MS - (nowMs % DAY_MS),
        };
  }

  /** A call leaves. */
  take(): void {
    const now = this.#clock.monotonic();
    this.#countToday(this.#clock.now());
    this.#today += 1;
    this.#lastAt = now;
    if (this.#limit.perMinute !== undefined) {
      this.#lately = [...this.#sinceAMinute(now), now];
    }
  }

  /** The call that was let through last leaves only now: what had to be done before it took its time. */
  left(): void {
    const now = this.#clock.monotonic();
    this.#lastAt = now;
    if (this.#lately.length > 0) {
      this.#lately = [...this.#lately.slice(0, -1), now];
    }
  }

  /** @param waiting how many calls wait for it */
  use(route: string, waiting: number): RouteUse {
    const nowMs = this.#clock.now();
    const [paused, quota] = [this.pause.waitMs, this.quotaMs];
    return {
      route,
      ...this.#limit,
      usedThisMinute: this.#sinceAMinute(this.#clock.monotonic()).length,
      usedToday: this.#countToday(nowMs),
      waiting,
      pausedUntilMs: paused === 0 && quota === 0 ? null : nowMs + Math.max(paused, quota),
      why:
        quota > paused ? 'All calls of this day are made.' : paused > 0 ? 'The network asked to wait.' : null,
    };
  }

  #paceMs(): number {
    const { everyMs, perMinute } = this.#limit;
    const now = this.#clock.monotonic();
    const every = everyMs === undefined ? 0 : this.#lastAt + everyMs - now;
    const oldest = perMinute === undefined ? undefined : this.#lately.at(-perMinute);
    return Math.max(0, every, oldest === undefined ? 0 : oldest + MINUTE_MS - now);
  }

  #sinceAMinute(now: number): number[] {
    return this.#lately.filter(at => at > now - MINUTE_MS);
  }

  #countToday(nowMs: number): number {
    const day = Math.floor(nowMs / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#today = 0;
    }
    return this.#today;
  }
}
