/** How long something bills that no record knows to exist, while a daemon is there to find it. */
import type { Rental } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import type { Report } from './report.ts';

const LOOK_EVERY_MS = 1_000;

export interface OrphansOptions {
  readonly report: Report;
  /** Whether nobody could find anything now: the market answers nobody, or nothing can be written down. */
  readonly isBlind: (nowMs: number) => boolean;
  /** Whether the market shows this rental to whoever asks. */
  readonly isShown: (rental: Rental, nowMs: number) => boolean;
}

export class Orphans {
  readonly #options: OrphansOptions;
  readonly #since = new Map<string, number>();
  /** As above, counted anew from each moment at which it could not be found. */
  readonly #findableSince = new Map<string, number>();
  #lastLookMs = 0;

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  /** A daemon begins: while there was none, nothing could be found. */
  begin(nowMs: number): void {
    this.#since.clear();
    this.#findableSince.clear();
    this.#lastLookMs = nowMs;
  }

  /** @param known the refs that the records know to exist; read when it is time to look. */
  look(nowMs: number, rentals: () => readonly Rental[], known: () => ReadonlySet<string>): void {
    if (nowMs - this.#lastLookMs < LOOK_EVERY_MS) {
      return;
    }
    this.#lastLookMs = nowMs;
    const refs = known();
    for (const rental of rentals()) {
      const { id, ref, endedAtMs } = rental;
      if (endedAtMs !== null || refs.has(ref)) {
        this.#since.delete(id);
        this.#findableSince.delete(id);
      } else {
        this.#note(rental, nowMs);
      }
    }
  }

  #note(rental: Rental, nowMs: number): void {
    const { report, isBlind, isShown } = this.#options;
    const { id } = rental;
    const since = this.#since.get(id) ?? nowMs;
    this.#since.set(id, since);
    report.worstOrphanSeconds = Math.max(report.worstOrphanSeconds, Math.round((nowMs - since) / 1000));
    const canFind = isShown(rental, nowMs) && !isBlind(nowMs);
    const findableSince = canFind ? (this.#findableSince.get(id) ?? nowMs) : nowMs;
    this.#findableSince.set(id, findableSince);
    report.worstFindSeconds = Math.max(report.worstFindSeconds, Math.round((nowMs - findableSince) / 1000));
  }
}
