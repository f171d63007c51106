import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { inspect } from 'node:util';
import { Duplex } from 'node:stream';
import { Agent } from 'undici';
import type { RayError } from '../src/index.ts';
import {
  RayBrowserRefusedError,
  RayClient,
  RayConnectionError,
  RayPayloadTooLargeError,
  RayProtocolError,
  RayRateLimitedError,
  RayServerError,
} from '../src/index.ts';
import { collect, FakeHead, jobIn, json, text } from './fake-head.ts';

const VERSION = { version: '4', ray_version: '2.58.0', ray_commit: 'c', session_name: 's' };
const TOKEN = 's3cret-token-abcdef';

async function caught(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => assert.fail('the call should have failed'),
    (error: unknown) => error,
  );
}

describe('the way to the dashboard', () => {
  it('goes through a Unix socket, for calls and for the log tail', async function () {
    if (process.platform === 'win32') {
      console.log('      skipped: Unix sockets are pipes on Windows');
      this.skip();
    }
    await using head = await FakeHead.start('unix');
    answerFinishedJob(head);
    await using client = new RayClient({ baseUrl: 'http://ray.internal', socketPath: head.socketPath });
    assert.equal((await client.version()).ray_version, '2.58.0');
    assert.equal(await tailed(client), 'hello\n');
    assert.ok(head.asked.some(asked => asked.method === 'UPGRADE' && asked.headers.host === 'ray.internal'));
  });

  it('goes through streams that the caller opens, for calls and for the log tail', async () => {
    await using head = await FakeHead.start();
    answerFinishedJob(head);
    let opened = 0;
    const port = Number(new URL(head.baseUrl).port);
    await using client = new RayClient({
      baseUrl: 'http://10.9.8.7:8265',
      createConnection: async () => {
        opened += 1;
        await Promise.resolve();
        return plainStream(port);
      },
    });
    assert.equal((await client.version()).ray_version, '2.58.0');
    assert.equal(await tailed(client), 'hello\n');
    assert.ok(opened >= 2, 'both went through it');
  });

  it('tells when the stream cannot be opened', async () => {
    await using client = new RayClient({
      createConnection: () => Promise.reject(new Error('channel refused')),
    });
    const error = await caught(client.version());
    assert.ok(error instanceof RayConnectionError);
    assert.match(error.message, /channel refused/);
    const tail = await caught(client.jobs.tail('j1', { maxFailures: 0 }).next());
    assert.ok(tail instanceof RayConnectionError);
    assert.match(tail.message, /channel refused/);
  });

  it('goes through an undici dispatcher of the caller, and leaves it open', async () => {
    await using head = await FakeHead.start();
    answerFinishedJob(head);
    const dispatcher = new Agent();
    const client = new RayClient({ baseUrl: head.baseUrl, dispatcher });
    await client.version();
    await client.close();
    assert.equal(dispatcher.closed, false);
    await dispatcher.close();
  });

  it('keeps a path in front of the dashboard', async () => {
    await using head = await FakeHead.start();
    answerFinishedJob(head);
    await using client = new RayClient({ baseUrl: `${head.baseUrl}/clusters/a/` });
    await client.version();
    assert.equal(head.asked[0]?.url, '/clusters/a/api/version');
  });

  it('sends no header that a browser would, and offers no compression for the tail', async () => {
    await using head = await FakeHead.start();
    answerFinishedJob(head);
    await using client = new RayClient({ baseUrl: head.baseUrl, token: TOKEN });
    await client.version();
    await tailed(client);
    for (const { headers } of head.asked) {
      assert.equal(headers.authorization, `Bearer ${TOKEN}`);
      const foreign = Object.keys(headers).filter(name =>
        /^(origin|referer|sec-fetch-|sec-websocket-extensions|cookie)/.test(name),
      );
      assert.deepEqual(foreign, []);
    }
  });

  it('asks for the token before each call', async () => {
    await using head = await FakeHead.start();
    answerFinishedJob(head);
    let turn = 0;
    await using client = new RayClient({ baseUrl: head.baseUrl, token: () => `turn-${String((turn += 1))}` });
    await client.version();
    await client.version();
    assert.deepEqual(
      head.asked.map(asked => asked.headers.authorization),
      ['Bearer turn-1', 'Bearer turn-2'],
    );
  });

  it('keeps ids from reaching other routes', async () => {
    await using head = await FakeHead.start();
    answerFinishedJob(head);
    await using client = new RayClient({ baseUrl: head.baseUrl });
    await client.jobs.get('../version?x=1#y');
    assert.equal(head.asked[0]?.url, '/api/jobs/..%2Fversion%3Fx%3D1%23y');
    await assert.rejects(client.jobs.get(''), TypeError);
  });

  it('refuses addresses that are not a dashboard or that hold a password', () => {
    assert.throws(() => new RayClient({ baseUrl: 'ray://head:10001' }), /http: or https:/);
    assert.throws(() => new RayClient({ baseUrl: 'http://user:pw@head:8265' }), /must not hold a user/);
  });
});

describe('failures', () => {
  it('never show the token: not in messages, causes or the client itself', async () => {
    await using head = await FakeHead.start();
    head.answer = (asked, response) => {
      text(response, 500, `RuntimeError: bad header ${asked.headers.authorization ?? ''}`);
    };
    await using client = new RayClient({ baseUrl: head.baseUrl, token: TOKEN });
    const answered = await caught(client.version());
    const closed = new RayClient({ baseUrl: 'http://127.0.0.1:1', token: TOKEN });
    const refused = await caught(closed.version());
    const invalid = await caught(new RayClient({ token: `${TOKEN}\nx` }).version());
    for (const shown of [answered, refused, invalid, client]) {
      const printed = inspect(shown, { depth: 10, showHidden: true });
      assert.ok(!printed.includes(TOKEN), printed);
    }
    assert.ok(answered instanceof RayServerError);
    assert.match(answered.message, /bad header Bearer \[token\]$/);
  });

  it('are a RayConnectionError when nothing listens, naming the address', async () => {
    await using client = new RayClient({ baseUrl: 'http://127.0.0.1:1' });
    const error = await caught(client.version());
    assert.ok(error instanceof RayConnectionError);
    assert.equal(error.status, undefined);
    assert.equal(error.retryable, true);
    assert.match(
      error.message,
      /^GET \/api\/version could not reach http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/,
    );
  });

  it('are a RayConnectionError when the answer does not begin in time', async () => {
    await using head = await FakeHead.start();
    head.answer = () => undefined;
    await using client = new RayClient({ baseUrl: head.baseUrl });
    const error = await caught(client.version({ timeoutMs: 50 }));
    assert.ok(error instanceof RayConnectionError);
    assert.match(error.message, /no answer within 50 ms/);
  });

  it('are the reason of the signal when the caller aborts', async () => {
    await using head = await FakeHead.start();
    const reason = new Error('changed my mind');
    const controller = new AbortController();
    head.answer = () => {
      controller.abort(reason);
    };
    await using client = new RayClient({ baseUrl: head.baseUrl });
    assert.equal(await caught(client.version({ signal: controller.signal })), reason);
    assert.equal(await caught(client.version({ signal: AbortSignal.abort(reason) })), reason);
  });

  it('are a RayConnectionError when the answer breaks off', async () => {
    await using head = await FakeHead.start();
    head.answer = (_asked, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"ver');
      setTimeout(() => response.destroy(), 20);
    };
    await using client = new RayClient({ baseUrl: head.baseUrl });
    assert.ok((await caught(client.version())) instanceof RayConnectionError);
  });

  it('are a RayProtocolError when something else than Ray answers', async () => {
    await using head = await FakeHead.start();
    await using client = new RayClient({ baseUrl: head.baseUrl, maxResponseBytes: 1000 });
    head.answer = (_asked, response) => response.end(JSON.stringify([1, 2, 3, 4, 5]));
    const many = await caught(client.jobs.list());
    assert.match(many instanceof Error ? many.message : '', /at 0: [^;]*; 1: [^;]*; 2: [^;]*; and 2 more$/);
    for (const [body, wanted] of [
      ['<!doctype html><p>hi', /not JSON; is this a Ray dashboard/],
      ['{"version":4}', /unknown shape at version: .*; ray_version: /],
      [`"${'x'.repeat(2000)}"`, /more than 1000 bytes/],
    ] as const) {
      head.answer = (_asked, response) => response.end(body);
      const error = await caught(client.version());
      assert.ok(error instanceof RayProtocolError, String(error));
      assert.match(error.message, wanted);
    }
  });

  it('have a class of their own for what has one, and say whether a retry may help', async () => {
    await using head = await FakeHead.start();
    await using client = new RayClient({ baseUrl: head.baseUrl });
    const nested =
      'Traceback (most recent call last):\n  File "x.py"\nray.exceptions.RaySystemError: System error: gone\n';
    for (const [status, body, type, retryable] of [
      [405, "405 'POST' method not allowed for browser traffic.", RayBrowserRefusedError, false],
      [413, 'Maximum request body size 104857600 exceeded.', RayPayloadTooLargeError, false],
      [
        429,
        '{"result":false,"msg":"Max number of in-progress requests=100 reached.","data":null}',
        RayRateLimitedError,
        true,
      ],
      [500, 'No available agent to submit job, please try again later.', RayServerError, true],
      [500, nested, RayServerError, true],
      [500, 'Traceback:\nUnicodeEncodeError: nope', RayServerError, false],
      [501, 'Serve dependencies are not installed.', RayServerError, false],
      [502, '<html><title>Bad gateway</title></html>', RayServerError, true],
    ] satisfies [number, string, typeof RayError, boolean][]) {
      head.answer = (_asked, response) => {
        text(response, status, body);
      };
      const error = await caught(client.jobs.submit({ entrypoint: 'ls' }));
      assert.ok(error instanceof type, `${String(status)} gave ${String(error)}`);
      assert.equal(error.retryable, retryable, error.message);
      assert.equal(error.name, type.name);
      assert.ok(!/Traceback|html|File/.test(error.message), error.message);
    }
  });
});

describe('packages', () => {
  it('are uploaded once, under the hash of their bytes', async () => {
    await using head = await FakeHead.start();
    const stored = new Map<string, string>();
    head.answer = (asked, response) => {
      if (asked.method === 'PUT') stored.set(asked.url, asked.body);
      if (stored.has(asked.url)) response.end();
      else text(response, 404, 'Package does not exist');
    };
    await using client = new RayClient({ baseUrl: head.baseUrl });
    const uri = await client.packages.upload(Buffer.from('zip bytes'));
    assert.equal(uri, 'gcs://_ray_pkg_42b21d47d75046fc4d3a5c2fa37bd40407476754.zip');
    assert.equal(await client.packages.exists(uri), true);
    await client.packages.upload(Buffer.from('zip bytes'));
    assert.equal(head.asked.filter(asked => asked.method === 'PUT').length, 1);
    assert.deepEqual([...stored.values()], ['zip bytes']);
  });

  it('over 100 MiB are refused before anything is sent', async () => {
    await using client = new RayClient({ baseUrl: 'http://127.0.0.1:1' });
    const error = await caught(client.packages.upload(new Uint8Array(100 * 1024 * 1024 + 1)));
    assert.ok(error instanceof RayPayloadTooLargeError);
    await assert.rejects(client.packages.exists('s3://bucket/x.zip'), TypeError);
  });
});

/** Answers for a job that is over and printed `hello`. */
function answerFinishedJob(head: FakeHead): void {
  head.answer = (asked, response) => {
    if (asked.url.endsWith('/logs')) json(response, { logs: 'hello\n' });
    else if (asked.url.includes('/api/jobs/')) json(response, jobIn('SUCCEEDED'));
    else json(response, VERSION);
  };
  head.upgrade = (_socket, accept) => {
    void accept().then(socket => {
      socket.close(1000);
    });
  };
}

async function tailed(client: RayClient): Promise<string> {
  return (await collect(client.jobs.tail('j1'))).join('');
}

/** A duplex stream that is no socket, as an SSH channel is none. */
function plainStream(port: number): Duplex {
  const socket = connect(port, '127.0.0.1');
  return Duplex.from({ readable: socket, writable: socket });
}
