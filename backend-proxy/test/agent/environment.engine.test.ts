/** The environment of a node, in the shells that people have: whatever their own files do, its Python comes first. */
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { NodeEnvironment } from '../../src/agent/environment/environment.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { pythonOrSkip } from './running-agent.ts';

const run = promisify(execFile);
/** Gives a program a terminal, writes to it what comes, and ends as it does. */
const IN_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
const SHELLS = ['bash', 'zsh', 'dash', 'fish'] as const;
/** As Debian's /etc/profile, and as the managers of Python versions do it. */
const HOSTILE = 'PATH="$HOME/other:/usr/local/bin:/usr/bin:/bin"; export PATH; MINE=read; export MINE\n';
const FILES = ['.profile', '.bashrc', '.zshenv', '.zprofile', '.zshrc', '.zlogin'];

describe('the environment of a node', function () {
  this.timeout(120_000);
  // A name that no shell takes as it is.
  let root = '';
  let home = '';
  let environment: NodeEnvironment;

  before(async function () {
    const python = pythonOrSkip(this);
    root = mkdtempSync(join(realpathSync(tmpdir()), "it's a $HOME -"));
    home = join(root, 'home');
    mkdirSync(join(home, 'other'), { recursive: true });
    mkdirSync(join(home, '.config', 'fish'), { recursive: true });
    writeFileSync(join(home, 'other', 'python'), '#!/bin/sh\necho another\n', { mode: 0o755 });
    FILES.forEach(name => writeFileSync(join(home, name), HOSTILE));
    writeFileSync(
      join(home, '.config', 'fish', 'config.fish'),
      'set -gx PATH $HOME/other /usr/bin /bin; set -gx MINE read\n',
    );
    const folders = { state: join(root, 'state'), work: root, short: root };
    mkdirSync(folders.state);
    const config = { python, clusterName: 'a "name"' };
    environment = new NodeEnvironment({ config, folders, log: silentLog, inherited: { PATH: '/usr/bin' } });
    environment.setRay({ RAY_ADDRESS: "10.0.0.1:6379'$(id)" });
    await environment.ready();
  });

  after(() => {
    if (root !== '') {
      rmSync(root, { recursive: true, force: true });
    }
  });

  const variables = (shell: string): NodeJS.ProcessEnv => ({
    ...environment.variables,
    HOME: home,
    SHELL: shell,
    TERM: 'dumb',
  });
  const says = (text: string, wanted: string): void =>
    assert.ok(text.includes(wanted), `${wanted} in ${text}`);
  const PRINT = `python -c 'import os, sys; print(sys.prefix); print(os.environ["RAY_ADDRESS"], os.environ.get("MINE"))'`;

  /** Types until there is an answer: a shell that begins may throw away what was typed before. */
  async function inTerminal(python: string, shell: string): Promise<string> {
    const args = ['-c', IN_TERMINAL, environment.shell ?? ''];
    const child = spawn(python, args, { env: variables(shell), stdio: ['pipe', 'pipe', 'pipe'] });
    const closed = new Promise(resolve => child.once('close', resolve));
    let shown = '';
    child.stdout.on('data', (bytes: Buffer) => (shown += bytes.toString()));
    try {
      for (let look = 0; !shown.includes(' read') && child.exitCode === null && look < 600; look++) {
        if (look % 50 === 0) {
          child.stdin.write(`${PRINT}\n`);
        }
        await delay(100);
      }
    } finally {
      child.stdin.end();
      child.kill('SIGKILL');
      await closed;
    }
    return shown;
  }

  for (const name of SHELLS) {
    const shell = ['/bin', '/usr/bin'].map(folder => join(folder, name)).find(path => existsSync(path));

    it(`comes first in a login shell of ${name}`, async function () {
      if (shell === undefined) {
        console.log(`      skipped: there is no ${name} here`);
        this.skip();
      }
      const python = pythonOrSkip(this);
      const shown = await inTerminal(python, shell);
      says(shown, environment.folder);
      says(shown, `10.0.0.1:6379'$(id) read`);
      // Without a terminal dash reads none of our files, and fish nothing from the kind of pipe that Node has.
      if (name === 'bash' || name === 'zsh') {
        const said = spawnSync(environment.shell ?? '', {
          env: variables(shell),
          input: `${PRINT}\nexit\n`,
          encoding: 'utf8',
          timeout: 60_000,
        });
        says(said.stdout, environment.folder);
        says(said.stdout, `10.0.0.1:6379'$(id) read`);
      }
    });
  }

  it('comes first in a login shell of bash for one command, and leaves PATH alone in a script', async function () {
    const environ = variables('/bin/bash');
    says((await run('/bin/bash', ['-lc', PRINT], { env: environ })).stdout, environment.folder);
    const own = { ...environ, PATH: `${home}/other:${environ['PATH'] ?? ''}` };
    says((await run('/bin/bash', ['-c', 'python'], { env: own })).stdout, 'another');
  });

  it('has the programs of its packages, which see what is installed in it', async () => {
    const env = variables('/bin/sh');
    const where = 'import jupyter_server, sys; print(sys.prefix); print(jupyter_server.__file__)';
    const [prefix, file = ''] = (await run(environment.python, ['-c', where], { env })).stdout.split('\n');
    assert.equal(prefix, environment.folder);
    assert.ok(!file.startsWith(environment.folder), 'what it came with is not copied');
    const { stdout } = await run(join(environment.folder, 'bin', 'pip'), ['--version'], { env });
    assert.match(stdout, /^pip /);
    const kernels = await run('jupyter', ['kernelspec', 'list', '--json'], { env });
    assert.match(kernels.stdout, /"python3"/);
  });

  it('has programs that run the Python beside them, in a copy and by a link too', async () => {
    const copy = join(root, "a copy's");
    cpSync(environment.folder, copy, { recursive: true, verbatimSymlinks: true });
    const linked = join(root, 'linked');
    symlinkSync(join(environment.folder, 'bin', 'said'), linked);
    const shells = ['/bin/sh', '/bin/bash', '/bin/dash'].filter(path => existsSync(path));
    for (const folder of [environment.folder, copy]) {
      const program = join(folder, 'bin', 'said');
      const first = readFileSync(join(folder, 'bin', 'pip'), 'utf8')
        .split('\n', 3)
        .join('\n');
      writeFileSync(program, `${first}\nimport sys\nprint(sys.prefix, sys.argv[1:])\n`, { mode: 0o755 });
      // Not the home of the hostile files: bash whose input is Node's kind of pipe reads one of them.
      const env = { HOME: root, PATH: `${join(folder, 'bin')}:/usr/bin:/bin` };
      const wanted = `${folder} ['a b', '']\n`;
      assert.equal((await run(program, ['a b', ''], { env })).stdout, wanted);
      for (const shell of shells) {
        assert.equal((await run(shell, ['-c', 'said "a b" ""'], { env })).stdout, wanted, shell);
        const here = { env, cwd: join(folder, 'bin') };
        assert.equal((await run(shell, ['said', 'a b', ''], here)).stdout, wanted, shell);
      }
    }
    assert.equal(
      (await run(linked, [], { env: { PATH: '/usr/bin:/bin' } })).stdout,
      `${environment.folder} []\n`,
    );
  });

  it('has the programs that a user installed for its interpreter, and none of another’s', async () => {
    // The one that the test's own is made from: only it sees what a user installed.
    const { stdout } = await run(process.env['HITCH_PYTHON'] ?? '', [
      '-c',
      'import sys; print(sys._base_executable)',
    ]);
    const real = stdout.trim();
    const user = join(root, 'user');
    mkdirSync(join(user, 'bin'), { recursive: true });
    const program = (name: string, first: string): void =>
      writeFileSync(
        join(user, 'bin', name),
        `${first}\nimport sys\nif __name__ == '__main__': print(sys.prefix)\n`,
        {
          mode: 0o755,
        },
      );
    program('of-user', `#!${real}`);
    program('of-another', `#!${environment.python}`);
    const state = join(root, 'of-user');
    mkdirSync(state);
    const python = join(root, 'user-python');
    const started = `#!/bin/sh\nPYTHONUSERBASE='${user.replaceAll("'", "'\\''")}' exec '${real}' "$@"\n`;
    writeFileSync(python, started, { mode: 0o755 });
    const folders = { state, work: root, short: root };
    const made = new NodeEnvironment({
      config: { python, clusterName: 'of a user' },
      folders,
      log: silentLog,
    });
    await made.ready();
    const bin = (name: string): string => join(made.folder, 'bin', name);
    assert.ok(!existsSync(bin('of-another')), 'it would not find its packages');
    const env = { HOME: home, PATH: '/usr/bin:/bin' };
    assert.equal((await run(bin('of-user'), [], { env })).stdout, `${made.folder}\n`);
  });

  it('has pip and pip3 of its own, also where its interpreter has none', async () => {
    const bare = join(root, 'bare');
    await run(process.env['HITCH_PYTHON'] ?? '', ['-m', 'venv', '--without-pip', bare]);
    const state = join(root, 'of-bare');
    mkdirSync(state);
    const config = { python: join(bare, 'bin', 'python'), clusterName: 'bare' };
    const made = new NodeEnvironment({ config, folders: { state, work: root, short: root }, log: silentLog });
    await made.ready();
    const env = { HOME: home, PATH: '/usr/bin:/bin' };
    for (const folder of [environment.folder, made.folder]) {
      for (const name of ['pip', 'pip3']) {
        const { stdout } = await run(join(folder, 'bin', name), ['--version'], { env });
        assert.match(stdout, /^pip /);
      }
    }
  });

  it('starts the kernels of its interpreter by its own, also where they name that interpreter by its path', async () => {
    const base = join(root, 'base');
    await run(process.env['HITCH_PYTHON'] ?? '', [
      '-m',
      'venv',
      '--without-pip',
      '--system-site-packages',
      base,
    ]);
    const interpreter = join(base, 'bin', 'python');
    const packages = 'import sysconfig; print(sysconfig.get_path("purelib"))';
    const [own, lent] = await Promise.all(
      [interpreter, process.env['HITCH_PYTHON'] ?? ''].map(async python => {
        const { stdout } = await run(python, ['-c', packages]);
        return stdout.trim();
      }),
    );
    writeFileSync(join(own ?? '', 'lent.pth'), `import site; site.addsitedir(${JSON.stringify(lent)})\n`);
    const kernel = (name: string, program: string): void => {
      const folder = join(base, 'share', 'jupyter', 'kernels', name);
      mkdirSync(folder, { recursive: true });
      const argv = [program, '-m', 'ipykernel_launcher', '-f', '{connection_file}'];
      const text = JSON.stringify({ argv, display_name: name, language: 'python' });
      writeFileSync(join(folder, 'kernel.json'), text);
    };
    kernel('python3', interpreter);
    kernel('named', join(base, 'bin', 'python3'));
    kernel('foreign', '/elsewhere/bin/python');
    writeFileSync(join(base, 'share', 'jupyter', 'kernels', 'no-folder'), '');
    const state = join(root, 'of-base');
    mkdirSync(state);
    const folders = { state, work: root, short: root };
    const config = { python: interpreter, clusterName: 'absolute' };
    const made = new NodeEnvironment({
      config,
      folders,
      log: silentLog,
      inherited: { PATH: '/usr/bin:/bin' },
    });
    const python = await made.ready();
    const env = { ...made.variables, HOME: home };
    const inKernel = [
      'import sys',
      'from jupyter_client.manager import run_kernel',
      'with run_kernel(kernel_name=sys.argv[1], startup_timeout=100) as client:',
      '    client.execute_interactive("import sys; print(sys.prefix)", timeout=100)',
    ].join('\n');
    for (const name of ['python3', 'named']) {
      const { stdout } = await run(python, ['-c', inKernel, name], { env });
      assert.equal(stdout.trim(), made.folder, name);
    }
    const foreign =
      'from jupyter_client.kernelspec import get_kernel_spec; print(get_kernel_spec("foreign").argv[0])';
    assert.equal((await run(python, ['-c', foreign], { env })).stdout.trim(), '/elsewhere/bin/python');
  });

  it('is made once: the next agent finds it as it is, and every file that shells read', async () => {
    const session = readFileSync(environment.sessionFile, 'utf8');
    const folders = { state: join(root, 'state'), work: root, short: root };
    const config = { python: process.env['HITCH_PYTHON'] ?? '', clusterName: 'a "name"' };
    writeFileSync(join(environment.folder, 'installed'), '');
    const next = new NodeEnvironment({ config, folders, log: silentLog, inherited: { PATH: '/usr/bin' } });
    next.setRay({ RAY_ADDRESS: "10.0.0.1:6379'$(id)" });
    assert.equal(await next.ready(), environment.python);
    assert.equal(readFileSync(next.sessionFile, 'utf8'), session);
    assert.ok(existsSync(join(environment.folder, 'installed')));
  });

  it('says what is wrong where it cannot be made, and is made at the next try', async () => {
    const state = join(root, 'elsewhere');
    mkdirSync(state);
    const folders = { state, work: root, short: root };
    const python = join(root, 'late-python');
    const late = new NodeEnvironment({ config: { python, clusterName: 'late' }, folders, log: silentLog });
    await assert.rejects(late.ready(), /The cluster's own Python was not made from .*late-python: .*ENOENT/);
    writeFileSync(python, `#!/bin/sh\nexec '${process.env['HITCH_PYTHON'] ?? ''}' "$@"\n`, { mode: 0o755 });
    assert.equal(await late.ready(), late.python);
  });
});
