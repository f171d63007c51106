/** The clients of one kernel: which of its messages each gets, and who is asked when the one that was asked has gone. */
import type { Duplex } from 'node:stream';
import type WebSocket from 'ws';
import { peekFrame, type KernelCursor } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { KernelClient, type ClientSource, type SocketFormat } from './client.ts';
import type { ExecutionTable } from './executions.ts';
import { readGap } from './journal/gap.ts';
import type { Journal } from './journal/journal.ts';
import type { JournalRecord } from './journal/record.ts';
import type { Sender } from './outbox.ts';
import type { PendingPrompt } from './prompt.ts';

/** A client's open socket, and the stream under it. */
export interface ClientSocket {
  readonly socket: WebSocket;
  readonly stream: Duplex;
}

export interface AudienceDeps {
  readonly kernelId: string;
  readonly journal: Journal;
  readonly executions: ExecutionTable;
  readonly prompt: PendingPrompt;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: () => string;
  readonly changed: () => void;
  /** Whether the kernel runs a cell. */
  readonly busy: () => boolean;
  /** A client sent this, in its format. */
  readonly said: (client: KernelClient, sender: Sender, data: Buffer, isBinary: boolean) => void;
  /** The question of a waiting cell is to be put once more. */
  readonly askAgain: (frame: Uint8Array) => void;
}

export class Audience {
  readonly #deps: AudienceDeps;
  readonly #clients = new Set<KernelClient>();
  /** Header sessions of clients whose socket has another session id than their messages. */
  readonly #owners = new Map<string, string>();

  constructor(deps: AudienceDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Takes an open client socket. Without a cursor it gets what comes from now on. */
  attach(
    { socket, stream }: ClientSocket,
    session: string,
    cursor: KernelCursor | null,
    format: SocketFormat,
  ): void {
    const { journal, said, changed, busy } = this.#deps;
    const { epoch, firstSeq, lastSeq } = journal;
    const resumed = cursor?.epoch === epoch;
    const client = new KernelClient({
      socket,
      stream,
      session,
      format,
      cursor: cursor === null ? lastSeq : resumed ? cursor.seq : 0,
      source: this.#sourceFor(session),
    });
    const sender: Sender = {
      acknowledge: messageId => {
        client.control({ type: 'ack', msg_id: messageId });
      },
    };
    socket.on('message', (data, isBinary) => {
      if (!Buffer.isBuffer(data)) {
        return;
      }
      if (isBinary || format === 'default') {
        said(client, sender, data, isBinary);
      } else if (data.toString('utf8').includes('"ping"')) {
        client.control({ type: 'pong' });
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#clients.delete(client);
      changed();
    });
    this.#clients.add(client);
    client.control({ type: 'hello', epoch, firstSeq, lastSeq, resumed, busy: busy() });
    client.start();
    // A client that reads on from its cursor finds its own prompts there.
    this.#askAgain(session, cursor !== null);
    changed();
  }

  /** Answers to messages of this session are for that client. */
  speaksFor(client: KernelClient, session: string): void {
    if (session !== client.session) {
      this.#owners.set(session, client.session);
    }
  }

  deliver(records: readonly JournalRecord[]): void {
    for (const client of this.#clients) {
      client.deliver(records);
    }
  }

  ping(): void {
    for (const client of this.#clients) {
      client.ping();
    }
  }

  close(code: number, reason: string): void {
    for (const client of this.#clients) {
      client.close(code, reason);
    }
  }

  /**
   * A cell waits for an answer, and the page that it asked has gone: whoever comes in its place is asked, and gets
   * what else the kernel answers to that cell. The page that was asked first has its cell back when it returns.
   */
  #askAgain(session: string, readsOn: boolean): void {
    this.#owners.delete(session);
    const prompt = this.#deps.prompt.get();
    if (prompt === null) {
      return;
    }
    const asked = this.#ownerOf(prompt.session);
    if (asked === session) {
      if (readsOn) {
        return;
      }
    } else if ([...this.#clients].some(client => client.session === asked && client.isOpen)) {
      return;
    } else {
      this.#owners.set(prompt.session, session);
    }
    this.#deps.askAgain(prompt.frame);
  }

  #ownerOf(session: string): string {
    return this.#owners.get(session) ?? session;
  }

  /** What the kernel publishes is for all; an answer is for the client that asked. */
  #concerns(record: JournalRecord, session: string): boolean {
    return record.channel === 'iopub' || this.#ownerOf(peekFrame(record.frame).parentSession) === session;
  }

  #sourceFor(session: string): ClientSource {
    const { kernelId, journal, executions, clock, log, newId } = this.#deps;
    return {
      read: afterSeq => journal.read(afterSeq),
      lastSeq: () => journal.lastSeq,
      wants: record => record.kind === 'server' && this.#concerns(record, session),
      gap: record => {
        const { executions: dropped, cells: _, ...gap } = readGap(record);
        return {
          type: 'gap',
          ...gap,
          executions: dropped.flatMap(([number, droppedBytes]) => {
            const messageId = executions.get(number)?.messageId;
            return messageId === undefined ? [] : [{ messageId, droppedBytes }];
          }),
        };
      },
      notice: () => ({
        messageId: newId(),
        parentSession: session,
        date: new Date(clock.now()).toISOString(),
      }),
      failed: error => {
        log.error('A journal could not be read for a client', { kernelId, error: errorText(error) });
      },
    };
  }
}
