import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TransportError } from '../../../src/providers/http/transport.ts';
import { withoutProxy } from '@hitch/platform/src/without-proxy.ts';
import { WebTransport } from '../../../src/providers/http/web-transport.ts';

const { signal } = new AbortController();

describe('the transport to networks', () => {
  let server: Server;
  let url: string;
  const transport = new WebTransport();
  const heard: string[] = [];

  before(async () => {
    server = createServer((request, response) => {
      heard.push(`${request.method ?? ''} ${request.url ?? ''}`);
      if (request.url === '/moved') {
        response.writeHead(302, { location: '/there' }).end();
      } else if (request.url === '/broken') {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half', () => response.destroy());
      } else if (request.url?.startsWith('/silent') === true) {
        // Never answered.
      } else {
        request.setEncoding('utf8');
        let body = '';
        request.on('data', (piece: string) => (body += piece));
        request.on('end', () => response.writeHead(418, { 'x-name': 'one' }).end(`got ${body} é`));
      }
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`;
  });

  after(async () => {
    server.closeAllConnections();
    server.close();
    await transport.close();
  });

  const get = (path: string, given: AbortSignal = signal) =>
    transport.send({ method: 'GET', url: url + path, headers: {}, body: null }, given);

  it('sends a request and gives the whole answer back', async () => {
    const { status, headers, text } = await transport.send(
      { method: 'PUT', url: `${url}/x?a=1`, headers: { 'x-a': 'b' }, body: 'ü' },
      signal,
    );
    assert.deepEqual([status, headers['x-name'], text], [418, 'one', 'got ü é']);
    assert.ok(heard.includes('PUT /x?a=1'));
  });

  it('follows no redirect', async () => {
    assert.equal((await get('/moved')).status, 302);
    assert.equal(heard.includes('GET /there'), false);
  });

  it('knows what may have arrived from what certainly has not', async () => {
    const arrived = (error: unknown) => error instanceof TransportError && error.mayHaveArrived;
    await assert.rejects(get('/broken'), arrived);
    await assert.rejects(
      transport.send({ method: 'GET', url: 'http://127.0.0.1:1/', headers: {}, body: null }, signal),
      (error: unknown) => error instanceof TransportError && !error.mayHaveArrived,
    );
  });

  it('ends with its signal', async () => {
    const given = new AbortController();
    const answer = get('/silent', given.signal);
    const ended = assert.rejects(
      answer,
      (error: unknown) => error instanceof TransportError && error.mayHaveArrived,
    );
    while (!heard.includes('GET /silent')) {
      await new Promise(resolve => setImmediate(resolve));
    }
    given.abort();
    await ended;
    await assert.rejects(get('/silent', given.signal), /given up before it was made/);
  });

  it('asks no proxy for this computer, whatever the environment says of others', async () => {
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(502).end();
    });
    proxy.on('connect', (request, socket) => {
      seen.push(request.url ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const names = ['HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy'];
    const before = names.map(name => [name, process.env[name]] as const);
    const set = (name: string, value: string | undefined): void => {
      if (value === undefined) {
        Reflect.deleteProperty(process.env, name);
      } else {
        process.env[name] = value;
      }
    };
    const own = new WebTransport();
    try {
      before.forEach(([name]) => set(name, undefined));
      set('HTTP_PROXY', `http://127.0.0.1:${port.toString()}`);
      for (const named of [undefined, '.corp.example']) {
        set('NO_PROXY', named);
        const { status } = await own.send(
          { method: 'GET', url: `${url}/here`, headers: {}, body: null },
          signal,
        );
        assert.equal(status, 418);
      }
      assert.deepEqual(seen, []);
      const elsewhere = { method: 'GET', url: 'http://elsewhere.example/', headers: {}, body: null } as const;
      await assert.rejects(own.send(elsewhere, signal));
      assert.deepEqual(seen, ['elsewhere.example:80'], 'others are asked for there');
    } finally {
      before.forEach(([name, value]) => set(name, value));
      await own.close();
      proxy.closeAllConnections();
      proxy.close();
    }
    assert.equal(withoutProxy({ NO_PROXY: '*' }), '*');
    assert.equal(withoutProxy({ NO_PROXY: ' .corp.example ' }), '.corp.example,localhost,127.0.0.1,[::1]');
  });

  it('closes while a network hangs: what has no answer may have arrived', async () => {
    const own = new WebTransport();
    const answer = own.send({ method: 'GET', url: `${url}/silent?hangs`, headers: {}, body: null }, signal);
    const ended = assert.rejects(
      answer,
      (error: unknown) => error instanceof TransportError && error.mayHaveArrived,
    );
    while (!heard.includes('GET /silent?hangs')) {
      await new Promise(resolve => setImmediate(resolve));
    }
    await own.close();
    await ended;
  });
});
