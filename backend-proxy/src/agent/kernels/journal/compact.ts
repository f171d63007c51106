/** Makes room: rewrites old segments without the records that may go, and says in their place what went. */
import { rename, readFile, writeFile } from 'node:fs/promises';
import { GapBuilder, readGap } from './gap.ts';
import type { GapReason } from './gap.ts';
import { parseRecord } from './record.ts';
import type { JournalRecord } from './record.ts';
import { Segment } from './segment.ts';

export interface Compacted {
  readonly segment: Segment;
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
 * The old files stay; the caller removes them once its list names the new one.
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
        gap.merge(readGap(record));
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
  const temporary = `${result.path}.tmp`;
  await writeFile(temporary, output, { mode: 0o600 });
  await rename(temporary, result.path);
  const dropped = fresh.take(0);
  const summary = dropped === null ? null : readGap(dropped);
  return {
    segment: result,
    droppedBytes: summary?.droppedBytes ?? 0,
    droppedByExecution: new Map(summary?.executions ?? []),
    forgotten,
  };
}
