/** What the disk refused, as gaps that readers are told of at once, and that are written once it takes writes again. */
import { GapBuilder, readGap } from './gap.ts';
import type { Gap } from './gap.ts';
import type { JournalRecord } from './record.ts';

export class Refused {
  #open = new GapBuilder('disk');
  /** Closed, because somebody has read them: each reader must meet the same ones. */
  #closed: JournalRecord[] = [];

  /** Whether this is one of the gaps, and not a record of its own. */
  has(record: JournalRecord): boolean {
    return this.#closed.includes(record);
  }

  /** Takes records that could not be written. @returns what went with them, or null where nobody misses anything. */
  add(records: readonly JournalRecord[]): Gap | null {
    const batch = new GapBuilder('disk');
    records.forEach(record => batch.drop(record));
    const record = batch.take(0);
    const gap = record === null ? null : readGap(record);
    if (gap !== null) {
      this.#open.merge(gap);
    }
    return gap;
  }

  /** The gaps after `afterSeq`, which from now on stay as they are. */
  after(afterSeq: number, nowMs: number): JournalRecord[] {
    const record = this.#open.take(nowMs);
    if (record !== null) {
      this.#closed.push(record);
    }
    return this.#closed.filter(({ seq }) => seq > afterSeq);
  }

  /** These gaps are on the disk. */
  written(records: readonly JournalRecord[]): void {
    this.#closed = this.#closed.filter(record => !records.includes(record));
  }
}
