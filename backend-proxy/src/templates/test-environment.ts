/** The Python of a template on this computer: its lock installed by uv, once for each lock and Python. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { PYTHONS, type RunCommand } from '../machines/python.ts';
import { installWithUv, type Uv } from '../machines/uv.ts';

export interface EnvironmentWish {
  /** Where environments are kept. */
  readonly folder: string;
  /** Such as `3.12`. */
  readonly python: string;
  /** The whole lock file. */
  readonly lock: string;
  /** The interpreter to try first, such as `HITCH_PYTHON`. */
  readonly named: string | undefined;
}

export interface EnvironmentTools {
  readonly uv: Uv;
  readonly run: RunCommand;
  readonly report: (sentence: string) => void;
}

const MARKER = '.hitch-complete';
const isWindows = process.platform === 'win32';

/** @returns its interpreter. @throws HitchError without that Python here, or with what uv says. */
export async function testEnvironment(
  { folder, python, lock, named }: EnvironmentWish,
  { uv, run, report }: EnvironmentTools,
  signal: AbortSignal,
): Promise<string> {
  const key = createHash('sha256')
    .update(`${python}\n${process.platform}-${process.arch}\n${lock}`)
    .digest('hex');
  const place = join(folder, key.slice(0, 16));
  const interpreter = isWindows ? join(place, 'Scripts', 'python.exe') : join(place, 'bin', 'python');
  if (existsSync(join(place, MARKER))) {
    return interpreter;
  }
  const base = await pythonOf(python, named, run, signal);
  if (base === null) {
    throw new HitchError(
      'NOT_FOUND',
      `There is no Python ${python} on this computer, which the template names.`,
      {
        next: 'Install it, or set HITCH_PYTHON to one.',
      },
    );
  }
  report(`Installing the template’s packages for Python ${python}.`);
  await rm(place, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const venv = await run(base, ['-m', 'venv', '--without-pip', place], signal);
  signal.throwIfAborted();
  if (venv.code !== 0) {
    throw failed('A Python environment could not be made', venv.stderr);
  }
  const file = join(place, 'requirements.lock');
  await writeFile(file, lock);
  const installed = await installWithUv(uv, { interpreter, file, run }, signal);
  signal.throwIfAborted();
  if (installed.code !== 0) {
    await rm(place, { recursive: true, force: true });
    throw failed('The template’s packages could not be installed', installed.stderr);
  }
  // Last: an environment without it is half of one.
  await writeFile(join(place, MARKER), '');
  return interpreter;
}

const failed = (what: string, stderr: string): HitchError =>
  new HitchError('BAD_INPUT', `${what}: ${stderr.trim().replaceAll(/\s+/g, ' ').slice(-500)}`, {
    next: 'Look at the lock, or make it anew with hitch template lock.',
  });

const PROBE = 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)';

/** A Python of that version: named, on PATH, or of pyenv, whose programs on PATH may lead to another. */
async function pythonOf(
  wanted: string,
  named: string | undefined,
  run: RunCommand,
  signal: AbortSignal,
): Promise<string | null> {
  const root = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const versions = (await readdir(root).catch(() => [])).filter(version => version.startsWith(`${wanted}.`));
  const candidates = [
    ...(named === undefined || named === '' ? [] : [named]),
    `python${wanted}`,
    ...PYTHONS,
    ...versions.map(version => join(root, version, 'bin', 'python')),
  ];
  for (const candidate of candidates) {
    const { code, stdout } = await run(candidate, ['-c', PROBE], signal);
    signal.throwIfAborted();
    const [version, executable] = stdout.split(/\r?\n/);
    if (code === 0 && version === wanted && executable !== undefined && executable !== '') {
      return executable;
    }
  }
  return null;
}
