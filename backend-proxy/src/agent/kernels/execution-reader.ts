/** Answers what cells printed: folds the outputs of executions out of the journal, in one pass, when asked. */
import { type Execution, type JsonObject, MOST_EXECUTIONS_BYTES, type NotebookOutput } from '@hitch/contract';
import { bytesOf, codeWithin, endWithin, fits, shareOf, weigh, type Weight, without } from './answer-room.ts';
import type { ExecutionEntry } from './executions.ts';
import type { Journal } from './journal/journal.ts';
import type { JournalRecord } from './journal/record.ts';
import { OutputFold } from './outputs.ts';
import { partOf } from './part-of.ts';

/** Stream text one answer carries, over all its executions. */
const MAX_ANSWER_TEXT_BYTES = 4 * 1024 * 1024;
/** Numbers of an execution that have more digits once its outputs are known. */
const DIGITS_BYTES = 100;

export const FOLDED: ReadonlySet<string> = new Set([
  'stream',
  'display_data',
  'execute_result',
  'error',
  'clear_output',
]);

export function contentOf(record: JournalRecord): JsonObject {
  return partOf(record.frame, 'content');
}

/** Records behind one place, up to another. */
export async function* recordsUntil(
  journal: Journal,
  afterSeq: number,
  untilSeq: number,
): AsyncGenerator<JournalRecord> {
  let seq = afterSeq;
  while (seq < untilSeq) {
    const records = await journal.read(seq);
    if (records.length === 0) {
      return;
    }
    for (const record of records) {
      seq = record.seq;
      if (seq > untilSeq) {
        return;
      }
      yield record;
    }
  }
}

export async function readExecutions(
  journal: Journal,
  kernelId: string,
  entries: readonly ExecutionEntry[],
): Promise<Execution[]> {
  if (entries.length === 0) {
    return [];
  }
  // The state at this moment; output that comes during the reading belongs to the next answer.
  const asked = entries.map(entry => ({ ...entry }));
  const folds = new Map(
    asked.map(({ number }) => [number, new OutputFold(MAX_ANSWER_TEXT_BYTES / asked.length)]),
  );
  const codes = new Map<number, string>();
  const untilSeq = Math.min(journal.lastSeq, Math.max(...asked.map(({ lastSeq }) => lastSeq)));
  const firstSeq = Math.min(...asked.map(({ requestSeq }) => requestSeq));
  for await (const record of recordsUntil(journal, firstSeq - 1, untilSeq)) {
    const fold = folds.get(record.execution);
    if (record.type === 'update_display_data') {
      const update = contentOf(record);
      folds.forEach(other => {
        other.update(update);
      });
    } else if (record.kind === 'request' && fold !== undefined) {
      const code = contentOf(record)['code'];
      codes.set(record.execution, typeof code === 'string' ? code : '');
    } else if (record.kind === 'server' && fold !== undefined && FOLDED.has(record.type)) {
      fold.add(record.type, contentOf(record));
    }
  }
  const heads = bytesOf(asked.map(entry => executionOf(entry, kernelId))) + DIGITS_BYTES * asked.length;
  const share = shareOf(asked.length, MOST_EXECUTIONS_BYTES - heads);
  return asked.map(entry => {
    const fold = folds.get(entry.number);
    const code = codeWithin(codes.get(entry.number) ?? '', share.bytes / 4);
    const room = { ...share, bytes: share.bytes - bytesOf(code) };
    const { outputs, droppedBytes } = newestWithin(fold?.outputs() ?? [], room);
    return {
      ...executionOf(entry, kernelId),
      code,
      outputs,
      droppedBytes: entry.droppedBytes + (fold?.droppedBytes ?? 0) + droppedBytes,
      // What is not on the disk yet is not in the outputs.
      lastSeq: Math.min(entry.lastSeq, untilSeq),
    };
  });
}

/** The last outputs that fit, and what the others had; of a text that is too long by itself its end. */
export function newestWithin(
  outputs: readonly NotebookOutput[],
  most: Weight,
): { readonly outputs: NotebookOutput[]; readonly droppedBytes: number } {
  const kept: NotebookOutput[] = [];
  let room = most;
  let droppedBytes = 0;
  for (const output of outputs.toReversed()) {
    const weight = weigh(output);
    const text = output['text'];
    if (fits(weight, room)) {
      kept.push(output);
      room = without(room, weight);
    } else if (kept.length === 0 && typeof text === 'string') {
      const end = endWithin(text, room.bytes - bytesOf({ ...output, text: '' }));
      kept.push(...(end === '' ? [] : [{ ...output, text: end }]));
      droppedBytes += Buffer.byteLength(text.slice(0, text.length - end.length));
      room = { ...room, bytes: 0 };
    } else {
      droppedBytes += weight.bytes;
      // What fits nowhere takes nothing with it.
      room = fits(weight, most) ? { ...room, bytes: 0 } : room;
    }
  }
  return { outputs: kept.reverse(), droppedBytes };
}

/** How an execution stands, without what has to be read for it. */
export function executionOf(entry: ExecutionEntry, kernelId: string): Execution {
  const { messageId, cellId, state, executionCount, startedAtMs, endedAtMs, droppedBytes, lastSeq } = entry;
  return {
    messageId,
    cellId,
    kernelId,
    state,
    code: '',
    executionCount,
    startedAtMs,
    endedAtMs,
    outputs: [],
    droppedBytes,
    lastSeq,
  };
}
