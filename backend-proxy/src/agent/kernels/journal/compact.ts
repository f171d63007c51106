/** Makes room: rewrites old segments without the records that may go, and says in their place what went. */
import { rename, readFile, rm, writeFile } from 'node:fs/promises';
import { isDiskFull } from '@hitch/platform/src/atomic-file.ts';
import { GapBuilder, readGap } from './gap.ts';
import type { Gap, GapReason } from './gap.ts';
import { parseRecord } from './record.ts';
import type { JournalRecord } from './record.ts';
import { Segment } from './segment.ts';

export interface Compacted {
  /** Null: the disk is so full that not even what was to be kept could be written; all of it is dropped. */
  readonly segment: Segment | null;
  /** What the caller must say instead of the segment, where there is none. */
  readonly lost: Gap | null;
  /** Bytes of output dropped now (not by earlier compactions), and of which execution. */
  readonly droppedBytes: number;
  readonly droppedByExecution: ReadonlyMap<number, number>;
  /** Executions whose request is gone, so that nothing can be said about them any more. */
  readonly forgotten: readonly number[];
}

/** Output that scrolls by: goes first. */
export const isStream = (record: JournalRecord): boolean =>
  record.kind === 'server' && record.type === 'stream';

/** Without these nobody could say how an execution stands. */
export const isState = (record: JournalRecord): boolean =>
  record.kind === 'request' ||
  record.type === 'execute_input' ||
  record.type === 'execute_reply' ||
  record.type === 'input_request' ||
  record.type === 'error' ||
  (record.type === 'status' && record.execution !== 0);

/**
 * Rewrites `sources` (neighbours, oldest first) as one segment that keeps what `mayDrop` does not name.
 * The old files stay; the caller removes them once its list names the new one. Only on a disk without room for both
 * they go first.
 */
export async function compact(
  folder: string,
  sources: readonly [Segment, ...Segment[]],
  mayDrop: (record: JournalRecord) => boolean,
  reason: GapReason,
): Promise<Compacted> {
  const result = new Segment(folder, sources[0].firstSeq, sources[0].generation + 1);
  const output: Buffer[] = [];
  const forgotten: number[] = [];
  const fresh = new GapBuilder(reason);
  const gap = new GapBuilder(reason);
  const put = (record: JournalRecord | null): void => {
    if (record !== null) {
      output.push(record.head, record.frame);
      result.add(record);
    }
  };
  let timeMs = 0;
  for (const source of sources) {
    const data = await readFile(source.path);
    for (let at = 0; at < source.bytes;) {
      const record = parseRecord(data, at, false);
      if (typeof record === 'string') {
        break;
      }
      at += record.sizeBytes;
      timeMs = record.timeMs;
      if (record.kind === 'gap') {
        gap.drop(record);
      } else if (mayDrop(record)) {
        gap.drop(record);
        fresh.drop(record);
        if (record.kind === 'request') {
          forgotten.push(record.execution);
        }
      } else {
        put(gap.take(timeMs));
        put(record);
      }
    }
  }
  put(gap.take(timeMs));
  const isWritten = await place(result.path, output, sources);
  const lost = isWritten ? null : allOf(output, fresh, reason);
  const dropped = fresh.take(0);
  const summary = dropped === null ? null : readGap(dropped);
  return {
    segment: isWritten ? result : null,
    lost,
    droppedBytes: summary?.droppedBytes ?? 0,
    droppedByExecution: new Map(summary?.executions ?? []),
    forgotten,
  };
}

/** @returns whether the segment is on the disk. @throws what is not for want of room. */
async function place(path: string, output: readonly Buffer[], sources: readonly Segment[]): Promise<boolean> {
  const temporary = `${path}.tmp`;
  for (const attempt of [1, 2]) {
    try {
      await writeFile(temporary, output, { mode: 0o600 });
      await rename(temporary, path);
      return true;
    } catch (error) {
      await rm(temporary, { force: true });
      if (!isDiskFull(error)) {
        throw error;
      }
      // It is no longer than what it stands for: without that there is room, unless somebody else was faster.
      if (attempt === 1) {
        await Promise.all(sources.map(source => rm(source.path, { force: true })));
      }
    }
  }
  return false;
}

/** One gap for everything that was to be kept, with the gaps before it; what is dropped anew is counted in `fresh`. */
function allOf(output: readonly Buffer[], fresh: GapBuilder, reason: GapReason): Gap | null {
  const all = new GapBuilder(reason);
  const data = Buffer.concat(output);
  for (let at = 0; at < data.length;) {
    const record = parseRecord(data, at, false);
    if (typeof record === 'string') {
      break;
    }
    at += record.sizeBytes;
    all.drop(record);
    if (record.kind !== 'gap') {
      fresh.drop(record);
    }
  }
  const record = all.take(0);
  return record === null ? null : readGap(record);
}
