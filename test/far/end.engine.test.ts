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
import { allProcesses, refOfThisRun, sendSignal, skip } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const signal = new AbortController().signal;
const REF = refOfThisRun('end');
const OTHER = refOfThisRun('other');
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

  /** Programs that only this run of the tests knows, by the seconds that they sleep. */
  const long = (number: number): string => `${number.toString()}${process.pid.toString().padStart(7, '0')}`;
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
      await start(`HITCH_NODE=${REF} setsid sh -c 'env -i sleep ${long(86311)} & wait'`, long(86311));
      await start(
        `HITCH_NODE=${REF} setsid sh -c 'trap "" TERM; sleep ${long(86312)} & sleep ${long(86313)}'`,
        long(86312),
      );
      await start(`HITCH_NODE=${OTHER} setsid sleep ${long(86314)}`, long(86314));
      await start(`setsid sleep ${long(86315)}`, long(86315));
      try {
        await endFar(there().shell, REF, signal);
        assert.deepEqual([long(86311), long(86312), long(86313)].flatMap(sleeping), []);
        assert.equal(sleeping(long(86314)).length, 1);
        assert.equal(sleeping(long(86315)).length, 1);
      } finally {
        sleeping(long(86315)).forEach(({ pid }) => process.kill(pid));
      }
    });

    it(`reads no tag out of the lines of a variable, with ${tools} tools`, async () => {
      begin(tools);
      await start(`setsid sleep ${long(86321)}`, long(86321));
      const victim = sleeping(long(86321))[0]?.pid.toString() ?? '';
      const named = `/proc/${victim}/environ:HITCH_NODE=${REF}`;
      await start(`HITCH_NODE='x\n${named}' setsid sleep ${long(86322)}`, long(86322));
      await start(`NOTES='x\nHITCH_NODE=${REF}' setsid sleep ${long(86323)}`, long(86323));
      await start(`HITCH_NODE='${REF}\nx' setsid sleep ${long(86324)}`, long(86324));
      const all = [long(86321), long(86322), long(86323), long(86324)];
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
      await start(`HITCH_NODE=${REF} setsid sleep ${long(86331)}`, long(86331));
      spawn('sleep', [long(86332)], { env: { PATH, HITCH_NODE: REF }, stdio: 'ignore' }).unref();
      await until('one of root’s runs', () => sleeping(long(86332)).length > 0);
      const { stdout } = spawnSync('/bin/sh', ['-c', END], {
        env: { PATH, HOME: there().home },
        input: valueLines({ ROOT: '', REF, SOCKET: '' }),
        encoding: 'utf8',
      });
      assert.equal(stdout, '::ended\n');
      assert.deepEqual([sleeping(long(86331)).length, sleeping(long(86332)).length], [1, 0]);
      await endFar(there().shell, REF, signal);
      assert.deepEqual(sleeping(long(86331)), []);
    });
  }
});
