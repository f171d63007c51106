import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { discoverySchema, errorEnvelopeSchema, offerPageSchema } from '@hitch/contract';
import * as z from 'zod';
import { runs } from '../machines/rig.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the hitch program as a process', function () {
  this.timeout(240_000);
  let home: string;
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'hitch-cli-'));
  });
  after(async () => {
    await hitch(['daemon', 'stop']);
    rmSync(home, { recursive: true, force: true });
  });

  function start(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
    return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...argv], {
      env: { ...process.env, HITCH_HOME: home, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  function hitch(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const child = start(argv, env);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    return new Promise(resolve => child.on('close', code => resolve({ code, stdout, stderr })));
  }

  const daemonPid = (): number =>
    discoverySchema.parse(JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8'))).pid;

  it('starts one daemon for commands that come at once, and answers', async () => {
    const ended = await Promise.all(
      [1, 2, 3].map(() => hitch(['offers', '--practice', '--limit', '1', '--json'])),
    );
    for (const { code, stdout, stderr } of ended) {
      assert.equal(code, 0, stderr);
      offerPageSchema.parse(JSON.parse(stdout));
    }
    const status = await hitch(['daemon', 'status', '--json']);
    assert.equal(z.object({ pid: z.number() }).loose().parse(JSON.parse(status.stdout)).pid, daemonPid());
  });

  it('starts a daemon again after the last one was killed with -9', async () => {
    const before = daemonPid();
    process.kill(before, 'SIGKILL');
    const { code, stderr } = await hitch(['ls']);
    assert.equal(code, 0, stderr);
    assert.notEqual(daemonPid(), before);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const child = start(['offers', '--limit', '1000']);
    let stderr = '';
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise(resolve => child.on('close', resolve));
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
  });

  it('says in a sentence that its folder cannot be used', async () => {
    const file = join(home, 'a-file');
    writeFileSync(file, '');
    const { code, stderr } = await hitch(['ls', '--json'], { HITCH_HOME: join(file, 'home') });
    assert.notEqual(code, 0);
    const line = stderr.trim().split('\n').at(-1) ?? '';
    assert.doesNotMatch(errorEnvelopeSchema.parse(JSON.parse(line)).message, / at .*:\d+:\d+/);
  });

  it('stops the daemon and says that clusters go on', async () => {
    const pid = daemonPid();
    const { code, stdout } = await hitch(['daemon', 'stop']);
    assert.equal(code, 0);
    assert.match(stdout, /Clusters keep running/);
    assert.equal(await runs(pid), false);
    assert.equal((await hitch(['daemon', 'status'])).code, 8);
  });
});
