/** Finding or making the Python of a node, with programs that answer as the test says. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HostError } from '../../src/access/host.ts';
import { withFolderLock } from '../../src/machines/folder-lock.ts';
import { uvSettings } from '../../src/machines/uv.ts';
import {
  type CommandResult,
  PythonEnvironments,
  type PythonOptions,
  type RunCommand,
  shippedRequirements,
  shippedUv,
} from '../../src/machines/python.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';

const signal = new AbortController().signal;
const done = (stdout = ''): CommandResult => ({ code: 0, stdout, stderr: '' });
const failed = (stderr: string): CommandResult => ({ code: 1, stdout: '', stderr });
const absent: CommandResult = { code: null, stdout: '', stderr: 'spawn ENOENT' };
const EVERYTHING = 'python 3.12.4\njupyter_server 2.21.1\nipykernel 7.4.0\nray 2.58.0\n';

/** What each step of making an environment answers; the happy case where nothing is said. */
interface Answers {
  readonly version?: CommandResult;
  readonly venv?: CommandResult;
  /** How pip is set up. */
  readonly config?: CommandResult;
  /** pip's fetching of uv. */
  readonly fetch?: CommandResult;
  /** Left out: as pip answers. */
  readonly uv?: CommandResult;
  readonly pip?: CommandResult;
  readonly packages?: CommandResult;
}

function stepOf(file: string, args: readonly string[]) {
  if (basename(file) === 'uv') {
    return 'uv';
  }
  if (args.includes('venv')) {
    return 'venv';
  }
  if (args.includes('pip')) {
    return args.includes('config') ? 'config' : args.includes('--target') ? 'fetch' : 'pip';
  }
  return args[1]?.includes('metadata') === true ? 'packages' : 'version';
}

describe('the Python of a node', () => {
  let folder: string;
  let toldUv: Readonly<Record<string, string>> | undefined;
  const calls: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-python-'));
    calls.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const runner =
    (answers: Answers): RunCommand =>
    async (file, args, _signal, environment) => {
      const step = stepOf(file, args);
      calls.push(step);
      await delay(5);
      if (step === 'venv') {
        mkdirSync(args.at(-1) ?? '', { recursive: true });
      }
      const happy = {
        version: done('3.12.4\n'),
        venv: done(),
        config: done(),
        fetch: done(),
        uv: answers.pip ?? done(),
        pip: done(),
        packages: done(EVERYTHING),
      };
      const answer = file === 'absent' ? absent : { ...happy, ...answers }[step];
      if (step === 'fetch' && answer.code === 0) {
        const bin = join(args[args.indexOf('--target') + 1] ?? '', 'bin');
        mkdirSync(bin, { recursive: true });
        writeFileSync(join(bin, 'uv'), '');
      }
      if (step === 'uv') {
        toldUv = environment;
      }
      return answer;
    };
  const environments = (answers: Answers = {}, options: Partial<PythonOptions> = {}) =>
    new PythonEnvironments({
      folder,
      clock: systemClock,
      requirements: 'ray==2.58.0\nipykernel==7.4.0\n',
      uv: 'uv==0.1.2 --hash=sha256:00\n',
      candidates: ['absent', 'python3'],
      run: runner(answers),
      ...options,
    });
  const ensure = (python: PythonEnvironments, said: string[] = [], ray = true) =>
    python.ensure({ ray }, sentence => said.push(sentence), signal);

  it('is made once, with a sentence for each stage, and kept', async () => {
    const said: string[] = [];
    const path = await ensure(environments(), said);
    assert.ok(path.startsWith(folder));
    assert.ok(said.length >= 3 && said.every(sentence => /^[A-Z].*\.$/.test(sentence)), said.join('\n'));
    assert.ok(said.some(sentence => sentence.includes('2 packages')));
    calls.length = 0;
    assert.equal(await ensure(environments(), []), path);
    assert.deepEqual(calls, ['packages']);
  });

  it('is made once when two ask at the same time', async () => {
    const said: string[] = [];
    const [first, second] = await Promise.all([ensure(environments(), said), ensure(environments(), said)]);
    assert.equal(first, second);
    assert.equal(calls.filter(step => step === 'uv').length, 1);
    assert.ok(said.some(sentence => sentence.includes('waiting')));
  });

  it('is made afresh for other packages', async () => {
    const first = await ensure(environments());
    const second = await ensure(environments({}, { requirements: 'ray==2.59.0\n' }));
    assert.notEqual(first, second);
  });

  it('has its packages put there by a uv that is fetched once', async () => {
    await ensure(environments());
    await ensure(environments({}, { requirements: 'ray==2.59.0\n' }));
    assert.deepEqual(
      calls.filter(step => ['fetch', 'uv', 'pip'].includes(step)),
      ['fetch', 'uv', 'uv'],
    );
    assert.deepEqual(
      readdirSync(folder).filter(name => name.startsWith('uv')),
      ['uv-0.1.2'],
    );
  });

  it('fetches uv once for two environments that are made at the same time', async () => {
    const said: string[] = [];
    const other = environments({}, { requirements: 'ray==2.59.0\n' });
    await Promise.all([ensure(environments(), said), ensure(other, said)]);
    assert.deepEqual(
      calls.filter(step => ['fetch', 'uv', 'pip'].includes(step)),
      ['fetch', 'uv', 'uv'],
    );
    assert.ok(said.includes('Another process fetches uv, which installs packages; waiting for it.'));
    assert.deepEqual(
      readdirSync(folder).filter(name => name.startsWith('uv')),
      ['uv-0.1.2'],
    );
  });

  for (const [title, answers, words] of [
    ['no uv for this computer', { fetch: failed('No matching distribution') }, /the index has no uv 0\.1\.2/],
    ['a uv that fails', { uv: failed('error: no\nroute to host') }, /uv could not: route to host/],
    [
      'a pip with a setting that uv cannot be told',
      { config: done("global.proxy='http://corp:3128'\n") },
      /pip has the setting proxy/,
    ],
    ['a pip that does not say how it is set up', { config: failed('broken') }, /does not say/],
  ] as const satisfies readonly (readonly [string, Answers, RegExp])[]) {
    it(`has its packages put there by pip, and says why, with ${title}`, async () => {
      const said: string[] = [];
      await ensure(environments(answers), said);
      assert.equal(calls.filter(step => step === 'pip').length, 1);
      assert.ok(
        said.some(sentence => words.test(sentence)),
        said.join('\n'),
      );
    });
  }

  it('comes from where pip would take its packages', async () => {
    const config = done(
      [
        "global.index-url='https://pypi.corp/simple'",
        "global.extra-index-url='\\nhttps://a.corp/simple\\nhttps://b.corp/simple'",
        "install.find-links='/opt/wheels'",
        "install.trusted-host='pypi.corp'",
        ":env:.cert='/etc/ca.pem'",
        "user.no-input='1'",
        "wheel.index-url='https://wheels.corp/simple'",
      ].join('\n'),
    );
    await ensure(environments({ config }));
    const { UV_DEFAULT_INDEX, UV_INDEX, UV_FIND_LINKS, UV_INSECURE_HOST, SSL_CERT_FILE } = toldUv ?? {};
    assert.deepEqual(
      { UV_DEFAULT_INDEX, UV_INDEX, UV_FIND_LINKS, UV_INSECURE_HOST, SSL_CERT_FILE },
      {
        UV_DEFAULT_INDEX: 'https://pypi.corp/simple',
        UV_INDEX: 'https://a.corp/simple https://b.corp/simple',
        UV_FIND_LINKS: '/opt/wheels',
        UV_INSECURE_HOST: 'pypi.corp',
        SSL_CERT_FILE: '/etc/ca.pem',
      },
    );
    assert.equal(calls.includes('pip'), false);
  });

  it('believes of two settings of pip the one that pip believes, however they are listed', async () => {
    const from = (...sections: readonly string[]) =>
      uvSettings(sections.map(each => `${each}.index-url='https://${each.replaceAll(':', '')}/'`).join('\n'));
    for (const [sections, strongest] of [
      [[':env:', 'global', 'install'], 'env'],
      [['install', 'global'], 'install'],
      [['download', 'global', 'wheel'], 'global'],
    ] as const) {
      const settings = from(...sections);
      assert.equal(
        typeof settings === 'string' ? settings : settings['UV_DEFAULT_INDEX'],
        `https://${strongest}/`,
      );
    }
  });

  it('is the one the user names, as it is', async () => {
    assert.equal(await ensure(environments({}, { named: '/own/python' })), '/own/python');
    assert.deepEqual(calls, ['packages']);
  });

  for (const [title, answers, words, fatal] of [
    ['no Python', { version: absent }, /no Python on this computer/, true],
    ['an old Python', { version: done('3.9.18\n') }, /Python 3\.9\.18, which is too old/, true],
    ['a Python from the future', { version: done('3.15.0\n') }, /do not exist yet/, true],
    ['no venv module', { venv: failed('ensurepip is not available.') }, /venv module/, true],
    [
      'no network',
      { pip: failed('WARNING: Retrying … NewConnectionError: Failed to establish') },
      /check the network/,
      false,
    ],
    ['a full disk', { pip: failed('ERROR: [Errno 28] No space left on device') }, /disk is full/, false],
    [
      'a full disk while the environment is made',
      { venv: failed('OSError: [Errno 28] No space left on device') },
      /disk is full/,
      false,
    ],
    [
      'a package that does not exist',
      { pip: failed('ERROR: No matching distribution found for ray==2.58.0') },
      /does not exist for this computer: .*ray==2\.58\.0/,
      true,
    ],
    [
      'a pip that fails otherwise',
      { pip: failed('ERROR: something else') },
      /pip could not install the packages: ERROR: something else/,
      false,
    ],
    ['an old Ray', { packages: done(EVERYTHING.replace('2.58.0', '2.51.9')) }, /Ray 2\.51\.9/, true],
    [
      'no Jupyter',
      { packages: done('python 3.12.4\nray 2.58.0\n') },
      /lacks jupyter_server and ipykernel/,
      true,
    ],
    [
      'an interpreter that does not run',
      { packages: failed('Illegal instruction') },
      /does not run: Illegal instruction/,
      true,
    ],
  ] as const satisfies readonly (readonly [string, Answers, RegExp, boolean])[]) {
    it(`fails with a sentence for ${title}, and keeps nothing half-made`, async () => {
      await assert.rejects(ensure(environments(answers)), (error: unknown) => {
        assert.ok(error instanceof HostError, String(error));
        assert.match(error.message, words);
        assert.equal(error.fatal, fatal);
        return true;
      });
      // The same question again, with everything in order, is answered.
      await ensure(environments());
    });
  }

  it('does without Ray where none is needed', async () => {
    const packages = done('python 3.12.4\njupyter_server 2.21.1\nipykernel 7.4.0\n');
    await ensure(environments({ packages }), [], false);
    await assert.rejects(ensure(environments({ packages })), /lacks ray/);
  });

  it('stops when it is told to, and can be asked again', async () => {
    const giveUp = new AbortController();
    const python = environments();
    const asked = python.ensure({ ray: true }, () => giveUp.abort(new Error('given up')), giveUp.signal);
    await assert.rejects(asked, /given up/);
    await ensure(python);
  });

  it('comes with its list of packages', () => {
    const lines = shippedRequirements().split('\n');
    assert.ok(lines.some(line => /^ray==\d/.test(line)));
    assert.ok(lines.filter(line => /^[a-z]/i.test(line)).every(line => line.includes('==')));
    assert.match(shippedUv(), /^uv==\d.* \\\n +--hash=sha256:/m);
  });
});

describe('a lock between processes', () => {
  it('is taken over from a dead owner, and left behind by nobody', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitch-lock-'));
    const lock = join(folder, 'lock');
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner'), `${(2 ** 30).toString()} monday`);
    const options = { clock: systemClock, signal, wait: () => undefined };
    assert.equal(await withFolderLock(lock, options, async () => 'worked'), 'worked');
    await assert.rejects(
      withFolderLock(lock, options, async () => {
        throw new Error('work failed');
      }),
      /work failed/,
    );
    assert.equal(existsSync(lock), false);
    rmSync(folder, { recursive: true });
  });
});
