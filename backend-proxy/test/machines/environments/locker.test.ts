/** Locks, with the answers of uv 0.13.9 as it gave them to such requirements. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { HitchError } from '@hitch/contract';
import { acceleratorOf, lockFile, type ToLock } from '../../../src/machines/environments/locker.ts';
import { UvProgress } from '../../../src/machines/environments/uv-progress.ts';
import type { CommandResult } from '../../../src/machines/python.ts';

const signal = new AbortController().signal;
const pin = (name: string, version: string, hash = '00'): string =>
  `${name}==${version} \\\n    --hash=sha256:${hash}\n`;
const failed = (cause: string, hint = ''): CommandResult => ({
  code: 1,
  stdout: '',
  stderr: `error: No solution found when resolving dependencies\n  cause: ${cause}\n${hint}`,
});

/** uv, which gets the list and says something. */
function tools(answer: (list: string, args: readonly string[]) => CommandResult) {
  const asked: (readonly string[])[] = [];
  return {
    asked,
    uv: { program: '/uv', environment: {} },
    interpreter: '/python',
    run: async (_file: string, args: readonly string[]) => {
      asked.push(args);
      return answer(readFileSync(args[2] ?? '', 'utf8'), args);
    },
  };
}

const toLock = (name: string, text: string, more: Partial<ToLock> = {}): ToLock => ({
  file: { name, text },
  add: [],
  python: null,
  engine: 'single',
  platform: 'linux-x86_64',
  ...more,
});

const problemsOf = async (asked: ToLock, answer: Parameters<typeof tools>[0]): Promise<readonly string[]> => {
  const result = await lockFile(asked, tools(answer), signal);
  assert.ok('problems' in result, 'it was locked');
  return result.problems.map(({ file, line, message }) => `${file}:${(line ?? 0).toString()} ${message}`);
};

describe('locking an environment', () => {
  it('asks for the machine’s platform and Python, by an absolute interpreter, and builds nothing', async () => {
    const uv = tools(() => ({
      code: 0,
      stdout: pin('tqdm', '4.70.1') + pin('ipykernel', '7.4.0'),
      stderr: '',
    }));
    const result = await lockFile(toLock('requirements.txt', 'tqdm\n', { python: '3.11' }), uv, signal);
    assert.ok('lock' in result);
    const args = uv.asked[0]?.join(' ') ?? '';
    assert.match(
      args,
      /--no-build .*--python \/python --python-version 3\.11 --python-platform x86_64-manylinux_2_28/,
    );
    assert.ok(!args.includes('--no-deps'));
    assert.deepEqual(result.lock.added, ['ipykernel']);
    assert.match(result.lock.text, /^tqdm==4\.70\.1 \\\n {4}--hash=sha256:00$/m);
    const other = await lockFile(toLock('requirements.txt', 'tqdm\n', { python: '3.12' }), uv, signal);
    assert.ok('lock' in other);
    assert.notEqual(other.lock.id, result.lock.id, 'another Python is another environment');
  });

  it('adds Ray with its extra for several machines, and refuses one that strangers can use', async () => {
    const lists: string[] = [];
    const answer = (list: string): CommandResult => {
      lists.push(list);
      return { code: 0, stdout: pin('ray', '2.58.0') + pin('ipykernel', '7.4.0'), stderr: '' };
    };
    await lockFile(toLock('requirements.txt', 'tqdm\n', { engine: 'ray' }), tools(answer), signal);
    assert.match(lists[0] ?? '', /^ray\[default\]>=2\.52$/m);
    await lockFile(toLock('requirements.txt', 'ray==2.58.0\n', { engine: 'ray' }), tools(answer), signal);
    assert.match(lists[1] ?? '', /^ray\[default\]$/m);
    const old = await problemsOf(toLock('requirements.lock', 'ipykernel==7.4.0\nray==2.49.2\n'), answer);
    assert.deepEqual(old, [
      'requirements.lock:2 Ray 2.49.2 cannot be closed to strangers by a token; Hitch needs 2.52 or newer.',
    ]);
  });

  it('says of a lock what it lacks for notebooks and for Ray, before it asks anybody', async () => {
    const never = (): CommandResult => assert.fail('uv was asked');
    const said = await problemsOf(toLock('requirements.lock', 'tqdm==4.70.1\n', { engine: 'ray' }), never);
    assert.match(said[0] ?? '', /pins no ipykernel/);
    assert.match(said[1] ?? '', /pins no ray/);
    const half = await problemsOf(
      toLock('requirements.lock', 'ipykernel==7.4.0\nray==2.58.0\n', { engine: 'ray' }),
      never,
    );
    assert.match(half.join(), /without its extra “default”/);
  });

  it('names every line of a lock that uv refuses, one after the other', async () => {
    const answer = (list: string): CommandResult => {
      if (list.includes('numpy==9.9.9')) {
        return failed(
          'Because there is no version of numpy==9.9.9 and you require numpy==9.9.9, we can conclude that your requirements are unsatisfiable.',
        );
      }
      if (list.includes('pywin32')) {
        return failed(
          'Because pywin32==306 has no wheels with a matching platform tag (e.g., `manylinux_2_28_x86_64`) and you require pywin32==306, we can conclude that your requirements are unsatisfiable.',
          'hint: Wheels are available for `pywin32` (v306) on the following platforms: `win32`, `win_amd64`',
        );
      }
      if (list.includes('nope-zz')) {
        return failed(
          'Because nope-zz was not found in the package registry and you require nope-zz==1, we can conclude that your requirements are unsatisfiable.',
        );
      }
      return { code: 0, stdout: pin('ipykernel', '7.4.0'), stderr: '' };
    };
    const said = await problemsOf(
      toLock('requirements.lock', 'numpy==9.9.9\nipykernel==7.4.0\npywin32==306\nnope-zz==1\n'),
      answer,
    );
    assert.deepEqual(said, [
      'requirements.lock:1 There is no numpy==9.9.9 on the package index: choose a version that exists.',
      'requirements.lock:3 pywin32==306 has no wheel for the machine’s platform (there are: win32, win_amd64): choose another version.',
      'requirements.lock:4 There is no package nope-zz on the package index: correct its name.',
    ]);
  });

  it('sees that the index has other files than those of the lock', async () => {
    const answer = (): CommandResult => ({
      code: 0,
      stdout: pin('ipykernel', '7.4.0') + pin('tqdm', '4.70.1', 'ab'),
      stderr: '',
    });
    const said = await problemsOf(
      toLock('requirements.lock', `ipykernel==7.4.0\n${pin('tqdm', '4.70.1', 'cd')}`),
      answer,
    );
    assert.match(said.join(), /^requirements\.lock:2 None of the hashes of tqdm 4\.70\.1/);
  });

  it('says that packages do not fit together in uv’s own reason', async () => {
    const said = await problemsOf(toLock('requirements.txt', 'requests==2.31.0\nurllib3<1\n'), () =>
      failed(
        'Because requests==2.31.0 depends on urllib3>=1.21.1,<3 and you require requests==2.31.0, we can conclude that you require urllib3>=1.21.1,<3.\n         And because you require urllib3<1, we can conclude that your requirements are unsatisfiable.',
      ),
    );
    assert.match(
      said.join(),
      /^requirements\.txt:1 The packages do not fit together: Because requests==2\.31\.0 depends on urllib3/,
    );
  });

  it('takes an index that is not reached for no fault of the file', async () => {
    const offline = tools(() => ({
      code: 2,
      stdout: '',
      stderr: 'error: Failed to fetch: `https://pypi.org/simple/tqdm/`\n  cause: tcp connect error',
    }));
    await assert.rejects(
      lockFile(toLock('requirements.txt', 'tqdm\n'), offline, signal),
      (error: unknown) => {
        assert.ok(error instanceof HitchError && error.code === 'UNREACHABLE');
        return true;
      },
    );
  });

  it('knows the CUDA that a lock brings', () => {
    const of = (name: string, version: string): string => acceleratorOf([{ name, version }]);
    assert.equal(of('nvidia-cuda-runtime', '13.2.86'), 'cuda13');
    assert.equal(of('nvidia-cuda-runtime-cu12', '12.8.90'), 'cuda12');
    assert.equal(of('numpy', '2.5.5'), 'cpu');
  });
});

describe('the progress of uv', () => {
  it('is what has come of what was announced, in one unit', () => {
    const progress = new UvProgress('Installing 127 packages');
    assert.equal(progress.take('Using Python 3.12.1 environment at: /x', 0), null);
    assert.equal(
      progress.take('Downloading torch (1.5GiB)', 1_000),
      'Installing 127 packages: 0.0 of 1.6 GB, 0:01',
    );
    assert.equal(
      progress.take('Downloading nvidia-cublas (1.5GiB)', 1_000),
      'Installing 127 packages: 0.0 of 3.2 GB, 0:01',
    );
    assert.equal(progress.take(' Downloaded torch', 41_000), 'Installing 127 packages: 1.6 of 3.2 GB, 0:41');
    assert.equal(progress.take(' Downloaded torch', 42_000), null, 'the same line again counts once');
  });
});
