/** How long a machine of ours runs, answers, and is called unreachable, while a daemon is there to dial it. */
import type { Report } from './report.ts';
import type { Written } from './written.ts';

const LOOK_EVERY_MS = 1_000;

export interface ReachOptions {
  readonly report: Report;
  readonly written: Written;
  /** Whether it runs, and an agent answers whoever comes there. */
  readonly answers: (ref: string, nowMs: number) => boolean;
  /** Whether nothing can be written down now: then what is written says nothing. */
  readonly isFull: (nowMs: number) => boolean;
}

export class ReachWatch {
  readonly #options: ReachOptions;
  readonly #since = new Map<string, number>();
  #lastLookMs = 0;

  constructor(options: ReachOptions) {
    this.#options = options;
  }

  /** A daemon begins: while there was none, nobody could be reached. */
  begin(): void {
    this.#since.clear();
  }

  look(nowMs: number): void {
    if (nowMs - this.#lastLookMs < LOOK_EVERY_MS) {
      return;
    }
    this.#lastLookMs = nowMs;
    const { report, written, answers, isFull } = this.#options;
    const silent = isFull(nowMs) ? [] : written.unreachable().filter(ref => answers(ref, nowMs));
    for (const ref of [...this.#since.keys()].filter(known => !silent.includes(known))) {
      this.#since.delete(ref);
    }
    for (const ref of silent) {
      const sinceMs = this.#since.get(ref) ?? nowMs;
      this.#since.set(ref, sinceMs);
      report.worstReachSeconds = Math.max(report.worstReachSeconds, Math.round((nowMs - sinceMs) / 1000));
    }
  }
}
