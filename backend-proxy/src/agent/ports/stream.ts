/** `GET /ports/<port>` with `Upgrade: tcp`: one connection to what listens on a port of this node, joined byte by byte. */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HitchError, portSchema } from '@hitch/contract';
import type { UpgradeRoute } from '../http/server.ts';
import type { NodePorts } from './node-ports.ts';

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\n';
const CONNECT_WITHIN_MS = 5_000;

export function portUpgrade(ports: Pick<NodePorts, 'addressesOf'>): UpgradeRoute {
  return async (url, request, socket, head) => {
    const named = /^\/ports\/(\d+)$/.exec(url.pathname)?.[1];
    if (named === undefined) {
      return false;
    }
    const port = portSchema.safeParse(named);
    if (!port.success || request.headers.upgrade?.toLowerCase() !== 'tcp') {
      throw new HitchError('BAD_INPUT', 'Ask for a port from 1 to 65535, with “Upgrade: tcp”.');
    }
    const inner = await dial(ports.addressesOf(port.data), port.data);
    socket.write(SWITCHING);
    inner.write(head);
    join(socket, inner);
    return true;
  };
}

async function dial(addresses: readonly string[], port: number): Promise<Socket> {
  let cause: unknown;
  for (const host of addresses) {
    try {
      return await connected(host, port);
    } catch (error) {
      cause = error;
    }
  }
  throw new HitchError('UNREACHABLE', `What listens on port ${port.toString()} takes no connection.`, {
    next: 'Look at what the program prints.',
    cause,
  });
}

function connected(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.setTimeout(CONNECT_WITHIN_MS, () => socket.destroy(new Error('no answer in time')));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

function join(outer: Duplex, inner: Socket): void {
  outer.pipe(inner).pipe(outer);
  inner.once('error', () => outer.destroy());
  outer.once('error', () => inner.destroy());
  // What was sent last may still be on its way.
  inner.once('close', () => outer.end());
  outer.once('close', () => inner.destroySoon());
}
