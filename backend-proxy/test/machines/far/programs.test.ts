/** The programs that run on far machines: every shell can read them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as programs from '../../../src/machines/far/program-texts.ts';
import { parseLook } from '../../../src/machines/far/facts.ts';
import { indexOf, pinsIn } from '../../../src/machines/far/bootstrap.ts';
import { valueLines } from '../../../src/machines/far/values.ts';
import { shippedHashes, shippedRequirements } from '../../../src/machines/python.ts';

const beside = (name: string) =>
  readFileSync(new URL(`../../../far/${name.toLowerCase()}`, import.meta.url), 'utf8');
const shells = [['sh'], ['dash'], ['busybox', 'sh']].filter(
  ([file = '']) => spawnSync(file, ['-c', ':']).error === undefined,
);

describe('the programs for far machines', () => {
  const inShell = Object.entries(programs).filter(([name]) => !['FETCH', 'GATHER'].includes(name));

  it('are read by every POSIX shell that is here', function () {
    if (shells.length === 0) {
      console.log('      skipped: there is no POSIX shell');
      this.skip();
    }
    for (const [file = '', ...args] of shells) {
      for (const [name, text] of inShell) {
        const { status, stderr } = spawnSync(file, [...args, '-n'], { input: text, encoding: 'utf8' });
        assert.equal(status, 0, `${file} ${name}: ${stderr}`);
      }
    }
  });

  it('look at no folder of a server below /mnt, which may never answer', function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: far machines run Linux');
      this.skip();
    }
    const folder = mkdtempSync(join(tmpdir(), 'hlook-'));
    try {
      const kinds = { disk: 'ext4', 'a share': 'nfs4', samba: 'cifs', ssh: 'fuse.sshfs' };
      const mounts = Object.entries(kinds).map(([name, kind]) => {
        mkdirSync(join(folder, name));
        return `from ${join(folder, name).replaceAll(' ', String.raw`\040`)} ${kind} rw 0 0\n`;
      });
      writeFileSync(join(folder, 'mounts'), mounts.join(''));
      const program = programs.LOOK.replaceAll('/proc/mounts', join(folder, 'mounts'))
        .replaceAll('/mnt/', `${folder}/`)
        .replaceAll('/mnt ', '');
      const { stdout } = spawnSync('sh', ['-c', program], { encoding: 'utf8' });
      const seen = stdout.split('\n').filter(line => line.startsWith('place ') && line.includes(folder));
      assert.deepEqual(
        seen.map(line => line.slice(line.indexOf(folder) + folder.length + 1).split('/')[0]),
        ['disk'],
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('go on without a folder that does not answer, and say which', function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: far machines run Linux');
      this.skip();
    }
    const folder = mkdtempSync(join(tmpdir(), 'hlook-'));
    const home = join(folder, 'home');
    const data = join(folder, 'data');
    const pid = join(folder, 'pid');
    try {
      [home, data, join(folder, 'bin')].forEach(each => mkdirSync(each));
      // What asks a server that is gone waits for ever.
      const df = `#!/bin/sh\ncase $2 in ${data}) echo $$ >'${pid}' && exec sleep 600 ;; esac\nexec /bin/df "$@"\n`;
      writeFileSync(join(folder, 'bin', 'df'), df, { mode: 0o755 });
      const program = programs.LOOK.replace('bounded 5 place', 'bounded 1 place').replace(
        '/workspace /data /mnt /mnt/* /root',
        data,
      );
      const { stdout } = spawnSync('sh', ['-c', program], {
        encoding: 'utf8',
        env: { HOME: home, PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
      });
      const { places, silent } = parseLook(stdout);
      assert.deepEqual(silent, [data]);
      assert.deepEqual(
        places.map(({ root }) => root),
        [join(home, '.hitch', 'far')],
      );
    } finally {
      process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('hear what a program says to its end, whatever its last line is', function () {
    if (process.platform !== 'linux' || shells.length === 0) {
      console.log('      skipped: far machines run Linux');
      this.skip();
    }
    const cases: readonly (readonly [said: string, printed: string])[] = [
      ['', ''],
      ['one', 'one\\n'],
      ['one\\n', 'one\\n'],
      ['one\\n\\ntwo\\n\\n', 'one\\n\\ntwo\\n\\n'],
    ].map(([said = '', printed = '']) => [said, printed.replaceAll('\\n', '\n')] as const);
    for (const [file = '', ...args] of shells) {
      for (const [said, printed] of cases) {
        const program = `${beside('common.sh')}\nsays() { printf '${said}'; return 7; }\nbounded 60 says`;
        const { stdout, status } = spawnSync(file, [...args, '-c', program], { encoding: 'utf8' });
        assert.deepEqual([stdout, status], [printed, 7], `${file}: ${said}`);
      }
      const hangs = `${beside('common.sh')}\nsays() { printf half; exec sleep 600; }\nbounded 1 says`;
      const { stdout, status } = spawnSync(file, [...args, '-c', hangs], { encoding: 'utf8' });
      assert.deepEqual([stdout, status], ['half\n', 124], file);
    }
  });

  it('say that a home folder does not answer instead of waiting for it', function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: far machines run Linux');
      this.skip();
    }
    const home = mkdtempSync(join(tmpdir(), 'hlook-'));
    try {
      mkdirSync(join(home, 'leases', 'hitch-a'), { recursive: true });
      writeFileSync(join(home, 'leases', 'hitch-a', 'lease'), '0 1 2 ada@laptop box\n');
      const ask = (program: string) =>
        spawnSync('sh', ['-c', program], {
          input: valueLines({ LEASES: 'leases' }),
          encoding: 'utf8',
          env: { HOME: home, PATH: '/usr/bin:/bin' },
        });
      assert.equal(ask(programs.USES).stdout, 'hitch-a 0 1 2 ada@laptop box\n::end\n');
      // Nobody writes into it: who reads it waits for ever, as with a server that is gone.
      mkdirSync(join(home, 'leases', 'hitch-b'));
      assert.equal(spawnSync('mkfifo', [join(home, 'leases', 'hitch-b', 'lease')]).status, 0);
      assert.equal(ask(programs.USES.replace('bounded 5', 'bounded 1')).status, 124);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('read values as they are, whatever is in them', function () {
    if (shells.length === 0) {
      console.log('      skipped: there is no POSIX shell');
      this.skip();
    }
    const nasty = `it's $(touch /tmp/x) "\`id\`" \\n = \\ ;`;
    const program = `${beside('common.sh')}\nread_values\nprintf '%s|%s|%s' "$A" "$B" "$C"`;
    for (const [file = '', ...args] of shells) {
      const { stdout } = spawnSync(file, [...args, '-c', program], {
        input: valueLines({ A: nasty, B: '', C: ' x ' }),
        encoding: 'utf8',
      });
      assert.equal(stdout, `${nasty}|| x `, file);
    }
    assert.throws(() => valueLines({ A: 'two\nlines' }), /more than one line/);
  });
});

describe('the packages of a far machine', () => {
  it('are those of every other node, each with its hashes', () => {
    const hashes = shippedHashes();
    assert.deepEqual(pinsIn(hashes).toSorted(), pinsIn(shippedRequirements()).toSorted());
    const withoutHash = hashes
      .split(/\n(?=[a-z])/i)
      .filter(entry => /^[a-z]/i.test(entry) && !entry.includes('--hash=sha256:'));
    assert.deepEqual(withoutHash, []);
  });

  it('come from the index that this computer’s user has set, unless a password stands in it', () => {
    assert.equal(indexOf({}), '');
    assert.equal(indexOf({ PIP_INDEX_URL: 'https://index.test/simple' }), 'https://index.test/simple');
    assert.equal(indexOf({ PIP_INDEX_URL: 'https://ada:secret@index.test/simple' }), '');
    assert.equal(indexOf({ UV_INDEX_URL: 'nonsense', PIP_INDEX_URL: 'file:///x' }), '');
  });
});
