/** The WebSocket of JupyterLab's kernels: a kernel of a cluster gets one that carries on, a local one the browser's. */
import { KernelSocketBase } from '@hitch/contract';
import { kernelSocketClass, type OpenSocket, type SocketOptions } from '../clusters/sockets.ts';
import type { Places } from './places.ts';

const KERNEL = /\/api\/kernels\/([^/?#]+)\/channels(\?.*)?$/;

const kernelOf = (url: string): string => decodeURIComponent(KERNEL.exec(url)?.[1] ?? '');

export function routingSocket(
  places: Places,
  open: OpenSocket,
  /** Told of each message before it is handed over: it is a stranger's. */
  arrived: (data: ArrayBuffer, kernelId: string) => void,
  options: Omit<SocketOptions, 'locate'> = {},
): typeof WebSocket {
  /** Asked before each attempt: the kernel's cluster stays, its address need not. */
  const locate = (url: string): string => {
    const [, id = '', query = ''] = KERNEL.exec(url) ?? [];
    const place = places.ownerOf(decodeURIComponent(id));
    if (place === null) {
      throw new Error('The cluster of this kernel is not known yet.');
    }
    return `${place.wsUrl}api/kernels/${id}/channels${query}`;
  };
  class Remote extends kernelSocketClass(open, { ...options, locate }) {
    override emit(type: string, ...args: unknown[]): boolean {
      const [data] = args;
      if (type !== 'message') {
        return super.emit(type, ...args);
      }
      // Any other form would be read as a local kernel's. JupyterLab asks for this one, and the relay speaks no other.
      if (!(data instanceof ArrayBuffer)) {
        return false;
      }
      arrived(data, kernelOf(this.url));
      return super.emit(type, ...args);
    }
  }
  // A plain function may, called with `new`, give an object of another class.
  function RoutingSocket(url: string | URL, protocols: string | string[] = []): object {
    const text = String(url);
    return places.ownerOf(kernelOf(text)) === null
      ? open(text, typeof protocols === 'string' ? [protocols] : protocols)
      : new Remote(text, protocols);
  }
  const { CONNECTING, OPEN, CLOSING, CLOSED } = KernelSocketBase;
  const states = Object.assign(RoutingSocket, { CONNECTING, OPEN, CLOSING, CLOSED });
  return states as unknown as typeof WebSocket;
}
