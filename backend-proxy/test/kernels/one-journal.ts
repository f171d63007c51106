/** A journal with what a kernel sends, for what is read out of it; and what the daemon takes of that. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeMessage,
  type Execution,
  executionSchema,
  MOST_EXECUTIONS_BYTES,
  MOST_EXECUTIONS_JSON,
  MOST_SAID,
} from '@hitch/contract';
import { JsonBounds } from '../../src/access/json-bounds.ts';
import type { ExecutionEntry } from '../../src/agent/kernels/executions.ts';
import { Journal } from '../../src/agent/kernels/journal/journal.ts';
import { recoverJournal } from '../../src/agent/kernels/journal/recover.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';

const MiB = 1024 * 1024;

export class OneJournal {
  readonly journal: Journal;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    const state = recoverJournal({
      folder: join(folder, 'k'),
      kernelId: 'k',
      newEpoch: () => 'epoch',
      nowMs: 0,
      visit: () => undefined,
    });
    this.journal = new Journal(state, {
      limits: { maxBytesPerKernel: 256 * MiB, maxAgeMs: 3_600_000 },
      clock: new VirtualClock(),
      log: silentLog,
      events: { flushed: () => undefined, dropped: () => undefined, isUnfinished: () => true },
    });
  }

  static async open(): Promise<OneJournal> {
    return new OneJournal(await mkdtemp(join(tmpdir(), 'hitch-journal-')));
  }

  async dispose(): Promise<void> {
    await this.journal.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  put(type: string, content: Readonly<Record<string, unknown>>, execution = 1): number {
    return this.journal.append({
      kind: type === 'execute_request' ? 'request' : 'server',
      channel: type === 'execute_request' ? 'shell' : 'iopub',
      type,
      execution,
      frame: encodeMessage({
        channel: 'iopub',
        header: { msg_id: 'm', msg_type: type, session: 'k' },
        parentHeader: {},
        metadata: {},
        content,
        buffers: [],
      }),
    }).seq;
  }

  print(text: string, execution = 1): number {
    return this.put('stream', { name: 'stdout', text }, execution);
  }
}

export const entry = (number: number, requestSeq: number, droppedBytes = 0): ExecutionEntry => ({
  number,
  messageId: `m${number.toString()}`,
  cellId: 'c',
  session: 's',
  requestSeq,
  state: 'running',
  executionCount: 1,
  startedAtMs: 0,
  endedAtMs: null,
  // As far as the journal goes.
  lastSeq: Number.MAX_SAFE_INTEGER,
  droppedBytes,
});

/** Fails where the daemon would take the machine that answers this for a broken one. */
export function assertTaken(answer: readonly Execution[]): void {
  executionSchema.array().max(MOST_SAID.executions).parse(answer);
  const bounds = new JsonBounds({ bytes: MOST_EXECUTIONS_BYTES, ...MOST_EXECUTIONS_JSON });
  bounds.see(Buffer.from(JSON.stringify(answer)));
}
