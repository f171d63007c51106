/** Sockets to kernels of clusters: they carry on where JupyterLab would give up, and repeat and lose nothing. */
import {
  createKernelSocketClass,
  type InnerSocket,
  type KernelSocketClass,
  type KernelSocketDeps,
} from '@hitch/contract';
import { UUID } from '@lumino/coreutils';

/** Opens the browser's own socket. */
export type OpenSocket = (url: string, protocols: string[]) => WebSocket;

/** The browser's socket in the words of the contract: its events are the same ones, typed for all platforms. */
function connect(open: OpenSocket, url: string, protocols: readonly string[]): InnerSocket {
  const socket = open(url, [...protocols]);
  const inner: InnerSocket = {
    get binaryType() {
      return socket.binaryType;
    },
    set binaryType(type) {
      socket.binaryType = type === 'arraybuffer' ? 'arraybuffer' : 'blob';
    },
    get protocol() {
      return socket.protocol;
    },
    get readyState() {
      return socket.readyState;
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    onopen: null,
    onmessage: null,
    onerror: null,
    onclose: null,
    send: data => {
      socket.send(typeof data === 'string' ? data : data.slice());
    },
    close: (code, reason) => {
      socket.close(closeCode(code), reason);
    },
  };
  socket.onopen = () => inner.onopen?.({ type: 'open', target: inner });
  socket.onmessage = ({ data }: MessageEvent<unknown>) =>
    inner.onmessage?.({ type: 'message', target: inner, data });
  socket.onerror = () => inner.onerror?.({ type: 'error', target: inner });
  socket.onclose = ({ code, reason, wasClean }) =>
    inner.onclose?.({ type: 'close', target: inner, code, reason, wasClean });
  return inner;
}

/** A page may say only these; with any other code `close` throws. */
function closeCode(code: number | undefined): number | undefined {
  return code === undefined || code === 1000 || (code >= 3000 && code <= 4999) ? code : 1000;
}

export interface SocketOptions {
  /** The address to use instead of the one JupyterLab asked for; looked up anew at each attempt. */
  readonly locate?: (url: string) => string;
  readonly onStatus?: KernelSocketDeps['onStatus'];
  readonly onDelivered?: KernelSocketDeps['onDelivered'];
  readonly tellBusy?: boolean;
}

export function kernelSocketClass(open: OpenSocket, options: SocketOptions = {}): KernelSocketClass {
  const { locate, onStatus, onDelivered, tellBusy = false } = options;
  return createKernelSocketClass({
    connect: (url, protocols) => connect(open, url, protocols),
    setTimer: (run, ms) => {
      const timer = setTimeout(run, ms);
      return {
        cancel: () => {
          clearTimeout(timer);
        },
      };
    },
    random: Math.random,
    newId: () => UUID.uuid4(),
    now: Date.now,
    tellBusy,
    ...(locate === undefined ? {} : { locate: url => ({ url: locate(url) }) }),
    ...(onStatus === undefined ? {} : { onStatus }),
    ...(onDelivered === undefined ? {} : { onDelivered }),
  });
}

/** For JupyterLab's settings: the class does what their code asks of a WebSocket, though not all that the type has. */
export function asWebSocket(socket: KernelSocketClass): typeof WebSocket {
  return socket as unknown as typeof WebSocket;
}
