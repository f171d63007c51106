/** Answers what cells printed: folds the outputs of executions out of the journal, in one pass, when asked. */
import type { Execution, JsonObject } from '@hitch/contract';
import type { ExecutionEntry } from './executions.ts';
import type { Journal } from './journal/journal.ts';
import type { JournalRecord } from './journal/record.ts';
import { OutputFold } from './outputs.ts';
import { partOf } from './part-of.ts';

/** Stream text one answer carries, over all its executions. */
const MAX_ANSWER_TEXT_BYTES = 32 * 1024 * 1024;

const FOLDED = new Set(['stream', 'display_data', 'execute_result', 'error', 'clear_output']);

function content(record: JournalRecord): JsonObject {
  return partOf(record.frame, 'content');
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
  let seq = Math.min(...asked.map(({ requestSeq }) => requestSeq)) - 1;
  while (seq < untilSeq) {
    const records = await journal.read(seq);
    if (records.length === 0) {
      break;
    }
    for (const record of records) {
      seq = record.seq;
      if (seq > untilSeq) {
        break;
      }
      const fold = folds.get(record.execution);
      if (record.type === 'update_display_data') {
        const update = content(record);
        folds.forEach(other => {
          other.update(update);
        });
      } else if (record.kind === 'request' && fold !== undefined) {
        const code = content(record)['code'];
        codes.set(record.execution, typeof code === 'string' ? code : '');
      } else if (record.kind === 'server' && fold !== undefined && FOLDED.has(record.type)) {
        fold.add(record.type, content(record));
      }
    }
  }
  return asked.map(entry => {
    const fold = folds.get(entry.number);
    return {
      ...executionOf(entry, kernelId),
      code: codes.get(entry.number) ?? '',
      outputs: fold?.outputs() ?? [],
      droppedBytes: entry.droppedBytes + (fold?.droppedBytes ?? 0),
      // What is not on the disk yet is not in the outputs.
      lastSeq: Math.min(entry.lastSeq, untilSeq),
    };
  });
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
