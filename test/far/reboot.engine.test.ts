/** After a reboot: the agent of a far machine starts by what the machine has for that, and is said where it has nothing. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentMachine } from '../support/agent-machine.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { nodeProcesses, refOfThisRun } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const signal = new AbortController().signal;
const REF = refOfThisRun('reboot');
const CRON = refOfThisRun('cron');

/** A crontab that is a file in the home folder. */
const CRONTAB = `#!/bin/sh
case $1 in
  -l) cat "$HOME/crontab.txt" ;;
  -) all=$(cat) && printf '%s\\n' "$all" >"$HOME/crontab.txt" ;;
esac
`;

/** What systemd does with the links of a unit, and no more. */
const SYSTEMCTL = `#!/bin/sh
[ "$1" = --user ] && [ -n "$XDG_RUNTIME_DIR" ] || exit 1
units=$HOME/.config/systemd/user
case $2 in
  show-environment) echo HOME ;;
  enable) mkdir -p "$units/default.target.wants" && ln -sf "$3" "$units/" && ln -sf "$3" "$units/default.target.wants/" ;;
  disable) rm -f "$units/$3" "$units/default.target.wants/$3"; rmdir "$units/default.target.wants" ;;
esac
`;
const loginctl = (mayLinger: boolean): string => `#!/bin/sh
case $1 in
  show-user) if [ -e "$HOME/lingers" ]; then echo Linger=yes; else echo Linger=no; fi ;;
  enable-linger) ${mayLinger ? ': >"$HOME/lingers"' : 'echo "Could not enable linger: Access denied" >&2; exit 1'} ;;
  disable-linger) rm "$HOME/lingers" ;;
esac
`;

describe('a far machine after a reboot', function () {
  this.timeout(180_000);
  let far: AgentMachine;
  let crontab = '';

  before(async function () {
    needsOpenssh(this);
    far = await AgentMachine.start(REF);
    crontab = join(far.machine.home, 'crontab.txt');
  });
  afterEach(async () => {
    await far.end();
    ['crontab', 'systemctl', 'loginctl'].forEach(name => far.removeProgram(name));
    rmSync(crontab, { force: true });
  });
  after(() => far?.dispose());

  const about = async () => (await far.host().facts(signal)).about;
  const somethingCalledCron = async () => {
    await far.shell.run(
      `cp "$(command -v sleep)" "$HOME/cron" && HITCH_NODE=${CRON} setsid "$HOME/cron" 900 >/dev/null 2>&1 &\n`,
      { signal },
    );
    await until('something called cron runs', () =>
      nodeProcesses(CRON).some(({ command }) => command.endsWith('cron 900')),
    );
    return {
      end: () => {
        nodeProcesses(CRON).forEach(({ pid }) => process.kill(pid, 'SIGKILL'));
        rmSync(join(far.machine.home, 'cron'), { force: true });
      },
    };
  };
  const writeCrontab = (text: string) => {
    writeFileSync(crontab, text);
    chmodSync(crontab, 0o666);
  };
  const withSystemd = (mayLinger: boolean) => {
    far.program('systemctl', SYSTEMCTL);
    far.program('loginctl', loginctl(mayLinger));
  };

  it('does not come back where neither systemd nor cron is, and that is said', async () => {
    await far.startAgent();
    const said = await about();
    assert.equal(said?.returnsAfterReboot, false);
    assert.match(said?.warnings.join() ?? '', /^If gpu-box is restarted, nothing there starts Hitch's agent/);
  });

  it('comes back by a unit of its user’s systemd, which goes with the machine', async () => {
    withSystemd(true);
    await far.startAgent();
    assert.equal((await about())?.returnsAfterReboot, true);
    const before = (await far.status()).startedAtMs;
    const wants = join(
      far.machine.home,
      '.config',
      'systemd',
      'user',
      'default.target.wants',
      `${REF}.service`,
    );
    const unit = readFileSync(wants, 'utf8');
    const [, environment = ''] = /^Environment=(.*)$/m.exec(unit) ?? [];
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    assert.equal(environment, `HITCH_NODE=${REF}`);
    await far.loseAll();
    await far.shell.run(
      `PATH=/usr/bin:/bin; export PATH; ${environment} setsid ${command} >/dev/null 2>&1 &\n`,
      {
        signal,
      },
    );
    await far.agentAfter(before);
    await far.end();
    assert.deepEqual(
      readdirSync(far.machine.home).filter(name => !['.bashrc', '.hitch'].includes(name)),
      [],
    );
  });

  it('leaves a systemd alone that the user has used before', async () => {
    withSystemd(true);
    const mine = '.config/systemd/user/mine.service';
    await far.shell.run(`mkdir -p .config/systemd/user && echo mine >${mine} && : >lingers\n`, { signal });
    try {
      await far.startAgent();
      assert.equal((await about())?.returnsAfterReboot, true);
      await far.end();
      assert.equal(readFileSync(join(far.machine.home, mine), 'utf8'), 'mine\n');
      assert.ok(existsSync(join(far.machine.home, 'lingers')));
    } finally {
      await far.shell.run('rm -rf .config lingers\n', { signal });
    }
  });

  it('has no line in the crontab any more once a unit starts it', async () => {
    withSystemd(true);
    far.program('crontab', CRONTAB);
    writeCrontab(`0 5 * * * mine\n@reboot HITCH_NODE=${REF} sh loop # hitch ${REF}\n`);
    await far.startAgent();
    assert.equal((await about())?.returnsAfterReboot, true);
    assert.equal(readFileSync(crontab, 'utf8'), '0 5 * * * mine\n');
  });

  it('takes cron where a systemd may start nothing without a login', async () => {
    withSystemd(false);
    far.program('crontab', CRONTAB);
    writeCrontab('0 5 * * * mine\n');
    const cron = await somethingCalledCron();
    try {
      await far.startAgent();
      assert.match(readFileSync(crontab, 'utf8'), new RegExp(`^@reboot HITCH_NODE=${REF} `, 'm'));
      assert.equal((await about())?.returnsAfterReboot, true);
      assert.throws(() => lstatSync(join(far.machine.home, '.config')), /ENOENT/);
    } finally {
      cron.end();
    }
  });

  it('is started again after a reboot where cron runs, and takes its line out of the crontab at the end', async () => {
    far.program('crontab', CRONTAB);
    writeCrontab('0 5 * * * mine\n');
    const cron = await somethingCalledCron();
    try {
      await far.startAgent();
      const before = (await far.status()).startedAtMs;
      const [, command = ''] = /^@reboot (.*)$/m.exec(readFileSync(crontab, 'utf8')) ?? [];
      assert.match(command, new RegExp(`^HITCH_NODE=${REF} sh .*# hitch ${REF}$`));
      await far.loseAll();
      await far.shell.run(
        `PATH=/usr/bin:/bin; export PATH; ${command}`.replace(' # ', ' >/dev/null 2>&1 & # '),
        {
          signal,
        },
      );
      await far.agentAfter(before);
      await far.end();
      assert.equal(readFileSync(crontab, 'utf8'), '0 5 * * * mine\n');
    } finally {
      cron.end();
    }
  });

  it('leaves a crontab alone that cannot be read', async () => {
    far.program('crontab', CRONTAB.replace(/-l\).*/, '-l) echo "crontab: no memory" >&2; exit 1 ;;'));
    writeCrontab('0 5 * * * mine\n');
    const cron = await somethingCalledCron();
    try {
      await far.startAgent();
      assert.match(
        await far.host().readLog('agent', 10_000, signal),
        /cannot be read \(crontab: no memory\)/,
      );
      await far.end();
      assert.equal(readFileSync(crontab, 'utf8'), '0 5 * * * mine\n');
      // A user who has none yet gets one.
      rmSync(crontab);
      far.program('crontab', CRONTAB.replace(/-l\).*/, '-l) echo "no crontab for far" >&2; exit 1 ;;'));
      await far.startAgent();
      assert.match(readFileSync(crontab, 'utf8'), new RegExp(`^@reboot HITCH_NODE=${REF} `));
    } finally {
      cron.end();
    }
  });
});
