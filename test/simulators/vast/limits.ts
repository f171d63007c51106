/** How often Vast may be asked: by route and caller, as `x-rate-limit` of each page of its API's description says. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { SimAnswer } from '../frame/simulator.ts';
import type { RouteName } from './routes.ts';

/** Seconds that must lie between two calls. */
const GAPS: Readonly<Partial<Record<RouteName, number>>> = {
  create: 4.5,
  get: 2,
  list: 1,
  manage: 1,
  destroy: 3,
  charges: 1,
  'change-bid': 5.5,
  'add-account-key': 1,
  'detach-key': 2,
  reboot: 1,
};
/** Whoever asks for a machine too early waits so long (`create_instance.yaml`, `penalty`). */
const CREATE_PENALTY_SECONDS = 12;
const SEARCHES_A_MINUTE = 10;
const DAY_MS = 86_400_000;

export interface LimitOptions {
  readonly clock: Clock;
  /** Whether calls that come too early are refused. */
  readonly on: boolean;
  /** Searches until midnight UTC; null: any number. */
  readonly searchesPerDay: number | null;
}

export class Limits {
  readonly #options: LimitOptions;
  readonly #freeAtMs = new Map<string, number>();
  #searches: number[] = [];
  #day = { number: 0, searches: 0 };

  constructor(options: LimitOptions) {
    this.#options = options;
  }

  /** The refusal of a call that comes too early; null: it is let through, and counted. */
  refusal(route: RouteName, caller: string): SimAnswer | null {
    if (route === 'search') {
      return this.#quota() ?? (this.#options.on ? this.#tooManySearches() : null);
    }
    const seconds = this.#options.on ? GAPS[route] : undefined;
    if (seconds === undefined) {
      return null;
    }
    const nowMs = this.#options.clock.now();
    const key = `${route} ${caller}`;
    const isEarly = nowMs < (this.#freeAtMs.get(key) ?? 0);
    const wait = isEarly && route === 'create' ? CREATE_PENALTY_SECONDS : seconds;
    if (!isEarly || route === 'create') {
      this.#freeAtMs.set(key, nowMs + wait * 1000);
    }
    return isEarly ? tooFrequent(route, seconds) : null;
  }

  #tooManySearches(): SimAnswer | null {
    const nowMs = this.#options.clock.now();
    this.#searches = this.#searches.filter(atMs => nowMs - atMs < 60_000);
    if (this.#searches.length >= SEARCHES_A_MINUTE) {
      return tooFrequent('search', 60 / SEARCHES_A_MINUTE);
    }
    this.#searches.push(nowMs);
    return null;
  }

  /** (`vastai` 1.9.1, `api/client.py`, `is_search_quota_exceeded`; `cli/main.py`, `with_quota_reset`.) */
  #quota(): SimAnswer | null {
    const { clock, searchesPerDay } = this.#options;
    const number = Math.floor(clock.now() / DAY_MS);
    if (number !== this.#day.number) {
      this.#day = { number, searches: 0 };
    }
    if (searchesPerDay === null || this.#day.searches < searchesPerDay) {
      this.#day.searches += 1;
      return null;
    }
    return {
      status: 429,
      headers: { 'x-ratelimit-reset': (((number + 1) * DAY_MS) / 1000).toString() },
      body: { success: false, error: 'search_quota_exceeded', msg: 'Daily search quota exceeded' },
    };
  }
}

/**
 * A plain text, without a word of how long to wait; of the destroying route it is JSON (`destroy_instance.yaml`; dstack,
 * `backends/vastai/api_client.py`, tries again by itself).
 */
const tooFrequent = (route: RouteName, seconds: number): SimAnswer => {
  const msg = `API requests too frequent: endpoint threshold=${seconds.toFixed(1)}`;
  return {
    status: 429,
    body: route === 'destroy' ? { success: false, error: 'rate_limit_exceeded', msg } : msg,
  };
};
