/** One kernel: its socket to Jupyter Server, its journal, its executions and its clients. */
import * as z from 'zod';
import { HitchError, KERNEL_CLOSE, peekFrame } from '@hitch/contract';
import type {
  Execution,
  ExecutionQuery,
  FramePeek,
  JournalCursor,
  Kernel,
  KernelCursor,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Upstream } from '../http/upstream.ts';
import { Audience, type ClientSocket } from './audience.ts';
import type { KernelClient, SocketFormat } from './client.ts';
import { fromDefaultFormat } from './default-format.ts';
import { readPage } from './execution-pages.ts';
import { executionOf, readExecutions } from './execution-reader.ts';
import { ExecutionTable } from './executions.ts';
import type { ExecutionEntry, Mark } from './executions.ts';
import { Journal } from './journal/journal.ts';
import type { JournalLimits } from './journal/journal.ts';
import type { JournalRecord } from './journal/record.ts';
import { recoverJournal } from './journal/recover.ts';
import { KernelLine } from './kernel-line.ts';
import { LateOutput } from './late-output.ts';
import { inPlaceOf } from './left-out.ts';
import { Outbox, type Sender } from './outbox.ts';
import { partOf } from './part-of.ts';
import { PendingPrompt } from './prompt.ts';
import { RecentMessages, RecoveredEnd } from './recent-messages.ts';
import { abortedAnswers, lostAnswers } from './own-messages.ts';

export interface FeedOptions {
  readonly kernelId: string;
  readonly folder: string;
  readonly upstream: Upstream;
  readonly limits: JournalLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: () => string;
  /** A journal to read only: its kernel is gone. */
  readonly ended: boolean;
  readonly changed: () => void;
  readonly gone: () => void;
}

/** Above this the kernel's socket is not read until the disk has caught up. */
const PAUSE_ABOVE_BYTES = 16 * 1024 * 1024;
const RESUME_BELOW_BYTES = 4 * 1024 * 1024;

/** A client that only looks, as one that connects again and again does, is not activity. */
const ACTIVE_TYPES = new Set(['execute_request', 'input_reply', 'comm_msg', 'comm_open']);

const KERNEL_STATES = z.enum(['starting', 'idle', 'busy', 'restarting', 'dead']);

export class KernelFeed {
  readonly kernelId: string;
  readonly #options: FeedOptions;
  readonly #journal: Journal;
  readonly #executions = new ExecutionTable();
  readonly #prompt = new PendingPrompt();
  readonly #outbox: Outbox;
  readonly #recent = new RecentMessages();
  readonly #late = new LateOutput();
  readonly #audience: Audience;
  #line: KernelLine | null = null;
  #ended: boolean;
  #state: Kernel['state'] = 'unknown';
  #lastActivityMs: number;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.kernelId = options.kernelId;
    this.#ended = options.ended;
    this.#lastActivityMs = options.clock.now();
    const known: string[] = [];
    const end = new RecoveredEnd();
    const state = recoverJournal({
      folder: options.folder,
      kernelId: options.kernelId,
      newEpoch: options.newId,
      nowMs: options.clock.now(),
      visit: record => {
        this.#executions.apply(record);
        this.#prompt.see(record);
        if (record.kind === 'seen') {
          known.push(record.frame.toString('utf8'));
        } else if (record.kind === 'request') {
          known.push(peekFrame(record.frame).messageId);
        } else if (record.kind === 'server') {
          end.see(record.frame);
        }
      },
    });
    end.giveTo(this.#recent);
    this.#journal = new Journal(state, {
      limits: options.limits,
      clock: options.clock,
      log: options.log,
      events: {
        flushed: records => {
          this.#flushed(records);
        },
        dropped: (byExecution, forgotten) => {
          this.#executions.drop(byExecution, forgotten);
        },
        isUnfinished: number => this.#executions.isUnfinished(number),
      },
    });
    this.#audience = new Audience({
      ...options,
      journal: this.#journal,
      executions: this.#executions,
      prompt: this.#prompt,
      // After a restart of the agent the kernel has not said it yet to this one.
      busy: () => this.#state === 'busy' || (this.#state === 'unknown' && this.unfinished > 0),
      said: (client, sender, data, isBinary) => {
        this.#fromClient(client, sender, data, isBinary);
      },
      askAgain: frame => {
        this.#journalMessage(frame, peekFrame(frame));
      },
    });
    this.#outbox = new Outbox(this.#journal, this.#executions, frame => this.#line?.send(frame) === true);
    known.forEach(id => {
      this.#outbox.remember(id);
    });
    if (!options.ended) {
      this.#line = this.#openLine();
    } else if (this.#executions.unfinished.length > 0) {
      this.#mark({ mark: 'lost', upTo: this.#executions.lastNumber });
    }
  }

  get ended(): boolean {
    return this.#ended;
  }

  get clients(): number {
    return this.#audience.size;
  }

  get state(): Kernel['state'] {
    return this.#ended ? 'dead' : this.#state;
  }

  get unfinished(): number {
    return this.#executions.unfinished.length;
  }

  /** The last moment at which code ran or somebody asked for it. */
  get lastActivityMs(): number {
    return this.#lastActivityMs;
  }

  cursor(): JournalCursor {
    return {
      epoch: this.#journal.epoch,
      firstSeq: this.#journal.firstSeq,
      lastSeq: this.#journal.lastSeq,
      droppedBytes: this.#journal.droppedBytes,
      forgottenExecutions: this.#executions.forgotten,
      forgottenCells: this.#executions.forgottenCells,
    };
  }

  async executions({ cellId, messageId, content, from }: ExecutionQuery): Promise<Execution[]> {
    await this.#journal.flush();
    const entries = this.#executions
      .all()
      .filter(
        entry =>
          (cellId === undefined || entry.cellId === cellId) &&
          (messageId === undefined || entry.messageId === messageId),
      );
    const [one] = entries;
    if (content !== 'none' && messageId !== undefined && one !== undefined) {
      return [await readPage(this.#journal, this.kernelId, one, from)];
    }
    return content === 'none'
      ? entries.map(entry => executionOf(entry, this.kernelId))
      : readExecutions(this.#journal, this.kernelId, entries);
  }

  /** Takes an open client socket. Without a cursor it gets what comes from now on. */
  attach(socket: ClientSocket, session: string, cursor: KernelCursor | null, format: SocketFormat): void {
    this.#audience.attach(socket, session, cursor, format);
  }

  #date(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }

  #fromClient(client: KernelClient, sender: Sender, data: Buffer, isBinary: boolean): void {
    try {
      const frame = client.format === 'default' ? fromDefaultFormat(data, isBinary) : data;
      const peek = this.#outbox.accept(frame, sender);
      if (peek.channel === 'stdin') {
        this.#prompt.answered();
      }
      this.#audience.speaksFor(client, peek.session);
      this.#lastActivityMs = ACTIVE_TYPES.has(peek.type) ? this.#options.clock.now() : this.#lastActivityMs;
    } catch (error) {
      this.#options.log.warn('A client sent something that is no kernel message', {
        kernelId: this.kernelId,
        error: errorText(error),
      });
      client.close(KERNEL_CLOSE.badFrame, 'not a kernel message, or too many of them');
      return;
    }
    if (this.#line?.ready === true) {
      this.#outbox.push();
    }
  }

  #openLine(): KernelLine {
    const { kernelId, upstream, clock, log, newId } = this.#options;
    return new KernelLine({
      kernelId,
      upstream,
      clock,
      log,
      newId,
      events: {
        ready: () => {
          this.#lineReady();
        },
        lastKnown: messageIds => this.#recent.lastIn(messageIds),
        message: (frame, peek) => {
          this.#recent.add(peek.messageId);
          this.#late.see(frame, peek);
          for (const shown of inPlaceOf(
            this.#late.ofItsCell(frame, peek, this.#executions.lastBegun),
            peek,
          )) {
            this.#journalMessage(shown, shown === frame ? peek : peekFrame(shown));
          }
          if (this.#journal.pendingBytes > PAUSE_ABOVE_BYTES) {
            this.#line?.flow(false);
          }
        },
        done: upTo => {
          this.#loseUnanswered(upTo);
          this.#state = 'idle';
          this.#options.changed();
        },
        gone: () => {
          this.#options.gone();
        },
      },
    });
  }

  #lineReady(): void {
    if (this.#executions.unfinished.length > 0 || this.#state === 'busy' || this.#state === 'restarting') {
      this.#line?.askWhetherDone(this.#executions.lastNumber);
    }
    this.#outbox.sendWritten(this.#journal.lastSeq);
    this.#outbox.push();
    this.#options.changed();
  }

  #journalMessage(frame: Uint8Array, peek: FramePeek): void {
    const record = this.#journal.append({
      kind: 'server',
      channel: peek.channel,
      type: peek.type,
      execution: this.#executions.numberOf(peek.parentId),
      frame,
    });
    this.#executions.apply(record);
    this.#prompt.see(record);
    if (record.type === 'status') {
      this.#noteState(record);
    }
    if (record.execution !== 0) {
      this.#lastActivityMs = record.timeMs;
    }
  }

  #noteState({ frame, execution }: JournalRecord): void {
    const { success, data } = KERNEL_STATES.safeParse(partOf(frame, 'content')['execution_state']);
    // A debugger's questions and those of a subshell are answered, and called idle after, while a cell runs.
    const aside = data === 'idle' && this.#executions.othersRun(execution);
    if (success && !aside && data !== this.#state) {
      this.#state = data;
      this.#options.changed();
    }
    if (data === 'restarting') {
      this.#line?.awaitNext();
    } else if (data === 'dead') {
      this.#line?.holdForGood();
    }
  }

  #flushed(records: readonly JournalRecord[]): void {
    this.#audience.deliver(records);
    this.#outbox.written(records);
    if (this.#journal.pendingBytes === 0) {
      this.#line?.holdsAll();
    }
    if (this.#journal.pendingBytes < RESUME_BELOW_BYTES) {
      this.#line?.flow(true);
    }
  }

  #mark(mark: Mark): void {
    const frame = Buffer.from(JSON.stringify(mark));
    const record = this.#journal.append({
      kind: 'mark',
      channel: 'iopub',
      type: 'other',
      execution: 0,
      frame,
    });
    this.#executions.apply(record);
    this.#prompt.see(record);
  }

  /** The kernel answers later questions but not these: their end was said while nobody listened. */
  #loseUnanswered(upTo: number): void {
    const lost = this.#executions.unfinished.filter(({ number }) => number <= upTo);
    if (lost.length === 0) {
      return;
    }
    this.#mark({ mark: 'lost', upTo });
    this.#answer(lost, lostAnswers);
  }

  #answer(entries: readonly ExecutionEntry[], answers: typeof lostAnswers): void {
    const stamp = { newId: this.#options.newId, date: this.#date() };
    for (const frame of entries.flatMap(entry => answers(entry, stamp))) {
      this.#journalMessage(frame, peekFrame(frame));
    }
  }

  /** Somebody asks for a restart: the next process may listen before the answer says that it does. */
  restarting(): void {
    this.#outbox.hold();
  }

  /** What still waits goes to the process that is there. */
  restartOver(): void {
    this.#outbox.release();
    if (this.#line?.ready === true) {
      this.#outbox.sendWritten(this.#journal.lastSeq);
      this.#outbox.push();
    }
  }

  /** Somebody restarted the kernel: what had not ended or begun was aborted, and the new process may have new ports. */
  restarted(): void {
    const dropped = new Set(this.#outbox.drop());
    const entries = this.#executions.all().filter(({ messageId }) => dropped.has(messageId));
    this.#mark({ mark: 'restarted', upTo: this.#executions.lastNumber });
    this.#answer(entries, abortedAnswers);
    this.#outbox.release();
    this.#line?.reconnect();
  }

  /** The kernel is no more. Its executions can still be read. */
  end(): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#mark({ mark: 'lost', upTo: this.#executions.lastNumber });
    this.#line?.close();
    this.#line = null;
    this.#audience.close(KERNEL_CLOSE.gone, 'the kernel is gone');
    this.#options.changed();
  }

  /** Looks after clients that went without a word and after old output; called every half a minute. */
  tend(): void {
    this.#audience.ping();
    this.#journal.retryRefused();
    void this.#journal.retain();
  }

  async close(): Promise<void> {
    this.#line?.close();
    this.#line = null;
    this.#audience.close(KERNEL_CLOSE.restarting, 'the agent is going down');
    await this.#journal.close();
  }
}

/** @throws HitchError NOT_FOUND */
export function noSuchKernel(kernelId: string): HitchError {
  return new HitchError('NOT_FOUND', `There is no kernel ${kernelId} on this cluster.`, {
    field: 'kernelId',
  });
}
