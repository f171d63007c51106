/** The one socket to Jupyter Server for a kernel: opened as soon as the kernel exists, kept open for its life. */
import WebSocket from 'ws';
import { KERNEL_PROTOCOL_V1, MAX_KERNEL_MESSAGE_BYTES } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Upstream } from '../http/upstream.ts';

export interface UpstreamEvents {
  open(): void;
  message(frame: Buffer): void;
  /** Not a kernel's message but the server's own, see python/hitch_jupyter. */
  text(text: string): void;
  closed(): void;
  /** Jupyter Server does not know the kernel. */
  gone(): void;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;

export class UpstreamSocket {
  readonly #upstream: Upstream;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: UpstreamEvents;
  #socket: WebSocket | null = null;
  #retry: Timer | null = null;
  #failures = 0;
  #closed = false;

  constructor(deps: {
    upstream: Upstream;
    kernelId: string;
    /** Stable over restarts of the agent: Jupyter Server keeps messages for the session that went away. */
    session: string;
    clock: Clock;
    log: Log;
    events: UpstreamEvents;
  }) {
    this.#upstream = deps.upstream;
    this.#path = `/api/kernels/${deps.kernelId}/channels?session_id=${encodeURIComponent(deps.session)}`;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#events = deps.events;
    this.connect();
  }

  /** Opens a socket in place of the present one, if any. */
  connect(): void {
    this.#retry?.cancel();
    this.#retry = null;
    this.#drop();
    const { address, authorization } = this.#upstream;
    const url =
      'socketPath' in address
        ? `ws+unix:${address.socketPath}:${this.#path}`
        : `ws://${address.host}:${address.port.toString()}${this.#path}`;
    const socket = new WebSocket(url, [KERNEL_PROTOCOL_V1], {
      perMessageDeflate: false,
      maxPayload: MAX_KERNEL_MESSAGE_BYTES,
      skipUTF8Validation: true,
      headers: { authorization },
    });
    this.#socket = socket;
    let gone = false;
    socket.on('open', () => {
      this.#failures = 0;
      this.#events.open();
    });
    socket.on('message', (data, isBinary) => {
      if (Buffer.isBuffer(data)) {
        if (isBinary) {
          this.#events.message(data);
        } else {
          this.#events.text(data.toString('utf8'));
        }
      }
    });
    socket.on('unexpected-response', (request, response) => {
      gone = response.statusCode === 404;
      request.destroy();
      socket.terminate();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket !== socket) {
        return;
      }
      this.#socket = null;
      this.#events.closed();
      if (gone) {
        this.#events.gone();
      } else {
        this.#retryLater();
      }
    });
  }

  #retryLater(): void {
    if (this.#closed || this.#retry !== null) {
      return;
    }
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#log.debug('The socket to Jupyter Server closed; trying again', { durationMs: waitMs });
    this.#retry = this.#clock.setTimer(() => {
      this.connect();
    }, waitMs);
  }

  /** @returns false when there is no open socket; nothing was sent then. */
  send(frame: Uint8Array | string): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      return false;
    }
    this.#socket.send(frame, { binary: typeof frame !== 'string' });
    return true;
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.terminate();
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#drop();
  }
}
