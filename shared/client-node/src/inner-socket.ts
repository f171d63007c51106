/** The `ws` package's socket as the kernel socket class wants it. */
import { HitchError, KERNEL_CLOSE, MAX_KERNEL_SOCKET_BYTES, type InnerSocket } from '@hitch/contract';
import WebSocket from 'ws';

/** Handlers are assigned from outside, so the properties must be writable under the interface's own types. */
class WsInner implements InnerSocket {
  binaryType = 'arraybuffer';
  onopen: InnerSocket['onopen'] = null;
  onmessage: InnerSocket['onmessage'] = null;
  onerror: InnerSocket['onerror'] = null;
  onclose: InnerSocket['onclose'] = null;
  readonly #socket: WebSocket;
  #refused = 0;

  constructor(url: string, protocols: readonly string[], headers: Readonly<Record<string, string>>) {
    this.#socket = new WebSocket(url, [...protocols], {
      headers: { ...headers },
      // It costs more than it saves on loopback and on an encrypted tunnel.
      perMessageDeflate: false,
      maxPayload: MAX_KERNEL_SOCKET_BYTES,
    });
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.on('open', () => this.onopen?.({ type: 'open', target: this }));
    this.#socket.on('message', (data: unknown) => this.onmessage?.({ type: 'message', target: this, data }));
    this.#socket.on('error', error =>
      this.onerror?.({ type: 'error', target: this, error, message: error.message }),
    );
    this.#socket.on('close', (code, reason) => {
      // A kernel that does not exist will not come back; every other refusal may end.
      const final = this.#refused === 404 ? KERNEL_CLOSE.gone : code;
      this.onclose?.({ type: 'close', target: this, code: final, reason: reason.toString() });
    });
    this.#socket.on('unexpected-response', (request, response) => {
      this.#refused = response.statusCode ?? 0;
      request.destroy();
      this.#socket.terminate();
    });
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }
}

export interface InnerOptions {
  readonly headers: Readonly<Record<string, string>>;
}

const isInnerOptions = (options: unknown): options is InnerOptions =>
  typeof options === 'object' && options !== null && 'headers' in options;

export function connectInner(url: string, protocols: readonly string[], options: unknown): InnerSocket {
  if (!isInnerOptions(options)) {
    throw new HitchError('INTERNAL', 'A kernel socket was opened without its headers.');
  }
  return new WsInner(url, protocols, options.headers);
}
