/** Locks are made by uv, one for each accelerator, with what engine and notebook need. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockWish, makeLocks } from '../../src/templates/make-lock.ts';
import type { RunCommand } from '../../src/machines/python.ts';

describe('the locks of a template', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-lock-'));
    writeFileSync(
      join(folder, 'hitch.yaml'),
      [
        'environment: {python: "3.12", locks: {cuda13: gpu.lock, cpu: cpu.lock}}',
        'cluster: {engine: ray}',
        'notebook: a.ipynb',
        '',
      ].join('\n'),
    );
    writeFileSync(join(folder, 'requirements.in'), 'torch>=2.9\n');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** As `uv pip compile` answers: the lock on standard output, or a reason on standard error and code 1. */
  const uv = (answer: (args: readonly string[]) => { code: number; stdout?: string; stderr?: string }) => {
    const calls: { args: readonly string[]; wanted: string }[] = [];
    const run: RunCommand = async (_file, args) => {
      calls.push({ args, wanted: readFileSync(args.at(-1) ?? '', 'utf8') });
      return { stdout: '', stderr: '', ...answer(args) };
    };
    return { calls, run };
  };
  const made = async (run: RunCommand) =>
    makeLocks(
      await lockWish(folder),
      { uv: { program: 'uv', environment: {} }, run, report: () => undefined },
      new AbortController().signal,
    );

  it('are written for each accelerator, with ray and ipykernel beside what is wanted', async () => {
    const { calls, run } = uv(() => ({ code: 0, stdout: 'torch==2.15.0\n' }));
    const locks = await made(run);
    assert.deepEqual(
      locks.map(({ file, packages, changed }) => [file, packages, changed]),
      [
        ['gpu.lock', 1, true],
        ['cpu.lock', 1, true],
      ],
    );
    assert.equal(calls[0]?.wanted, 'torch>=2.9\n\nray[default]>=2.52\nipykernel\n');
    assert.ok(!calls[0].args.includes('--torch-backend'));
    assert.deepEqual(calls[1]?.args.slice(-4, -1), ['--torch-backend', 'cpu', '--emit-index-url']);
    assert.match(
      readFileSync(join(folder, 'gpu.lock'), 'utf8'),
      /^# hitch template lock: --python-version 3\.12, for cuda13\ntorch==2\.15\.0\n$/,
    );
    assert.ok((await made(run)).every(({ changed }) => !changed));
  });

  it('take torch from PyPI where PyTorch’s own index is not reached, and say so', async () => {
    const { run } = uv(args =>
      args.includes('--torch-backend')
        ? { code: 1, stderr: 'error: Failed to fetch: https://download.pytorch.org/whl/cpu/torch/' }
        : { code: 0, stdout: 'torch==2.15.0\n' },
    );
    const locks = await made(run);
    assert.match(locks[1]?.note ?? '', /takes torch from PyPI, which brings CUDA along/);
  });

  it('stay as they are where packages do not go together, with uv’s own reason', async () => {
    writeFileSync(join(folder, 'gpu.lock'), 'torch==2.9.0\n');
    const { run } = uv(() => ({
      code: 1,
      stderr: 'Because a==1 depends on b<1 and b>=1, they cannot be had.',
    }));
    await assert.rejects(made(run), /cannot be locked for cuda13: Because a==1 depends on b<1/);
    assert.equal(readFileSync(join(folder, 'gpu.lock'), 'utf8'), 'torch==2.9.0\n');
  });

  it('name no path outside of the folder', async () => {
    writeFileSync(join(folder, 'hitch.yaml'), 'environment: {python: "3.12", locks: {cpu: ../cpu.lock}}\n');
    await assert.rejects(lockWish(folder), /does not say for which Python and accelerators/);
  });
});
