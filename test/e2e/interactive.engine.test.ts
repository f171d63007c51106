/** Commands that talk with a person, in a real terminal: each ends by its own exits. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { pythonOrSkip } from '../../backend-proxy/test/agent/running-agent.ts';
import { DaemonHome, HITCH_PROGRAM } from '../support/daemon-home.ts';
import { until } from '../support/waiting.ts';

/** Python gives a program a terminal of its own and ends as the program does. */
const IN_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

describe('hitch ssh in a real terminal', function () {
  this.timeout(300_000);
  let home: DaemonHome;
  let python: string;
  const children = new Set<ChildProcess>();

  before(async function () {
    python = pythonOrSkip(this);
    home = new DaemonHome();
    await home.start();
    const cluster = await home.rent({ filter: { practice: 'only' } }, 'shell');
    await home.untilKernel(cluster.id);
  });
  after(async () => {
    children.forEach(child => child.kill('SIGKILL'));
    await (home as DaemonHome | undefined)?.dispose();
  });

  function open(): { type: (text: string) => void; shown: () => string; ended: Promise<number | null> } {
    const child = spawn(python, ['-c', IN_TERMINAL, process.execPath, HITCH_PROGRAM, 'ssh', 'shell'], {
      env: home.environment(),
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.add(child);
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
    return {
      type: typed => void child.stdin.write(typed),
      shown: () => text,
      ended: new Promise(resolve =>
        child.once('exit', code => {
          children.delete(child);
          resolve(code);
        }),
      ),
    };
  }

  it('ends when the person leaves with Ctrl-], and leaves the shell running', async () => {
    const first = open();
    await until('a shell', () => /[$#] /.test(first.shown()));
    first.type('marker=$((40 + 2)); echo "is $marker"\r');
    await until('its answer', () => first.shown().includes('is 42'));
    first.type('\u001d');
    assert.equal(await first.ended, 0);
    assert.match(first.shown(), /Left terminal 1 running\./);
  });

  it('ends when the shell ends', async () => {
    const second = open();
    await until('the same shell', () => second.shown().includes('is 42'));
    second.type('echo "still $marker"; exit\r');
    assert.equal(await second.ended, 0);
    assert.match(second.shown(), /still 42[\s\S]*The terminal has ended\./);
  });
});
