/** The two ends of the way by a web address, without ssh: what goes in comes out, to the last byte and no faster than it is read. */
import assert from 'node:assert/strict';
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { accessTokenOf } from '../../backend-proxy/src/machines/far/web-access.ts';
import { EXIT } from '../../backend-proxy/src/cli/exit-codes.ts';
import { until } from '../support/waiting.ts';
import { WebGateway } from '../support/web-gateway.ts';
import { HITCH } from '../support/web-proxy.ts';

const DOOR = fileURLToPath(new URL('../../backend-proxy/far/web-door.py', import.meta.url));
const SECRET = 'ef'.repeat(32);
const PIECE = randomBytes(1024 * 1024);

describe('bytes inside a WebSocket', function () {
  this.timeout(240_000);
  const doors: ChildProcess[] = [];
  let folder: string;
  let gateway: WebGateway;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ws-'));
    writeFileSync(join(folder, 'token'), accessTokenOf(SECRET));
    gateway = await WebGateway.start();
  });

  after(async () => {
    doors.forEach(door => door.kill('SIGKILL'));
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A door behind which a program stands in sshd's place. @returns its address */
  async function door(name: string, program: string): Promise<string> {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${program}\n`, { mode: 0o700 });
    const port = await freePort();
    doors.push(
      spawn('python3', [DOOR], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          PATH: process.env['PATH'],
          HITCH_DOOR_PORT: port.toString(),
          HITCH_DOOR_SSHD: file,
          HITCH_DOOR_CONFIG: '/dev/null',
          HITCH_PROOF: SECRET,
        },
      }),
    );
    await until('it listens', () =>
      fetch(`http://127.0.0.1:${port.toString()}/`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    return gateway.lead(name, port);
  }

  const connect = (url: string, token: string = join(folder, 'token')): ChildProcessWithoutNullStreams =>
    spawn(process.execPath, [HITCH, 'ws-connect', url, token], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: gateway.authority },
    });

  const ended = (child: ChildProcess): Promise<number | null> =>
    new Promise(resolve => child.once('close', code => resolve(code)));

  it('come back as they went, and what is said after their end comes too', async () => {
    const child = connect(await door('echo', 'cat; printf bye'));
    const [sent, came] = [createHash('sha256'), createHash('sha256')];
    let size = 0;
    let last = '';
    child.stdout.on('data', (bytes: Buffer) => {
      came.update(bytes);
      size += bytes.length;
      last = (last + bytes.toString('latin1')).slice(-3);
    });
    const exit = ended(child);
    for (let count = 0; count < 24; count++) {
      sent.update(PIECE);
      if (!child.stdin.write(PIECE)) {
        await new Promise(resolve => child.stdin.once('drain', resolve));
      }
    }
    child.stdin.end();
    assert.equal(await exit, EXIT.ok);
    assert.equal(size, 24 * PIECE.length + 3);
    assert.equal(last, 'bye');
    assert.equal(came.digest('hex'), sent.update('bye').digest('hex'));
  });

  it('wait where nobody reads them, and are all there afterwards', async () => {
    const child = connect(await door('source', `head -c ${(96 * 1024 * 1024).toString()} /dev/zero`));
    let size = 0;
    child.stdout.once('readable', () => undefined);
    const passed = (): number => gateway.passed.reduce((sum, { length }) => sum + length, 0);
    await until('something has come', () => passed() > 100_000);
    let before = -1;
    await until('no more comes', async () => {
      const still = passed() === before;
      before = passed();
      await systemClock.sleep(1_500);
      return still;
    });
    assert.ok(before < 64 * 1024 * 1024, `${before.toString()} bytes were sent to nobody`);
    const exit = ended(child);
    child.stdout.on('data', (bytes: Buffer) => {
      size += bytes.length;
    });
    assert.equal(await exit, EXIT.ok);
    assert.equal(size, 96 * 1024 * 1024);
  });

  it('that are cut are said to be, in the exit code too', async () => {
    const child = connect(await door('waits', 'printf here; cat'));
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString('utf8');
    });
    await new Promise(resolve => child.stdout.once('data', resolve));
    const exit = ended(child);
    gateway.cut();
    assert.equal(await exit, EXIT.unreachable);
    assert.match(said, /^hitch: the connection to localhost:\d+ was cut \(1006\)\.\n$/);
  });

  it('are not asked for where the address or the token makes no sense, which a sentence says', async () => {
    for (const [args, sentence] of [
      [
        ['http://name.example', join(folder, 'token')],
        /is no https address: it looks like https:\/\/name\.example\.$/,
      ],
      [['https://name.example', join(folder, 'no-such')], /the token of .* cannot be read \(.*\)\.$/],
      [['https://name.example', '/dev/null'], /holds no token for https:\/\/name\.example\/\.$/],
    ] as const) {
      const [address, token] = args;
      const child = connect(address, token);
      let said = '';
      child.stderr.on('data', (bytes: Buffer) => {
        said += bytes.toString('utf8');
      });
      assert.equal(await ended(child), EXIT.usage);
      assert.match(said.trim(), sentence);
    }
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
