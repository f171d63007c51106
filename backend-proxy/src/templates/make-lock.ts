/** Makes a template's locks with uv: exact versions with hashes, one file for each accelerator that the template names. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { writeFileAtomicAside } from '@hitch/platform/src/atomic-file.ts';
import { inLock, needsOf, readLock } from '@hitch/contract/src/templates/lock.ts';
import { ACCELERATORS, TEMPLATE_FILE, type Accelerator } from '@hitch/contract/src/templates/schema.ts';
import { entriesAt, textAt } from '@hitch/contract/src/templates/values.ts';
import { templateProblemLine } from '@hitch/contract/src/templates/problem.ts';
import { readYaml } from '@hitch/contract/src/templates/yaml-file.ts';
import type { RunCommand } from '../machines/python.ts';
import type { Uv } from '../machines/uv.ts';

/** What the packages are asked for by, in the template's folder. */
export const WANTED_FILE = 'requirements.in';

export interface LockWish {
  readonly folder: string;
  readonly python: string;
  readonly locks: readonly (readonly [Accelerator, string])[];
  /** What Hitch adds where `requirements.in` does not name it, and why. */
  readonly adds: readonly { readonly requirement: string; readonly why: string }[];
}

export interface MadeLock {
  readonly accelerator: Accelerator;
  readonly file: string;
  readonly packages: number;
  readonly changed: boolean;
  /** What is worth knowing, a sentence. */
  readonly note: string | null;
}

/** Reads what is to be locked; locks themselves may be missing. @throws HitchError with a sentence. */
export async function lockWish(folder: string): Promise<LockWish> {
  const text = await readFile(join(folder, TEMPLATE_FILE)).catch((error: unknown) => {
    throw new HitchError('NOT_FOUND', `There is no ${TEMPLATE_FILE} in ${folder}.`, {
      next: 'Write one with hitch template init.',
      cause: error,
    });
  });
  const read = readYaml(text);
  if (!read.ok) {
    const [first] = read.problems;
    throw new HitchError(
      'BAD_INPUT',
      first === undefined ? 'The file cannot be read.' : templateProblemLine(first),
      {
        next: 'Look at all of it with hitch template check.',
      },
    );
  }
  const { data } = read.file;
  const python = textAt(data, ['environment', 'python']);
  const locks = entriesAt(data, ['environment', 'locks']).flatMap(([accelerator, file]) => {
    const known = ACCELERATORS.find(each => each === accelerator);
    return known === undefined || typeof file !== 'string' || !/^(?!\/)(?!.*\.\.)[^\\\0]+$/.test(file)
      ? []
      : [[known, file] as const];
  });
  if (python === undefined || !/^3\.\d{1,2}$/.test(python) || locks.length === 0) {
    throw new HitchError('BAD_INPUT', `${TEMPLATE_FILE} does not say for which Python and accelerators.`, {
      next: 'Write, for example: environment: {python: "3.12", locks: {cuda13: requirements.cuda13.lock, cpu: requirements.cpu.lock}}',
    });
  }
  const wanted = await readFile(join(folder, WANTED_FILE), 'utf8').catch((error: unknown) => {
    throw new HitchError('NOT_FOUND', `There is no ${WANTED_FILE} in ${folder}.`, {
      next: 'Write the packages into it, one a line, such as torch>=2.9.',
      cause: error,
    });
  });
  const names = (package_: string): boolean => new RegExp(`^\\s*${package_}\\b`, 'im').test(wanted);
  const adds = [
    ...(textAt(data, ['cluster', 'engine']) === 'ray' && !names('ray')
      ? [{ requirement: 'ray[default]>=2.52', why: 'the engine “ray”' }]
      : []),
    ...(textAt(data, ['notebook']) !== undefined && !names('ipykernel')
      ? [{ requirement: 'ipykernel', why: 'the notebook' }]
      : []),
  ];
  return { folder, python, locks, adds };
}

/** Which index of PyTorch's own a lock takes its wheels from; null: PyPI, whose wheels bring the newest CUDA. */
const TORCH_BACKEND: Readonly<Record<Accelerator, string | null>> = {
  cuda13: null,
  cuda12: 'cu126',
  rocm: 'rocm6.4',
  cpu: 'cpu',
};

export interface LockTools {
  readonly uv: Uv;
  readonly run: RunCommand;
  /** Said before each lock. */
  readonly report: (sentence: string) => void;
}

/** @throws HitchError with what uv says where packages cannot be found together. */
export async function makeLocks(
  wish: LockWish,
  tools: LockTools,
  signal: AbortSignal,
): Promise<readonly MadeLock[]> {
  const made: MadeLock[] = [];
  for (const [accelerator, file] of wish.locks) {
    tools.report(`Locking for ${accelerator}, Python ${wish.python}.`);
    made.push(await makeLock(wish, { accelerator, file }, tools, signal));
  }
  return made;
}

async function makeLock(
  { folder, python, adds }: LockWish,
  { accelerator, file }: { readonly accelerator: Accelerator; readonly file: string },
  { uv, run }: LockTools,
  signal: AbortSignal,
): Promise<MadeLock> {
  const wanted = await readFile(join(folder, WANTED_FILE), 'utf8');
  const backend = /^\s*torch/im.test(wanted) ? TORCH_BACKEND[accelerator] : null;
  // In a folder of its own: uv writes paths of what it reads into nothing but its header, which is left out.
  const more = join(tmpdir(), `hitch-lock-${process.pid}-${accelerator}.in`);
  await writeFile(more, `${wanted}\n${adds.map(({ requirement }) => requirement).join('\n')}\n`, {
    mode: 0o600,
  });
  try {
    const compile = (torch: string | null) =>
      run(uv.program, compileArguments(more, python, torch), signal, {
        ...uv.environment,
        UV_NO_PROGRESS: '1',
        UV_PYTHON_DOWNLOADS: 'never',
      });
    let result = await compile(backend);
    signal.throwIfAborted();
    let note: string | null = null;
    if (
      result.code !== 0 &&
      backend === 'cpu' &&
      /download\.pytorch\.org|connect|dns|fetch/i.test(result.stderr)
    ) {
      // PyPI's own torch runs on a CPU too; it only brings CUDA along.
      result = await compile(null);
      note =
        'PyTorch’s own index cannot be reached, so this lock takes torch from PyPI, which brings CUDA along.';
    }
    if (result.code !== 0) {
      throw new HitchError(
        'BAD_INPUT',
        `The packages cannot be locked for ${accelerator}: ${lastSentences(result.stderr)}`,
        {
          next: `Change ${WANTED_FILE} and try again.`,
        },
      );
    }
    const text = `# hitch template lock: --python-version ${python}, for ${accelerator}\n${result.stdout}`;
    const { lock } = readLock(file, text);
    const { because } = needsOf(lock);
    const place = join(folder, file);
    const before = await readFile(place, 'utf8').catch(() => null);
    if (before !== text) {
      await writeFileAtomicAside(place, text, 0o644);
    }
    return {
      accelerator,
      file,
      packages: lock.packages.length,
      changed: before !== text,
      note:
        note ?? (because === null || inLock(lock, 'torch') === undefined ? null : `It brings ${because}.`),
    };
  } finally {
    await rm(more, { force: true });
  }
}

const compileArguments = (file: string, python: string, torch: string | null): readonly string[] => [
  'pip',
  'compile',
  '--quiet',
  '--no-header',
  '--no-annotate',
  '--generate-hashes',
  '--universal',
  '--python-version',
  python,
  ...(torch === null ? [] : ['--torch-backend', torch, '--emit-index-url']),
  file,
];

const lastSentences = (stderr: string): string => stderr.trim().replaceAll(/\s+/g, ' ').slice(-600);
