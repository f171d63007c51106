/**
 * A segment: one file of consecutive records. Its name says its first sequence number and its generation; a
 * compacted segment is a file of the next generation, so that a reader never finds other bytes under a name.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRecord } from './record.ts';
import type { JournalRecord } from './record.ts';

const INDEX_EVERY_BYTES = 256 * 1024;

export class Segment {
  readonly firstSeq: number;
  readonly generation: number;
  readonly path: string;
  lastSeq: number;
  bytes = 0;
  /** Bytes in records of stream output: what goes first when room is needed. */
  streamBytes = 0;
  /** Records that are not gaps. */
  messages = 0;
  newestMs = 0;
  oldestMs = Number.MAX_SAFE_INTEGER;
  /** Sparse: sequence number and offset of a record each 256 KiB. */
  readonly #index: { seq: number; offset: number }[] = [];

  constructor(folder: string, firstSeq: number, generation: number) {
    this.firstSeq = firstSeq;
    this.generation = generation;
    this.lastSeq = firstSeq - 1;
    this.path = join(
      folder,
      `${firstSeq.toString().padStart(16, '0')}-${generation.toString().padStart(6, '0')}.journal`,
    );
  }

  /** Takes note of a record that now lies at the end of the file. */
  add(record: JournalRecord): void {
    const last = this.#index.at(-1);
    if (last === undefined || this.bytes - last.offset >= INDEX_EVERY_BYTES) {
      this.#index.push({ seq: record.seq, offset: this.bytes });
    }
    this.bytes += record.sizeBytes;
    this.lastSeq = record.seq;
    this.newestMs = Math.max(this.newestMs, record.timeMs);
    this.oldestMs = Math.min(this.oldestMs, record.timeMs);
    this.messages += record.kind === 'gap' ? 0 : 1;
    if (record.kind === 'server' && record.type === 'stream') {
      this.streamBytes += record.sizeBytes;
    }
  }

  /** An offset at or before the first record with a number above `seq`. */
  offsetAfter(seq: number): number {
    let low = 0;
    let high = this.#index.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#index[middle]?.seq ?? Infinity) <= seq) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return this.#index[low - 1]?.offset ?? 0;
  }
}

const NAME = /^(\d{16})-(\d{6})\.journal$/;

/** The segment a file name speaks of, or null. */
export function segmentOf(folder: string, name: string): Segment | null {
  const match = NAME.exec(name);
  return match === null ? null : new Segment(folder, Number(match[1]), Number(match[2]));
}

/**
 * Reads and checks a whole segment file and fills in `segment`.
 * @returns how many bytes at its end are no records: a torn write, or damage.
 */
export function scanSegment(segment: Segment, visit: (record: JournalRecord) => void): number {
  const data = readFileSync(segment.path);
  let at = 0;
  while (at < data.length) {
    const record = parseRecord(data, at, true);
    if (record === 'short' || record === 'bad' || record.seq <= segment.lastSeq) {
      break;
    }
    segment.add(record);
    visit(record);
    at += record.sizeBytes;
  }
  return data.length - at;
}
