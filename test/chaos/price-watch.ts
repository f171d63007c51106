/** How long a machine of ours costs something else than the records say, while a daemon is there to look. */
import { priceAt, isMislaid } from '../../backend-proxy/src/providers/sandbox/rental-view.ts';
import type { Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import type { Report } from './report.ts';
import type { Written } from './written.ts';

const LOOK_EVERY_MS = 1_000;

export class PriceWatch {
  readonly #report: Report;
  readonly #written: Written;
  readonly #isBlind: (nowMs: number) => boolean;
  readonly #since = new Map<string, number>();
  #lastLookMs = 0;

  /** @param isBlind whether nobody could note anything now: the market answers nobody, or the disk is full. */
  constructor(report: Report, written: Written, isBlind: (nowMs: number) => boolean) {
    this.#report = report;
    this.#written = written;
    this.#isBlind = isBlind;
  }

  /** A daemon begins, or its market told it nothing when it asked: until now, nothing could be noted. */
  begin(): void {
    this.#since.clear();
  }

  look(nowMs: number, rentalOf: (ref: string) => Rental | undefined): void {
    if (nowMs - this.#lastLookMs < LOOK_EVERY_MS) {
      return;
    }
    this.#lastLookMs = nowMs;
    const isBlind = this.#isBlind(nowMs);
    for (const { id, ref, state } of this.#written.attempts()) {
      const rental = rentalOf(ref);
      const isSame =
        state !== 'owned' ||
        rental === undefined ||
        rental.endedAtMs !== null ||
        isMislaid(rental, nowMs) ||
        priceAt(rental, nowMs) === this.#written.rateOf(id);
      if (isSame || isBlind) {
        this.#since.delete(id);
      } else {
        const sinceMs = this.#since.get(id) ?? nowMs;
        this.#since.set(id, sinceMs);
        const seconds = Math.round((nowMs - sinceMs) / 1000);
        this.#report.worstPriceSeconds = Math.max(this.#report.worstPriceSeconds, seconds);
      }
    }
  }
}
