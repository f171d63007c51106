/** How a far machine fetches what it is given: from the index it is set to, by hash, going on where it was cut off. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FETCH } from '../../backend-proxy/src/machines/far/program-texts.ts';

const python = ['python3', 'python'].find(name => spawnSync(name, ['-c', 'pass']).status === 0) ?? '';
const WHEEL = 'tool-1.0-py3-none-any.whl';
const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("tool-1.0.data/scripts/tool", "#!/bin/sh\\necho it runs\\n" + "#" * 300000)
`;

interface Asked {
  readonly path: string;
  readonly range: string;
  readonly login: string;
}

describe('fetching on a far machine', () => {
  let folder = '';
  let wheel = Buffer.alloc(0);
  let server: Server;
  let page = '';
  let asked: Asked[] = [];
  /** Bytes after which the next answer is cut off. */
  let cutAt: number | null = null;
  /** Where the server sends whoever asks for a path. */
  let moved: Readonly<Record<string, string>> = {};

  before(function () {
    if (python === '' || process.platform === 'win32') {
      console.log('    skipped: this needs Python and a Unix');
      this.skip();
    }
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hff-'));
    spawnSync(python, ['-c', MAKE_WHEEL, join(folder, WHEEL)]);
    wheel = readFileSync(join(folder, WHEEL));
    writeFileSync(join(folder, 'fetch.py'), FETCH);
    page = `<a href="/files/${WHEEL}#sha256=${hashOf(wheel)}">${WHEEL}</a>`;
    asked = [];
    cutAt = null;
    moved = {};
    server = createServer((request, response) => {
      asked.push(askedIn(request));
      const to =
        request.headers.host?.startsWith('localhost') === true ? undefined : moved[request.url ?? ''];
      if (to !== undefined) {
        response.writeHead(302, { location: to }).end();
        return;
      }
      if (request.url?.startsWith('/files/') !== true) {
        response.end(page);
        return;
      }
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      // Closed after what was sent, so that all of it arrives before the end.
      const headers = { 'content-length': wheel.length - from, connection: 'close' };
      response.writeHead(from > 0 ? 206 : 200, headers);
      if (cutAt === null) {
        response.end(wheel.subarray(from));
      } else {
        const piece = wheel.subarray(from, from + cutAt);
        cutAt = null;
        response.end(piece);
      }
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  const origin = () => `127.0.0.1:${(server.address() as AddressInfo).port.toString()}`;
  const target = () => join(folder, 'tool');
  const run = (args: readonly string[], environment: NodeJS.ProcessEnv) =>
    new Promise<{ code: number; stdout: string; stderr: string }>(resolve => {
      execFile(
        python,
        [join(folder, 'fetch.py'), ...args],
        { env: { PATH: process.env['PATH'], HOME: folder, NO_PROXY: '*', ...environment } },
        (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    });
  const fetchTool = (index = `http://${origin()}/simple`, sha256 = hashOf(wheel)) =>
    run(['tool', 'tool', WHEEL, sha256, wheel.length.toString(), 'tool-1.0.data/scripts/tool', target()], {
      HITCH_INDEX: index,
    });

  it('finds the file by its hash, and leaves the program and nothing else', async () => {
    const { code, stdout, stderr } = await fetchTool();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^::bytes tool \d+ \d+$/m);
    assert.equal(spawnSync(target(), { encoding: 'utf8' }).stdout, 'it runs\n');
    assert.equal(existsSync(`${target()}.whl`), false);
    assert.equal(asked[0]?.path, '/simple/tool/');
  });

  it('finds it by its name where an index names no hashes', async () => {
    page = `<a href="../../files/${WHEEL}">${WHEEL}</a>`;
    assert.equal((await fetchTool()).code, 0);
  });

  it('goes on where the connection was cut', async () => {
    cutAt = 100_000;
    const { code, stderr } = await fetchTool();
    assert.equal(code, 0, stderr);
    const ranges = asked.filter(({ path }) => path.startsWith('/files/')).map(({ range }) => range);
    assert.equal(ranges.length, 2);
    assert.match(ranges[1] ?? '', /^bytes=\d+-$/);
    assert.ok(statSync(target()).size > 300_000);
  });

  it('throws away what is not the file that was pinned', async () => {
    const wanted = hashOf(wheel);
    wheel = Buffer.concat([wheel.subarray(0, -1), Buffer.from('x')]);
    const { code, stderr } = await fetchTool(undefined, wanted);
    assert.equal(code, 5);
    assert.match(stderr, /is not the file that was pinned/);
    assert.equal(existsSync(target()) || existsSync(`${target()}.whl`), false);
  });

  it('says what the index lacks, and never the password that stands in it', async () => {
    page = '';
    const { code, stderr } = await fetchTool(`http://ada:secret@${origin()}/simple`);
    assert.equal(code, 4);
    assert.match(stderr, /tool-1\.0.* is not at http:\/\/127\.0\.0\.1/);
    assert.doesNotMatch(stderr, /secret/);
    assert.equal(asked[0]?.login, `Basic ${Buffer.from('ada:secret').toString('base64')}`);
  });

  it('gives the login of the index to no other host', async () => {
    page = `<a href="http://localhost:${(server.address() as AddressInfo).port.toString()}/files/${WHEEL}#sha256=${hashOf(wheel)}">x</a>`;
    assert.equal((await fetchTool(`http://ada:secret@${origin()}/simple`)).code, 0);
    assert.deepEqual(
      asked.map(({ login }) => login !== ''),
      [true, false],
    );
  });

  it('takes the login of the index along where it is led on, and to no other host', async () => {
    moved = {
      '/old/tool/': `http://${origin()}/simple/tool/`,
      [`/files/${WHEEL}`]: `http://${origin().replace('127.0.0.1', 'localhost')}/files/${WHEEL}`,
    };
    assert.equal((await fetchTool(`http://ada:secret@${origin()}/old`)).code, 0);
    assert.deepEqual(
      asked.map(({ path, login }) => [path, login !== '']),
      [
        ['/old/tool/', true],
        ['/simple/tool/', true],
        [`/files/${WHEEL}`, true],
        [`/files/${WHEEL}`, false],
      ],
    );
  });

  it('says that nothing answers', async () => {
    const { code, stderr } = await fetchTool('http://127.0.0.1:1/simple');
    assert.equal(code, 3);
    assert.match(stderr, /^http:\/\/127\.0\.0\.1:1\/simple: /);
  });

  it('uses the index that the machine’s pip or uv is set to', async () => {
    const index = async (environment: NodeJS.ProcessEnv = {}) =>
      (await run(['index'], { XDG_CONFIG_HOME: folder, ...environment })).stdout.trim();
    const pip = join(folder, 'pip.conf');
    writeFileSync(pip, '[global]\nindex-url = https://pip.test/simple\ncert = /etc/ssl/ours.pem\n');
    assert.equal(await index({ PIP_CONFIG_FILE: pip }), 'https://pip.test/simple');
    const { stdout } = await run(['certificates'], { PIP_CONFIG_FILE: pip });
    assert.equal(stdout.trim(), '/etc/ssl/ours.pem');
    const uv = join(folder, 'uv.toml');
    writeFileSync(uv, '[[index]]\nname = "x"\nurl = "https://uv.test/simple"\ndefault = true\n');
    assert.equal(await index({ UV_CONFIG_FILE: uv, PIP_CONFIG_FILE: pip }), 'https://uv.test/simple');
    assert.equal(
      await index({ PIP_INDEX_URL: 'https://variable.test', UV_CONFIG_FILE: uv }),
      'https://variable.test',
    );
  });
});

function askedIn({ url = '', headers }: IncomingMessage): Asked {
  return { path: url, range: headers.range ?? '', login: headers.authorization ?? '' };
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
