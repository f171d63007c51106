import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKernelSocketClass, decodeMessage, encodeMessage, KERNEL_PROTOCOL_V1 } from '@hitch/contract';
import type { InnerSocket, KernelMessage } from '@hitch/contract';
import WebSocket from 'ws';
import type { AgentLink } from '../../src/access/agent-link.ts';
import { createRelay } from '../../src/access/relay.ts';
import type { Relay } from '../../src/access/relay.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { executeRequest, newId, until, whileItMoves } from './clients.ts';
import { startHub } from './hub-server.ts';
import type { HubServer } from './hub-server.ts';
import { pythonOrSkip, startJupyter } from './jupyter-server.ts';
import type { JupyterServer } from './jupyter-server.ts';
import { printing } from './one-kernel.ts';

/** The socket as JupyterLab would use it: stock v1 frames, nothing known of cursors. */
class Client {
  readonly session = newId();
  readonly messages: KernelMessage[] = [];
  readonly closes: unknown[] = [];
  readonly socket;

  constructor(KernelSocket: ReturnType<typeof createKernelSocketClass>, url: string) {
    this.socket = new KernelSocket(`${url}?session_id=${this.session}`, [KERNEL_PROTOCOL_V1]);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onmessage = ({ data }) => {
      assert.ok(data instanceof ArrayBuffer);
      this.messages.push(decodeMessage(new Uint8Array(data)));
    };
    this.socket.onclose = ({ code }) => this.closes.push(code);
  }

  async opened(): Promise<void> {
    await until('open', () => this.socket.readyState === 1);
    assert.equal(this.socket.protocol, KERNEL_PROTOCOL_V1);
  }

  execute(code: string): KernelMessage {
    const message = executeRequest(this.session, code);
    this.socket.send(encodeMessage(message).slice().buffer);
    return message;
  }

  about(request: KernelMessage): KernelMessage[] {
    return this.messages.filter(({ parentHeader }) => parentHeader.msg_id === request.header.msg_id);
  }

  text(request: KernelMessage): string {
    return this.about(request)
      .filter(({ header }) => header.msg_type === 'stream')
      .map(({ content }) => String(content['text']))
      .join('');
  }

  /** For as long as messages come. */
  awaits(what: string, check: () => boolean): Promise<boolean> {
    return whileItMoves(what, check, () => this.messages.length);
  }

  async done(request: KernelMessage): Promise<void> {
    await this.awaits('reply', () =>
      this.about(request).some(({ header }) => header.msg_type === 'execute_reply'),
    );
    await this.awaits('idle', () =>
      this.about(request).some(({ content }) => content['execution_state'] === 'idle'),
    );
  }
}

describe('the kernel socket through relay and hub to a real kernel', function () {
  this.timeout(300_000);
  let jupyter: JupyterServer;
  let server: HubServer;
  let daemon: Server;
  let relay: Relay;
  let link: AgentLink | null;
  let drop: AbortController;
  let url: string;
  const KernelSocket = createKernelSocketClass({
    connect: (where, protocols) =>
      new WebSocket(where, [...protocols], { perMessageDeflate: false }) as unknown as InnerSocket,
    setTimer: (run, ms) => systemClock.setTimer(run, ms),
    random: () => 0.5,
    newId,
    now: () => systemClock.now(),
  });

  const startDaemon = async (port: number): Promise<void> => {
    relay = createRelay({ linkFor: () => link, clock: systemClock, log: silentLog });
    daemon = createServer((_request, response) => response.writeHead(404).end());
    daemon.on('upgrade', (request, socket, head) => {
      relay.handleUpgrade(request, socket, head);
    });
    await new Promise<void>(resolve => daemon.listen(port, '127.0.0.1', resolve));
  };
  const raiseLink = (): void => {
    drop = new AbortController();
    link = { address: { host: '127.0.0.1', port: server.port }, token: 't', closed: drop.signal };
  };

  before(async function () {
    jupyter = await startJupyter(pythonOrSkip(this));
    server = await startHub(jupyter.upstream);
    const kernelId = await jupyter.startKernel();
    await server.hub.sync(await jupyter.kernels());
    raiseLink();
    await startDaemon(0);
    const { port } = daemon.address() as AddressInfo;
    url = `ws://127.0.0.1:${port.toString()}/clusters/c/jupyter/api/kernels/${kernelId}/channels`;
  });

  after(async () => {
    await (relay as Relay | undefined)?.close();
    (daemon as Server | undefined)?.closeAllConnections();
    (daemon as Server | undefined)?.close();
    await (server as HubServer | undefined)?.stop();
    await (jupyter as JupyterServer | undefined)?.stop();
  });

  it('shows every line once while the link drops, the daemon is replaced and the hub restarts', async () => {
    const client = new Client(KernelSocket, url);
    await client.opened();
    const request = client.execute(printing(120, 0.05));
    const reached = (n: number): Promise<boolean> =>
      until(`line ${n.toString()}`, () => client.text(request).includes(`line ${n.toString()}\n`));
    await reached(10);
    drop.abort();
    link = null;
    const queued = client.execute('print("sent while away")');
    await new Promise(resolve => setTimeout(resolve, 500));
    raiseLink();
    await reached(40);
    const { port } = daemon.address() as AddressInfo;
    await relay.close();
    daemon.closeAllConnections();
    await new Promise(resolve => daemon.close(resolve));
    await startDaemon(port);
    await reached(80);
    await server.restart();
    await client.done(request);
    assert.equal(
      client.text(request),
      Array.from({ length: 120 }, (_, n) => `line ${n.toString()}\n`).join(''),
    );
    await client.done(queued);
    assert.equal(client.text(queued), 'sent while away\n');
    const ids = client.messages.map(({ header }) => header.msg_id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(client.closes, []);
    client.socket.close();
    await until('closed', () => client.closes.length === 1);
  });

  it('loses nothing of 50 MB while the connection is cut again and again', async () => {
    const client = new Client(KernelSocket, url);
    await client.opened();
    const request = client.execute(
      'import sys\nfor n in range(500):\n    _ = sys.stdout.write(f"{n:06d}" + "x" * 99_993 + "\\n")\n    if n % 10 == 0: sys.stdout.flush()',
    );
    for (let round = 1; round <= 5; round++) {
      await client.awaits('some more of it', () => client.about(request).length >= round * 8);
      drop.abort();
      raiseLink();
    }
    await client.done(request);
    const lines = client.text(request).split('\n');
    assert.equal(lines.length, 501);
    assert.ok(
      lines.every((line, n) => n === 500 || (line.length === 99_999 && Number(line.slice(0, 6)) === n)),
    );
    client.socket.close();
  });
});
