/**
 * Keeps the offer book fresh: each network is asked on its own cadence, each call has a deadline, and a network that
 * fails is asked again after a growing pause while its last known offers stand.
 */
import { HitchError } from '@hitch/contract';
import type { Clock, Timer } from '../platform/clock.ts';
import { type Log, errorText } from '../platform/log.ts';
import { type Provider, ProviderError } from '../providers/provider.ts';
import type { OfferBook } from './offer-book.ts';

export interface RefreshOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly book: OfferBook;
  readonly providers: readonly Provider[];
  /** Pause between two answers of one network. */
  readonly everyMs?: number;
  readonly timeoutMs?: number;
}

const EVERY_MS = 60_000;
const TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 5_000;
/** A network that asks to wait for longer is asked again after this. */
const LONGEST_PAUSE_MS = 600_000;
/** Who asks out of turn waits so long for the slowest network. */
const SLOWEST_MS = 10_000;

export class OfferRefresh {
  readonly #options: RefreshOptions;
  readonly #stopping = new AbortController();
  readonly #timers = new Map<string, Timer>();
  readonly #failures = new Map<string, number>();
  readonly #running = new Map<string, Promise<void>>();
  /** Until when each network asked to wait, by the monotonic clock. */
  readonly #waits = new Map<string, number>();

  constructor(options: RefreshOptions) {
    this.#options = options;
  }

  /** Asks every network now and then again and again. Returns at once. */
  start(): void {
    for (const provider of this.#options.providers) {
      void this.#round(provider);
    }
  }

  stop(): void {
    this.#stopping.abort(new Error('The daemon is stopping.'));
    this.#timers.forEach(timer => timer.cancel());
    this.#timers.clear();
  }

  /**
   * Asks one network, or all, out of turn; resolves when each has answered or failed, or is said to take long. One that
   * asked to wait is not asked.
   * @throws HitchError BAD_INPUT for a network that is not there.
   */
  async now(providerId?: string): Promise<void> {
    const { providers } = this.#options;
    const meant = providers.filter(({ id }) => providerId === undefined || id === providerId);
    if (providerId !== undefined && meant.length === 0) {
      throw new HitchError('BAD_INPUT', `There is no network "${providerId}" here.`, {
        field: 'provider',
        next: `Choose from: ${providers.map(({ id }) => id).join(', ')}.`,
      });
    }
    await Promise.all(meant.map(provider => this.#notLong(provider)));
  }

  /** A network that takes long keeps the offers of the others from nobody. */
  async #notLong(provider: Provider): Promise<void> {
    const { clock, book } = this.#options;
    if (this.#waitMs(provider) > 0) {
      return;
    }
    const late = Promise.withResolvers<undefined>();
    const timer = clock.setTimer(() => {
      const seconds = (SLOWEST_MS / 1000).toString();
      book.fail(provider.id, `${provider.title} has not answered for ${seconds} s; it is still waited for.`);
      late.resolve(undefined);
    }, SLOWEST_MS);
    await Promise.race([this.#round(provider), late.promise]);
    timer.cancel();
  }

  #waitMs({ id }: Provider): number {
    return (this.#waits.get(id) ?? 0) - this.#options.clock.monotonic();
  }

  /** One call at a time for each network: a second asker waits for the same answer. */
  #round(provider: Provider): Promise<void> {
    const running = this.#running.get(provider.id);
    if (running !== undefined) {
      return running;
    }
    this.#timers.get(provider.id)?.cancel();
    const round = this.#ask(provider).then(pauseMs => {
      this.#running.delete(provider.id);
      if (!this.#stopping.signal.aborted) {
        const again = () => void this.#round(provider);
        this.#timers.set(provider.id, this.#options.clock.setTimer(again, pauseMs));
      }
    });
    this.#running.set(provider.id, round);
    return round;
  }

  /** @returns how long to wait before the next call. Never rejects. */
  async #ask(provider: Provider): Promise<number> {
    const { book, clock, log } = this.#options;
    if (provider.credentials() === 'absent') {
      book.fail(provider.id, `${provider.title} needs credentials.`);
      return this.#options.everyMs ?? EVERY_MS;
    }
    try {
      const offers = await this.#withDeadline(signal => provider.offers(signal));
      book.replace(provider.id, offers, clock.now());
      this.#failures.delete(provider.id);
      return this.#options.everyMs ?? EVERY_MS;
    } catch (error) {
      if (this.#stopping.signal.aborted) {
        return 0;
      }
      const failures = (this.#failures.get(provider.id) ?? 0) + 1;
      this.#failures.set(provider.id, failures);
      book.fail(provider.id, errorText(error));
      log.warn('Offers could not be fetched', {
        provider: provider.id,
        error: errorText(error),
        count: failures,
      });
      const backoffMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
      const askedMs = error instanceof ProviderError ? (error.retryAfterMs ?? 0) : 0;
      const waitMs = Number.isFinite(askedMs) ? Math.min(LONGEST_PAUSE_MS, askedMs) : 0;
      this.#waits.set(provider.id, clock.monotonic() + waitMs);
      return Math.max(backoffMs, waitMs);
    }
  }

  /** Gives up after the deadline even where the callee does not notice its signal. */
  async #withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeoutMs = this.#options.timeoutMs ?? TIMEOUT_MS;
    const given = new AbortController();
    const signal = AbortSignal.any([given.signal, this.#stopping.signal]);
    const timer = this.#options.clock.setTimer(
      () => given.abort(new Error(`No answer within ${(timeoutMs / 1000).toString()} s.`)),
      timeoutMs,
    );
    const aborted = Promise.withResolvers<never>();
    const abort = () =>
      aborted.reject(signal.reason instanceof Error ? signal.reason : new Error('Given up.'));
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([work(signal), aborted.promise]);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
    }
  }
}
