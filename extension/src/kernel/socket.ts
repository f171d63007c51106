/**
 * The `WebSocket` that Jupyter uses for a cluster: the `ws` package's class to its caller (it is subclassed, listened to
 * with `on`, pinged and its `emit` replaced), with the relay's cursor inside. A drop, a daemon that starts anew and a
 * changed token are not seen from outside; no message is lost or comes twice.
 */
import { randomUUID } from 'node:crypto';
import type { KernelSocketClass } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { createKernelSocketClass } from '@hitch/contract/src/kernel-socket.ts';
import { connectInner } from '@hitch/client-node/src/inner-socket.ts';
import type { FoundDaemon } from '@hitch/client-node/src/find.ts';

export interface KernelSocketOptions {
  readonly isOurs: (url: string) => boolean;
  /** What is known without waiting. */
  readonly last: () => FoundDaemon | null;
  /** The connection broke: look for the daemon again, so that the next attempt knows better. */
  readonly lost: () => void;
  readonly setTimer: (run: () => void, ms: number) => { cancel(): void };
  readonly now: () => number;
  readonly random: () => number;
}

interface Headed {
  readonly headers: Readonly<Record<string, string>>;
}
const isHeaded = (options: unknown): options is Headed =>
  typeof options === 'object' &&
  options !== null &&
  'headers' in options &&
  typeof options.headers === 'object' &&
  options.headers !== null;

const headersOf = (options: unknown): Record<string, string> =>
  isHeaded(options) ? { ...options.headers } : {};

export function createKernelSocket(options: KernelSocketOptions): KernelSocketClass {
  const Socket = createKernelSocketClass({
    connect: connectInner,
    setTimer: options.setTimer,
    random: options.random,
    newId: randomUUID,
    now: options.now,
    locate: (url, given) => {
      if (!options.isOurs(url)) {
        return { url, options: { headers: headersOf(given) } };
      }
      const daemon = options.last();
      if (daemon === null) {
        throw new HitchError('UNREACHABLE', 'Hitch’s daemon is not running.');
      }
      const { pathname, searchParams } = new URL(url);
      searchParams.delete('token');
      const query = searchParams.size === 0 ? '' : `?${searchParams.toString()}`;
      return {
        url: `${daemon.baseUrl.replace(/^http/, 'ws')}${pathname}${query}`,
        options: { headers: { ...headersOf(given), authorization: `Bearer ${daemon.token}` } },
      };
    },
    onStatus: ({ connected }) => {
      if (!connected) {
        options.lost();
      }
    },
  });
  // Some callers leave the protocols out and give the options in their place.
  return class KernelSocket extends Socket {
    constructor(url: string | URL, protocols?: string | readonly string[], given?: unknown) {
      const swapped = typeof protocols === 'object' && !Array.isArray(protocols);
      super(url, swapped ? undefined : protocols, swapped ? protocols : given);
    }
  };
}
