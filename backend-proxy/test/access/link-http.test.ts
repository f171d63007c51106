/** HTTP over a link, against a server on a local socket that behaves as agents and dying agents do. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { AgentLink } from '../../src/access/agent-link.ts';
import { dump, type LinkRequest, sendOverLink } from '../../src/access/link-http.ts';

const TIMES = { answerWithinMs: 10_000, silenceMs: 10_000 };
const get: LinkRequest = { method: 'GET', path: '/', ...TIMES };

describe('HTTP over a link', () => {
  let folder: string;
  let server: Server;
  let sockets: Socket[];
  let link: AgentLink;
  let closing: AbortController;
  let answer: RequestListener;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-link-'));
    const socketPath = process.platform === 'win32' ? `\\\\.\\pipe\\${folder}` : join(folder, 's');
    sockets = [];
    answer = (_, response) => void response.end('hello');
    server = createServer((request, response) => answer(request, response));
    server.on('connection', socket => sockets.push(socket));
    await new Promise<void>(resolve => server.listen(socketPath, resolve));
    closing = new AbortController();
    link = { address: { socketPath }, token: 'secret', closed: closing.signal };
  });

  afterEach(async () => {
    closing.abort();
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  it('sends the bearer of the link, the body and its length', async () => {
    answer = (request, response) => {
      const { authorization, 'content-length': length } = request.headers;
      void text(request).then(body => response.end(JSON.stringify([authorization, length, body])));
    };
    const { statusCode, body } = await sendOverLink(link, { ...get, method: 'POST', body: 'é' });
    assert.equal(statusCode, 200);
    assert.deepEqual(JSON.parse(await text(body)), ['Bearer secret', '2', 'é']);
  });

  it('streams a body of unknown length', async () => {
    answer = (request, response) => void request.pipe(response);
    const { body } = await sendOverLink(link, {
      ...get,
      method: 'PUT',
      body: Readable.from([Buffer.from('one '), Buffer.from('two')]),
    });
    assert.equal(await text(body), 'one two');
  });

  it('uses a connection again once its answer was read or dropped', async () => {
    await dump((await sendOverLink(link, get)).body);
    assert.equal(await text((await sendOverLink(link, get)).body), 'hello');
    assert.equal(sockets.length, 1);
  });

  it('asks again when the kept connection was closed in the moment it was used', async () => {
    await dump((await sendOverLink(link, get)).body);
    let asked = 0;
    answer = (request, response) => {
      asked++;
      if (asked === 1) {
        request.socket.destroy();
      } else {
        response.end('again');
      }
    };
    assert.equal(await text((await sendOverLink(link, get)).body), 'again');
  });

  it('does not send twice what may have changed something', async () => {
    await dump((await sendOverLink(link, get)).body);
    let asked = 0;
    answer = request => {
      asked++;
      request.socket.destroy();
    };
    await assert.rejects(sendOverLink(link, { ...get, method: 'POST', body: '{}' }), { code: 'ECONNRESET' });
    assert.equal(asked, 1);
  });

  it('rejects when the answer takes too long to begin', async () => {
    answer = () => undefined;
    await assert.rejects(sendOverLink(link, { ...get, answerWithinMs: 20 }), /no answer in time/);
  });

  it('ends an answer that falls silent', async () => {
    answer = (_, response) => void response.write('half');
    const { body } = await sendOverLink(link, { ...get, silenceMs: 20 });
    await assert.rejects(text(body), /went silent/);
  });

  it('ends a request with its signal', async () => {
    const gone = new AbortController();
    answer = () => gone.abort();
    await assert.rejects(sendOverLink(link, { ...get, signal: gone.signal }), { name: 'AbortError' });
  });

  it('ends requests under way when the link is closed, and takes no more', async () => {
    answer = (_, response) => void response.write('half');
    const { body } = await sendOverLink(link, get);
    closing.abort();
    await assert.rejects(text(body), { code: 'ECONNRESET' });
    await assert.rejects(sendOverLink(link, get), { name: 'AbortError' });
  });

  it('rejects when nobody listens', async () => {
    const nobody = { ...link, address: { socketPath: join(folder, 'nobody') } };
    await assert.rejects(sendOverLink(nobody, get), { code: /ENOENT|ECONNREFUSED/ });
  });
});
