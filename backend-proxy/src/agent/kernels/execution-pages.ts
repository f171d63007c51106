/**
 * One execution in pages: each begins where the last one ended in the journal, so that a cell of any length is told
 * whole and no answer is longer than the daemon takes.
 */
import type { Execution } from '@hitch/contract';
import { beginningWithin, bytesOf, codeWithin, fits, PAGE, weigh, without } from './answer-room.ts';
import { contentOf, executionOf, FOLDED, newestWithin, recordsUntil } from './execution-reader.ts';
import type { ExecutionEntry } from './executions.ts';
import type { Journal } from './journal/journal.ts';
import type { JournalRecord } from './journal/record.ts';
import { OutputFold } from './outputs.ts';

/** What {@link PAGE} leaves, but for the rest of an execution. */
const CODE_BYTES = 900 * 1024;
/** An output beside its text: braces, names, a comma. */
const AROUND_BYTES = 100;

/** Where a page begins. All pages of one execution tell it as it was when the first was asked for. */
interface PageStart {
  readonly untilSeq: number;
  readonly seq: number;
  /** Characters of the text of that message that were told before. */
  readonly offset: number;
  /** What the journal had dropped of it by then. */
  readonly droppedBytes: number;
}

function readStart(text: string): PageStart {
  const [untilSeq = 0, seq = 0, offset = 0, droppedBytes = 0] = text.split(':').map(Number);
  return { untilSeq, seq, offset, droppedBytes };
}

/** @param from `next` of the page before. */
export async function readPage(
  journal: Journal,
  kernelId: string,
  entry: ExecutionEntry,
  from: string | undefined,
): Promise<Execution> {
  const now = { ...entry };
  const start = from === undefined ? await firstStart(journal, now) : readStart(from);
  const page = new Page(start, now.number);
  for await (const record of recordsUntil(journal, start.seq - 1, start.untilSeq)) {
    page.take(record);
  }
  const { outputs, droppedBytes } = newestWithin(page.fold.outputs(), PAGE);
  const gone = from === undefined ? now.droppedBytes : Math.max(0, now.droppedBytes - start.droppedBytes);
  const next = page.next;
  return {
    ...executionOf(now, kernelId),
    code: from === undefined ? codeWithin(await codeOf(journal, now), CODE_BYTES) : '',
    outputs,
    droppedBytes: gone + page.droppedBytes + droppedBytes,
    lastSeq: start.untilSeq,
    ...(next === null ? {} : { next: `${start.untilSeq}:${next.seq}:${next.offset}:${now.droppedBytes}` }),
  };
}

/** Behind the last message that cleared the cell: what came before is not shown. */
async function firstStart(journal: Journal, entry: ExecutionEntry): Promise<PageStart> {
  const untilSeq = Math.min(journal.lastSeq, entry.lastSeq);
  let seq = entry.requestSeq;
  let clearsNext = false;
  for await (const record of recordsUntil(journal, seq - 1, untilSeq)) {
    if (record.kind !== 'server' || record.execution !== entry.number || !FOLDED.has(record.type)) {
      continue;
    }
    if (record.type === 'clear_output' && contentOf(record)['wait'] === true) {
      clearsNext = true;
    } else if (clearsNext || record.type === 'clear_output') {
      seq = record.seq;
      clearsNext = false;
    }
  }
  return { untilSeq, seq, offset: 0, droppedBytes: entry.droppedBytes };
}

async function codeOf(journal: Journal, entry: ExecutionEntry): Promise<string> {
  for await (const record of recordsUntil(journal, entry.requestSeq - 1, entry.requestSeq)) {
    const code = record.kind === 'request' ? contentOf(record)['code'] : undefined;
    return typeof code === 'string' ? code : '';
  }
  return '';
}

class Page {
  readonly fold = new OutputFold(Infinity);
  /** What is larger than a page by itself. */
  droppedBytes = 0;
  /** Where the next page begins; null: there is none. */
  next: { readonly seq: number; readonly offset: number } | null = null;
  readonly #start: PageStart;
  readonly #execution: number;
  #room = PAGE;

  constructor(start: PageStart, execution: number) {
    this.#start = start;
    this.#execution = execution;
  }

  take(record: JournalRecord): void {
    const isOutput =
      record.kind === 'server' && record.execution === this.#execution && FOLDED.has(record.type);
    if (record.type === 'update_display_data') {
      this.fold.update(contentOf(record));
    } else if (!isOutput || record.type === 'clear_output') {
      // What it clears was left out when the first page began.
    } else if (this.next !== null) {
      // A later display of an id that is on this page is what it shows.
      if (record.type !== 'stream') {
        this.fold.update(contentOf(record));
      }
    } else if (record.type === 'stream') {
      this.#takeText(record);
    } else {
      this.#takeWhole(record);
    }
  }

  #takeWhole(record: JournalRecord): void {
    const content = contentOf(record);
    const bare = weigh(content);
    const weight = { ...bare, bytes: bare.bytes + AROUND_BYTES };
    if (!fits(weight, PAGE)) {
      this.droppedBytes += weight.bytes;
    } else if (!fits(weight, this.#room)) {
      this.next = { seq: record.seq, offset: 0 };
    } else {
      this.#room = without(this.#room, weight);
      this.fold.add(record.type, content);
    }
  }

  #takeText(record: JournalRecord): void {
    const { seq } = record;
    const content = contentOf(record);
    const told = seq === this.#start.seq ? this.#start.offset : 0;
    const whole = typeof content['text'] === 'string' ? content['text'] : '';
    const around = { bytes: AROUND_BYTES, depth: 1, values: 5, containers: 1, outputs: 1 };
    const most = fits(around, this.#room) ? this.#room.bytes - AROUND_BYTES : 0;
    const text = beginningWithin(whole.slice(told), most);
    if (text !== '') {
      this.#room = without(this.#room, { ...around, bytes: bytesOf(text) + AROUND_BYTES });
      this.fold.add(record.type, { ...content, text });
    }
    if (told + text.length < whole.length) {
      this.next = { seq, offset: told + text.length };
    }
  }
}
