/**
 * One connection of the log tail, as an iterator of text that ends when the socket closes, for whatever reason.
 *
 * permessage-deflate must stay off: Ray passes the offer on to its inner hop, does not understand the compressed
 * frames that come back, and closes with 1000 and no message, which looks like success.
 */
import type { Agent as HttpAgent, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import WebSocket from 'ws';
import type { ClientOptions } from 'ws';
import { errorFromAnswer } from './answer-error.ts';
import { redact } from './error-text.ts';
import { RayConnectionError } from './errors.ts';
import { messageOf } from './transport.ts';

/** Resume the socket below this much unread text (UTF-16 units), pause it above. */
const MAX_UNREAD = 1 << 20;
const MAX_FRAME_BYTES = 64 << 20;
const MAX_REFUSAL_CHARS = 64 * 1024;

export interface TailSocketOptions {
  url: URL;
  token: string | undefined;
  timeoutMs: number;
  agent: HttpAgent | undefined;
  createConnection: ConnectionFactory | undefined;
}

/** Opens the byte stream to the dashboard: a forwarded SSH channel, a pipe, a TLS socket for an `https:` address. */
export type ConnectionFactory = () => Duplex | Promise<Duplex>;

export class TailSocket {
  readonly #socket: WebSocket;
  readonly #options: TailSocketOptions;
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  #unread: string[] = [];
  #unreadLength = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(options: TailSocketOptions) {
    this.#options = options;
    const url = new URL(options.url);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socketOptions: ClientOptions = {
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      // Text that a frame cuts in the middle of a character is joined again by the decoder.
      skipUTF8Validation: true,
      headers: options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
    };
    if (options.agent !== undefined) socketOptions.agent = options.agent;
    if (options.createConnection !== undefined) {
      Object.assign(socketOptions, dialler(options.createConnection));
    }
    this.#socket = new WebSocket(url, socketOptions);
    this.#listen();
    if (Number.isFinite(options.timeoutMs)) this.#limitHandshake(options.timeoutMs);
  }

  /** The next text; '' after `interrupt()`; undefined when the connection is over. Throws when it was refused. */
  async next(): Promise<string | undefined> {
    if (this.#unread.length === 0 && !this.#ended) await new Promise<void>(resolve => (this.#wake = resolve));
    const text = this.#unread.join('');
    this.#unread = [];
    this.#unreadLength = 0;
    if (this.#socket.isPaused) this.#socket.resume();
    if (text !== '' || !this.#ended) return text;
    if (this.#failure !== undefined) throw this.#failure;
    return undefined;
  }

  /** Makes a waiting `next()` return. */
  interrupt(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  close(): void {
    this.#socket.terminate();
    this.#end(undefined);
  }

  #limitHandshake(ms: number): void {
    const limit = AbortSignal.timeout(ms);
    const onLimit = () => {
      const where = this.#options.url.origin;
      this.#end(
        new RayConnectionError(`The log tail of ${where} did not open within ${String(ms)} ms`, {
          retryable: true,
        }),
      );
      this.#socket.terminate();
    };
    limit.addEventListener('abort', onLimit, { once: true });
    this.#socket.once('open', () => {
      limit.removeEventListener('abort', onLimit);
    });
  }

  #listen(): void {
    this.#socket.on('message', data => {
      const text = this.#utf8.decode(bytesOf(data), { stream: true });
      if (text === '' || this.#ended) return;
      this.#unread.push(text);
      this.#unreadLength += text.length;
      if (this.#unreadLength > MAX_UNREAD) this.#socket.pause();
      this.interrupt();
    });
    this.#socket.on('close', () => {
      this.#end(undefined);
    });
    this.#socket.on('error', error => {
      const why = redact(messageOf(error), this.#options.token);
      this.#end(
        new RayConnectionError(`The log tail could not reach ${this.#options.url.origin}: ${why}`, {
          retryable: true,
          cause: error,
        }),
      );
    });
    this.#socket.on('unexpected-response', (_request, answer) => {
      void this.#refused(answer);
    });
  }

  async #refused(answer: IncomingMessage): Promise<void> {
    let body = '';
    try {
      for await (const chunk of answer) body = (body + String(chunk)).slice(-MAX_REFUSAL_CHARS);
    } catch {
      // The status alone says enough.
    }
    this.#end(
      errorFromAnswer({
        method: 'GET',
        path: this.#options.url.pathname,
        status: answer.statusCode ?? 500,
        body,
        token: this.#options.token,
      }),
    );
    this.#socket.terminate();
  }

  #end(failure: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.interrupt();
  }
}

type Dialled = (error: Error | null, connection?: Duplex) => void;

/** Node's HTTP client takes a connection later through a callback, which is how a promise fits in. */
function dialler(open: ConnectionFactory) {
  return {
    createConnection: (_options: unknown, done: Dialled): undefined => {
      Promise.resolve()
        .then(open)
        .then(
          connection => {
            done(null, connection);
          },
          (error: unknown) => {
            done(error instanceof Error ? error : new Error(String(error)));
          },
        );
    },
  };
}

function bytesOf(data: WebSocket.RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
