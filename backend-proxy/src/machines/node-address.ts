/** The address at which the nodes on this computer reach each other. */
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { blockOf } from './port-blocks.ts';

/**
 * A loopback address of the node's own, `127.77.0.n`, wherever the system has the whole of 127/8 (Linux, Windows):
 * it needs no network, survives a change of network, and Ray takes it as it is. Ray replaces 127.0.0.1 by the
 * computer's primary address, so where 127.77.0.n cannot be had (macOS) that one is taken from the start; without any
 * network Ray keeps 127.0.0.1.
 */
export async function nodeAddressFor(
  portBase: number,
  system: { canBind: (address: string) => Promise<boolean>; interfaces: typeof networkInterfaces } = {
    canBind,
    interfaces: networkInterfaces,
  },
): Promise<string> {
  const own = `127.77.0.${(blockOf(portBase) + 1).toString()}`;
  if (await system.canBind(own)) {
    return own;
  }
  const external = Object.values(system.interfaces())
    .flat()
    .find(address => address?.family === 'IPv4' && !address.internal);
  return external?.address ?? '127.0.0.1';
}

function canBind(host: string): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port: 0, host }, () => server.close(() => resolve(true)));
  });
}
