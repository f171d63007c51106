/** What a job printed as bytes: from any place, exact, and believed of a machine only as far as it was asked. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  HitchError,
  jobIdSchema,
  type JobLogBytesQuery,
  jobLogBytesQuerySchema,
  readJobLog,
} from '@hitch/contract';
import type { LinkAnswer } from '../../src/access/link-http.ts';
import { NotUnderstood } from '../../src/access/not-understood.ts';
import { sendLog } from '../../src/agent/jobs/log-bytes.ts';
import { openStretch } from '../../src/agent/jobs/job-log.ts';
import { agentPath, fromAgent } from '../../src/jobs/log-bytes.ts';

const id = jobIdSchema.parse('job_01ARZ3NDEKTSV4RRFFQ69G5FAV');
/** In three files, the last after a gap; more than a connection takes by itself. */
const CONTENT = randomBytes(3_000_001);
const GAP = 1_000_000;

describe('the bytes of a log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-log-bytes-'));
  const put = (first: number, data: Uint8Array): void =>
    writeFileSync(join(folder, `${first.toString().padStart(16, '0')}.log`), data);
  /** Breaks off the next answer after so many bytes. */
  let breakAfter = Number.POSITIVE_INFINITY;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://daemon');
    const { run = 1, from, most } = jobLogBytesQuerySchema.parse(Object.fromEntries(url.searchParams));
    const left = breakAfter;
    breakAfter = Number.POSITIVE_INFINITY;
    if (left !== Number.POSITIVE_INFINITY) {
      const write = response.write.bind(response);
      response.write = (chunk: Uint8Array, ...rest: never[]) => {
        const is = write(chunk.subarray(0, left), ...rest);
        request.socket.destroySoon();
        return is;
      };
    }
    void openStretch(folder, from, most)
      .then(stretch =>
        sendLog(
          { facts: { run, from: stretch.from, endByte: CONTENT.length + GAP, isOver: true }, stretch },
          response,
        ),
      )
      .catch(() => response.destroy());
  });
  const client = {
    raw: async (path: string, init?: RequestInit): Promise<Response> =>
      fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}${path}`, init),
  };
  const read = (query: JobLogBytesQuery) => readJobLog(client, id, query);

  before(async () => {
    put(0, CONTENT.subarray(0, 1_000_000));
    put(1_000_000, CONTENT.subarray(1_000_000, 2_000_000));
    put(2_000_000 + GAP, CONTENT.subarray(2_000_000));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are exact from any place, over files, up to a gap and from behind it', async () => {
    const all = await read({});
    assert.deepEqual([all.from, all.next, all.isOver], [0, 2_000_000, true]);
    assert.ok(CONTENT.subarray(0, 2_000_000).equals(all.bytes));
    const middle = await read({ from: 999_999, most: 3 });
    assert.deepEqual([...middle.bytes], [...CONTENT.subarray(999_999, 1_000_002)]);
    const behind = await read({ from: 2_000_000 });
    assert.deepEqual([behind.from, behind.next], [2_000_000 + GAP, CONTENT.length + GAP]);
    assert.ok(CONTENT.subarray(2_000_000).equals(behind.bytes));
    const end = await read({ from: behind.next });
    assert.deepEqual([end.bytes.length, end.from, end.next], [0, behind.next, behind.next]);
  });

  it('are all there or none of them where the connection breaks, and the same when they are asked for again', async () => {
    breakAfter = 1_000;
    await assert.rejects(
      read({}),
      (error: unknown) => error instanceof HitchError && error.code === 'UNREACHABLE',
    );
    assert.ok(CONTENT.subarray(0, 2_000_000).equals((await read({})).bytes));
  });

  describe('of a machine', () => {
    const asked = jobLogBytesQuerySchema.parse({ run: 3, from: 10, most: 100 });
    const facts = { run: 1, from: 10, endByte: 500, isOver: false };
    const answer = (head: Record<string, string | undefined> = {}, statusCode = 200): LinkAnswer =>
      ({
        statusCode,
        headers: { 'content-length': '100', 'x-hitch-log': JSON.stringify(facts), ...head },
        body: Readable.from([Buffer.alloc(100)]),
      }) as unknown as LinkAnswer;
    const said = (change: Partial<typeof facts>) => ({
      'x-hitch-log': JSON.stringify({ ...facts, ...change }),
    });

    it('are taken where they are what was asked for, with the runs of machines before it', async () => {
      assert.equal(agentPath(id, asked, 1), `/log-bytes?jobId=${id}&from=10&most=100&waitMs=0&run=1`);
      assert.deepEqual((await fromAgent(asked, answer(), 2)).facts, { ...facts, run: 3 });
    });

    const lies: Readonly<Record<string, LinkAnswer>> = {
      'another run': answer(said({ run: 2 })),
      'an earlier place': answer(said({ from: 9 })),
      'more than was asked for': answer({ 'content-length': '101' }),
      'no length': answer({ 'content-length': undefined }),
      'no place': answer({ 'x-hitch-log': '{' }),
      'another status': answer({}, 206),
      compressed: answer({ 'content-encoding': 'gzip' }),
    };
    for (const [name, lie] of Object.entries(lies)) {
      it(`are refused as a whole: ${name}`, async () => {
        await assert.rejects(fromAgent(asked, lie, 2), NotUnderstood);
        assert.ok(lie.body.destroyed);
      });
    }
  });
});
