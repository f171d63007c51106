import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, RequestListener, Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { errorEnvelopeSchema } from '@hitch/contract';
import WebSocket, { WebSocketServer } from 'ws';
import type { AgentLink } from '../../src/access/agent-link.ts';
import { createRelay } from '../../src/access/relay.ts';
import type { Relay } from '../../src/access/relay.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { until } from './clients.ts';

const CLUSTER = 'clu_1';

describe("the daemon's relay", () => {
  let folder: string;
  let agent: Server;
  let answer: RequestListener;
  let agentSockets: WebSocketServer;
  let agentStream: Duplex | undefined;
  let seenHeaders: IncomingHttpHeaders;
  let seenUrl: string;
  let daemon: Server;
  let relay: Relay;
  let base: string;
  let link: AgentLink | null;
  let drop: AbortController;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hitch-relay-'));
    const socketPath = join(folder, 'a');
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': 'a=b', location: '/evil' });
      response.end('[{"id":"k"}]');
    };
    agent = createServer((request, response) => {
      seenHeaders = request.headers;
      seenUrl = request.url ?? '';
      answer(request, response);
    });
    agentSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    agent.on('upgrade', (request, socket, head) => {
      agentStream = socket;
      seenHeaders = request.headers;
      seenUrl = request.url ?? '';
      if (seenUrl.includes('missing')) {
        socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        return;
      }
      agentSockets.handleUpgrade(request, socket, head, opened => agentSockets.emit('connection', opened));
    });
    await new Promise<void>(resolve => agent.listen(socketPath, resolve));
    drop = new AbortController();
    link = { address: { socketPath }, token: 'agent-secret', closed: drop.signal };
    relay = createRelay({
      linkFor: id => (id === CLUSTER ? link : null),
      clock: systemClock,
      log: silentLog,
    });
    daemon = createServer((request, response) => {
      if (!relay.handleRequest(request, response)) {
        response.writeHead(404).end('not the relay');
      }
    });
    daemon.on('upgrade', (request, socket, head) => {
      if (!relay.handleUpgrade(request, socket, head)) {
        socket.destroy();
      }
    });
    await new Promise<void>(resolve => daemon.listen(0, '127.0.0.1', resolve));
    base = `127.0.0.1:${(daemon.address() as AddressInfo).port.toString()}/clusters/${CLUSTER}`;
  });

  afterEach(async () => {
    await relay.close();
    for (const socket of agentSockets.clients) {
      socket.terminate();
    }
    for (const server of [daemon, agent]) {
      server.closeAllConnections();
      server.close();
    }
    await rm(folder, { recursive: true, force: true });
  });

  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://${base}${path}`, init);
  const envelope = async (response: Response) => errorEnvelopeSchema.parse(await response.json());
  const connect = async (path: string, protocols: string[] = ['v1']): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://${base}${path}`, protocols, {
      headers: { cookie: 'c=1', origin: 'http://x', authorization: 'Bearer user' },
    });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return socket;
  };
  const closeOf = (socket: WebSocket): Promise<number> =>
    new Promise(resolve => socket.once('close', resolve));

  it("passes JSON on with the agent's bearer and without the client's cookies, token and origin", async () => {
    const response = await get('/jupyter/api/kernels?x=1', {
      headers: { cookie: 'c=1', authorization: 'Bearer user', 'x-xsrftoken': 'x' },
    });
    assert.deepEqual(await response.json(), [{ id: 'k' }]);
    assert.equal(seenUrl, '/jupyter/api/kernels?x=1');
    assert.equal(seenHeaders.authorization, 'Bearer agent-secret');
    for (const name of ['cookie', 'origin', 'referer', 'x-xsrftoken']) {
      assert.equal(seenHeaders[name], undefined, name);
    }
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(response.headers.get('content-security-policy'), 'sandbox');
    assert.equal(response.headers.get('set-cookie'), null);
    assert.equal(response.headers.get('location'), null);
  });

  it('sends a JSON body on, and an empty answer back', async () => {
    let body = '';
    answer = (request, response) => {
      request.on('data', (data: Buffer) => (body += data.toString()));
      request.on('end', () => response.writeHead(204).end());
    };
    const response = await get('/jupyter/api/sessions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    });
    assert.equal(response.status, 204);
    assert.equal(body, '{"a":1}');
  });

  it('passes an error of Jupyter Server on as it is', async () => {
    answer = (_request, response) =>
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"message":"Kernel does not exist"}');
    const response = await get('/jupyter/api/kernels/abc');
    assert.equal(response.status, 404);
    assert.deepEqual(await response.json(), { message: 'Kernel does not exist' });
  });

  for (const type of ['text/html', 'application/javascript', 'image/svg+xml', 'application/json-evil', '']) {
    it(`refuses an answer of type "${type}" from a cluster`, async () => {
      answer = (_request, response) =>
        response.writeHead(200, type === '' ? {} : { 'content-type': type }).end('<script>alert(1)</script>');
      const response = await get('/jupyter/api/contents/page.html');
      assert.equal(response.status, 415);
      const body = await response.text();
      assert.ok(!body.includes('<script>'));
      assert.equal(errorEnvelopeSchema.parse(JSON.parse(body)).code, 'BAD_INPUT');
      assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
      assert.equal(response.headers.get('content-security-policy'), 'sandbox');
    });
  }

  it('refuses redirects, and requests whose body is not JSON', async () => {
    answer = (_request, response) => response.writeHead(302, { location: '/login' }).end();
    assert.equal((await get('/jupyter/api/kernels', { redirect: 'manual' })).status, 415);
    const form = await get('/jupyter/api/kernels', { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
    assert.equal(form.status, 415);
  });

  for (const path of [
    '/jupyter/api/terminals',
    '/jupyter/files/a.html',
    '/jupyter/api/kernels/../../files/a.html',
    '/jupyter/api/contents/%2e%2e/%2e%2e/lab',
    '/jupyter/api/kernelsx',
  ]) {
    it(`leaves ${path} alone`, async () => {
      // fetch would tidy the path by itself.
      const [host = '', ...rest] = base.split('/');
      const [name = '', port = ''] = host.split(':');
      const response = await new Promise<string>(resolve => {
        request({ host: name, port, path: `/${rest.join('/')}${path}` }, reply => {
          let text = '';
          reply.on('data', (data: Buffer) => (text += data.toString()));
          reply.on('end', () => {
            resolve(text);
          });
        }).end();
      });
      assert.equal(response, 'not the relay');
    });
  }

  it('answers 503 with the envelope when there is no link, no agent, or a 502 behind it', async () => {
    answer = (_request, response) => response.writeHead(502).end('bad gateway');
    assert.equal((await envelope(await get('/jupyter/api/kernels'))).code, 'UNREACHABLE');
    answer = (_request, response) =>
      response.writeHead(401, { 'content-type': 'application/json' }).end('{}');
    assert.equal((await get('/jupyter/api/kernels')).status, 503);
    answer = request => request.socket.destroy();
    assert.equal((await get('/jupyter/api/kernels')).status, 503);
    link = { address: { socketPath: join(folder, 'nobody') }, token: '', closed: drop.signal };
    const absent = await get('/jupyter/api/kernels');
    assert.equal(absent.status, 503);
    assert.equal((await envelope(absent)).retryable, true);
    link = null;
    assert.equal((await get('/jupyter/api/kernels')).status, 503);
  });

  it('joins sockets with their protocol, query and kinds of message', async () => {
    agentSockets.on('connection', (socket: WebSocket) => {
      socket.on('message', (data, isBinary) => {
        socket.send(data, { binary: isBinary });
      });
    });
    const client = await connect('/jupyter/api/kernels/k1/channels?session_id=s&cursor=e:7&token=secret', [
      'a',
      'b',
    ]);
    assert.equal(seenUrl, '/kernels/k1/channels?session_id=s&cursor=e%3A7');
    assert.equal(seenHeaders.authorization, 'Bearer agent-secret');
    assert.equal(seenHeaders.cookie, undefined);
    assert.equal(seenHeaders.origin, undefined);
    assert.equal(client.protocol, 'a');
    const echoes: [string, boolean][] = [];
    client.on('message', (data, isBinary) => echoes.push([(data as Buffer).toString(), isBinary]));
    client.send('text');
    client.send(Buffer.from('bytes'));
    await until('echoes', () => echoes.length === 2);
    assert.deepEqual(echoes, [
      ['text', false],
      ['bytes', true],
    ]);
    client.close(4001);
    const [atAgent] = agentSockets.clients;
    assert.ok(atAgent);
    assert.equal(await closeOf(atAgent), 4001);
    await until('the pair is forgotten', () => relay.openSockets === 0);
  });

  it('passes terminal sockets', async () => {
    const client = await connect('/terminals/1/socket', []);
    assert.equal(seenUrl, '/terminals/1/socket');
    client.terminate();
  });

  it('closes a socket with 1012 when the link drops, and when the agent dies', async () => {
    const first = await connect('/jupyter/api/kernels/k1/channels');
    const closed = closeOf(first);
    drop.abort();
    assert.equal(await closed, 1012);
    drop = new AbortController();
    link = { address: { socketPath: join(folder, 'a') }, token: 't', closed: drop.signal };
    const second = await connect('/jupyter/api/kernels/k1/channels');
    for (const socket of agentSockets.clients) {
      socket.terminate();
    }
    assert.equal(await closeOf(second), 1012);
  });

  it('closes sockets with 1012 when the daemon goes down, and passes on what the agent says on purpose', async () => {
    const first = await connect('/jupyter/api/kernels/k1/channels');
    for (const socket of agentSockets.clients) {
      socket.close(4404, 'gone');
    }
    assert.equal(await closeOf(first), 4404);
    const second = await connect('/jupyter/api/kernels/k1/channels');
    const closed = closeOf(second);
    await relay.close();
    assert.equal(await closed, 1012);
  });

  it('breaks a socket off, and puts nothing in, when the agent dies in the middle of a frame', async () => {
    const client = await connect('/jupyter/api/kernels/k1/channels');
    const received: string[] = [];
    client.on('message', data => received.push((data as Buffer).toString()));
    const stream = await until('the stream at the agent', () => agentStream);
    stream.write(Buffer.concat([Buffer.of(0x81, 5), Buffer.from('whole')]));
    await until('the first message', () => received.length === 1);
    stream.write(Buffer.concat([Buffer.of(0x82, 126, 1, 0), Buffer.alloc(100)]));
    await until('half a frame on its way', () => stream.writableLength === 0);
    const closed = closeOf(client);
    stream.end();
    assert.equal(await closed, 1006);
    assert.deepEqual(received, ['whole']);
    await until('the pair is forgotten', () => relay.openSockets === 0);
  });

  it('lets the agent’s pings through to the client, and asks it for nothing that the agent would not', async () => {
    const client = await connect('/jupyter/api/kernels/k1/channels');
    const [atAgent] = agentSockets.clients;
    assert.ok(atAgent);
    const answered = new Promise(resolve => atAgent.once('pong', resolve));
    const pinged = new Promise(resolve => client.once('ping', resolve));
    atAgent.ping('are you there');
    assert.equal(String(await pinged), 'are you there');
    assert.equal(String(await answered), 'are you there');
    assert.equal(client.extensions, '');
    assert.equal(seenHeaders['sec-websocket-extensions'], undefined);
  });

  it('refuses an upgrade with 503 where nobody is reached, and 404 where the agent says so', async () => {
    const status = (path: string): Promise<number | undefined> =>
      new Promise(resolve => {
        const socket = new WebSocket(`ws://${base}${path}`);
        socket.on('error', () => undefined);
        socket.on('unexpected-response', (request, response) => {
          request.destroy();
          resolve(response.statusCode);
        });
      });
    assert.equal(await status('/jupyter/api/kernels/missing/channels'), 404);
    link = { address: { socketPath: join(folder, 'nobody') }, token: '', closed: drop.signal };
    assert.equal(await status('/jupyter/api/kernels/k/channels'), 503);
    link = null;
    assert.equal(await status('/jupyter/api/kernels/k/channels'), 503);
  });

  it('does not read from an agent what a client does not take', async () => {
    const piece = Buffer.alloc(1024 * 1024);
    let atAgent: WebSocket | undefined;
    agentSockets.on('connection', (socket: WebSocket) => (atAgent = socket));
    const client = await connect('/jupyter/api/kernels/k1/channels');
    client.pause();
    const sender = await until('the agent side', () => atAgent);
    for (let count = 0; count < 64; count++) {
      sender.send(piece);
    }
    await new Promise(resolve => setTimeout(resolve, 500));
    // What the relay does not read stays at the agent: at least half, with generous room for buffers on the way.
    assert.ok(
      sender.bufferedAmount > 32 * piece.length,
      `only ${sender.bufferedAmount.toString()} held back`,
    );
    let received = 0;
    client.on('message', data => (received += (data as Buffer).length));
    client.resume();
    await until('the rest', () => received === 64 * piece.length);
  });
});
