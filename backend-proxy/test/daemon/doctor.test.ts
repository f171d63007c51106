import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDoctor } from '../../src/daemon/doctor.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { NO_KEYCHAIN_MODULE } from '../../src/secrets/keychain.ts';

describe('the doctor', function () {
  this.timeout(30_000);
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-doctor-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const check = async (namedPython: string | null, problem: string | null = null) => {
    const keychain = {
      problem: async () => problem,
      get: async () => null,
      set: async () => undefined,
      remove: async () => undefined,
    };
    const checks = await runDoctor(
      { home: homeAt(folder), port: () => 4711, keychain, namedPython },
      new AbortController().signal,
    );
    return Object.fromEntries(checks.map(({ name, ...rest }) => [name, rest]));
  };

  it('says a sentence for everything, and a next step for what is wrong', async () => {
    const checks = await check(join(folder, 'no-python'), 'no Secret Service');
    assert.deepEqual(Object.keys(checks).sort(), [
      'disk',
      'git',
      'home',
      'keychain',
      'node',
      'port',
      'python',
      'ray',
      'ssh',
    ]);
    for (const [name, { status, message, next }] of Object.entries(checks)) {
      assert.match(message, /[.:].*\.$|\.$/, name);
      assert.equal(next === null, status === 'ok', name);
    }
    assert.match(checks['python']?.message ?? '', /No Python was found \(.*no-python\)/);
    assert.match(checks['ray']?.message ?? '', /has no Ray/);
    assert.match(checks['keychain']?.message ?? '', /no Secret Service/);
    assert.match(checks['port']?.message ?? '', /127\.0\.0\.1:4711/);
  });

  it('advises to unlock a keychain only where its module is there', async () => {
    const locked = await check(null, 'no Secret Service');
    assert.match(locked['keychain']?.next ?? '', /^Unlock or install a keychain/);
    const missing = await check(null, NO_KEYCHAIN_MODULE);
    assert.match(missing['keychain']?.message ?? '', /brings no keychain module for .*not encrypted/);
    assert.match(missing['keychain']?.next ?? '', /on an encrypted disk/);
  });

  it('notices a folder that others can enter, and an old Ray', async () => {
    chmodSync(folder, 0o755);
    const python = join(folder, 'bin', 'python');
    mkdirSync(join(folder, 'bin'));
    writeFileSync(python, '#!/bin/sh\ncase "$2" in *sys*) echo 3.12.4;; *ray*) echo 2.40.0;; esac\n', {
      mode: 0o755,
    });
    const checks = await check(python);
    assert.match(checks['home']?.next ?? '', /chmod 700/);
    assert.match(checks['python']?.message ?? '', /Python 3\.12\.4/);
    assert.equal(checks['ray']?.status, 'problem');
    assert.match(checks['ray'].message, /Ray 2\.40\.0, which cannot protect/);
    assert.equal(checks['keychain']?.status, 'ok');
  });
});
