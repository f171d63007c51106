/** How long a machine of ours costs something else than the records say, while a daemon is there to look. */
import type { MicroUsd } from '@hitch/contract';
import type { Report } from './report.ts';
import type { Written } from './written.ts';

const LOOK_EVERY_MS = 1_000;

export class PriceWatch {
  readonly #report: Report;
  readonly #written: Written;
  readonly #blindUntil: (nowMs: number) => number;
  readonly #since = new Map<string, number>();
  #lastLookMs = 0;

  /** @param blindUntil up to when nobody could note anything: the network gave no list, or the disk was full. */
  constructor(report: Report, written: Written, blindUntil: (nowMs: number) => number) {
    this.#report = report;
    this.#written = written;
    this.#blindUntil = blindUntil;
  }

  /** A daemon begins: until now, nothing could be noted. */
  begin(): void {
    this.#since.clear();
  }

  look(nowMs: number, costsOther: (ref: string, perHour: MicroUsd | null) => boolean): void {
    if (nowMs - this.#lastLookMs < LOOK_EVERY_MS) {
      return;
    }
    this.#lastLookMs = nowMs;
    const blindUntilMs = this.#blindUntil(nowMs);
    for (const { id, ref, state } of this.#written.attempts()) {
      const isSame = state !== 'owned' || !costsOther(ref, this.#written.rateOf(id));
      if (isSame) {
        this.#since.delete(id);
      } else {
        const sinceMs = Math.min(nowMs, Math.max(blindUntilMs, this.#since.get(id) ?? nowMs));
        this.#since.set(id, sinceMs);
        const seconds = Math.round((nowMs - sinceMs) / 1000);
        this.#report.worstPriceSeconds = Math.max(this.#report.worstPriceSeconds, seconds);
      }
    }
  }
}
