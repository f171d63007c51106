/** Reading and writing parts of segment files. */
import { open } from 'node:fs/promises';
import { parseRecord } from './record.ts';
import type { JournalRecord } from './record.ts';
import type { Segment } from './segment.ts';

const READ_BYTES = 1024 * 1024;

/** What is left of `buffers` after `count` bytes of them have been written. */
export function skipBytes(buffers: readonly Buffer[], count: number): Buffer[] {
  let skip = count;
  const left: Buffer[] = [];
  for (const buffer of buffers) {
    if (skip < buffer.length) {
      left.push(skip === 0 ? buffer : buffer.subarray(skip));
    }
    skip = Math.max(0, skip - buffer.length);
  }
  return left;
}

/** The records after `afterSeq` in about a megabyte of the segment; at least one when it has any. */
export async function readSegment(segment: Segment, afterSeq: number): Promise<JournalRecord[]> {
  const file = await open(segment.path, 'r');
  try {
    const end = segment.bytes;
    let start = segment.offsetAfter(afterSeq);
    let size = READ_BYTES;
    const records: JournalRecord[] = [];
    while (start < end && records.length === 0) {
      const data = Buffer.allocUnsafe(Math.min(size, end - start));
      const { bytesRead } = await file.read(data, 0, data.length, start);
      let at = 0;
      for (;;) {
        const record = parseRecord(data.subarray(0, bytesRead), at, false);
        if (typeof record === 'string') {
          break;
        }
        at += record.sizeBytes;
        if (record.seq > afterSeq) {
          records.push(record);
        }
      }
      if (at === 0) {
        // A record longer than what was read: read it whole.
        size = Math.max(size * 2, 32 + (bytesRead >= 8 ? data.readUInt32BE(4) : 0));
        if (bytesRead >= end - start) {
          throw new Error('A journal segment is shorter than its index says.');
        }
      }
      start += at;
    }
    return records;
  } finally {
    await file.close();
  }
}
