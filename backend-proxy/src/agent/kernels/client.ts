/**
 * One client of a kernel: a cursor into the journal and a socket. While the socket takes what it is given the
 * client is live and gets records as they come. When it does not, the client stops being live and reads on from
 * the journal's files at its own pace, so that a slow client costs disk reads and not memory.
 */
import type { Duplex } from 'node:stream';
import type WebSocket from 'ws';
import { encodeControl, gapSentence, KERNEL_CLOSE, noticeFrame } from '@hitch/contract';
import type { GapControl, ServerControl } from '@hitch/contract';
import { Holes } from './holes.ts';
import { wireNumber } from './journal/record.ts';
import type { JournalRecord } from './journal/record.ts';
import { Pings } from '../http/pings.ts';
import { toDefaultFormat } from './default-format.ts';
import { writeBinaryFrame } from './raw-frame.ts';

/** Above this a live client falls back to reading from the journal. */
const LIVE_LIMIT_BYTES = 4 * 1024 * 1024;
const NO_NUMBER = Buffer.alloc(0);

/**
 * `hitch`: frames with numbers, the cursor protocol · `v1`: the frames alone, for stock clients · `default`: what stock clients
 * speak that offer no subprotocol.
 */
export type SocketFormat = 'hitch' | 'v1' | 'default';

export interface ClientSource {
  read(afterSeq: number): Promise<JournalRecord[]>;
  lastSeq(): number;
  /** Whether this client is to see the record. */
  wants(record: JournalRecord): boolean;
  gap(record: JournalRecord): GapControl;
  notice(gap: GapControl): { messageId: string; parentSession: string; date: string };
  failed(error: unknown): void;
}

export class KernelClient {
  readonly session: string;
  readonly format: SocketFormat;
  readonly #socket: WebSocket;
  /** What lies under the socket. */
  readonly #stream: Duplex;
  readonly #source: ClientSource;
  #cursor: number;
  readonly #holes = new Holes();
  #live = false;
  #reading = false;
  readonly #pings: Pings;

  constructor(options: {
    socket: WebSocket;
    stream: Duplex;
    session: string;
    format: SocketFormat;
    /** Records after this number are sent. */
    cursor: number;
    source: ClientSource;
  }) {
    this.#socket = options.socket;
    this.#stream = options.stream;
    this.session = options.session;
    this.format = options.format;
    this.#cursor = options.cursor;
    this.#source = options.source;
    this.#pings = new Pings(options.socket);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Starts sending; everything sent before this comes first. */
  start(): void {
    if (this.#cursor >= this.#source.lastSeq()) {
      this.#live = true;
    } else {
      this.#catchUp();
    }
  }

  /** New records of the journal; ignored while the client reads from the files, where they lie too. */
  deliver(records: readonly JournalRecord[]): void {
    if (!this.#live || !this.isOpen) {
      return;
    }
    if (records.length === 1) {
      this.#deliverAll(records);
      return;
    }
    // What came in one read goes out in one write.
    this.#stream.cork();
    this.#deliverAll(records);
    this.#stream.uncork();
  }

  #deliverAll(records: readonly JournalRecord[]): void {
    for (const record of records) {
      this.#give(record);
      if (this.#socket.bufferedAmount > LIVE_LIMIT_BYTES) {
        this.#live = false;
        this.#catchUp();
        return;
      }
    }
  }

  control(control: ServerControl): void {
    if (this.format === 'hitch' && this.isOpen) {
      this.#socket.send(encodeControl(control), { binary: true });
    }
  }

  close(code: number, reason: string): void {
    this.#live = false;
    this.#socket.close(code, reason);
  }

  /** Cuts the client off when it has not answered the last pings. */
  ping(): void {
    this.#pings.send();
  }

  #catchUp(): void {
    if (this.#reading) {
      return;
    }
    this.#reading = true;
    this.#readOn().catch((error: unknown) => {
      this.#source.failed(error);
      this.close(KERNEL_CLOSE.restarting, 'the journal could not be read');
    });
  }

  async #readOn(): Promise<void> {
    await this.#drained();
    while (this.isOpen) {
      if (this.#cursor >= this.#source.lastSeq()) {
        // Both in one step: a record may come, and overflow the socket again, before this function has returned.
        this.#live = true;
        this.#reading = false;
        return;
      }
      const upTo = this.#source.lastSeq();
      const records = await this.#source.read(this.#cursor);
      for (const record of records) {
        this.#give(record);
      }
      if (records.length === 0) {
        // What lay between is gone, and the gap that says so is not written yet.
        this.#holes.add(this.#cursor + 1, upTo);
        this.#cursor = upTo;
      }
      await this.#drained();
    }
  }

  /** Resolves when what was sent before has left this process (or the socket has closed). */
  #drained(): Promise<void> {
    if (!this.isOpen || this.#socket.bufferedAmount === 0) {
      return Promise.resolve();
    }
    // Frames leave in order, so a ping that has left has everything before it gone too.
    return new Promise(resolve => {
      this.#socket.once('close', resolve);
      this.#socket.ping('', false, () => {
        this.#socket.off('close', resolve);
        resolve();
      });
    });
  }

  /** The one way to the client, live or from the files: whatever comes twice is passed over here. */
  #give(record: JournalRecord): void {
    if (record.seq > this.#cursor) {
      this.#send(record);
      this.#cursor = record.seq;
    }
  }

  #send(record: JournalRecord): void {
    if (record.kind === 'gap') {
      const gap = this.#source.gap(record);
      // One in its place stands for all of its numbers, one that was said late for none of those around it.
      this.#holes.add(this.#cursor + 1, (gap.toSeq === record.seq ? gap.fromSeq : record.seq) - 1);
      this.#sendGap(gap);
      return;
    }
    this.#holes.add(this.#cursor + 1, record.seq - 1);
    if (this.#source.wants(record)) {
      this.#sendFrame(record.frame, record);
    }
  }

  #sendGap(gap: GapControl): void {
    const isMissed = this.#holes.take(gap.fromSeq, gap.toSeq) || gap.toSeq > this.#cursor;
    if (!isMissed || gap.droppedBytes === 0) {
      return;
    }
    if (this.format === 'hitch') {
      this.control(gap);
      return;
    }
    for (const { messageId: parentId, droppedBytes } of gap.executions) {
      const text = gapSentence(gap, droppedBytes);
      this.#sendFrame(noticeFrame({ text, lostBytes: droppedBytes, parentId, ...this.#source.notice(gap) }));
    }
  }

  /** @param record whose number a client of the cursor protocol is told; left out: it has none */
  #sendFrame(frame: Uint8Array, record?: JournalRecord): void {
    if (this.format !== 'default') {
      const prefix = this.format === 'hitch' && record !== undefined ? wireNumber(record) : NO_NUMBER;
      writeBinaryFrame(this.#stream, prefix, Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength));
      return;
    }
    const message = toDefaultFormat(frame);
    this.#socket.send(message, { binary: typeof message !== 'string' });
  }
}
