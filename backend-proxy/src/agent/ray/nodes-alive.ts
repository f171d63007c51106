/** How many Ray nodes live, as the head sees them: asked often while somebody watches, else seldom. */
import { type Clock, repeat, type Timer, within } from '../../platform/clock.ts';
import type { RayEngine } from './ray.ts';

const WATCHED_MS = 2_000;
const UNWATCHED_MS = 30_000;
const ANSWER_WITHIN_MS = 5_000;

export interface NodesAliveOptions {
  readonly clock: Clock;
  readonly ray: RayEngine;
  readonly isWatched: () => boolean;
  readonly changed: () => void;
}

export class NodesAlive {
  readonly #options: NodesAliveOptions;
  #count: number | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;

  constructor(options: NodesAliveOptions) {
    this.#options = options;
  }

  /** Null on workers and while the head does not run. */
  get count(): number | null {
    return this.#options.ray.headAddress === null ? null : this.#count;
  }

  start(): void {
    this.#timer = repeat(this.#options.clock, WATCHED_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #look(): Promise<void> {
    const { clock, ray, isWatched, changed } = this.#options;
    if (ray.headAddress === null) {
      this.#count = null;
      return;
    }
    const pauseMs = this.#count === null || isWatched() ? 0 : UNWATCHED_MS;
    if (clock.monotonic() - this.#askedAt < pauseMs) {
      return;
    }
    this.#askedAt = clock.monotonic();
    try {
      const ask = async (signal: AbortSignal) => (await ray.dashboard?.api.nodesAlive(signal)) ?? null;
      const count = await within(clock, ANSWER_WITHIN_MS, ask);
      if (count !== null && count !== this.#count) {
        this.#count = count;
        changed();
      }
    } catch {
      // The last count holds until the head answers again.
    }
  }
}
