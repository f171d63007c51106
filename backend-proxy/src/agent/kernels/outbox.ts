/**
 * Messages of clients on their way to the kernel. Each is journaled first and sent then, in order, once: a client
 * that is not sure sends a message again and its id is known. A message journaled but not sent when the agent is
 * killed is not sent later: a cell is never run twice, and its execution ends as `lost`. What waits when somebody restarts
 * the kernel is not sent either.
 */
import { KernelFrameError, peekFrame } from '@hitch/contract';
import type { FramePeek } from '@hitch/contract';
import type { ExecutionTable } from './executions.ts';
import type { Journal } from './journal/journal.ts';
import type { JournalRecord } from './journal/record.ts';

export interface Sender {
  readonly acknowledge: (messageId: string) => void;
}

interface Waiting {
  readonly frame: Uint8Array;
  readonly messageId: string;
  readonly from: Set<Sender>;
  readonly peek: FramePeek;
}

/** What was meant for the process that somebody restarts; a question is as good for the next one. */
const FOR_ONE_PROCESS = new Set(['execute_request', 'input_reply', 'comm_open', 'comm_msg', 'comm_close']);

const REMEMBERED_IDS = 20_000;
/** Messages that wait while Jupyter Server is away; a client beyond this is cut off, and comes back later. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

export class Outbox {
  readonly #journal: Journal;
  readonly #executions: ExecutionTable;
  readonly #send: (frame: Uint8Array) => boolean;
  /** Accepted, not yet in the journal. */
  #accepted: Waiting[] = [];
  /** In the journal, by sequence number, not yet given to the kernel. */
  readonly #journaled = new Map<number, Waiting>();
  readonly #byId = new Map<string, Waiting>();
  readonly #known = new Set<string>();
  #waitingBytes = 0;
  /** So many of the accepted came before somebody began to restart the kernel; null: nobody does. */
  #beforeRestart: number | null = null;

  constructor(journal: Journal, executions: ExecutionTable, send: (frame: Uint8Array) => boolean) {
    this.#journal = journal;
    this.#executions = executions;
    this.#send = send;
  }

  /** A record found when the journal was opened: its message was sent by an earlier agent. */
  remember(messageId: string): void {
    this.#known.add(messageId);
    if (this.#known.size > REMEMBERED_IDS) {
      const oldest = this.#known.values().next();
      if (oldest.done !== true) {
        this.#known.delete(oldest.value);
      }
    }
  }

  /** @throws KernelFrameError when the frame is none, or too much waits already. */
  accept(frame: Uint8Array, from: Sender): FramePeek {
    const peek = peekFrame(frame);
    const waiting = this.#byId.get(peek.messageId);
    if (waiting !== undefined) {
      waiting.from.add(from);
    } else if (this.#known.has(peek.messageId)) {
      from.acknowledge(peek.messageId);
    } else {
      if (this.#waitingBytes > MAX_WAITING_BYTES) {
        throw new KernelFrameError('Too many messages wait for a kernel that is not reachable.');
      }
      const entry = { frame, messageId: peek.messageId, from: new Set([from]), peek };
      this.#waitingBytes += frame.byteLength;
      this.#byId.set(peek.messageId, entry);
      this.#accepted.push(entry);
    }
    return peek;
  }

  /** Journals what was accepted; called when the way to the kernel is open. */
  push(): void {
    if (this.#beforeRestart !== null) {
      return;
    }
    const accepted = this.#accepted;
    this.#accepted = [];
    for (const entry of accepted) {
      this.#append(entry);
    }
  }

  #append(entry: Waiting): void {
    const isRequest = entry.peek.type === 'execute_request';
    const record = this.#journal.append({
      kind: isRequest ? 'request' : 'seen',
      channel: entry.peek.channel,
      type: entry.peek.type,
      execution: isRequest ? this.#executions.nextNumber() : 0,
      frame: isRequest ? entry.frame : Buffer.from(entry.messageId, 'utf8'),
    });
    if (isRequest) {
      this.#executions.apply(record);
    }
    this.#journaled.set(record.seq, entry);
  }

  /** Somebody restarts the kernel: until that is over nothing is sent, also to a process that listens already. */
  hold(): void {
    this.#beforeRestart = this.#accepted.length;
  }

  release(): void {
    this.#beforeRestart = null;
  }

  /** Journals what waits since before {@link hold} and was for that process, and never sends it. @returns requests. */
  drop(): string[] {
    const waiting = this.#accepted.splice(0, this.#beforeRestart ?? this.#accepted.length);
    const isDropped = ({ peek }: Waiting): boolean => FOR_ONE_PROCESS.has(peek.type);
    waiting.filter(isDropped).forEach(entry => {
      this.#append(entry);
    });
    this.#accepted.unshift(...waiting.filter(entry => !isDropped(entry)));
    const dropped = [...this.#journaled].filter(([, entry]) => isDropped(entry));
    for (const [seq, entry] of dropped) {
      this.#settle(seq, entry);
    }
    return dropped
      .filter(([, { peek }]) => peek.type === 'execute_request')
      .map(([, { messageId }]) => messageId);
  }

  /** These records are in the journal. */
  written(records: readonly JournalRecord[]): void {
    if (this.#journaled.size > 0 && records.some(({ kind }) => kind === 'request' || kind === 'seen')) {
      this.sendWritten(records.at(-1)?.seq ?? 0);
    }
  }

  /** Sends, in order, what is in the journal up to `lastSeq`, until the kernel's socket refuses. */
  sendWritten(lastSeq: number): void {
    for (const [seq, entry] of this.#journaled) {
      if (seq > lastSeq || this.#beforeRestart !== null || !this.#send(entry.frame)) {
        return;
      }
      this.#settle(seq, entry);
    }
  }

  #settle(seq: number, entry: Waiting): void {
    this.#journaled.delete(seq);
    this.#byId.delete(entry.messageId);
    this.#waitingBytes -= entry.frame.byteLength;
    this.remember(entry.messageId);
    for (const sender of entry.from) {
      sender.acknowledge(entry.messageId);
    }
  }
}
