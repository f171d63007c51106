/** How long something bills that no record knows to exist, while a daemon is there to find it. */
import type { Bought } from './networks/network.ts';
import type { Report } from './report.ts';

const LOOK_EVERY_MS = 1_000;

/** Something of ours, and where it stands. */
export interface Found {
  readonly key: string;
  readonly bought: Bought;
  /** Up to when nobody could find anything there, or write it down. */
  readonly blindUntilMs: number;
}

export class Orphans {
  readonly #report: Report;
  readonly #since = new Map<string, number>();
  /** As above, counted anew from each moment at which it could not be found. */
  readonly #findableSince = new Map<string, number>();
  #lastLookMs = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** A daemon begins: while there was none, nothing could be found. */
  begin(nowMs: number): void {
    this.#since.clear();
    this.#findableSince.clear();
    this.#lastLookMs = nowMs;
  }

  /** @param known the marks that the records know to exist; read when it is time to look. */
  look(nowMs: number, ours: () => readonly Found[], known: () => ReadonlySet<string>): void {
    if (nowMs - this.#lastLookMs < LOOK_EVERY_MS) {
      return;
    }
    this.#lastLookMs = nowMs;
    const marks = known();
    for (const found of ours()) {
      const { mark, endedAtMs } = found.bought;
      if (endedAtMs !== null || marks.has(mark ?? '')) {
        this.#since.delete(found.key);
        this.#findableSince.delete(found.key);
      } else {
        this.#note(found, nowMs);
      }
    }
  }

  #note({ key, bought, blindUntilMs }: Found, nowMs: number): void {
    const report = this.#report;
    const since = this.#since.get(key) ?? nowMs;
    this.#since.set(key, since);
    report.worstOrphanSeconds = Math.max(report.worstOrphanSeconds, Math.round((nowMs - since) / 1000));
    const canFind = bought.isShown && blindUntilMs < nowMs;
    const findableSince = canFind ? Math.max(blindUntilMs, this.#findableSince.get(key) ?? nowMs) : nowMs;
    this.#findableSince.set(key, findableSince);
    report.worstFindSeconds = Math.max(report.worstFindSeconds, Math.round((nowMs - findableSince) / 1000));
  }
}
