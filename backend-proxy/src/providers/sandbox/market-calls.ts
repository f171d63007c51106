/** What may befall any call of the market, whatever it asks for. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { FaultDice, Operation } from './faults.ts';
import { MarketRefusal } from './market-refusal.ts';
import { RouteLimits, type RouteLimitsByName } from './route-limits.ts';

export class MarketCalls {
  readonly #clock: Clock;
  readonly #dice: FaultDice;
  readonly #limits: RouteLimits;
  readonly #openedAtMs: number;

  constructor(clock: Clock, dice: FaultDice, limits: RouteLimitsByName | null) {
    this.#clock = clock;
    this.#dice = dice;
    this.#limits = new RouteLimits(clock, limits);
    this.#openedAtMs = clock.now();
  }

  /** Faults that strike before anything happened. */
  enter(operation: Operation): void {
    if (this.#dice.outage(this.#clock.now() - this.#openedAtMs)) {
      throw new MarketRefusal('unavailable', 'The practice market refuses connections.');
    }
    const waitMs = this.#limits.take(operation);
    if (waitMs > 0) {
      this.#dice.struck('limited_route');
      throw new MarketRefusal('rate_limited', `The practice market says: too many requests (${operation}).`, {
        retryAfterMs: waitMs,
      });
    }
    const limited = this.#dice.strikeCall('rate_limited', operation);
    if (limited !== null) {
      throw new MarketRefusal('rate_limited', 'The practice market says: too many requests.', {
        retryAfterMs: limited.retryAfterMs,
      });
    }
  }

  /** Faults of the way back: what was asked for has happened. */
  async leave(operation: Operation, signal: AbortSignal): Promise<void> {
    const slow = this.#dice.strikeCall('slow_reply', operation);
    if (slow !== null) {
      await this.#clock.sleep(slow.delayMs, signal);
    }
  }

  /** What they do to a call that changes nothing. */
  async asked<T>(operation: Operation, signal: AbortSignal, answer: () => T | Promise<T>): Promise<T> {
    this.enter(operation);
    const said = await answer();
    await this.leave(operation, signal);
    return said;
  }
}
