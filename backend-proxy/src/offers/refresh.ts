/**
 * Keeps the offer book fresh while somebody looks at it: networks count searches, some by the day. Each network is asked
 * on its own cadence, through the limiter that all calls to it share; one that fails is asked again after a growing pause
 * while its last known offers stand.
 */
import { HitchError, type Offer, type ProviderId } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import { type Log, errorText } from '@hitch/platform/src/log.ts';
import { lacksLogin, type LoginState, type NextPage, type Provider } from '../providers/provider.ts';
import { type CallsLeft, lowWords, searchAgainMs } from './day-budget.ts';
import type { KeptOffers } from './kept-offers.ts';
import type { OfferBook } from './offer-book.ts';

/** Calls to networks: time-outs, so many at once, and nobody while a network asks to wait. */
export interface OfferCalls {
  /** @throws ProviderError, also where the call was not made. */
  provider<T>(
    provider: Provider,
    name: 'offers',
    run: (signal: AbortSignal, nextPage: NextPage) => Promise<T>,
  ): Promise<T>;
  /** Why the network is not asked for offers now; null: it is. */
  waits(provider: Provider, name: 'offers'): { readonly message: string; readonly waitMs: number } | null;
  /** What is left of the searches that a network allows in a day; null: it does not count them so. */
  left(provider: Provider, name: 'offers'): CallsLeft | null;
}

export interface RefreshOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly book: OfferBook;
  readonly calls: OfferCalls;
  readonly providers: readonly Provider[];
  /** Who is logged in where; left out: whoever has to be, is. */
  readonly logins?: LoginState;
  /** What networks said before this daemon started; left out: nothing is kept. */
  readonly kept?: KeptOffers;
  /** Pause between two answers of one network. */
  readonly everyMs?: number;
  /** Who looked within this time is taken to look on. */
  readonly watchedMs?: number;
}

const EVERY_MS = 60_000;
/** Offers are kept no more often than that: they are for a start that finds a network down. */
const KEEP_EVERY_MS = 300_000;
const WATCHED_MS = 180_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;
/** Who asks out of turn waits so long for the slowest network. */
const SLOWEST_MS = 10_000;
/** Who looks at offers that nobody has looked at for a while waits so long for newer ones. */
const FIRST_LOOK_MS = 1_000;
/** The same for who asks for a price. */
const QUOTE_MS = 5_000;

const isFar = ({ kind }: Provider): boolean => kind === 'network';

export class OfferRefresh {
  readonly #options: RefreshOptions;
  readonly #stopping = new AbortController();
  readonly #timers = new Map<ProviderId, Timer>();
  readonly #failures = new Map<ProviderId, number>();
  readonly #running = new Map<ProviderId, { readonly begunAt: number; readonly round: Promise<void> }>();
  /** When each network is to be asked next, by the monotonic clock. */
  readonly #due = new Map<ProviderId, number>();
  /** When the offers of each were kept last, by the monotonic clock, and of when they were. */
  readonly #keptAt = new Map<ProviderId, { readonly at: number; readonly fetchedAtMs: number }>();
  #lookedAt: number;
  #restored: Promise<void> = Promise.resolve();

  constructor(options: RefreshOptions) {
    this.#options = options;
    this.#lookedAt = options.clock.monotonic();
  }

  /** Asks every network now, and again and again while somebody looks. Returns at once. */
  start(): void {
    this.#lookedAt = this.#options.clock.monotonic();
    this.#restored = this.#restore();
    for (const provider of this.#options.providers) {
      void this.#round(provider);
    }
  }

  stop(): void {
    this.#stopping.abort(new Error('The daemon is stopping.'));
    this.#timers.forEach(timer => timer.cancel());
    this.#timers.clear();
  }

  /** Keeps what is newer than what was kept. Never rejects. */
  async close(): Promise<void> {
    this.stop();
    await this.#restored;
    const { kept, providers } = this.#options;
    await Promise.all(providers.map(provider => this.#keep(provider, 0)));
    await kept?.written();
  }

  /** Only of networks that are asked over the internet: the others answer at once. */
  async #restore(): Promise<void> {
    const { kept, book, providers } = this.#options;
    if (kept === undefined) {
      return;
    }
    await Promise.all(
      providers.filter(isFar).map(async ({ id }) => {
        const last = await kept.read(id);
        if (last !== null) {
          this.#keptAt.set(id, { at: this.#options.clock.monotonic(), fetchedAtMs: last.fetchedAtMs });
          book.restore(id, last.offers, last.fetchedAtMs);
        }
      }),
    );
  }

  async #keep(provider: Provider, everyMs = KEEP_EVERY_MS): Promise<void> {
    const { kept, book, clock } = this.#options;
    const { id } = provider;
    const before = this.#keptAt.get(id);
    const nowMs = clock.monotonic();
    if (kept === undefined || !isFar(provider) || (before !== undefined && nowMs - before.at < everyMs)) {
      return;
    }
    const all = book.all(id);
    if (all !== null && all.fetchedAtMs !== before?.fetchedAtMs) {
      this.#keptAt.set(id, { at: nowMs, fetchedAtMs: all.fetchedAtMs });
      await kept.write(id, all);
    }
  }

  /**
   * Somebody looks at the offers. Those that nobody looked at meanwhile are asked for; resolves when they are here, or
   * after a moment: what is known is shown with its age.
   */
  async look(): Promise<void> {
    const begun = this.#watch();
    // Who looks again while a network hangs waits for it no more.
    await this.#within(FIRST_LOOK_MS, [this.#restored, ...begun, ...this.#awaited(FIRST_LOOK_MS)]);
  }

  /** The same for who asks for a price, and waits longer. */
  async fresh(): Promise<void> {
    void this.#watch();
    await this.#within(QUOTE_MS, this.#awaited(Number.POSITIVE_INFINITY));
  }

  /** What began less than `withinMs` ago and is on its way, from networks of which nothing new is known, unless they fail. */
  #awaited(withinMs: number): readonly Promise<void>[] {
    const { book, clock, everyMs = EVERY_MS } = this.#options;
    const oldMs = clock.now() - 2 * everyMs;
    const known = new Set(
      book.sources().flatMap(({ provider, fetchedAtMs }) => ((fetchedAtMs ?? 0) > oldMs ? [provider] : [])),
    );
    const nowMs = clock.monotonic();
    return [...this.#running].flatMap(([id, { begunAt, round }]) =>
      known.has(id) || this.#failures.has(id) || nowMs - begunAt >= withinMs ? [] : [round],
    );
  }

  /** @returns the rounds that begin with this look. */
  #watch(): readonly Promise<void>[] {
    const { clock, providers } = this.#options;
    const nowMs = clock.monotonic();
    this.#lookedAt = nowMs;
    return providers.flatMap(provider => {
      const { id } = provider;
      const dueMs = this.#due.get(id);
      if (dueMs === undefined || this.#running.has(id) || this.#timers.has(id)) {
        return [];
      }
      if (dueMs <= nowMs) {
        return [this.#round(provider)];
      }
      this.#arm(provider, dueMs - nowMs);
      return [];
    });
  }

  /**
   * Asks one network, or all, out of turn; resolves when each has answered or failed, or is said to take long. One that
   * asked to wait is not asked.
   * @throws HitchError BAD_INPUT for a network that is not there.
   */
  async now(providerId?: string): Promise<void> {
    const { clock, providers } = this.#options;
    const meant = providers.filter(({ id }) => providerId === undefined || id === providerId);
    if (providerId !== undefined && meant.length === 0) {
      throw new HitchError('BAD_INPUT', `There is no network "${providerId}" here.`, {
        field: 'provider',
        next: `Choose from: ${providers.map(({ id }) => id).join(', ')}.`,
      });
    }
    this.#lookedAt = clock.monotonic();
    await Promise.all(meant.map(provider => this.#notLong(provider)));
  }

  /** A network that takes long keeps the offers of the others from nobody. */
  async #notLong(provider: Provider): Promise<void> {
    const { book, calls } = this.#options;
    const waits = calls.waits(provider, 'offers');
    if (waits !== null) {
      book.fail(provider.id, waits.message);
      return;
    }
    if (await this.#within(SLOWEST_MS, [this.#round(provider)])) {
      return;
    }
    const seconds = (SLOWEST_MS / 1000).toString();
    book.fail(provider.id, `${provider.title} has not answered for ${seconds} s; it is still waited for.`);
  }

  /** @returns whether all were over in time. */
  async #within(ms: number, rounds: readonly Promise<void>[]): Promise<boolean> {
    if (rounds.length === 0) {
      return true;
    }
    const late = Promise.withResolvers<boolean>();
    const timer = this.#options.clock.setTimer(() => late.resolve(false), ms);
    const all = await Promise.race([Promise.all(rounds).then(() => true), late.promise]);
    timer.cancel();
    return all;
  }

  /** One call at a time for each network: a second asker waits for the same answer. */
  #round(provider: Provider): Promise<void> {
    const { id } = provider;
    const running = this.#running.get(id);
    if (running !== undefined) {
      return running.round;
    }
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    const round = this.#ask(provider).then(pauseMs => {
      this.#running.delete(id);
      const nowMs = this.#options.clock.monotonic();
      this.#due.set(id, nowMs + pauseMs);
      if (!this.#stopping.signal.aborted) {
        this.#arm(provider, pauseMs);
      }
    });
    this.#running.set(id, { begunAt: this.#options.clock.monotonic(), round });
    return round;
  }

  #arm(provider: Provider, ms: number): void {
    const { clock, watchedMs = WATCHED_MS } = this.#options;
    const timer = clock.setTimer(() => {
      this.#timers.delete(provider.id);
      if (clock.monotonic() - this.#lookedAt <= watchedMs) {
        void this.#round(provider);
      }
    }, ms);
    this.#timers.set(provider.id, timer);
  }

  /** @returns how long to wait before the next call. Never rejects. */
  async #ask(provider: Provider): Promise<number> {
    const { book, calls, clock, logins, everyMs = EVERY_MS } = this.#options;
    const stopping = this.#stopping.signal;
    if (logins !== undefined && lacksLogin(provider, logins, 'offers')) {
      book.fail(provider.id, `${provider.title} shows its offers to those who are logged in.`);
      return everyMs;
    }
    const before = calls.left(provider, 'offers')?.left ?? 0;
    try {
      const offers = await calls.provider(provider, 'offers', (signal, nextPage) =>
        provider.offers(AbortSignal.any([signal, stopping]), nextPage),
      );
      if (!stopping.aborted) {
        book.replace(provider.id, [...offers, ...this.#staying(provider)], clock.now());
        void this.#keep(provider);
        const leftOut = provider.offersLeftOut?.() ?? null;
        if (leftOut !== null) {
          book.leaveOut(provider.id, leftOut);
        }
      }
      this.#failures.delete(provider.id);
      return this.#untilNext(provider, before);
    } catch (error) {
      return stopping.aborted ? 0 : this.#failed(provider, error);
    }
  }

  #staying(provider: Provider): readonly Offer[] {
    const stays = provider.offerStays?.bind(provider);
    return stays === undefined ? [] : (this.#options.book.all(provider.id)?.offers ?? []).filter(stays);
  }

  /** Says where few searches are left for the day. @param before how many there were before this one */
  #untilNext(provider: Provider, before: number): number {
    const { book, calls, clock, everyMs = EVERY_MS } = this.#options;
    const left = calls.left(provider, 'offers');
    if (left === null) {
      return everyMs;
    }
    const nowMs = clock.now();
    const againMs = searchAgainMs(left, { nowMs, everyMs, callsEach: before - left.left });
    book.tell(provider.id, lowWords(provider.title, left, { nowMs, againMs }));
    return againMs;
  }

  #failed(provider: Provider, error: unknown): number {
    const { book, calls, log } = this.#options;
    const failures = (this.#failures.get(provider.id) ?? 0) + 1;
    this.#failures.set(provider.id, failures);
    const waits = calls.waits(provider, 'offers');
    book.fail(provider.id, waits?.message ?? errorText(error));
    log.warn('Offers could not be fetched', {
      provider: provider.id,
      error: errorText(error),
      count: failures,
    });
    const backoffMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
    return Math.max(backoffMs, waits?.waitMs ?? 0);
  }
}
