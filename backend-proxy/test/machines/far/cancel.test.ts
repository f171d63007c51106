/** An environment that is cancelled on a far machine: its set-up ends there, and nothing half made is left. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BOOTSTRAP, CANCEL, LAUNCH } from '../../../src/machines/far/program-texts.ts';
import { valueLines } from '../../../src/machines/far/values.ts';

const RUN = 'att-cancelled';
const LOCK_NAME = 'env-cancelled';

/**
 * As `uv venv` and `uv pip install` of uv 0.9 do as far as a shell sees it (crates/uv/src/commands/venv.rs and pip/install.rs):
 * the first makes the folder with its interpreter, the second writes into it, here until it is ended.
 */
const UV = `#!/bin/sh
case "$1 $2" in
  --version*) echo 'uv 0.9.0 (stand-in)' ;;
  venv*)
    for place; do :; done
    mkdir -p "$place/bin" && ln -s "$(command -v python3)" "$place/bin/python"
    ;;
  'pip install')
    : >"$HALF"
    exec sleep 600
    ;;
esac
`;

const minor = spawnSync('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
  encoding: 'utf8',
});
const canRun = process.platform === 'linux' && minor.status === 0;

describe('an environment that is cancelled while it is made', () => {
  let root: string;

  before(function needsPython() {
    if (!canRun) {
      console.log('      skipped: this needs Linux with a python3');
      this.skip();
    }
  });
  const at = (...path: string[]): string => join(root, ...path);
  const env = (): NodeJS.ProcessEnv => ({
    ...process.env,
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    HALF: at('half'),
  });

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hitch-cancel-'));
    mkdirSync(at('bootstrap'));
    mkdirSync(at('cache', 'uv-stand-in'), { recursive: true });
    writeFileSync(at('cache', 'speed'), '100');
    writeFileSync(at('cache', 'uv-stand-in', 'uv'), UV);
    chmodSync(at('cache', 'uv-stand-in', 'uv'), 0o700);
    writeFileSync(at('bootstrap', 'bootstrap.sh'), BOOTSTRAP);
    writeFileSync(at('bootstrap', `${LOCK_NAME}.txt`), 'tqdm==4.67.1\n');
    writeFileSync(at('bootstrap', `${RUN}.values`), values());
  });
  afterEach(() => {
    run(CANCEL, valueLines({ ROOT: root, RUN, LOCK_NAME }));
    rmSync(root, { recursive: true, force: true });
  });

  const values = (): string =>
    valueLines({
      ROOT: root,
      RUN,
      LOCK_NAME,
      OWN_PYTHON: minor.stdout.trim(),
      HASHES: '',
      OFFLINE: '',
      PACKAGES: '1',
      RAY: '',
      INDEX: '',
      NODE_NAME: 'stand-in',
      NODE_BYTES: '0',
      UV_NAME: 'stand-in',
      UV_BYTES: '0',
      PYTHON_NAME: '3.0.0',
    });
  const run = (program: string, input: string) =>
    spawnSync('sh', ['-c', program], { input, encoding: 'utf8', env: env() });
  const log = (): string => readFileSync(at('bootstrap', `${RUN}.log`), 'utf8');
  /** Processes of the set-up, by the tag that they inherit. */
  const left = (): string =>
    spawnSync('sh', ['-c', `grep -lz '^HITCH_NODE=${RUN}$' /proc/[0-9]*/environ 2>/dev/null`], {
      encoding: 'utf8',
    }).stdout;

  async function untilHalfMade(): Promise<void> {
    assert.equal(run(LAUNCH, values()).status, 0);
    while (!existsSync(at('half'))) {
      assert.doesNotMatch(log(), /^::fail/m);
      await sleep(50);
    }
  }

  it('leaves no process and no folder of it, and the lock to the next one', async () => {
    await untilHalfMade();
    assert.ok(existsSync(at('envs', LOCK_NAME, 'bin', 'python')));
    assert.equal(run(CANCEL, valueLines({ ROOT: root, RUN, LOCK_NAME })).status, 0);
    assert.ok(!existsSync(at('envs', LOCK_NAME)));
    assert.ok(!existsSync(at('bootstrap', 'lock')));
    while (left() !== '') {
      await sleep(50);
    }
  });

  it('is not mistaken for another set-up of that machine, which goes on', async () => {
    await untilHalfMade();
    assert.equal(run(CANCEL, valueLines({ ROOT: root, RUN, LOCK_NAME: 'another' })).status, 0);
    assert.notEqual(left(), '');
    assert.ok(existsSync(at('envs', LOCK_NAME)));
  });

  it('does not begin where it is cancelled between its reading of what it is for and its word of who it is', async () => {
    const pipe = at('bootstrap', 'values.pipe');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    const begun = spawn('sh', [at('bootstrap', 'bootstrap.sh'), pipe], { stdio: 'ignore', env: env() });
    const closed = once(begun, 'close');
    const writer = await open(pipe, 'w');
    await writer.write(values());
    rmSync(pipe);
    await writer.close();
    assert.deepEqual(await closed, [1, null]);
    assert.ok(existsSync(at('bootstrap', `${RUN}.pid`)));
    assert.ok(!existsSync(at('half')));
  });
});
