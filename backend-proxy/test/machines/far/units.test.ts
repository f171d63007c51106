/** The units of several machines of one user, which are made and taken away at once: each looks for what another makes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const beside = (name: string) => readFileSync(new URL(`../../../far/${name}`, import.meta.url), 'utf8');

/** What systemd does with the links of a unit. While a file "hold" is there, it takes its time over it. */
const SYSTEMCTL = `#!/bin/sh
units=$HOME/.config/systemd/user
case $2 in
  enable)
    : >"$HOME/enabling"
    while [ -e "$HOME/hold" ]; do sleep 0.05; done
    mkdir -p "$units/default.target.wants" && ln -sf "$3" "$units/" && ln -sf "$3" "$units/default.target.wants/" ;;
  disable) rm -f "$units/$3" "$units/default.target.wants/$3" ;;
esac
`;
const LOGINCTL = `#!/bin/sh
case $1 in
  show-user) if [ -e "$HOME/lingers" ]; then echo Linger=yes; else echo Linger=no; fi ;;
  enable-linger) [ ! -e "$HOME/dies" ] || kill -s KILL "$(cat "$HOME/dies")"; : >"$HOME/lingers" ;;
  disable-linger) rm -f "$HOME/lingers" ;;
esac
`;

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) {
    await once(child, 'exit');
  }
};

describe('the units of two machines of one user', function () {
  this.timeout(60_000);
  let home = '';
  const running: ChildProcess[] = [];

  before(function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: far machines run Linux');
      this.skip();
    }
  });
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hunit-'));
    ['bin', 'root', 'hitch-a', 'hitch-b'].forEach(name => mkdirSync(join(home, name)));
    writeFileSync(join(home, 'bin', 'systemctl'), SYSTEMCTL, { mode: 0o755 });
    writeFileSync(join(home, 'bin', 'loginctl'), LOGINCTL, { mode: 0o755 });
  });
  afterEach(async () => {
    rmSync(join(home, 'hold'), { force: true });
    await Promise.all(running.splice(0).map(ended));
    rmSync(home, { recursive: true, force: true });
  });

  const program = (does: string, ref: string): readonly string[] => [
    '-c',
    [
      beside('common.sh'),
      beside('unit.sh'),
      `ROOT=${home}/root REF=${ref} MACHINE=${home}/${ref} LOOP_PROGRAM=loop`,
      does,
    ].join('\n'),
  ];
  const env = () => ({ HOME: home, PATH: `${join(home, 'bin')}:/usr/bin:/bin` });
  const run = (does: string, ref: string) => spawnSync('sh', program(does, ref), { env: env() }).status;
  const begin = (does: string, ref: string): ChildProcess => {
    const child = spawn('sh', program(does, ref), { env: env(), stdio: 'ignore' });
    running.push(child);
    return child;
  };
  const isThere = (name: string) => existsSync(join(home, name));
  const untilThere = async (name: string) => {
    while (!isThere(name)) {
      await delay(20);
    }
  };

  it('keep what both need when one is made while the other goes', async () => {
    assert.equal(run('add_unit', 'hitch-a'), 0);
    rmSync(join(home, 'enabling'));
    writeFileSync(join(home, 'hold'), '');
    const adding = begin('add_unit', 'hitch-b');
    await untilThere('enabling');
    const removing = begin('remove_unit', 'hitch-a');
    // Where it does not wait for the other, it is over by then.
    await Promise.race([once(removing, 'exit'), delay(1_500)]);
    const over = Promise.all([adding, removing].map(ended));
    rmSync(join(home, 'hold'));
    await over;
    assert.equal(adding.exitCode, 0);
    assert.deepEqual(readdirSync(join(home, '.config/systemd/user/default.target.wants')), [
      'hitch-b.service',
    ]);
    assert.ok(isThere('lingers'), 'the other starts without a login');
    assert.equal(run('remove_unit', 'hitch-b'), 0);
    assert.ok(!isThere('lingers'), 'what was made for them goes with the last');
    assert.deepEqual(readdirSync(join(home, 'root')), []);
  });

  it('leave nothing on where one is killed before it could write down that it was made', () => {
    run(`echo $$ >"$HOME/dies"; add_unit`, 'hitch-a');
    rmSync(join(home, 'dies'));
    // The next one for that machine, and its end.
    assert.equal(run('add_unit', 'hitch-a'), 0);
    assert.equal(run('remove_unit', 'hitch-a'), 0);
    assert.ok(!isThere('lingers'));
    assert.deepEqual(readdirSync(join(home, 'root')), []);
  });
});
