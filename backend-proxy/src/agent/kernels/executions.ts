/** How each execution of a kernel stands. Small: code and outputs stay in the journal until somebody asks. */
import * as z from 'zod';
import { HITCH_SESSION, MOST_SAID, peekFrame } from '@hitch/contract';
import type { Execution } from '@hitch/contract';
import { displayIdOf } from './outputs.ts';
import { partOf } from './part-of.ts';
import { readGap } from './journal/gap.ts';
import type { JournalRecord } from './journal/record.ts';

export interface ExecutionEntry {
  /** Its number in the journal's records. */
  readonly number: number;
  readonly messageId: string;
  readonly cellId: string | null;
  /** Session of the client that asked, to whom the reply goes. */
  readonly session: string;
  readonly requestSeq: number;
  state: Execution['state'];
  executionCount: number | null;
  startedAtMs: number | null;
  endedAtMs: number | null;
  lastSeq: number;
  droppedBytes: number;
}

/** What befell the kernel: `restarted` because somebody asked, `lost` without an answer up to that execution. */
export const markSchema = z.object({
  mark: z.enum(['restarted', 'lost']),
  upTo: z.number().int(),
});
export type Mark = z.infer<typeof markSchema>;

/** Above that the oldest that ended go; the last one of a cell goes when no other is left. */
const MAX_LISTED = 5_000;
/** Of so many ids it is known which executions show them. An update of any other may be one of those that lost theirs. */
const MAX_DISPLAYS = 10_000;

export class ExecutionTable {
  readonly #byNumber = new Map<number, ExecutionEntry>();
  readonly #numbers = new Map<string, number>();
  /** Which executions show a display that may still be updated. */
  readonly #displays = new Map<string, Set<number>>();
  /** Executions with a display that is no longer among them. */
  readonly #showMore = new Set<number>();
  /** The last execution of each cell. */
  readonly #lastOfCell = new Map<string, number>();
  #lastBegun: ExecutionEntry | null = null;
  #lastNumber = 0;
  #forgotten = 0;
  /** Cells whose last execution is on the list no more, the one that went last at the end. */
  readonly #forgottenCells = new Set<string>();

  /** For the record of a request about to be journaled. */
  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** So many are on the list no more. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** The cells of which nothing is known any more though they were run; the first to go are left out above a bound. */
  get forgottenCells(): string[] {
    return [...this.#forgottenCells];
  }

  /** Number of the execution that a message with this parent belongs to; 0 for none. */
  numberOf(parentId: string): number {
    return parentId === '' ? 0 : (this.#numbers.get(parentId) ?? 0);
  }

  get(number: number): ExecutionEntry | undefined {
    return this.#byNumber.get(number);
  }

  /** The one that the kernel took up last; null: none, or it is on the list no more. */
  get lastBegun(): ExecutionEntry | null {
    const last = this.#lastBegun;
    return last !== null && this.#byNumber.has(last.number) ? last : null;
  }

  all(): ExecutionEntry[] {
    return [...this.#byNumber.values()];
  }

  isUnfinished(number: number): boolean {
    const entry = this.#byNumber.get(number);
    return entry?.state === 'queued' || entry?.state === 'running';
  }

  /** Whether an execution other than this one runs. */
  othersRun(number: number): boolean {
    return this.all().some(entry => entry.state === 'running' && entry.number !== number);
  }

  get unfinished(): ExecutionEntry[] {
    return this.all().filter(({ number }) => this.isUnfinished(number));
  }

  /** Takes the next record of the journal, live or at recovery. */
  apply(record: JournalRecord): void {
    if (record.kind === 'request') {
      this.#applyRequest(record);
    } else if (record.kind === 'mark') {
      this.#applyMark(markSchema.parse(JSON.parse(record.frame.toString('utf8'))), record);
    } else if (record.kind === 'gap') {
      this.#applyGap(record);
    } else if (record.kind === 'server') {
      this.#applyMessage(record);
    }
  }

  /** Output of these executions was dropped; of the forgotten ones nothing is left. */
  drop(byExecution: ReadonlyMap<number, number>, forgotten: readonly number[]): void {
    for (const [number, bytes] of byExecution) {
      const entry = this.#byNumber.get(number);
      if (entry !== undefined) {
        entry.droppedBytes += bytes;
      }
    }
    for (const number of forgotten) {
      this.#forget(number);
    }
  }

  #forget(number: number): void {
    const entry = this.#byNumber.get(number);
    if (entry !== undefined) {
      this.#byNumber.delete(number);
      this.#numbers.delete(entry.messageId);
      this.#showMore.delete(number);
      this.#forgotten += 1;
      if (entry.cellId !== null && this.#isLastOfCell(entry)) {
        this.#lastOfCell.delete(entry.cellId);
        this.#forgetCell(entry.cellId);
      }
    }
  }

  #forgetCell(cellId: string): void {
    this.#forgottenCells.add(cellId);
    const [oldest] = this.#forgottenCells;
    if (this.#forgottenCells.size > MOST_SAID.forgottenCells && oldest !== undefined) {
      this.#forgottenCells.delete(oldest);
    }
  }

  #isLastOfCell({ cellId, number }: ExecutionEntry): boolean {
    return cellId !== null && this.#lastOfCell.get(cellId) === number;
  }

  #makeRoom(): void {
    if (this.#byNumber.size <= MAX_LISTED) {
      return;
    }
    let oldest: number | null = null;
    for (const entry of this.#byNumber.values()) {
      if (this.isUnfinished(entry.number)) {
        continue;
      }
      if (!this.#isLastOfCell(entry)) {
        oldest = entry.number;
        break;
      }
      oldest ??= entry.number;
    }
    if (oldest !== null) {
      this.#forget(oldest);
    }
  }

  #applyRequest(record: JournalRecord): void {
    const peek = peekFrame(record.frame);
    const cellId = partOf(record.frame, 'metadata')['cellId'];
    this.#lastNumber = Math.max(this.#lastNumber, record.execution);
    this.#numbers.set(peek.messageId, record.execution);
    this.#byNumber.set(record.execution, {
      number: record.execution,
      messageId: peek.messageId,
      cellId: typeof cellId === 'string' ? cellId : null,
      session: peek.session,
      requestSeq: record.seq,
      state: 'queued',
      executionCount: null,
      startedAtMs: null,
      endedAtMs: null,
      lastSeq: record.seq,
      droppedBytes: 0,
    });
    if (typeof cellId === 'string') {
      this.#lastOfCell.set(cellId, record.execution);
      this.#forgottenCells.delete(cellId);
    }
    this.#makeRoom();
  }

  #applyMark({ mark, upTo }: Mark, record: JournalRecord): void {
    this.#lastBegun = mark === 'restarted' ? null : this.#lastBegun;
    for (const entry of this.unfinished) {
      if (entry.number <= upTo) {
        end(entry, mark === 'lost' ? 'lost' : 'aborted', record);
      }
    }
  }

  #applyGap(record: JournalRecord): void {
    const { executions, cells } = readGap(record);
    this.drop(new Map(executions), []);
    // A gap may be said late: such a cell has been run again, and is known.
    cells.filter(cellId => !this.#lastOfCell.has(cellId)).forEach(cellId => this.#forgetCell(cellId));
  }

  #applyMessage(record: JournalRecord): void {
    const entry = this.#byNumber.get(record.execution);
    if (entry !== undefined) {
      entry.lastSeq = record.seq;
    }
    switch (record.type) {
      case 'status':
        this.#applyStatus(record, entry);
        return;
      case 'execute_input':
        if (entry !== undefined) {
          this.#begin(entry, record);
          entry.executionCount = countOf(record) ?? entry.executionCount;
        }
        return;
      case 'execute_reply':
        if (entry !== undefined) {
          applyReply(entry, record);
        }
        return;
      case 'display_data':
      case 'execute_result':
      case 'update_display_data':
        this.#applyDisplay(record);
        return;
      default:
    }
  }

  /** `busy` starts an execution; the kernel's death (said by Jupyter Server, without a parent) loses them all. */
  #applyStatus(record: JournalRecord, entry: ExecutionEntry | undefined): void {
    const state = partOf(record.frame, 'content')['execution_state'];
    if (state === 'restarting' || state === 'dead') {
      this.#lastBegun = null;
      for (const other of this.unfinished) {
        end(other, other.state === 'queued' ? 'aborted' : 'lost', record);
      }
    } else if (state === 'busy' && entry?.state === 'queued') {
      this.#begin(entry, record);
    }
  }

  #begin(entry: ExecutionEntry, record: JournalRecord): void {
    begin(entry, record);
    this.#lastBegun = entry;
  }

  #applyDisplay(record: JournalRecord): void {
    // Most displays have no id; looking for the word is cheaper than parsing an image.
    const displayId = record.frame.includes('display_id')
      ? displayIdOf(partOf(record.frame, 'content'))
      : null;
    if (displayId === null) {
      return;
    }
    const known = this.#displays.get(displayId);
    const shownBy = known ?? new Set();
    if (record.type !== 'update_display_data' && record.execution !== 0) {
      shownBy.add(record.execution);
      this.#displays.set(displayId, shownBy);
      this.#forgetOldDisplay();
    }
    // Reading an execution looks at the ids themselves; here it only has to be read far enough.
    for (const number of known === undefined ? [...shownBy, ...this.#showMore] : shownBy) {
      const shown = this.#byNumber.get(number);
      if (shown !== undefined) {
        shown.lastSeq = record.seq;
      }
    }
  }

  #forgetOldDisplay(): void {
    const [oldest] = this.#displays;
    if (this.#displays.size > MAX_DISPLAYS && oldest !== undefined) {
      const [displayId, shownBy] = oldest;
      this.#displays.delete(displayId);
      shownBy.forEach(number => this.#byNumber.has(number) && this.#showMore.add(number));
    }
  }
}

function dateOf(record: JournalRecord): number {
  const parsed = Date.parse(peekFrame(record.frame).date);
  return Number.isNaN(parsed) ? record.timeMs : parsed;
}

function countOf(record: JournalRecord): number | null {
  const count = partOf(record.frame, 'content')['execution_count'];
  return typeof count === 'number' ? count : null;
}

/** Also from `aborted` or `lost`: a request sent during a restart is run by the next process after all. */
function begin(entry: ExecutionEntry, record: JournalRecord): void {
  if (entry.state === 'ok' || entry.state === 'error') {
    return;
  }
  entry.state = 'running';
  entry.startedAtMs ??= dateOf(record);
  entry.endedAtMs = null;
}

function end(entry: ExecutionEntry, state: ExecutionEntry['state'], record: JournalRecord): void {
  entry.state = state;
  entry.endedAtMs = record.kind === 'mark' ? record.timeMs : dateOf(record);
  entry.lastSeq = record.seq;
}

function applyReply(entry: ExecutionEntry, record: JournalRecord): void {
  if (peekFrame(record.frame).session === HITCH_SESSION) {
    return;
  }
  const status = partOf(record.frame, 'content')['status'];
  entry.executionCount = countOf(record) ?? entry.executionCount;
  end(entry, status === 'ok' ? 'ok' : status === 'error' ? 'error' : 'aborted', record);
}
