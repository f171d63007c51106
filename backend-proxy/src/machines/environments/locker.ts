/**
 * Makes a lock out of a file of packages, or looks whether a lock that is given holds: by `uv pip compile`, for the machines'
 * platform and Python. Nothing of a package is run or built here. All that is wrong is answered at once.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EngineKind,
  type EnvironmentFile,
  type EnvironmentPlatform,
  type EnvironmentProblem,
  HitchError,
} from '@hitch/contract';
import { rayTooOld } from '../python-problems.ts';
import type { RunCommand } from '../python.ts';
import type { Uv } from '../uv.ts';
import { type Lock, lockId } from './locks.ts';
import { allows, ENVIRONMENT_PYTHONS, pythonFor } from './python-choice.ts';
import { readRequirements, type RequirementLine } from './requirement-lines.ts';
import { readSource, type Source } from './sources.ts';
import { isOffline, refusalOf } from './uv-words.ts';

export interface ToLock {
  readonly file: EnvironmentFile;
  /** More requirements. */
  readonly add: readonly string[];
  /** Null: what the file asks for, else 3.12. */
  readonly python: string | null;
  readonly engine: EngineKind;
  readonly platform: EnvironmentPlatform;
}

export interface LockTools {
  readonly uv: Uv;
  /** An interpreter, absolute: uv asks it, and not what a shim on PATH leads to. */
  readonly interpreter: string;
  readonly run: RunCommand;
}

export type Locked = { readonly lock: Lock } | { readonly problems: readonly EnvironmentProblem[] };

/** What uv calls the platforms (`uv help pip compile`, --python-platform). */
const UV_PLATFORMS: Readonly<Record<EnvironmentPlatform, string>> = {
  'linux-x86_64': 'x86_64-manylinux_2_28',
  'linux-aarch64': 'aarch64-manylinux_2_28',
  'macos-x86_64': 'x86_64-apple-darwin',
  'macos-aarch64': 'aarch64-apple-darwin',
  'windows-x86_64': 'x86_64-pc-windows-msvc',
};

/** A lock with more mistakes than that is told so many, and that there are more. */
const MOST_TOLD = 20;
const NEEDED_RAY = 'ray[default]>=2.52';
const RAY_DEFAULT = 'ray[default]';
/** Locks name no extras; this package comes with that one alone (Ray's setup.py, `setup_spec.extras["default"]`). */
const OF_DEFAULT = 'aiohttp-cors';

/** @throws HitchError where the package index is not reached. */
export async function lockFile(asked: ToLock, tools: LockTools, signal: AbortSignal): Promise<Locked> {
  const source = readSource(asked.file);
  const problems: EnvironmentProblem[] = source.mistakes.map(({ line, message }) => ({
    file: asked.file.name,
    line,
    message,
  }));
  const python = asked.python ?? pythonFor(source.python);
  if (python === null || (source.python !== '' && !allows(source.python, python))) {
    problems.push({
      file: asked.file.name,
      line: null,
      message:
        python === null
          ? `It wants Python ${source.python}; Hitch has ${[...ENVIRONMENT_PYTHONS].sort().join(', ')}.`
          : `It wants Python ${source.python}, and ${python} was asked for.`,
    });
  }
  const more = readRequirements(asked.add.join('\n'));
  problems.push(...more.mistakes.map(({ message }) => ({ file: 'what is added', line: null, message })));
  const added = whatIsMissing(source, more.lines, asked.engine, asked.file.name);
  if (source.mistakes.every(({ line }) => line !== null)) {
    problems.push(...added.problems);
  }
  if (problems.length > 0 || python === null) {
    return { problems: problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0)) };
  }
  const isLock = source.kind === 'lock' && asked.add.length === 0;
  const input = { ...asked, python, source, added: added.names, isLock };
  const compiled = await compile(input, tools, signal);
  if (!('pins' in compiled)) {
    return compiled;
  }
  return finish(input, compiled.pins);
}

/** What engine and kernels need and nobody named: added where the file is locked here, a mistake where it is a lock. */
function whatIsMissing(
  { kind, requirements }: Source,
  more: readonly RequirementLine[],
  engine: EngineKind,
  file: string,
): { readonly names: readonly string[]; readonly problems: readonly EnvironmentProblem[] } {
  const lines = [...requirements.lines, ...more];
  const ray = lines.find(({ name }) => name === 'ray');
  const problems: EnvironmentProblem[] = [];
  const old = ray?.version === null || ray === undefined ? null : rayTooOld(ray.version);
  if (old !== null) {
    problems.push({ file, line: ray?.line ?? null, message: old });
  }
  const names: string[] = [];
  if (!lines.some(({ name }) => name === 'ipykernel')) {
    names.push('ipykernel');
  }
  const isWhole =
    kind === 'lock'
      ? lines.some(({ name }) => name === OF_DEFAULT)
      : ray?.extras.includes('default') === true;
  if (engine === 'ray' && (ray === undefined || !isWhole)) {
    names.push(ray === undefined ? NEEDED_RAY : RAY_DEFAULT);
  }
  if (kind !== 'lock' || more.length > 0) {
    return { names, problems };
  }
  const why: Readonly<Record<string, string>> = {
    ipykernel:
      'It pins no ipykernel, without which no notebook runs on it: add ipykernel to what it is made from, and lock again.',
    [RAY_DEFAULT]:
      'It pins ray without its extra “default”, with which clusters of several machines start: lock again with ray[default].',
    [NEEDED_RAY]:
      'It pins no ray, which a cluster of several machines runs on: add ray[default]>=2.52 to what it is made from, and lock again.',
  };
  problems.push(...names.map(name => ({ file, line: null, message: why[name] ?? '' })));
  return { names: [], problems };
}

interface Input extends ToLock {
  readonly python: string;
  readonly source: Source;
  readonly added: readonly string[];
  readonly isLock: boolean;
}

interface Compiled {
  readonly pins: readonly RequirementLine[];
}

/** Of a lock each line stands for itself, so what uv refuses is taken out and the rest is looked at. */
async function compile(
  input: Input,
  tools: LockTools,
  signal: AbortSignal,
): Promise<Compiled | { readonly problems: readonly EnvironmentProblem[] }> {
  const { source, isLock, file } = input;
  const lines = source.requirements.lines;
  const problems: EnvironmentProblem[] = [];
  const refused = new Set<string>();
  for (;;) {
    const said = await runUv(input, refused, tools, signal);
    if ('pins' in said) {
      return problems.length > 0 ? { problems } : said;
    }
    if (isOffline(said.stderr)) {
      throw new HitchError(
        'UNREACHABLE',
        'The Python package index was not reached, so nothing could be locked.',
        {
          next: 'Check the network, or pip’s index setting, and try again.',
          cause: new Error(said.stderr),
        },
      );
    }
    const { line, message, name } = refusalOf(said.stderr, lines, input.python);
    problems.push({ file: file.name, line, message });
    if (!isLock || name === null || refused.has(name) || !lines.some(each => each.name === name)) {
      return { problems };
    }
    refused.add(name);
    if (problems.length === MOST_TOLD) {
      return {
        problems: [
          ...problems,
          { file: file.name, line: null, message: 'There may be more; these are the first.' },
        ],
      };
    }
  }
}

async function runUv(
  { source: { requirements }, add, added, isLock, python, platform }: Input,
  without: ReadonlySet<string>,
  { uv, interpreter, run }: LockTools,
  signal: AbortSignal,
): Promise<Compiled | { readonly stderr: string }> {
  // Hashes of the file are compared afterwards: uv would take those of the file for the index's.
  const lines = requirements.lines.filter(({ name }) => !without.has(name)).map(({ text }) => text);
  const folder = mkdtempSync(join(tmpdir(), 'hitch-lock-'));
  try {
    const list = join(folder, 'requirements.in');
    writeFileSync(list, [...requirements.options, ...lines, ...add, ...added, ''].join('\n'));
    const args = ['pip', 'compile', list];
    const how = ['--no-header', '--no-annotate', '--generate-hashes', '--no-build', '--no-sources'];
    const where = [
      '--python',
      interpreter,
      '--python-version',
      python,
      '--python-platform',
      UV_PLATFORMS[platform],
    ];
    const { code, stdout, stderr } = await run(
      uv.program,
      [...args, ...how, ...where, ...(isLock ? ['--no-deps'] : [])],
      signal,
      {
        ...uv.environment,
        UV_NO_PROGRESS: '1',
        UV_PYTHON_DOWNLOADS: 'never',
        NO_COLOR: '1',
      },
    );
    signal.throwIfAborted();
    return code === 0 ? { pins: readRequirements(stdout).lines } : { stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function finish(input: Input, pins: readonly RequirementLine[]): Locked {
  const { file, source, isLock, python, platform, added, engine } = input;
  const problems: EnvironmentProblem[] = isLock ? hashMistakes(source, pins, file.name) : [];
  const ray = pins.find(({ name }) => name === 'ray') ?? null;
  const old = ray === null || isLock ? null : rayTooOld(ray.version ?? '');
  if (old !== null) {
    problems.push({ file: file.name, line: null, message: old });
  }
  if (engine === 'ray' && ray === null && problems.length === 0) {
    problems.push({
      file: file.name,
      line: null,
      message: `Its ray is not for Python ${python} on the machine’s platform.`,
    });
  }
  if (problems.length > 0) {
    return { problems };
  }
  const text = lockText(source.requirements.options, pins);
  const accelerator = acceleratorOf(pins);
  const facts = { text, python, platform, accelerator };
  return {
    lock: {
      ...facts,
      id: lockId(facts),
      file: file.name,
      packages: pins.map(({ name, version }) => ({ name, version: version ?? '' })),
      added: added.map(each => each.replace(/>.*$/, '')),
      leftOut: [...source.leftOut],
      ray: ray?.version ?? null,
    },
  };
}

/** Whether the index has other files under a version than those that the lock was made with. */
function hashMistakes(source: Source, pins: readonly RequirementLine[], file: string): EnvironmentProblem[] {
  return source.requirements.lines.flatMap(({ name, version, hashes, line }) => {
    const pin = pins.find(each => each.name === name && each.version === version);
    const differs =
      hashes.length > 0 &&
      pin !== undefined &&
      pin.hashes.length > 0 &&
      !hashes.some(hash => pin.hashes.includes(hash));
    return differs
      ? [
          {
            file,
            line,
            message: `None of the hashes of ${name} ${version ?? ''} is that of a file on the package index: lock again, and find out why its files changed.`,
          },
        ]
      : [];
  });
}

function lockText(options: readonly string[], pins: readonly RequirementLine[]): string {
  const lines = pins.map(({ text, hashes }) =>
    [text, ...hashes.map(hash => `    --hash=${hash}`)].join(' \\\n'),
  );
  return `${[...options, ...lines].join('\n')}\n`;
}

/** By the CUDA that the lock brings (`nvidia-cuda-runtime==13.2.86`, `nvidia-cuda-runtime-cu12==…`). */
export function acceleratorOf(pins: readonly Pick<RequirementLine, 'name' | 'version'>[]): string {
  const runtime = pins.find(({ name }) => /^nvidia-cuda-runtime(-cu\d+)?$/.test(name));
  if (runtime === undefined) {
    return 'cpu';
  }
  const major = /-cu(\d+)$/.exec(runtime.name)?.[1] ?? runtime.version?.split('.')[0] ?? '';
  return `cuda${major}`;
}
