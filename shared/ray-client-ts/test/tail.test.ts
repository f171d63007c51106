import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import {
  RayAuthError,
  RayBadRequestError,
  RayClient,
  RayConnectionError,
  RayNotFoundError,
  RayServerError,
} from '../src/index.ts';
import type { Sleep, TailOptions } from '../src/index.ts';
import { collect, FakeHead, jobIn, json, pythonJson, text } from './fake-head.ts';

/** Told apart from retry pauses by its length. */
const IDLE_POLL_MS = 7777;

/** Retries at once; an idle poll comes after a short real while. */
const quickSleep: Sleep = async (ms, signal) => {
  await wait(ms === IDLE_POLL_MS ? 15 : 1, undefined, signal === undefined ? {} : { signal });
};

/** How one connection of the tail goes: what it shows, in what frames, and how it ends. */
interface Connection {
  kind: 'reset' | 'refused' | 'stream' | 'stuck';
  bytes: number;
  frameBytes: number;
  end: 'close' | 'going away' | 'terminate';
}

/** How one of the other calls goes wrong. */
type Mishap = 'none' | 'reset' | 'error' | 'cut';

interface Plan {
  log: string;
  connections: Connection[];
  statusMishaps: Mishap[];
  logMishaps: Mishap[];
  lastIsSilent: boolean;
}

const mishap = fc.constantFrom<Mishap>('none', 'reset', 'error', 'cut');
const planArbitrary: fc.Arbitrary<Plan> = fc.record({
  log: fc
    .array(fc.constantFrom('step ', '1', '\n', '\n\n', 'é', '😀', '日本', '"\\'), { maxLength: 80 })
    .map(parts => parts.join('')),
  connections: fc.array(
    fc.record({
      kind: fc.constantFrom('reset', 'refused', 'stream', 'stream', 'stream', 'stuck'),
      bytes: fc.nat(250),
      frameBytes: fc.integer({ min: 1, max: 40 }),
      end: fc.constantFrom('close', 'going away', 'terminate'),
    }),
    { maxLength: 6 },
  ),
  statusMishaps: fc.array(mishap, { maxLength: 4 }),
  logMishaps: fc.array(mishap, { maxLength: 4 }),
  lastIsSilent: fc.boolean(),
});

/** Plays a plan; after its last connection the job is over. */
class FlakyJob {
  readonly #plan: Plan;
  readonly #bytes: Buffer;
  #connection = 0;
  #stuck = false;
  #over = false;

  constructor(head: FakeHead, plan: Plan) {
    this.#plan = { ...plan, statusMishaps: [...plan.statusMishaps], logMishaps: [...plan.logMishaps] };
    this.#bytes = Buffer.from(plan.log);
    head.answer = (asked, response) => {
      if (asked.url.endsWith('/logs')) {
        this.#mishap(this.#plan.logMishaps.shift(), response, { logs: plan.log });
      } else this.#status(response);
    };
    head.upgrade = (socket, accept) => {
      void this.#upgrade(socket, accept);
    };
  }

  #status(response: ServerResponse): void {
    // A stream that hangs while the job runs is found out only by a status call that fails.
    const next = this.#stuck ? 'reset' : this.#plan.statusMishaps.shift();
    this.#stuck = false;
    this.#mishap(next, response, jobIn(this.#over ? 'SUCCEEDED' : 'RUNNING'));
  }

  #mishap(kind: Mishap = 'none', response: ServerResponse, body: unknown): void {
    if (kind === 'none') json(response, body);
    else if (kind === 'reset') response.destroy();
    else if (kind === 'error') text(response, 500, 'Traceback\nray.exceptions.RaySystemError: GCS is away');
    else {
      const whole = pythonJson(body);
      response.writeHead(200, { 'content-length': String(whole.length) });
      response.write(whole.slice(0, Math.floor(whole.length * 0.7)), () => response.destroy());
    }
  }

  async #upgrade(raw: Duplex, accept: () => Promise<WebSocket>): Promise<void> {
    const connection = this.#plan.connections[this.#connection];
    this.#connection += 1;
    this.#over = connection === undefined;
    if (connection?.kind === 'reset') raw.destroy();
    else if (connection?.kind === 'refused') {
      raw.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n<html>');
    } else {
      const socket = await accept();
      this.#send(socket, connection?.bytes ?? this.#bytes.length, connection?.frameBytes ?? 30);
      this.#stuck = connection?.kind === 'stuck';
      const silent = this.#stuck || (connection === undefined && this.#plan.lastIsSilent);
      if (!silent) this.#end(socket, connection?.end ?? 'close');
    }
  }

  /** Frames cut characters anywhere. */
  #send(socket: WebSocket, bytes: number, frameBytes: number): void {
    const shown = this.#bytes.subarray(0, bytes);
    for (let at = 0; at < shown.length; at += frameBytes) {
      socket.send(shown.subarray(at, at + frameBytes), { binary: false });
    }
  }

  #end(socket: WebSocket, how: Connection['end']): void {
    if (how === 'close') socket.close(1000);
    else if (how === 'going away') socket.close(1001);
    else socket.terminate();
  }
}

describe('following a log', () => {
  let head: FakeHead;
  let client: RayClient;

  beforeEach(async () => {
    head = await FakeHead.start();
    client = new RayClient({ baseUrl: head.baseUrl, sleep: quickSleep });
  });

  afterEach(async () => {
    await client.close();
    await head[Symbol.asyncDispose]();
  });

  function tail(options: TailOptions = {}): AsyncGenerator<string, void, undefined> {
    return client.jobs.tail('j1', { idlePollMs: IDLE_POLL_MS, ...options });
  }

  /** Streams `shown`, closes as if all was well, and gives the job's status as told. */
  function scripted(shown: string, status: () => string, logs = shown): void {
    head.answer = (asked, response) => {
      json(response, asked.url.endsWith('/logs') ? { logs } : jobIn(status()));
    };
    head.upgrade = (_socket, accept) => {
      void accept().then(socket => {
        socket.send(shown);
        socket.close(1000);
      });
    };
  }

  it('gives every byte once and in order, however connections, statuses and the last reading fail', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(planArbitrary, async plan => {
        new FlakyJob(head, plan);
        const pieces = await collect(tail());
        assert.equal(pieces.join(''), plan.log);
        assert.ok(pieces.every(piece => piece !== '' && piece.isWellFormed()));
      }),
      { numRuns: 100 },
    );
  });

  it('does not take a normal close for the end while the job runs', async () => {
    // Not by how often it is asked: a connection that is slow to close is asked about, too.
    const connections = () => head.asked.filter(asked => asked.method === 'UPGRADE').length;
    scripted('one\n', () => (connections() < 3 ? 'RUNNING' : 'SUCCEEDED'), 'one\ntwo\n');
    assert.deepEqual(await collect(tail()), ['one\n', 'two\n']);
    assert.equal(connections(), 3);
  });

  it('ends for stopped and failed jobs too, and goes on for a status it does not know', async () => {
    for (const last of ['STOPPED', 'FAILED']) {
      const statuses = ['HIBERNATING', last];
      scripted('x', () => statuses.shift() ?? last);
      assert.equal((await collect(tail())).join(''), 'x');
      assert.deepEqual(statuses, []);
    }
  });

  it('notices the end of the job on a stream that stays open and silent', async () => {
    scripted('', () => 'SUCCEEDED', 'all of it');
    head.upgrade = (_socket, accept) => {
      void accept();
    };
    assert.deepEqual(await collect(tail()), ['all of it']);
  });

  it('hands out text while the job runs, not at its end', async () => {
    let status = 'RUNNING';
    scripted('', () => status, 'first\nsecond\n');
    head.upgrade = (_socket, accept) => {
      void accept().then(socket => {
        socket.send('first\n');
      });
    };
    const reading = tail();
    assert.deepEqual(await reading.next(), { value: 'first\n', done: false });
    status = 'SUCCEEDED';
    assert.deepEqual(await reading.next(), { value: 'second\n', done: false });
    assert.equal((await reading.next()).done, true);
  });

  it('joins a character that two frames share, on the same connection', async () => {
    scripted('', () => 'RUNNING');
    head.upgrade = (_socket, accept) => {
      void accept().then(socket => {
        const bytes = Buffer.from('😀\n');
        socket.send(bytes.subarray(0, 2), { binary: false });
        socket.send(bytes.subarray(2), { binary: false });
      });
    };
    const reading = tail({ maxFailures: 0 });
    assert.deepEqual(await reading.next(), { value: '😀\n', done: false });
    await reading.return();
    assert.equal(head.asked.filter(asked => asked.method === 'UPGRADE').length, 1);
  });

  it('reads a log that is not UTF-8 from the state API', async () => {
    head.answer = (asked, response) => {
      if (asked.url.endsWith('/logs')) {
        text(response, 500, "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff");
      } else if (asked.url.startsWith('/api/v0/logs/file?')) {
        response.end(Buffer.from('good\r\n\xff bad\n', 'latin1'));
      } else json(response, jobIn('SUCCEEDED'));
    };
    head.upgrade = (_socket, accept) => {
      void accept().then(socket => {
        socket.send('good\n');
        socket.terminate();
      });
    };
    assert.equal((await collect(tail())).join(''), 'good\n\ufffd bad\n');
    assert.match(head.asked.at(-1)?.url ?? '', /node_id=n1&submission_id=j1&lines=-1/);
    assert.equal(await client.jobs.logs('j1'), 'good\n\ufffd bad\n');
  });

  it('stops at once for a job that does not exist, has no log, or a wrong token', async () => {
    for (const [status, sentence, type] of [
      [404, 'Job j1 does not exist', RayNotFoundError],
      [400, 'Can only get logs of submission type jobs', RayBadRequestError],
      [401, 'Unauthorized: Missing authentication token', RayAuthError],
    ] as const) {
      head.upgrade = socket =>
        socket.end(`HTTP/1.1 ${String(status)} No\r\nconnection: close\r\n\r\n${sentence}`);
      await assert.rejects(collect(tail()), (error: unknown) => {
        assert.ok(error instanceof type, String(error));
        assert.equal(
          error.message,
          `GET /api/jobs/j1/logs/tail was answered with ${String(status)}: ${sentence}`,
        );
        return true;
      });
    }
  });

  it('gives up after the failures it was allowed, and tells of each retry', async () => {
    const retries: string[] = [];
    const reading = tail({
      maxFailures: 3,
      retryDelayMs: 10,
      maxRetryDelayMs: 25,
      onRetry: (error, delayMs) => retries.push(`${error.name} ${String(delayMs)}`),
    });
    await assert.rejects(collect(reading), RayConnectionError);
    assert.deepEqual(retries, ['RayConnectionError 10', 'RayConnectionError 20', 'RayConnectionError 25']);
  });

  it('gives up on the log of a finished job that the server cannot read', async () => {
    scripted('', () => 'SUCCEEDED');
    head.answer = (asked, response) => {
      if (asked.url.endsWith('/logs')) {
        text(response, 500, 'ClientConnectorError: Cannot connect to host 192.0.2.9:52365');
      } else json(response, jobIn('FAILED'));
    };
    await assert.rejects(collect(tail()), RayServerError);
  });

  it('stops with the reason of the signal, waiting for text or for a retry, and closes its connection', async () => {
    const reason = new Error('closed the window');
    const waiting = new AbortController();
    let serverSide: WebSocket | undefined;
    scripted('', () => 'RUNNING');
    head.upgrade = (_socket, accept) => {
      void accept().then(socket => {
        serverSide = socket;
        waiting.abort(reason);
      });
    };
    await assert.rejects(collect(tail({ signal: waiting.signal })), (error: unknown) => error === reason);
    const closed = serverSide;
    assert.ok(closed);
    if (closed.readyState !== closed.CLOSED) await new Promise(resolve => closed.once('close', resolve));

    const retrying = new AbortController();
    head.upgrade = socket => socket.destroy();
    const options = {
      signal: retrying.signal,
      onRetry: () => {
        retrying.abort(reason);
      },
    };
    await assert.rejects(collect(tail(options)), (error: unknown) => error === reason);
    await assert.rejects(
      collect(tail({ signal: AbortSignal.abort(reason) })),
      (error: unknown) => error === reason,
    );
  });

  it('closes its connection when the reader leaves', async () => {
    scripted('', () => 'RUNNING');
    const closed = new Promise(resolve => {
      head.upgrade = (_socket, accept) => {
        void accept().then(socket => {
          socket.on('close', resolve);
          socket.send('one');
        });
      };
    });
    for await (const piece of tail()) {
      assert.equal(piece, 'one');
      break;
    }
    await closed;
  });

  it('does not let a slow reader pile the log up in memory', async () => {
    scripted('', () => 'RUNNING');
    const piece = 'x'.repeat(64 * 1024);
    let server: WebSocket | undefined;
    head.upgrade = (_socket, accept) => {
      void accept().then(socket => {
        server = socket;
        for (let i = 0; i < 1600; i += 1) socket.send(piece);
      });
    };
    const reading = tail();
    await reading.next();
    await wait(300);
    assert.ok(
      (server?.bufferedAmount ?? 0) > 50 << 20,
      `only ${String(server?.bufferedAmount)} bytes were held back`,
    );
    await reading.return();
  });
});
