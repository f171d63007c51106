/**
 * A WebSocket for kernels that does not break: to its user it is a stock socket speaking Jupyter's v1 protocol; to the
 * relay it speaks the cursor protocol. It reconnects for ever, sends again what may not have arrived, and hands over
 * each message once and in order. For JupyterLab's `ServerConnection.ISettings.WebSocket` and for VS Code's override
 * of the `ws` class; runs in browsers and in Node.
 *
 * With a server that does not speak the cursor protocol, and for URLs that are no kernel's, it is a plain socket.
 */
import {
  KERNEL_CLOSE,
  KERNEL_PROTOCOL_HITCH,
  KERNEL_PROTOCOL_V1,
  MAX_KERNEL_MESSAGE_BYTES,
} from './kernel-protocol.ts';
import type { KernelCursor } from './kernel-protocol.ts';
import { SocketEvents } from './kernel-socket-events.ts';
import type { SocketEventHandler } from './kernel-socket-events.ts';
import { CursorMemory, KernelSession } from './kernel-socket-session.ts';
import { asBytes, kernelKey, withCursor } from './kernel-socket-wire.ts';
import type { SendData } from './kernel-socket-wire.ts';

/** The part of a WebSocket that is used, the same in browsers and in the `ws` package. */
export interface InnerSocket {
  binaryType: string;
  readonly protocol: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: SocketEventHandler | null;
  onmessage: SocketEventHandler | null;
  onerror: SocketEventHandler | null;
  onclose: SocketEventHandler | null;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** The `ws` package only. */
  ping?(): void;
}

export interface KernelSocketDeps {
  /** The real socket class: the browser's, or the `ws` package's. */
  readonly connect: (url: string, protocols: readonly string[], options: unknown) => InnerSocket;
  readonly setTimer: (run: () => void, ms: number) => { cancel(): void };
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly newId: () => string;
  /** ms since the epoch */
  readonly now: () => number;
  /** Asked before each attempt, since ports and tokens change: the URL and options to use instead of the first ones. */
  readonly locate?: (url: string, options: unknown) => { url: string; options?: unknown };
  /** Where in the journal the first socket of a session begins, instead of with what comes from now on. */
  readonly from?: KernelCursor;
  /** For a client that wants to say so. `attempt` counts failures in a row. */
  readonly onStatus?: (status: { url: string; connected: boolean; attempt: number }) => void;
  /**
   * Told just before the user gets a kernel's message as an `ArrayBuffer`: where in the kernel's journal it stands. For
   * a page that fills its cells from the kernel's executions and must show nothing twice.
   */
  readonly onDelivered?: (data: ArrayBuffer, at: KernelCursor) => void;
  /**
   * A kernel that runs a cell answers no question about itself. For a client that shows states: a socket that opens then
   * begins with a status message that says so.
   */
  readonly tellBusy?: boolean;
}

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 15_000;
/** From the start of an attempt to the greeting. */
const GREETING_WITHIN_MS = 30_000;
const HEARTBEAT_MS = 20_000;
/** Said on purpose; coming back would get the same answer. */
const FINAL_CODES: ReadonlySet<number> = new Set([1000, KERNEL_CLOSE.gone, KERNEL_CLOSE.badFrame]);

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

export class KernelSocketBase extends SocketEvents {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  readonly CONNECTING = CONNECTING;
  readonly OPEN = OPEN;
  readonly CLOSING = CLOSING;
  readonly CLOSED = CLOSED;
  readonly extensions = '';
  readonly url: string;
  binaryType: string;
  readonly #deps: KernelSocketDeps;
  readonly #options: unknown;
  readonly #protocols: readonly string[];
  /** null: not a kernel's URL, or the server does not speak the cursor protocol. */
  #session: KernelSession | null;
  #inner: InnerSocket | null = null;
  #greeted = false;
  #readyState = CONNECTING;
  #protocol = '';
  #failures = 0;
  #retry: { cancel(): void } | null = null;
  #watch: { cancel(): void } | null = null;
  #heard = false;

  constructor(
    deps: KernelSocketDeps,
    memory: CursorMemory,
    url: string,
    protocols: string | readonly string[] | undefined,
    options: unknown,
  ) {
    super();
    this.#deps = deps;
    this.url = url;
    this.#options = options;
    this.#protocols = protocols === undefined ? [] : typeof protocols === 'string' ? [protocols] : protocols;
    const key = kernelKey(url);
    this.#session =
      key !== null && this.#protocols.includes(KERNEL_PROTOCOL_V1)
        ? new KernelSession(key, memory, deps)
        : null;
    this.binaryType = this.#connect();
  }

  get readyState(): number {
    return this.#readyState;
  }

  /** The stock v1 protocol, whatever is spoken underneath. */
  get protocol(): string {
    return this.#protocol;
  }

  get bufferedAmount(): number {
    const waiting = this.#session !== null && !this.#greeted ? this.#session.unacknowledgedBytes : 0;
    return waiting + (this.#inner?.bufferedAmount ?? 0);
  }

  /** Also while the connection is down: it is sent when it is up again. */
  send(data: SendData): void {
    if (this.#readyState === CONNECTING) {
      throw new Error('The kernel socket is not open yet.');
    }
    if (this.#readyState !== OPEN) {
      return;
    }
    const bytes = asBytes(data);
    if (this.#session !== null && typeof bytes !== 'string') {
      if (bytes.byteLength > MAX_KERNEL_MESSAGE_BYTES) {
        this.#refuse(this.#session, bytes);
        return;
      }
      this.#session.sent(bytes);
    }
    if (this.#session === null || this.#greeted) {
      this.#inner?.send(bytes);
    }
  }

  /** No socket on the way would carry it, and each would break on it again. The user hears it as from the kernel. */
  #refuse(session: KernelSession, frame: Uint8Array): void {
    const answers = session.refused(frame);
    // Users take note of what they have sent only after this call.
    this.#deps.setTimer(() => {
      for (const answer of answers) {
        this.#hand(answer.frame, answer.at);
      }
    }, 0);
  }

  close(code = 1000, reason = ''): void {
    if (this.#readyState >= CLOSING) {
      return;
    }
    this.#readyState = CLOSING;
    this.#drop()?.close(code, reason);
    // Nobody waits for the other side: it may be out of reach for hours.
    this.#deps.setTimer(() => {
      this.#finish(code, reason);
    }, 0);
  }

  /** As the `ws` package's. */
  terminate(): void {
    this.close(1000);
  }

  /** As the `ws` package's. Where the real socket cannot ping, the heartbeat does what is needed. */
  ping(): void {
    if (this.#greeted || this.#session === null) {
      this.#inner?.ping?.();
    }
  }

  /** @returns the binary type that sockets of this kind have when nobody has set one. */
  #connect(): string {
    const place = this.#deps.locate?.(this.url, this.#options) ?? { url: this.url, options: this.#options };
    const protocols = this.#session === null ? this.#protocols : [KERNEL_PROTOCOL_HITCH, ...this.#protocols];
    const inner = this.#deps.connect(
      withCursor(place.url, this.#session?.cursor ?? null),
      protocols,
      place.options,
    );
    const usualBinaryType = inner.binaryType;
    inner.binaryType = 'arraybuffer';
    this.#inner = inner;
    inner.onopen = () => {
      this.#opened(inner);
    };
    inner.onmessage = ({ data }) => {
      this.#message(data);
    };
    inner.onerror = event => {
      // Of a socket that will be tried again, an error is no news.
      if (this.#session === null) {
        this.emit('error', event.error ?? new Error('The socket failed.'));
      }
    };
    inner.onclose = ({ code, reason }) => {
      this.#dropped(code ?? 1006, reason ?? '');
    };
    if (this.#session !== null) {
      this.#watch = this.#deps.setTimer(() => {
        this.#abandon('no greeting');
      }, GREETING_WITHIN_MS);
    }
    return usualBinaryType;
  }

  #opened(inner: InnerSocket): void {
    if (this.#session !== null && inner.protocol === KERNEL_PROTOCOL_HITCH) {
      return;
    }
    // A stock server: from now on a plain socket.
    this.#watch?.cancel();
    this.#session = null;
    this.#becomeOpen(inner.protocol);
  }

  #becomeOpen(protocol: string): void {
    this.#protocol = protocol;
    if (this.#readyState === CONNECTING) {
      this.#readyState = OPEN;
      this.emit('open');
    }
  }

  #message(data: unknown): void {
    this.#heard = true;
    if (this.#session === null) {
      this.#hand(data instanceof ArrayBuffer ? new Uint8Array(data) : data, null);
      return;
    }
    if (!(data instanceof ArrayBuffer)) {
      return;
    }
    let received;
    try {
      received = this.#session.received(new Uint8Array(data));
    } catch (error) {
      // Whoever speaks another protocol does so again after each way back.
      this.#drop()?.close(KERNEL_CLOSE.badFrame);
      this.#finish(KERNEL_CLOSE.badFrame, error instanceof Error ? error.message : 'bad frame');
      return;
    }
    if (received.greeted) {
      this.#welcome(this.#session);
    }
    for (const { frame, at } of received.deliver) {
      this.#hand(frame, at);
    }
  }

  #welcome(session: KernelSession): void {
    this.#greeted = true;
    this.#failures = 0;
    this.#watch?.cancel();
    this.#heartbeat();
    for (const frame of session.unacknowledged) {
      this.#inner?.send(frame);
    }
    this.#becomeOpen(KERNEL_PROTOCOL_V1);
    this.#deps.onStatus?.({ url: this.url, connected: true, attempt: 0 });
  }

  /** A browser cannot ping, and a socket that a sleep or a NAT has cut says nothing. */
  #heartbeat(): void {
    this.#heard = false;
    this.#inner?.send('{"type":"ping"}');
    this.#watch = this.#deps.setTimer(() => {
      if (this.#heard) {
        this.#heartbeat();
      } else {
        this.#abandon('no answer');
      }
    }, HEARTBEAT_MS);
  }

  /** Gives a message to the user in the form that `binaryType` asks for. */
  #hand(data: unknown, at: KernelCursor | null): void {
    if (this.#readyState !== OPEN) {
      return;
    }
    if (!(data instanceof Uint8Array)) {
      this.emit('message', data, false);
      return;
    }
    // A copy of its own: users read an ArrayBuffer from its start.
    const own = data.slice().buffer;
    if (this.binaryType === 'nodebuffer' && typeof Buffer !== 'undefined') {
      this.emit('message', Buffer.from(own), true);
    } else if (this.binaryType === 'blob' && typeof Blob !== 'undefined') {
      this.emit('message', new Blob([own]), true);
    } else {
      if (at !== null) {
        this.#deps.onDelivered?.(own, at);
      }
      this.emit('message', own, true);
    }
  }

  /** Lets go of the present connection without waiting for its end. */
  #drop(): InnerSocket | null {
    const inner = this.#inner;
    this.#inner = null;
    this.#greeted = false;
    this.#watch?.cancel();
    this.#retry?.cancel();
    this.#retry = null;
    if (inner !== null) {
      const ignore = (): void => undefined;
      inner.onopen = ignore;
      inner.onmessage = ignore;
      inner.onerror = ignore;
      inner.onclose = ignore;
    }
    return inner;
  }

  #abandon(reason: string): void {
    const inner = this.#drop();
    inner?.close(4000, reason);
    this.#retryLater();
  }

  #dropped(code: number, reason: string): void {
    this.#drop();
    if (this.#readyState >= CLOSING) {
      return;
    }
    if (this.#session === null || FINAL_CODES.has(code)) {
      this.#finish(code, reason);
    } else {
      this.#retryLater();
    }
  }

  #retryLater(): void {
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    this.#deps.onStatus?.({ url: this.url, connected: false, attempt: this.#failures });
    // Many sockets were cut at once and shall not all come back at once.
    this.#retry = this.#deps.setTimer(
      () => {
        this.#retry = null;
        try {
          this.#connect();
        } catch {
          // Where to go is not known at the moment.
          this.#retryLater();
        }
      },
      longest * (0.5 + this.#deps.random() / 2),
    );
  }

  #finish(code: number, reason: string): void {
    if (this.#readyState !== CLOSED) {
      this.#readyState = CLOSED;
      this.emit('close', code, reason);
    }
  }
}

export type KernelSocketClass = new (
  url: string | URL,
  protocols?: string | readonly string[],
  options?: unknown,
) => KernelSocketBase;

/** A class to put in the place of `WebSocket`. Sockets of one class share what they have seen. */
export function createKernelSocketClass(deps: KernelSocketDeps): KernelSocketClass {
  const memory = new CursorMemory();
  return class KernelSocket extends KernelSocketBase {
    constructor(url: string | URL, protocols?: string | readonly string[], options?: unknown) {
      super(deps, memory, String(url), protocols, options);
    }
  };
}
