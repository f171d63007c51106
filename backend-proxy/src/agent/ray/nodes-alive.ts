/** How many Ray nodes live, as the head sees them: asked often while nodes join, then while somebody watches, else seldom. */
import { type Clock, repeat, type Timer, within } from '@hitch/platform/src/clock.ts';
import type { RayEngine } from './ray.ts';

const JOINING_MS = 500;
const WATCHED_MS = 2_000;
const UNWATCHED_MS = 30_000;
/** Nodes join about when the head comes up, and when another one has joined. */
const JOINS_FOR_MS = 90_000;
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
  #changedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;

  constructor(options: NodesAliveOptions) {
    this.#options = options;
  }

  /** Null on workers and while the head does not run. */
  get count(): number | null {
    return this.#options.ray.headAddress === null ? null : this.#count;
  }

  start(): void {
    this.#timer = repeat(this.#options.clock, JOINING_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #look(): Promise<void> {
    const { clock, ray, changed } = this.#options;
    if (ray.headAddress === null) {
      this.#count = null;
      return;
    }
    if (clock.monotonic() - this.#askedAt < this.#pauseMs()) {
      return;
    }
    this.#askedAt = clock.monotonic();
    try {
      const ask = async (signal: AbortSignal) => (await ray.dashboard?.api.nodesAlive(signal)) ?? null;
      const count = await within(clock, ANSWER_WITHIN_MS, ask);
      if (count !== null && count !== this.#count) {
        this.#count = count;
        this.#changedAt = clock.monotonic();
        changed();
      }
    } catch {
      // The last count holds until the head answers again.
    }
  }

  #pauseMs(): number {
    const { clock, isWatched } = this.#options;
    if (!isWatched()) {
      return this.#count === null ? 0 : UNWATCHED_MS;
    }
    return this.#count === null || clock.monotonic() - this.#changedAt < JOINS_FOR_MS ? 0 : WATCHED_MS;
  }
}
