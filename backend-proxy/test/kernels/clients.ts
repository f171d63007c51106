/** Clients of a kernel as tests need them: one that counts every message, over a plain socket. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import {
  decodeHitchFrame,
  decodeMessage,
  encodeMessage,
  formatCursor,
  KERNEL_PROTOCOL_HITCH,
  KERNEL_PROTOCOL_V1,
} from '@hitch/contract';
import type { KernelChannel, KernelMessage, ServerControl } from '@hitch/contract';

let counter = 0;
export const newId = (): string => `id-${process.pid.toString()}-${(counter++).toString()}`;

/** Waits until `check` answers something else than false or undefined. */
export async function until<T>(what: string, check: () => T | false | undefined, seconds = 60): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  do {
    const found = check();
    if (found !== false && found !== undefined) {
      return found;
    }
    await delay(20);
  } while (performance.now() < deadline);
  throw new Error(`Waited ${seconds.toString()} s in vain: ${what}`);
}

/**
 * The same for much that is on its way: goes on for as long as what `moved` counts grows, and ends when that has stood
 * still for so many seconds. A busy machine is slow, and only what does not move is stuck.
 */
export async function whileItMoves<T>(
  what: string,
  check: () => T | false | undefined,
  moved: () => number,
  seconds = 60,
): Promise<T> {
  let seen = moved();
  let deadline = performance.now() + seconds * 1000;
  do {
    const found = check();
    if (found !== false && found !== undefined) {
      return found;
    }
    await delay(20);
    if (moved() !== seen) {
      seen = moved();
      deadline = performance.now() + seconds * 1000;
    }
  } while (performance.now() < deadline);
  throw new Error(`Nothing moved for ${seconds.toString()} s, and in vain was waited for ${what}`);
}

export function makeMessage(
  session: string,
  type: string,
  content: Record<string, unknown>,
  options: { channel?: KernelChannel; metadata?: Record<string, unknown>; parent?: KernelMessage } = {},
): KernelMessage {
  return {
    channel: options.channel ?? 'shell',
    header: {
      msg_id: newId(),
      msg_type: type,
      session,
      username: 'test',
      version: '5.4',
      date: new Date().toISOString(),
    },
    parentHeader: options.parent?.header ?? {},
    metadata: options.metadata ?? {},
    content,
    buffers: [],
  };
}

export const executeRequest = (session: string, code: string, cellId?: string): KernelMessage =>
  makeMessage(
    session,
    'execute_request',
    {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: true,
      stop_on_error: true,
    },
    cellId === undefined ? {} : { metadata: { cellId } },
  );

interface ClientOptions {
  readonly session?: string;
  readonly hitch?: boolean;
  readonly cursor?: { epoch: string; seq: number };
  readonly headers?: Record<string, string>;
}

export class TestClient {
  readonly session: string;
  /** What came over all of its connections. */
  readonly messages: KernelMessage[] = [];
  readonly controls: ServerControl[] = [];
  /** Numbers that did not rise; there must be none. */
  readonly repeated: number[] = [];
  /** Frames of the kernel that are no messages. */
  unreadable = 0;
  socket: WebSocket;
  epoch: string;
  seq: number;
  closeCode: number | null = null;
  opened: Promise<void>;
  readonly #url: (query: string) => string;
  readonly #hitch: boolean;
  readonly #headers: Record<string, string>;
  /** What connections that are over carried, and the one that is not. */
  #carriedBytes = 0;
  #stream: Socket | null = null;

  constructor(url: (query: string) => string, options: ClientOptions = {}) {
    this.session = options.session ?? newId();
    this.seq = options.cursor?.seq ?? 0;
    this.epoch = options.cursor?.epoch ?? '';
    this.#url = url;
    this.#hitch = options.hitch ?? true;
    this.#headers = options.headers ?? {};
    [this.socket, this.opened] = this.#connect();
  }

  #connect(): [WebSocket, Promise<void>] {
    const cursor = this.epoch === '' ? '' : `&cursor=${formatCursor(this.cursor)}`;
    const socket = new WebSocket(
      this.#url(`session_id=${this.session}${cursor}`),
      this.#hitch ? [KERNEL_PROTOCOL_HITCH, KERNEL_PROTOCOL_V1] : [KERNEL_PROTOCOL_V1],
      { perMessageDeflate: false, maxPayload: 2 ** 30, headers: this.#headers },
    );
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    opened.catch(() => undefined);
    socket.on('upgrade', response => {
      this.#stream = response.socket;
    });
    socket.on('close', code => {
      if (socket === this.socket) this.closeCode = code;
    });
    socket.on('message', (data, isBinary) => {
      // One that was dropped may still hand on what it had read.
      if (socket === this.socket && isBinary && Buffer.isBuffer(data)) {
        this.take(data, this.#hitch);
      }
    });
    return [socket, opened];
  }

  /** Breaks the connection and comes back with its cursor. */
  comeBack(): void {
    this.#carriedBytes = this.receivedBytes;
    this.#stream = null;
    this.drop();
    [this.socket, this.opened] = this.#connect();
  }

  get receivedBytes(): number {
    return this.#carriedBytes + (this.#stream?.bytesRead ?? 0);
  }

  private read(frame: Uint8Array): void {
    try {
      this.messages.push(decodeMessage(frame));
    } catch {
      this.unreadable += 1;
    }
  }

  private take(data: Buffer, hitch: boolean): void {
    if (!hitch) {
      this.read(data);
      return;
    }
    const frame = decodeHitchFrame(data);
    if ('frame' in frame) {
      if (frame.seq <= this.seq) {
        this.repeated.push(frame.seq);
      }
      this.seq = frame.seq;
      this.read(frame.frame);
    } else if (frame.control !== null) {
      this.controls.push(frame.control);
      if (frame.control.type === 'hello') {
        this.epoch = frame.control.epoch;
        this.seq = frame.control.resumed ? this.seq : frame.control.lastSeq;
      }
    }
  }

  get cursor(): { epoch: string; seq: number } {
    return { epoch: this.epoch, seq: this.seq };
  }

  send(message: KernelMessage): void {
    this.socket.send(encodeMessage(message));
  }

  execute(code: string, cellId?: string): KernelMessage {
    const message = executeRequest(this.session, code, cellId);
    this.send(message);
    return message;
  }

  answersTo(request: KernelMessage): KernelMessage[] {
    return this.messages.filter(({ parentHeader }) => parentHeader.msg_id === request.header.msg_id);
  }

  /** Waits for what is to come of it, for as long as this client receives anything. */
  awaits<T>(what: string, check: () => T | false | undefined): Promise<T> {
    return whileItMoves(what, check, () => this.receivedBytes);
  }

  reply(request: KernelMessage, type = 'execute_reply'): Promise<KernelMessage> {
    return this.awaits(`${type} to ${request.header.msg_id}`, () =>
      this.answersTo(request).find(({ header }) => header.msg_type === type),
    );
  }

  /** Until both the reply and the idle status are here. */
  async done(request: KernelMessage): Promise<KernelMessage> {
    const reply = await this.reply(request);
    await this.awaits('idle', () =>
      this.answersTo(request).find(({ content }) => content['execution_state'] === 'idle'),
    );
    return reply;
  }

  streamText(request: KernelMessage, name = 'stdout'): string {
    return this.answersTo(request)
      .filter(({ header, content }) => header.msg_type === 'stream' && content['name'] === name)
      .map(({ content }) => String(content['text']))
      .join('');
  }

  async closed(): Promise<number> {
    return until('close', () => this.closeCode ?? undefined);
  }

  drop(): void {
    this.socket.terminate();
  }
}
