/** What the disk refused, as gaps that readers are told of at once, and that are written once it takes writes again. */
import { GapBuilder, readGap } from './gap.ts';
import type { Gap } from './gap.ts';
import type { JournalRecord } from './record.ts';

/** So many gaps stand by themselves; more of them become one, which says the same of all. */
const MOST_CLOSED = 100;

export class Refused {
  #open = new GapBuilder('disk');
  /** Closed, because somebody has read them: each reader must meet the same ones. */
  #closed: JournalRecord[] = [];
  /** The open gap as it is being written. It is closed only when somebody reads it, and open again when it is refused. */
  #borrowed: JournalRecord | null = null;

  /** Whether this is one of the gaps, and not a record of its own. */
  has(record: JournalRecord): boolean {
    return record === this.#borrowed || this.#closed.includes(record);
  }

  /** Takes records that could not be written. @returns what is lost with them, or null where nobody misses anything. */
  add(records: readonly JournalRecord[]): Gap | null {
    if (this.#borrowed !== null) {
      this.#open.merge(readGap(this.#borrowed));
      this.#borrowed = null;
    }
    const batch = new GapBuilder('disk');
    for (const record of records) {
      this.#open.drop(record);
      // What a gap speaks of was counted when that was lost.
      if (record.kind !== 'gap') {
        batch.drop(record);
      }
    }
    const lost = batch.take(0);
    return lost === null ? null : readGap(lost);
  }

  /** The gaps after `afterSeq`, which from now on stay as they are. */
  after(afterSeq: number, nowMs: number): JournalRecord[] {
    this.#close(this.#borrowed);
    this.#borrowed = null;
    this.#close(this.#open.take(nowMs));
    return this.#closed.filter(({ seq }) => seq > afterSeq);
  }

  /** All of them, for a write whose end is said with {@link add} or {@link written} before the next begins. */
  toWrite(nowMs: number): JournalRecord[] {
    if (this.#closed.length > MOST_CLOSED) {
      const all = new GapBuilder('disk');
      this.#closed.forEach(record => all.drop(record));
      this.#closed = [];
      this.#close(all.take(nowMs));
    }
    this.#borrowed ??= this.#open.take(nowMs);
    return [...this.#closed, ...(this.#borrowed === null ? [] : [this.#borrowed])];
  }

  /** These gaps are on the disk. */
  written(records: readonly JournalRecord[]): void {
    if (this.#borrowed !== null && records.includes(this.#borrowed)) {
      this.#borrowed = null;
    }
    this.#closed = this.#closed.filter(record => !records.includes(record));
  }

  #close(record: JournalRecord | null): void {
    if (record !== null) {
      this.#closed.push(record);
    }
  }
}
