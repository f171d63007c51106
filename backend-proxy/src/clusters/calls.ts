/**
 * Calls to networks and machines: time-outs, so many at once, rate limits and what a failure means are written here,
 * once, for every adapter.
 */
import type { ProviderId } from '@hitch/contract';
import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/log.ts';
import { type Provider, ProviderError } from '../providers/provider.ts';
import { CALL_LIMIT_MS, type CallName, CALLS_AT_ONCE } from './limits.ts';

/** Ending things goes before buying, buying before looking. */
const URGENCY: Readonly<Record<CallName, number>> = {
  destroy: 0,
  extend: 0,
  create: 1,
  get: 2,
  host: 2,
  list: 2,
  facts: 2,
  python: 2,
  startAgent: 2,
  connect: 2,
  agent: 2,
};

/** Who may call one network now. */
class Lane {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[][] = [[], [], []];
  #under = 0;
  #pausedUntilMs = 0;
  #waking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when a call may start. */
  enter(urgency: number): Promise<void> {
    return new Promise(resolve => {
      this.#waiting[urgency]?.push(resolve);
      this.#next();
    });
  }

  leave(): void {
    this.#under -= 1;
    this.#next();
  }

  /** The network asked for a pause. */
  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.monotonic() + Math.min(ms, 300_000));
  }

  #next(): void {
    const pause = this.#pausedUntilMs - this.#clock.monotonic();
    if (pause > 0) {
      if (!this.#waking) {
        this.#waking = true;
        this.#clock.setTimer(() => {
          this.#waking = false;
          this.#next();
        }, pause);
      }
      return;
    }
    while (this.#under < CALLS_AT_ONCE) {
      const start = this.#waiting.find(({ length }) => length > 0)?.shift();
      if (start === undefined) {
        return;
      }
      this.#under += 1;
      start();
    }
  }
}

export class Calls {
  readonly #clock: Clock;
  readonly #lanes = new Map<ProviderId, Lane>();
  readonly #ending: AbortSignal;
  /** Calls under way. One listener for all of them: signals made from a long-lived one pile up on it. */
  readonly #open = new Set<AbortController>();

  /** `ending` aborts every call: the daemon ends. */
  constructor(clock: Clock, ending: AbortSignal) {
    this.#clock = clock;
    this.#ending = ending;
    ending.addEventListener('abort', () => this.#open.forEach(call => call.abort(ending.reason)), {
      once: true,
    });
  }

  /**
   * Calls a network. Every failure is a {@link ProviderError}; a call without an answer in time, and anything an
   * adapter throws that is not one, is `unknownOutcome`. `before` runs once the call may start, right before it;
   * what it throws passes through and the call is not made.
   */
  async provider<T>(
    provider: Provider,
    name: CallName,
    run: (signal: AbortSignal) => Promise<T>,
    before?: () => Promise<void>,
  ): Promise<T> {
    const lane = this.#lane(provider.id);
    await lane.enter(URGENCY[name]);
    try {
      await before?.();
    } catch (error) {
      lane.leave();
      throw error;
    }
    try {
      return await this.limited(name, run);
    } catch (cause) {
      const error = asProviderError(cause, provider, name);
      if (error.retryAfterMs !== null) {
        lane.pause(error.retryAfterMs);
      }
      throw error;
    } finally {
      lane.leave();
    }
  }

  /** Gives `run` a signal that aborts at the call's limit, and stops waiting then even if `run` does not. */
  limited<T>(name: CallName, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limitMs = CALL_LIMIT_MS[name];
    const own = new AbortController();
    if (this.#ending.aborted) {
      own.abort(this.#ending.reason);
    }
    this.#open.add(own);
    const { signal } = own;
    const timer = this.#clock.setTimer(
      () => own.abort(new Error(`no answer in ${Math.round(limitMs / 1000).toString()} s`)),
      limitMs,
    );
    return new Promise<T>((resolve, reject) => {
      const giveUp = () => reject(signal.reason instanceof Error ? signal.reason : new Error('given up'));
      signal.addEventListener('abort', giveUp, { once: true });
      run(signal)
        .then(resolve, (error: unknown) =>
          reject(error instanceof Error ? error : new Error(errorText(error))),
        )
        .finally(() => signal.removeEventListener('abort', giveUp));
      if (signal.aborted) {
        giveUp();
      }
    }).finally(() => {
      timer.cancel();
      this.#open.delete(own);
    });
  }

  #lane(id: ProviderId): Lane {
    const known = this.#lanes.get(id);
    if (known !== undefined) {
      return known;
    }
    const lane = new Lane(this.#clock);
    this.#lanes.set(id, lane);
    return lane;
  }
}

function asProviderError(cause: unknown, provider: Provider, name: CallName): ProviderError {
  return cause instanceof ProviderError
    ? cause
    : new ProviderError('unknownOutcome', `${provider.title} did not answer (${name}): ${errorText(cause)}`, {
        cause,
      });
}
