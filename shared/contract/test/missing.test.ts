import assert from 'node:assert/strict';
import type { HitchApi } from '../src/client.ts';
import { HitchError } from '../src/errors.ts';
import { type InstallRun, machinesFor, runInstall } from '../src/install-run.ts';
import { missingModule, missingPath, modulePaths, packageOf, readRequirement } from '../src/missing.ts';

describe('what a cell missed', () => {
  const error = (evalue: string, ename = 'FileNotFoundError') => missingPath({ ename, evalue });
  const module = (evalue: string, ename = 'ModuleNotFoundError') => missingModule({ ename, evalue });

  it('is the path in the error, as the cell wrote it', () => {
    assert.equal(error("[Errno 2] No such file or directory: 'data/x.csv'"), 'data/x.csv');
    assert.equal(error(`[Errno 2] No such file or directory: "it's.csv"`), "it's.csv");
    assert.equal(error("[Errno 2] No such file or directory: 'a\\'b\"c.csv'"), 'a\'b"c.csv');
    assert.equal(error("[Errno 2] No such file or directory: b'x.bin'"), 'x.bin');
    assert.equal(error("[Errno 2] No such file or directory: 'a' -> 'b'"), 'a');
  });

  it('is the module, and none where its package is there', () => {
    assert.equal(module("No module named 'cv2'"), 'cv2');
    assert.equal(module("No module named 'torch.nothing'"), null);
    assert.equal(module("No module named 'yaml.x'; 'yaml' is not a package"), null);
    assert.deepEqual(modulePaths('losses'), ['losses.py', 'losses']);
  });

  it('is nothing in other errors', () => {
    assert.equal(error("[Errno 2] No such file or directory: 'x'", 'OSError'), null);
    assert.equal(error('no path at all'), null);
    assert.equal(error("[Errno 2] No such file or directory: ''"), null);
    assert.equal(module("No module named 'cv2'", 'ImportError'), null);
    assert.equal(module("No module named '--index-url=x'"), null);
  });

  it('is brought by a package that may have another name, or by none that could be guessed', () => {
    assert.equal(packageOf('sklearn'), 'scikit-learn');
    assert.equal(packageOf('sentence_transformers'), 'sentence-transformers');
    assert.equal(packageOf('einops'), 'einops');
    assert.equal(packageOf('utils'), null);
  });

  it('is installed by a package’s name and versions, never by an option, a path or an address', () => {
    for (const fine of ['einops', 'einops>=0.8', 'ray[default]==2.50', 'a >=1, <2.*', ' pillow ']) {
      assert.equal(readRequirement(fine), fine.replaceAll(' ', ''));
    }
    const bad = [
      '',
      '-r x',
      '--index-url=http://x',
      './x',
      'a b',
      'a @ http://x',
      'git+https://x',
      'a;b',
      '/x',
    ];
    assert.deepEqual(
      bad.map(text => readRequirement(text)),
      bad.map(() => null),
    );
  });
});

describe('the installation of a package on a cluster', () => {
  const scene = (states: readonly (string | Error)[]) => {
    const said: string[] = [];
    const started: unknown[] = [];
    const given = new AbortController();
    const left = [...states];
    const jobs = {
      start: ({ spec }: { spec: { work: unknown } }) => {
        started.push(spec.work);
        return Promise.resolve({ id: 'job_1' });
      },
      stop: () => Promise.resolve(said.push('stop')),
      get: () => {
        const state = left.shift();
        said.push(String(state));
        return state instanceof Error ? Promise.reject(state) : Promise.resolve({ state });
      },
    };
    const run = (cluster: unknown) =>
      runInstall({
        api: { jobs } as unknown as Pick<HitchApi, 'jobs'>,
        cluster: cluster as InstallRun['cluster'],
        requirement: 'einops',
        signal: given.signal,
        sleep: () => Promise.resolve(),
      });
    return { run, said, started, given };
  };
  const command = ['python', '-m', 'pip', 'install', 'einops'];
  const ready = { phase: 'ready' };

  it('is one job on all machines that are ready', async () => {
    const { run, started } = scene(['running', 'succeeded', 'succeeded']);
    const cluster = { id: 'clu_1', engine: 'ray', nodes: [ready, ready, { phase: 'gone' }] };
    assert.equal((await run(cluster)).state, 'succeeded');
    await run({ id: 'clu_1', engine: 'single', nodes: [ready] });
    assert.deepEqual(started, [
      { kind: 'nodes', nodes: 2, torchrun: false, processes: null, command },
      { kind: 'command', command },
    ]);
    assert.equal(machinesFor({ engine: 'single', nodes: [] }), 1);
  });

  it('goes on while the daemon is away, and is stopped once', async () => {
    const away = new HitchError('UNREACHABLE', 'It is away.');
    const { run, said, given } = scene([away, 'running', 'stopping', 'stopped']);
    given.abort();
    assert.equal((await run({ id: 'clu_1', engine: 'single', nodes: [ready] })).state, 'stopped');
    assert.deepEqual(said, ['stop', away.toString(), 'running', 'stopping', 'stopped']);
  });
});
