/** Samples the node's signals: every few seconds while somebody watches, else seldom. */
import type { Signals } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { cpuCores, cpuUsedMs, disk, memory } from './host.ts';

const WATCHED_MS = 5_000;
const UNWATCHED_MS = 60_000;
/** Below this a difference of CPU time says nothing. */
const SHORTEST_SPAN_MS = 200;

export interface SamplerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly folder: string;
  readonly readGpus: () => Promise<Signals['gpus']>;
  readonly isWatched: () => boolean;
  readonly sampled: () => void;
}

export class Sampler {
  readonly #options: SamplerOptions;
  #last: Signals | null = null;
  #cpu: { usedMs: number; atMs: number };
  #timer: Timer | null = null;
  #sampling: Promise<void> | null = null;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#cpu = { usedMs: cpuUsedMs(), atMs: options.clock.monotonic() };
  }

  get last(): Signals | null {
    return this.#last;
  }

  start(): void {
    this.#timer = this.#options.clock.setTimer(
      () => {
        void this.refresh().then(() => {
          if (this.#timer !== null) {
            this.start();
          }
        });
      },
      this.#last === null ? SHORTEST_SPAN_MS : this.#options.isWatched() ? WATCHED_MS : UNWATCHED_MS,
    );
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Somebody began to watch: old figures are renewed now, not in a minute. */
  watched(): void {
    const { clock } = this.#options;
    if (this.#timer !== null && clock.now() - (this.#last?.atMs ?? 0) > WATCHED_MS) {
      this.#timer.cancel();
      void this.refresh().then(() => {
        if (this.#timer !== null) {
          this.#timer.cancel();
          this.start();
        }
      });
    }
  }

  refresh(): Promise<void> {
    this.#sampling ??= this.#sample()
      .catch((error: unknown) =>
        this.#options.log.warn('The signals cannot be read', { error: errorText(error) }),
      )
      .finally(() => {
        this.#sampling = null;
      });
    return this.#sampling;
  }

  async #sample(): Promise<void> {
    const { clock, folder, readGpus } = this.#options;
    const [space, gpus] = await Promise.all([disk(folder), readGpus()]);
    const ram = memory();
    const cores = cpuCores();
    this.#last = {
      atMs: clock.now(),
      cpuPercent: this.#cpuPercent(cores),
      cpuCores: cores,
      memoryUsedMiB: ram.usedMiB,
      memoryTotalMiB: ram.totalMiB,
      diskUsedMiB: space.usedMiB,
      diskTotalMiB: space.totalMiB,
      gpus,
    };
    this.#options.sampled();
  }

  #cpuPercent(cores: number): number {
    const now = { usedMs: cpuUsedMs(), atMs: this.#options.clock.monotonic() };
    const span = now.atMs - this.#cpu.atMs;
    if (span < SHORTEST_SPAN_MS) {
      return this.#last?.cpuPercent ?? 0;
    }
    const percent = ((now.usedMs - this.#cpu.usedMs) / span / cores) * 100;
    this.#cpu = now;
    return Math.round(Math.min(100, Math.max(0, percent)) * 10) / 10;
  }
}
