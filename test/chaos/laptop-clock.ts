/** This computer's clock: it goes with the world's, but what it takes the time to be can be wrong. */
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';

export class LaptopClock implements Clock {
  readonly #world: Clock;
  #wrongByMs = 0;
  #wasWrong = false;

  constructor(world: Clock) {
    this.#world = world;
  }

  /** A jump of the wall clock alone: what waits goes on waiting, and nothing has taken longer. */
  jumpWall(byMs: number): void {
    this.#wasWrong = true;
    this.#wrongByMs += byMs;
  }

  /** A time server puts it right. */
  correct(): void {
    this.#wrongByMs = 0;
  }

  /** Whether it ever was. */
  get wasWrong(): boolean {
    return this.#wasWrong;
  }

  now(): number {
    return this.#world.now() + this.#wrongByMs;
  }

  monotonic(): number {
    return this.#world.monotonic();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#world.sleep(ms, signal);
  }

  setTimer(run: () => void, ms: number): Timer {
    return this.#world.setTimer(run, ms);
  }
}
