/** The WebSocket of JupyterLab's kernels: a kernel of a cluster gets one that carries on, a local one the browser's. */
import { KernelSocketBase } from '@hitch/contract';
import { kernelSocketClass, type OpenSocket, type SocketOptions } from '../clusters/sockets.ts';
import type { Places } from './places.ts';

const KERNEL = /\/api\/kernels\/([^/?#]+)\/channels(\?.*)?$/;

export function routingSocket(
  places: Places,
  open: OpenSocket,
  options: Omit<SocketOptions, 'locate'> = {},
): typeof WebSocket {
  /** Asked before each attempt: the kernel's cluster stays, its address need not. */
  const locate = (url: string): string => {
    const [, id = '', query = ''] = KERNEL.exec(url) ?? [];
    const place = places.ownerOf(decodeURIComponent(id));
    if (place === null) {
      throw new Error('The cluster of this kernel is not known at the moment.');
    }
    return `${place.wsUrl}api/kernels/${id}/channels${query}`;
  };
  const Remote = kernelSocketClass(open, { ...options, locate });
  // A plain function may, called with `new`, give an object of another class.
  function RoutingSocket(url: string | URL, protocols: string | string[] = []): object {
    const text = String(url);
    const id = decodeURIComponent(KERNEL.exec(text)?.[1] ?? '');
    return places.ownerOf(id) === null
      ? open(text, typeof protocols === 'string' ? [protocols] : protocols)
      : new Remote(text, protocols);
  }
  const { CONNECTING, OPEN, CLOSING, CLOSED } = KernelSocketBase;
  const states = Object.assign(RoutingSocket, { CONNECTING, OPEN, CLOSING, CLOSED });
  return states as unknown as typeof WebSocket;
}
