/**
 * Calls to networks and machines: time-outs, so many at once, rate limits and what a failure means are written here,
 * once, for every adapter.
 */
import type { ProviderId, RouteUse } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { CallsLeft } from '../offers/day-budget.ts';
import { type LoginValues, type NextPage, type Provider, ProviderError } from '../providers/provider.ts';
import { maskError } from './masked-error.ts';
import { NetworkQueue, type Urgency } from './network-queue.ts';
import { type NetworkWaits, Pause } from './pause.ts';
import { CALL_LIMIT_MS, type CallName, OFFERS_PAUSE_LONGEST_MS, PAUSE_WAIT_MS } from './limits.ts';

const URGENCY: Readonly<Record<CallName, Urgency>> = {
  destroy: 0,
  extend: 0,
  advance: 1,
  buyTime: 1,
  letIn: 1,
  keys: 1,
  addKey: 1,
  removeKey: 2,
  create: 1,
  get: 2,
  host: 2,
  list: 2,
  offers: 2,
  account: 2,
  bill: 2,
  price: 2,
  time: 2,
  facts: 2,
  network: 2,
  python: 2,
  environment: 2,
  environmentTold: 2,
  environmentCancelled: 2,
  startAgent: 2,
  connect: 2,
  agent: 2,
};

/** Takes values of logins out of a text: of those that are kept, and of these. */
type Mask = (text: string, values?: LoginValues) => string;

interface CallOptions {
  /** Runs once the call may start, right before it. */
  readonly before?: (() => Promise<void>) | undefined;
  /** The call is made with these instead of the login that is kept. */
  readonly login?: LoginValues;
}

type Run<T> = (signal: AbortSignal, nextPage: NextPage) => Promise<T>;

/** Waits for something that does not count as waiting for an answer. */
type Untimed = (wait: () => Promise<void>) => Promise<void>;

/** What a call counts as: of a network that says nothing of that, all are one. */
const routeOf = ({ capabilities: { limits, routes } }: Provider, name: CallName): string =>
  limits === undefined ? '' : (routes?.[name] ?? name);

export class RateLimiter {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #mask: Mask;
  readonly #queues = new Map<ProviderId, NetworkQueue>();
  /** A network that asks not to be searched is asked for everything else. */
  readonly #searches = new Map<ProviderId, Pause>();
  readonly #ending: AbortSignal;
  /** Networks that did not accept the login when they were asked last, each with its words. */
  readonly #refused = new Map<ProviderId, string>();
  /** Calls under way. One listener for all of them: signals made from a long-lived one pile up on it. */
  readonly #open = new Set<AbortController>();

  /**
   * `ending` aborts every call: the daemon ends. `mask` takes values of logins out of what networks say, before anybody keeps
   * or shows it.
   */
  constructor(clock: Clock, ending: AbortSignal, log: Log, mask: Mask = text => text) {
    this.#clock = clock;
    this.#log = log;
    this.#mask = mask;
    this.#ending = ending;
    ending.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** How long a network still asks to wait with a kind of call; 0: it does not. */
  waitMs(provider: Provider, name: CallName): number {
    return this.#queue(provider).waitMs(routeOf(provider, name));
  }

  /**
   * Why a network is not asked now; null: it is, after a wait that is not worth a word at most.
   * @param name of what it would be asked, which may be refused by itself.
   */
  waits(provider: Provider, name: CallName): NetworkWaits | null {
    const search = name === 'offers' ? this.#search(provider) : null;
    if (search !== null && search.waitMs > 0) {
      return search.refusal();
    }
    const [queue, route] = [this.#queue(provider), routeOf(provider, name)];
    return queue.waitMs(route) < PAUSE_WAIT_MS ? null : queue.refusal(route);
  }

  /**
   * Calls a network. Every failure is a {@link ProviderError}; a call without an answer in time, and anything an
   * adapter throws that is not one, is `unknownOutcome`. `before` runs once the call may start, right before it;
   * what it throws passes through and the call is not made. Nor is it while the network asks to wait: `NetworkWaits`.
   */
  provider<T>(provider: Provider, name: CallName, run: Run<T>, before?: () => Promise<void>): Promise<T> {
    return this.#call(provider, name, run, { before });
  }

  /** As `provider`, with a login that is only tried: what is said of it is not said of the one that is kept. */
  withLogin<T>(provider: Provider, name: CallName, login: LoginValues, run: Run<T>): Promise<T> {
    return this.#call(provider, name, run, { login });
  }

  async #call<T>(
    provider: Provider,
    name: CallName,
    run: Run<T>,
    { before, login }: CallOptions,
  ): Promise<T> {
    const [queue, route] = [this.#queue(provider), routeOf(provider, name)];
    const search = name === 'offers' ? this.#search(provider) : null;
    if (search !== null && search.waitMs > 0) {
      throw search.refusal();
    }
    await queue.enter(route, URGENCY[name]);
    if (before !== undefined) {
      try {
        await before();
      } catch (error) {
        queue.leave();
        throw error;
      }
      queue.asks(route);
    }
    try {
      const answer = await this.limited(name, (signal, untimed) =>
        run(signal, () => untimed(() => queue.enter(route, URGENCY[name], true))),
      );
      if (login === undefined) {
        this.#noteLogin(provider, name, null);
      }
      return answer;
    } catch (cause) {
      const error = asProviderError(cause, provider, name);
      maskError(error, text => this.#mask(text, login));
      if (login === undefined) {
        this.#noteLogin(provider, name, error);
      }
      if (error.retryAfterMs !== null) {
        const keptMs =
          search === null ? queue.pause(route, error.retryAfterMs) : search.ask(error.retryAfterMs);
        this.#sayPause(provider, name, keptMs);
      }
      throw error;
    } finally {
      queue.leave();
    }
  }

  /** What is left of a day's calls of a kind; null: the network does not count them by the day. */
  left(provider: Provider, name: CallName): CallsLeft | null {
    return this.#queue(provider).left(routeOf(provider, name));
  }

  /** How often a network was asked, of what it says how often it may be. */
  uses(provider: Provider): readonly RouteUse[] {
    return this.#queue(provider).uses();
  }

  /** What a network said when it did not accept the login; null: it did when it was asked last. */
  loginProblem({ id }: Pick<Provider, 'id'>): string | null {
    return this.#refused.get(id) ?? null;
  }

  /** Another login is there: what was said of the one before counts no more. */
  forgetLogin({ id }: Pick<Provider, 'id'>): void {
    this.#refused.delete(id);
  }

  #noteLogin({ id, login }: Provider, name: CallName, error: ProviderError | null): void {
    if (login === null) {
      return;
    }
    if (error === null && (name !== 'offers' || login.needed.offers)) {
      this.#refused.delete(id);
    } else if (error?.kind === 'auth' && error.lacks === 'login') {
      this.#refused.set(id, error.message);
    }
  }

  /** Gives `run` a signal that aborts at the call's limit, and stops waiting then even if `run` does not. */
  limited<T>(name: CallName, run: (signal: AbortSignal, untimed: Untimed) => Promise<T>): Promise<T> {
    const limitMs = CALL_LIMIT_MS[name];
    const own = new AbortController();
    if (this.#ending.aborted) {
      own.abort(this.#ending.reason);
    }
    this.#open.add(own);
    const { signal } = own;
    const begin = () =>
      this.#clock.setTimer(
        () => own.abort(new Error(`no answer in ${Math.round(limitMs / 1000).toString()} s`)),
        limitMs,
      );
    let timer = begin();
    // Each page has the whole time, from when it is asked for.
    const untimed: Untimed = async wait => {
      timer.cancel();
      await wait();
      timer = begin();
    };
    return new Promise<T>((resolve, reject) => {
      const giveUp = () => reject(signal.reason instanceof Error ? signal.reason : new Error('given up'));
      signal.addEventListener('abort', giveUp, { once: true });
      run(signal, untimed)
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

  #sayPause({ id }: Provider, name: CallName, keptMs: number): void {
    if (keptMs > 0) {
      const what = name === 'offers' ? 'for offers ' : '';
      this.#log.warn(`A network asks to wait; it is not asked ${what}meanwhile.`, {
        provider: id,
        durationMs: keptMs,
      });
    }
  }

  #search(provider: Provider): Pause {
    const known = this.#searches.get(provider.id);
    if (known !== undefined) {
      return known;
    }
    const pause = new Pause(this.#clock, provider, OFFERS_PAUSE_LONGEST_MS);
    this.#searches.set(provider.id, pause);
    return pause;
  }

  #queue(provider: Provider): NetworkQueue {
    const known = this.#queues.get(provider.id);
    if (known !== undefined) {
      return known;
    }
    const queue = new NetworkQueue(this.#clock, {
      network: provider,
      limits: provider.capabilities.limits ?? {},
    });
    if (this.#ending.aborted) {
      queue.end(this.#whyEnded());
    }
    this.#queues.set(provider.id, queue);
    return queue;
  }

  #end(): void {
    this.#open.forEach(call => call.abort(this.#ending.reason));
    this.#queues.forEach(queue => queue.end(this.#whyEnded()));
  }

  #whyEnded(): Error {
    return this.#ending.reason instanceof Error ? this.#ending.reason : new Error('the daemon ends');
  }
}

function asProviderError(cause: unknown, provider: Provider, name: CallName): ProviderError {
  return cause instanceof ProviderError
    ? cause
    : new ProviderError('unknownOutcome', `${provider.title} did not answer (${name}): ${errorText(cause)}`, {
        cause,
      });
}
