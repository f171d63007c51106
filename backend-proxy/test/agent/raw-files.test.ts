/** A file's bytes from an agent: all of them, once, whoever goes away in the middle. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rawFilesRoute } from '../../src/agent/files/raw-files.ts';
import { WorkFolder } from '../../src/agent/files/confine.ts';
import { Uploads } from '../../src/agent/files/uploads.ts';

/** Of no piece's size, and more than a connection takes by itself. */
const CONTENT = randomBytes(20_000_003);

describe('the bytes of a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hitch-raw-'));
  const path = join(folder, 'data.bin');
  const work = new WorkFolder(folder);
  const route = rawFilesRoute(work, new Uploads(work, join(folder, 'uploads')));
  let ended: ((error: unknown) => void) | null = null;
  const server = createServer((asked, answer) => {
    route(new URL(asked.url ?? '', 'http://agent'), asked, answer).then(
      () => ended?.(null),
      (error: unknown) => {
        answer.destroy();
        ended?.(error);
      },
    );
  });

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => writeFileSync(path, CONTENT));
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (range?: string): Promise<IncomingMessage> => {
    const { port } = server.address() as AddressInfo;
    const headers = range === undefined ? {} : { range };
    const asked = request({ port, host: '127.0.0.1', path: '/raw-files?path=data.bin', headers }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer;
  };
  const all = async (answer: IncomingMessage): Promise<Buffer> =>
    Buffer.concat((await answer.toArray()) as Buffer[]);
  /** What the route ends with, of what is asked for next. */
  const outcome = (): Promise<unknown> => new Promise(resolve => (ended = resolve));

  it('arrive whole and in order, to several who read at their own pace', async () => {
    const slow = await ask();
    const [first, second] = await Promise.all([ask().then(all), ask('bytes=131072-9000000').then(all)]);
    assert.ok(first.equals(CONTENT));
    assert.ok(second.equals(CONTENT.subarray(131_072, 9_000_001)));
    assert.ok((await all(slow)).equals(CONTENT));
  });

  it('are let go when whoever asked goes away', async () => {
    const over = outcome();
    const answer = await ask();
    await once(answer, 'readable');
    answer.destroy();
    assert.match(String(await over), /gone|aborted|ECONNRESET|EPIPE/);
    assert.ok((await all(await ask())).equals(CONTENT));
  });

  it('are broken off, not made up, where the file becomes shorter meanwhile', async () => {
    const over = outcome();
    const answer = await ask();
    await once(answer, 'readable');
    truncateSync(path, 1_000);
    await assert.rejects(all(answer));
    assert.match(String(await over), /shorter/);
  });
});
