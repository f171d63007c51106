/** Ending a far machine: every process of its own and no other, with GNU's tools and with those of small systems. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endFar } from '../../backend-proxy/src/machines/far/far-end.ts';
import { END } from '../../backend-proxy/src/machines/far/program-texts.ts';
import { valueLines } from '../../backend-proxy/src/machines/far/values.ts';
import { findLease } from '../../backend-proxy/src/providers/ssh/leases.ts';
import { FarTools } from '../support/far-tools.ts';
import { type HomeMachine, homeMachine } from '../support/home-machine.ts';
import { allProcesses, sendSignal, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const signal = new AbortController().signal;
const REF = 'hitch-end';
const OTHER = 'hitch-end-2';
/** BusyBox's knows no -z. */
const SMALL_GREP = '#!/bin/sh\ncase $1 in -*z*) exit 2 ;; esac\nexec /bin/grep "$@"\n';

describe('ending a far machine', () => {
  let folder = '';
  let machine: HomeMachine | null = null;

  before(function () {
    if (process.platform !== 'linux') {
      console.log('    skipped: far machines run Linux');
      this.skip();
    }
  });
  afterEach(async () => {
    // None where a test was skipped.
    const one = machine;
    machine = null;
    if (one !== null) {
      await endFar(one.shell, OTHER, signal);
      one.dispose();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const there = (): HomeMachine => {
    assert.ok(machine !== null);
    return machine;
  };

  /** Programs that only the test knows, by the seconds that they sleep. */
  const sleeping = (seconds: string) =>
    allProcesses().filter(({ command }) => command === `sleep ${seconds}`);
  const start = async (program: string, seconds: string) => {
    await there().shell.run(`${program} </dev/null >/dev/null 2>&1 &\n`, { signal });
    await until(`sleep ${seconds} runs`, () => sleeping(seconds).length > 0);
  };

  const begin = (tools: 'GNU' | 'small'): string => {
    folder = mkdtempSync(join(tmpdir(), 'hfe-'));
    chmodSync(folder, 0o755);
    const { path } = new FarTools(folder);
    if (tools === 'small') {
      rmSync(join(path, 'grep'));
      writeFileSync(join(path, 'grep'), SMALL_GREP, { mode: 0o755 });
    }
    machine = homeMachine(path);
    return path;
  };

  for (const tools of ['GNU', 'small'] as const) {
    it(`ends its processes and their children, and nobody else's, with ${tools} tools`, async () => {
      begin(tools);
      // One that was told to empty its environment is known by where it comes from.
      await start(`HITCH_NODE=${REF} setsid sh -c 'env -i sleep 86311 & wait'`, '86311');
      await start(`HITCH_NODE=${REF} setsid sh -c 'trap "" TERM; sleep 86312 & sleep 86313'`, '86312');
      await start(`HITCH_NODE=${OTHER} setsid sleep 86314`, '86314');
      await start('setsid sleep 86315', '86315');
      try {
        await endFar(there().shell, REF, signal);
        assert.deepEqual(['86311', '86312', '86313'].flatMap(sleeping), []);
        assert.equal(sleeping('86314').length, 1);
        assert.equal(sleeping('86315').length, 1);
      } finally {
        sleeping('86315').forEach(({ pid }) => process.kill(pid));
      }
    });

    it(`reads no tag out of the lines of a variable, with ${tools} tools`, async () => {
      begin(tools);
      await start('setsid sleep 86321', '86321');
      const victim = sleeping('86321')[0]?.pid.toString() ?? '';
      const named = `/proc/${victim}/environ:HITCH_NODE=${REF}`;
      await start(`HITCH_NODE='x\n${named}' setsid sleep 86322`, '86322');
      await start(`NOTES='x\nHITCH_NODE=${REF}' setsid sleep 86323`, '86323');
      await start(`HITCH_NODE='${REF}\nx' setsid sleep 86324`, '86324');
      const all = ['86321', '86322', '86323', '86324'];
      try {
        await endFar(there().shell, REF, signal);
        assert.deepEqual(
          all.map(seconds => sleeping(seconds).length),
          [1, 1, 1, 1],
        );
        assert.deepEqual(
          await findLease(there().shell, REF, signal),
          { left: 0 },
          'they keep nothing from being gone',
        );
      } finally {
        all.flatMap(sleeping).forEach(({ pid }) => sendSignal(pid, 'SIGKILL'));
      }
    });

    it(`ends nothing of another user's, though root may, with ${tools} tools`, async function () {
      if (process.getuid?.() !== 0) {
        skip(this, 'only root has two users');
      }
      const PATH = begin(tools);
      await start(`HITCH_NODE=${REF} setsid sleep 86331`, '86331');
      spawn('sleep', ['86332'], { env: { PATH, HITCH_NODE: REF }, stdio: 'ignore' }).unref();
      await until('one of root’s runs', () => sleeping('86332').length > 0);
      const { stdout } = spawnSync('/bin/sh', ['-c', END], {
        env: { PATH, HOME: there().home },
        input: valueLines({ ROOT: '', REF, SOCKET: '' }),
        encoding: 'utf8',
      });
      assert.equal(stdout, '::ended\n');
      assert.deepEqual([sleeping('86331').length, sleeping('86332').length], [1, 0]);
      await endFar(there().shell, REF, signal);
      assert.deepEqual(sleeping('86331'), []);
    });
  }
});
