/** What works in the background on a real node keeps it from being idle, and is named. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { RunningAgent } from './running-agent.ts';

/** Low, for a computer on which everything else works too. */
const busy = { cpuPercent: 3, kilobytesPerSecond: 100 };
const BURN = 'for (;;) { const until = Date.now() + 500; while (Date.now() < until); }';
const WRITE =
  'const fs = require("fs"); const file = fs.openSync("written", "w"); const bytes = Buffer.alloc(1e6);' +
  'setInterval(() => { fs.writeSync(file, bytes, 0, 1e6, 0); fs.fsyncSync(file); }, 200);';

/** As Linux numbers its kinds of file system. */
const TMPFS = 0x01021994;

describe('The agent of a node on which something works in the background', function () {
  this.timeout(180_000);
  let agent: RunningAgent;
  let child: ChildProcess | null = null;

  before(async function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: only Linux shows what processes do');
      this.skip();
    }
    agent = await new RunningAgent({ watchdog: { stopAtMs: null, idleMs: 3_600_000, busy } }).start();
  });

  afterEach(() => {
    child?.kill('SIGKILL');
    child = null;
  });

  after(async () => {
    await agent?.dispose();
  });

  function works(code: string, cwd: string, environment: Record<string, string>): ChildProcess {
    child = spawn(process.execPath, ['-e', code], {
      env: { PATH: process.env['PATH'], ...environment },
      cwd,
      stdio: 'ignore',
      detached: true,
    });
    return child;
  }

  const isIdle = () => agent.untilStatus('an idle node', ({ watchdog }) => watchdog.idleSinceMs !== null);
  const isBusy = (with_: RegExp) =>
    agent.untilStatus('work', ({ watchdog }) => watchdog.activity.some(sentence => with_.test(sentence)));

  it('says what it looks at', async () => {
    const { watchdog } = await isIdle();
    assert.match(watchdog.looksAt ?? '', /^running cells, .*, processes above 3 % of a core or 100 kB\/s/);
  });

  it('is busy with what a kernel or terminal left behind, whatever folder it is in, until that ends', async () => {
    const { pid } = works(BURN, '/', { HITCH_NODE: agent.ref });
    const { watchdog } = await isBusy(/^processes use \d+ % of a core, most of it node \(process \d+\)$/);
    assert.ok(watchdog.activity.some(sentence => sentence.includes(`process ${String(pid)}`)));
    assert.equal(watchdog.idleSinceMs, null);
    child?.kill('SIGKILL');
    await isIdle();
  });

  it('is busy with what works in the work folder, its disk included', async function () {
    if (statfsSync(agent.work).type === TMPFS) {
      console.log(`      skipped: ${agent.work} is in memory (tmpfs), so nothing there is written to a disk`);
      this.skip();
    }
    works(WRITE, agent.work, {});
    await isBusy(/^processes read and write [\d.]+ MB\/s, most of it node/);
    child?.kill('SIGKILL');
    await isIdle();
  });

  it('is not busy with less than the limits that it is given', async () => {
    const least = { cpuPercent: 10_000, kilobytesPerSecond: 100 };
    await agent.call('PUT', '/watchdog', { stopAtMs: null, idleMs: 3_600_000, busy: least });
    works(BURN, agent.work, { HITCH_NODE: agent.ref });
    const before = await agent.status();
    const { watchdog } = await agent.untilStatus(
      'three more looks',
      ({ nowMs }) => nowMs - before.nowMs > 35_000,
    );
    assert.deepEqual(watchdog.activity, []);
    assert.match(watchdog.looksAt ?? '', /above 10000 % of a core/);
  });
});
