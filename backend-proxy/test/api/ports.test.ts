/** Ports of a cluster in a browser: who is let in, and what goes each way. The programs are real servers, the machine is not. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Cluster, HitchError, type NodePort } from '@hitch/contract';
import WebSocket, { WebSocketServer } from 'ws';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { CODE_VALID_MS } from '../../src/access/ports/port-links.ts';
import { type Answer, type Ask, asking, bearer, json, refusalOf } from './asking.ts';
import { FakeAgent } from './fake-agent.ts';
import { serve, type Served, TOKEN } from './serve.ts';

const NAVIGATES = {
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'cross-site',
};

/** A program on the machine: says what it was asked, and answers what a test gives it. */
class Program {
  readonly asked: IncomingMessage[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    response.end('hello');
  readonly server: Server = createServer((request, response) => {
    this.asked.push(request);
    this.answer(request, response);
  });

  async listen(): Promise<number> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }
}

describe('the API: ports of a cluster in a browser', () => {
  let served: Served;
  let agent: FakeAgent;
  let cluster: Cluster;
  let program: Program;
  let port: number;
  const clock = new VirtualClock();

  beforeEach(async () => {
    served = await serve(0, clock);
    agent = new FakeAgent();
    cluster = served.clusters.add({ nodes: [] });
    served.clusters.links.set(cluster.id, agent.link);
    program = new Program();
    port = await program.listen();
    agent.ports.push({ port, process: 'python app.py', known: null });
  });

  afterEach(async () => {
    await served.close();
    await agent.close();
    program.server.closeAllConnections();
    program.server.close();
  });

  const ask = (question: Ask): Promise<Answer> => asking(served, question);

  const link = async (known: NodePort['known'] = null, path = '/') => {
    agent.ports.splice(0, 1, { port, process: 'x', known });
    return served.client.api.ports.link({ clusterId: cluster.id, port, path });
  };

  /** Opens it as a browser does. */
  async function opened(known: NodePort['known'] = null, dest = 'document') {
    const { host, pathname } = new URL((await link(known)).url);
    const headers = { host, ...NAVIGATES, 'sec-fetch-dest': dest };
    const entered = await ask({ path: pathname, headers });
    assert.equal(entered.status, 200, entered.body);
    const [set = ''] = entered.headers['set-cookie'] ?? [];
    return { host, set, cookie: set.split(';')[0] ?? '', code: pathname, page: entered.body };
  }

  it('turns a code into a cookie that no script reads, once, and leads on', async () => {
    const { host, set, code, page, cookie } = await opened();
    assert.match(host, new RegExp(`^${port}-llm-dev-[0-9a-f]{8}\\.localhost:${served.port}$`));
    assert.match(set, /^hitch-port=\S+; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.match(page, /http-equiv="refresh" content="0;url=\/"/);
    const again = await ask({ path: code, headers: { host, ...NAVIGATES } });
    assert.deepEqual([again.status, again.headers['set-cookie']], [401, undefined]);
    assert.match(again.body, /used before, or is too old/);
    assert.equal((await ask({ path: '/', headers: { host, cookie } })).body, 'hello');
  });

  it('begins where it was asked to', async () => {
    const { url, address } = await link(null, '/runs?tag=a&b=<c>#scalars');
    assert.equal(new URL(address).pathname, '/runs');
    const { host, pathname } = new URL(url);
    const { body } = await ask({ path: pathname, headers: { host } });
    assert.match(body, /content="0;url=\/runs\?tag=a&amp;b=&lt;c&gt;#scalars"/);
    await assert.rejects(link(null, '//evil.example/'), /must begin with one slash/);
  });

  it('takes a code of another port’s, a late one and one that a script brings for none', async () => {
    const one = new URL((await link()).url);
    const host = one.host.replace('llm-dev', 'other');
    assert.equal((await refusalOf(served, { path: one.pathname, headers: { host } })).status, 401);
    const scripted = { host: one.host, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
    const other = new URL((await link()).url);
    const path = other.pathname;
    assert.equal((await refusalOf(served, { path, headers: scripted })).code, 'FORBIDDEN_ORIGIN');
    clock.jump(CODE_VALID_MS);
    assert.equal((await refusalOf(served, { path, headers: { host: other.host } })).code, 'UNAUTHORIZED');
  });

  it('lets nobody in without the cookie of that very port, whatever else they have', async () => {
    const { host, cookie } = await opened();
    const elsewhere = host.replace(`${port}-`, `${port + 1}-`);
    const tries: Record<string, string>[] = [
      { host },
      { host, cookie: 'hitch-port=guess' },
      { host, ...bearer },
      { host: elsewhere, cookie },
      { host: host.replace(String(served.port), '1'), cookie },
    ];
    for (const headers of tries) {
      const { status } = await refusalOf(served, { path: '/', headers });
      assert.ok(status === 401 || status === 403, JSON.stringify(headers));
    }
    assert.equal(program.asked.length, 0);
  });

  it('answers only what the port’s own pages ask, or a person who types its address', async () => {
    const { host, cookie } = await opened();
    const from = async (headers: Record<string, string>): Promise<number> =>
      (await ask({ path: '/', headers: { host, cookie, ...headers } })).status;
    assert.equal(await from({ 'sec-fetch-site': 'same-origin', origin: `http://${host}` }), 200);
    assert.equal(await from({ 'sec-fetch-site': 'none' }), 200);
    const others = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: `http://127.0.0.1:${served.port}` },
      { origin: `http://localhost:${served.port}` },
      { origin: `http://${host.replace('llm-dev', 'other')}` },
      { origin: 'null' },
    ];
    for (const headers of others) {
      assert.equal(await from(headers), 403, JSON.stringify(headers));
    }
  });

  it('keeps a port’s pages out of the API, with its cookie and with a bearer', async () => {
    const { host, cookie } = await opened();
    for (const path of ['/api/clusters', '/challenge', '/approvals/apr_1']) {
      // Under the port's own host every path is the program's.
      assert.equal((await ask({ path, headers: { host, cookie } })).body, 'hello', path);
    }
    const own = { ...bearer, host: `127.0.0.1:${served.port}` };
    const asPage = await refusalOf(served, {
      path: '/api/clusters',
      headers: { ...own, origin: `http://${host}` },
    });
    assert.equal(asPage.code, 'FORBIDDEN_ORIGIN');
    const withCookie = await refusalOf(served, {
      path: '/api/clusters',
      headers: { host: own.host, cookie },
    });
    assert.equal(withCookie.code, 'UNAUTHORIZED');
  });

  it('sends the program no word of ours: no cookie, bearer, host or origin', async () => {
    const { host, cookie } = await opened();
    const answer = await ask({
      path: '/a?b=c',
      method: 'POST',
      body: 'what',
      headers: {
        host,
        cookie: `one=1; ${cookie}; two=2`,
        origin: `http://${host}`,
        referer: `http://${host}/page?x`,
        connection: 'close, x-mine',
        'x-mine': 'hop',
        'x-hitch-client': 'page',
        'x-forwarded-for': '10.0.0.1',
        'content-length': '4',
      },
    });
    assert.equal(answer.status, 200);
    const { headers, method, url } = program.asked.at(-1) ?? assert.fail('nothing was asked');
    assert.deepEqual([method, url], ['POST', '/a?b=c']);
    assert.deepEqual(
      { ...headers, connection: '' },
      {
        host: `localhost:${port}`,
        origin: `http://localhost:${port}`,
        referer: `http://localhost:${port}/page?x`,
        cookie: 'one=1; two=2',
        'content-length': '4',
        'x-forwarded-host': host,
        'x-forwarded-proto': 'http',
        connection: '',
      },
    );
  });

  it('sends no bearer of Hitch on', async () => {
    const { host, cookie } = await opened();
    const refused = await refusalOf(served, { path: '/', headers: { host, cookie, ...bearer } });
    assert.equal(refused.code, 'FORBIDDEN_ORIGIN');
    assert.equal(
      (await ask({ path: '/', headers: { host, cookie, authorization: 'Basic YTpi' } })).status,
      200,
    );
    assert.deepEqual(
      program.asked.map(({ headers }) => headers.authorization),
      ['Basic YTpi'],
    );
  });

  it('keeps the program’s cookies to its own host, leaves ours alone, and leads redirects to it', async () => {
    const { host, cookie } = await opened();
    program.answer = (_, response) => {
      response.writeHead(302, {
        location: `http://127.0.0.1:${port}/next?q#f`,
        'set-cookie': ['a=1; Domain=localhost; Path=/x; HttpOnly', 'hitch-port=stolen; Path=/', 'b=2'],
        'keep-alive': 'timeout=5',
        'content-security-policy': "script-src 'self'",
      });
      response.end();
    };
    const { headers, status } = await ask({ path: '/', headers: { host, cookie } });
    assert.equal(status, 302);
    assert.equal(headers['location'], `http://${host}/next?q#f`);
    assert.deepEqual(headers['set-cookie'], ['a=1; Path=/x; HttpOnly', 'b=2']);
    assert.equal(headers['content-security-policy'], "script-src 'self', frame-ancestors 'self'");
  });

  it('leaves no program of a machine in the browser', async () => {
    const { host, cookie } = await opened();
    const { code } = await refusalOf(served, {
      path: '/sw.js',
      headers: { host, cookie, 'service-worker': 'script' },
    });
    assert.equal(code, 'FORBIDDEN_ORIGIN');
    assert.equal(program.asked.length, 0);
  });

  it('may be shown in the editor’s own browser, which is a frame', async () => {
    const { host, set, cookie } = await opened(null, 'iframe');
    assert.match(set, /^hitch-port-framed=\S+; Path=\/; HttpOnly; Secure; SameSite=None; Partitioned$/);
    const { headers, body } = await ask({
      path: '/',
      headers: { host, cookie, 'sec-fetch-site': 'same-origin' },
    });
    assert.deepEqual([body, headers['content-security-policy']], ['hello', undefined]);
    assert.equal(
      (await ask({ path: '/', headers: { host, cookie, 'sec-fetch-site': 'cross-site' } })).status,
      403,
    );
  });

  it('gives Ray’s dashboard its token, and none of what it takes a browser by', async () => {
    const { host, cookie } = await opened('ray');
    const browser = {
      'user-agent': 'Mozilla/5.0',
      origin: `http://${host}`,
      'sec-fetch-site': 'same-origin',
    };
    await ask({ path: '/api/jobs/', headers: { host, cookie, ...browser, 'sec-fetch-mode': 'cors' } });
    const { headers } = program.asked.at(-1) ?? assert.fail('nothing was asked');
    assert.equal(headers.authorization, 'Bearer token-of-ray');
    assert.equal(headers['user-agent'], 'hitch');
    assert.deepEqual(
      Object.keys(headers).filter(name => /^(?:origin|sec-)/.test(name)),
      [],
    );
  });

  it('joins WebSockets of the port’s own pages alone', async () => {
    const echo = new WebSocketServer({ server: program.server });
    echo.on('connection', socket =>
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    const { host, cookie } = await opened();
    const socketTo = (headers: Record<string, string>): WebSocket =>
      new WebSocket(`ws://127.0.0.1:${served.port}/echo`, { headers: { host, ...headers } });
    const socket = socketTo({ cookie, origin: `http://${host}` });
    const heard = new Promise<string>((resolve, reject) => {
      socket.once('message', data => resolve(Buffer.isBuffer(data) ? data.toString() : ''));
      socket.once('error', reject);
    });
    socket.once('open', () => socket.send('there and back'));
    assert.equal(await heard, 'there and back');
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()));
    socket.close();
    await closed;

    for (const headers of [{}, { cookie, origin: `http://127.0.0.1:${served.port}` }]) {
      const refused = socketTo(headers);
      const error = await new Promise<Error>(resolve => refused.once('error', resolve));
      assert.match(error.message, /Unexpected server response: 40[13]/);
    }
    echo.close();
  });

  it('asks again over another connection when the program has closed the one that was kept', async () => {
    const { host, cookie } = await opened();
    const get = async (): Promise<string> => (await ask({ path: '/', headers: { host, cookie } })).body;
    assert.equal(await get(), 'hello');
    program.server.closeAllConnections();
    assert.equal(await get(), 'hello');
  });

  it('says in a page what is wrong when a person looks at a port that nothing answers on', async () => {
    const { host, cookie } = await opened();
    program.server.closeAllConnections();
    await new Promise(resolve => program.server.close(resolve));
    const headers = { host, cookie, 'sec-fetch-mode': 'navigate' };
    const { status, body } = await ask({ path: '/', headers });
    assert.equal(status, 503);
    assert.match(body, /<p>What listens on port \d+ takes no connection\.<\/p>/);
  });

  it('leads nowhere once another machine stands in the place of the one that was opened', async () => {
    const { host, cookie } = await opened();
    const other = new FakeAgent();
    try {
      served.clusters.links.set(cluster.id, { ...other.link, token: 'of-another-machine' });
      const { code, message } = await refusalOf(served, { path: '/', headers: { host, cookie } });
      assert.deepEqual([code, message], ['NOT_FOUND', 'The machine that this was opened on is gone.']);
      assert.equal(program.asked.length, 0);
    } finally {
      await other.close();
    }
  });

  it('gives no address of a port that no program of the cluster listens on', async () => {
    await assert.rejects(
      served.client.api.ports.link({ clusterId: cluster.id, port: 22 }),
      (error: unknown) =>
        error instanceof HitchError && error.code === 'NOT_FOUND' && /port 22\./.test(error.message),
    );
  });

  it('lists ports for whoever has a bearer, and an agent that is too old says nothing of any', async () => {
    const node = { index: 0 } as Cluster['nodes'][number];
    served.clusters.clusters.set(cluster.id, { ...cluster, nodes: [node] });
    const path = `/api/clusters/${cluster.id}/ports`;
    assert.equal((await refusalOf(served, { path })).code, 'UNAUTHORIZED');
    const { body } = await ask({ path, headers: json });
    assert.deepEqual(JSON.parse(body), {
      ports: [{ port, process: 'python app.py', known: null, nodeIndex: 0 }],
      missing: [],
    });
    assert.ok(!body.includes(TOKEN));
  });
});
