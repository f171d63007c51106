/** How long something bills that no record knows to exist, while a daemon is there to find it. */
import type { Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import type { Report } from './report.ts';

const LOOK_EVERY_MS = 1_000;

/** When the market answers nobody. */
export interface Outage {
  readonly fromMs: number;
  readonly untilMs: number;
}

export class Orphans {
  readonly #report: Report;
  readonly #outage: Outage | null;
  readonly #since = new Map<string, number>();
  /** As above, counted anew from each moment at which the market does not answer. */
  readonly #findableSince = new Map<string, number>();
  #lastLookMs = 0;

  constructor(report: Report, outage: Outage | null) {
    this.#report = report;
    this.#outage = outage;
  }

  /** A daemon begins: while there was none, nothing could be found. */
  begin(nowMs: number): void {
    this.#since.clear();
    this.#findableSince.clear();
    this.#lastLookMs = nowMs;
  }

  /** @param known the refs that the daemon's records know to exist; read when it is time to look. */
  look(nowMs: number, rentals: () => readonly Rental[], known: () => ReadonlySet<string>): void {
    if (nowMs - this.#lastLookMs < LOOK_EVERY_MS) {
      return;
    }
    this.#lastLookMs = nowMs;
    const refs = known();
    for (const { id, ref, endedAtMs } of rentals()) {
      if (endedAtMs !== null || refs.has(ref)) {
        this.#since.delete(id);
        this.#findableSince.delete(id);
      } else {
        this.#note(id, nowMs);
      }
    }
  }

  #note(id: string, nowMs: number): void {
    const report = this.#report;
    const since = this.#since.get(id) ?? nowMs;
    this.#since.set(id, since);
    report.worstOrphanSeconds = Math.max(report.worstOrphanSeconds, Math.round((nowMs - since) / 1000));
    const out = this.#outage !== null && nowMs >= this.#outage.fromMs && nowMs < this.#outage.untilMs;
    const findableSince = out ? nowMs : (this.#findableSince.get(id) ?? nowMs);
    this.#findableSince.set(id, findableSince);
    report.worstFindSeconds = Math.max(report.worstFindSeconds, Math.round((nowMs - findableSince) / 1000));
  }
}
