/** A hub behind a bare HTTP server, as the agent puts it behind its own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Duplex } from 'node:stream';
import { join } from 'node:path';
import { KernelHub, type KernelHubOptions } from '../../src/agent/kernels/hub.ts';
import type { Upstream } from '../../src/agent/http/upstream.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { newId } from './clients.ts';

export interface HubServer {
  hub: KernelHub;
  readonly folder: string;
  readonly port: number;
  url(kernelId: string): (query: string) => string;
  /** Ends the hub as a killed agent would leave it, and starts another on the same files. */
  restart(): Promise<void>;
  /** What waits in this process to be sent to clients. */
  bufferedBytes(): number;
  stop(): Promise<void>;
}

export async function startHub(
  upstream: Upstream,
  changedLimits: Partial<KernelHubOptions['limits']> = {},
): Promise<HubServer> {
  const limits = {
    maxBytesPerKernel: 256 * 1024 * 1024,
    maxBytesEnded: 1024 * 1024 * 1024,
    maxAgeMs: 7 * 24 * 3_600_000,
    ...changedLimits,
  };
  const folder = await mkdtemp(join(tmpdir(), 'hitch-hub-'));
  const makeHub = (): KernelHub =>
    new KernelHub({
      folder,
      upstream,
      limits,
      clock: systemClock,
      log: silentLog,
      newId,
      changed: () => undefined,
    });
  const server = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const kernelId = /^\/kernels\/([^/]+)\/channels/.exec(request.url ?? '')?.[1] ?? '';
    void running.hub.handleUpgrade(request, socket, head, kernelId);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const running: HubServer = {
    hub: makeHub(),
    folder,
    port,
    url: kernelId => query => `ws://127.0.0.1:${port.toString()}/kernels/${kernelId}/channels?${query}`,
    restart: async () => {
      await running.hub.close();
      running.hub = makeHub();
    },
    bufferedBytes: () => [...sockets].reduce((sum, socket) => sum + socket.writableLength, 0),
    stop: async () => {
      await running.hub.close();
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return running;
}
