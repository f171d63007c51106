/** What a journal no longer holds, as a record in the place of what was dropped. */
import * as z from 'zod';
import { contentBytes } from '@hitch/contract';
import type { GapControl } from '@hitch/contract';
import { partOf } from '../part-of.ts';
import { makeRecord } from './record.ts';
import type { JournalRecord } from './record.ts';

const gapSchema = z.object({
  fromSeq: z.number().int(),
  toSeq: z.number().int(),
  messages: z.number().int(),
  droppedBytes: z.number().int(),
  reason: z.enum(['bound', 'age', 'disk', 'damage']),
  /** Execution number and the bytes of its output. */
  executions: z.array(z.tuple([z.number().int(), z.number().int()])),
  /** Cells whose execution can no longer be told, because the request itself went. */
  cells: z.array(z.string()).default([]),
});
export type Gap = z.infer<typeof gapSchema>;
export type GapReason = GapControl['reason'];

export function readGap(record: JournalRecord): Gap {
  return gapSchema.parse(JSON.parse(record.frame.toString('utf8')));
}

export const gapFrame = (gap: Gap): Buffer => Buffer.from(JSON.stringify(gap));

/** Bytes of output a record carries, without the framing; what people are told was lost. */
function outputBytes(record: JournalRecord): number {
  return record.kind === 'server' ? contentBytes(record.frame) : record.frame.length;
}

/** Adds up dropped records that lie side by side. */
type OpenGap = Omit<Gap, 'executions' | 'cells'> & { executions: Map<number, number>; cells: Set<string> };

export class GapBuilder {
  #gap: OpenGap | null = null;
  readonly #reason: GapReason;

  constructor(reason: GapReason) {
    this.#reason = reason;
  }

  get empty(): boolean {
    return this.#gap === null;
  }

  #reach(fromSeq: number, toSeq: number): OpenGap {
    this.#gap ??= {
      fromSeq,
      toSeq,
      messages: 0,
      droppedBytes: 0,
      reason: this.#reason,
      executions: new Map(),
      cells: new Set(),
    };
    this.#gap.fromSeq = Math.min(this.#gap.fromSeq, fromSeq);
    this.#gap.toSeq = Math.max(this.#gap.toSeq, toSeq);
    return this.#gap;
  }

  drop(record: JournalRecord): void {
    if (record.kind === 'gap') {
      this.merge(readGap(record));
      // One that was said late stands behind what it speaks of.
      this.#reach(record.seq, record.seq);
      return;
    }
    const gap = this.#reach(record.seq, record.seq);
    // Ids of client messages and marks are bookkeeping: nobody misses them.
    if (record.kind !== 'seen' && record.kind !== 'mark') {
      const bytes = outputBytes(record);
      gap.messages += 1;
      gap.droppedBytes += bytes;
      if (record.execution !== 0) {
        gap.executions.set(record.execution, (gap.executions.get(record.execution) ?? 0) + bytes);
      }
    }
    const cellId = record.kind === 'request' ? partOf(record.frame, 'metadata')['cellId'] : null;
    if (typeof cellId === 'string') {
      gap.cells.add(cellId);
    }
  }

  merge(earlier: Gap): void {
    const gap = this.#reach(earlier.fromSeq, earlier.toSeq);
    gap.messages += earlier.messages;
    gap.droppedBytes += earlier.droppedBytes;
    for (const [execution, bytes] of earlier.executions) {
      gap.executions.set(execution, (gap.executions.get(execution) ?? 0) + bytes);
    }
    earlier.cells.forEach(cellId => gap.cells.add(cellId));
  }

  /** The gap's record, which stands under the number of the last thing dropped; resets the builder. */
  take(timeMs: number): JournalRecord | null {
    const gap = this.#gap;
    this.#gap = null;
    if (gap === null) {
      return null;
    }
    const frame = gapFrame({ ...gap, executions: [...gap.executions], cells: [...gap.cells] });
    return makeRecord(
      { kind: 'gap', channel: 'iopub', type: 'other', execution: 0, timeMs, frame },
      gap.toSeq,
    );
  }
}
