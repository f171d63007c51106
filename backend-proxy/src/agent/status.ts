/** The agent's status as others see it, and the stream of its changes. */
import type { AgentStatus } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';

const AT_LEAST_EVERY_MS = 10_000;
/** Changes that come together are told together. */
const GATHER_MS = 50;
/** A kernel that runs short cells changes all the time; telling of it must not slow them down. */
const AT_MOST_EVERY_MS = 200;

/** Counts who watches and wakes them when something changed. */
export class StatusFeed {
  readonly #clock: Clock;
  readonly #read: () => AgentStatus;
  readonly #waiting = new Set<() => void>();
  #watchers = 0;
  #gathering: Timer | null = null;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, read: () => AgentStatus) {
    this.#clock = clock;
    this.#read = read;
  }

  get isWatched(): boolean {
    return this.#watchers > 0;
  }

  read(): AgentStatus {
    return this.#read();
  }

  /** Told in a moment, with what else changes meanwhile. */
  changed(): void {
    if (this.#gathering !== null || this.#waiting.size === 0) {
      return;
    }
    const waitMs = Math.max(GATHER_MS, this.#toldAtMs + AT_MOST_EVERY_MS - this.#clock.monotonic());
    this.#gathering = this.#clock.setTimer(() => this.#tell(), waitMs);
  }

  /** A program came up or went down, for which somebody waits: told at once. */
  turned(): void {
    this.#gathering?.cancel();
    this.#tell();
  }

  #tell(): void {
    this.#gathering = null;
    this.#toldAtMs = this.#clock.monotonic();
    [...this.#waiting].forEach(wake => wake());
  }

  /** The status at once, then at each change and at least every 10 s, until the signal aborts. */
  async *watch(signal: AbortSignal): AsyncGenerator<AgentStatus, void> {
    this.#watchers += 1;
    try {
      while (!signal.aborted) {
        const told = this.#read();
        yield told;
        await this.#untilDifferent(told, signal);
      }
    } finally {
      this.#watchers -= 1;
    }
  }

  async #untilDifferent(told: AgentStatus, signal: AbortSignal): Promise<void> {
    const deadline = this.#clock.monotonic() + AT_LEAST_EVERY_MS;
    while (!signal.aborted && this.#clock.monotonic() < deadline) {
      await this.#wait(deadline - this.#clock.monotonic(), signal);
      if (essence(this.#read()) !== essence(told)) {
        return;
      }
    }
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        timer.cancel();
        resolve();
      };
      const timer = this.#clock.setTimer(wake, ms);
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

/** The status without the clock, which always differs. */
function essence(status: AgentStatus): string {
  return JSON.stringify({ ...status, nowMs: 0 });
}
