/** What a request may not have, and how slow a client may be. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { errorEnvelopeSchema, type ErrorEnvelope } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { serve, type Served, TOKEN } from './serve.ts';

describe('a request to the API', () => {
  let served: Served;

  beforeEach(async () => {
    served = await serve();
  });

  afterEach(() => served.close());

  async function refusal(path: string, body?: string): Promise<ErrorEnvelope> {
    const answer = await fetch(`${served.baseUrl}${path}`, {
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    assert.equal(answer.status, 400, path);
    return errorEnvelopeSchema.parse(await answer.json());
  }

  it('is refused with a field that nobody knows, which is named however deep it lies', async () => {
    const { id } = served.clusters.add();
    for (const [path, body, field] of [
      ['/api/quotes', '{"capMicroUSD":"1"}', 'capMicroUSD'],
      ['/api/quotes', '{"filter":{"maxPrice":"1"}}', 'filter.maxPrice'],
      ['/api/quotes', '{"save":{"paths":["out"],"toFolder":null,"replace":true}}', 'save.replace'],
      [`/api/clusters/${id}/stop`, '{"skipsave":true}', 'skipsave'],
      ['/api/daemon/stop', '{"when":"later"}', 'when'],
    ] as const) {
      const refused = await refusal(path, body);
      assert.deepEqual([refused.code, refused.field], ['BAD_INPUT', field], refused.message);
      assert.match(refused.message, /is no field of this request/);
    }
    assert.equal((await refusal(`/api/clusters/${id}/files?path=a&deep=yes`)).field, 'deep');
    assert.deepEqual(served.clusters.asked, [], 'nothing was asked for');
    assert.equal(served.stopped.asked, 0);
  });

  it('is refused when its body is no object', async () => {
    for (const body of ['[]', '[{"nodes":2}]', '"text"', '7', 'null', 'true']) {
      const { code, message } = await refusal('/api/quotes', body);
      assert.equal(code, 'BAD_INPUT', body);
      assert.match(message, /must be an object/, body);
    }
    assert.deepEqual(served.clusters.asked, []);
  });
});

describe('a client that is slow', () => {
  let served: Served;
  let socket: Socket;

  beforeEach(async () => {
    served = await serve(0, systemClock, { headersMs: 500, bodyMs: 300, silenceMs: 1_000 });
    socket = connect(served.port, '127.0.0.1');
    socket.on('error', () => undefined);
  });

  afterEach(async () => {
    socket.destroy();
    await served.close();
  });

  const ended = (): Promise<string> => text(socket);

  it('is told so when the fields of its call do not come, and dropped', async () => {
    socket.write(
      `POST /api/quotes HTTP/1.1\r\nhost: 127.0.0.1:${served.port.toString()}\r\nauthorization: Bearer ${TOKEN}\r\n` +
        'content-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    const drip = setInterval(() => socket.write(' '), 100);
    const answer = await ended().finally(() => clearInterval(drip));
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /did not arrive within 1 s/);
  });

  it('is dropped when it says nothing, or takes nothing', async () => {
    await ended();
    assert.ok(socket.destroyed || socket.readableEnded);
  });
});
