/**
 * The interpreter that runs Jupyter and Ray on this computer: one the user names, or a virtual environment that Hitch
 * makes once from exactly pinned packages and keeps.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { HostError, type PythonNeeds } from '../access/host.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { withFolderLock } from './folder-lock.ts';
import { installPackages } from './packages.ts';
import { missingPackages, pipProblem, venvProblem, versionProblem } from './python-problems.ts';

export interface CommandResult {
  /** Null: the program could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type RunCommand = (
  file: string,
  args: readonly string[],
  signal: AbortSignal,
  /** Variables for it, besides those of this process, which win. */
  environment?: Readonly<Record<string, string>>,
  /** Gets each line that it says on standard error, as it comes. */
  heard?: (line: string) => void,
) => Promise<CommandResult>;

export const runCommand: RunCommand = (file, args, signal, environment = {}, heard) =>
  new Promise(resolve => {
    const options = { signal, maxBuffer: 16 * 1024 * 1024, env: { ...environment, ...process.env } };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, stdout, stderr: error !== null && stderr === '' ? error.message : stderr });
    });
    if (heard !== undefined && child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', heard);
    }
  });

export interface PythonOptions {
  /** Where environments are made. */
  readonly folder: string;
  readonly clock: Clock;
  /** The user's own interpreter (the variable HITCH_PYTHON or a setting), taken as it is. */
  readonly named?: string | undefined;
  /** The pins; default: the file that comes with Hitch. */
  readonly requirements?: string;
  /** The pin of the uv that installs them, with hashes; default: the file that comes with Hitch. */
  readonly uv?: string;
  readonly run?: RunCommand;
  readonly candidates?: readonly string[];
}

/** What an interpreter may be called here. */
export const PYTHONS =
  process.platform === 'win32'
    ? ['python', 'py']
    : ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3.14', 'python'];
const MARKER = '.hitch-complete';

export class PythonEnvironments {
  readonly #options: PythonOptions;
  readonly #run: RunCommand;
  /** Checked interpreters: a second node asks nobody. */
  readonly #checked = new Set<string>();

  constructor(options: PythonOptions) {
    this.#options = options;
    this.#run = options.run ?? runCommand;
  }

  /** @throws HostError with a sentence when there is no usable Python and none can be made. */
  async ensure(needs: PythonNeeds, report: (sentence: string) => void, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { named } = this.#options;
    if (named !== undefined && named !== '') {
      await this.#check(named, needs, signal);
      return named;
    }
    const requirements = this.#options.requirements ?? shippedRequirements();
    const name = createHash('sha256').update(requirements).digest('hex').slice(0, 12);
    const folder = join(this.#options.folder, name);
    if (!isComplete(folder)) {
      mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
      const wait = () => report('Another process installs the packages; waiting for it.');
      await withFolderLock(`${folder}.lock`, { clock: this.#options.clock, signal, wait }, async () => {
        if (!isComplete(folder)) {
          await this.#make(folder, requirements, report, signal);
        }
      });
    }
    const python = interpreterIn(folder);
    await this.#check(python, needs, signal);
    return python;
  }

  async #make(
    folder: string,
    requirements: string,
    report: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    report('Looking for a Python on this computer.');
    const base = await this.#findBase(signal);
    report(`Making a Python environment with ${base}.`);
    rmSync(folder, { recursive: true, force: true });
    const venv = await this.#run(base, ['-m', 'venv', folder], signal);
    signal.throwIfAborted();
    if (venv.code !== 0) {
      rmSync(folder, { recursive: true, force: true });
      throw venvProblem(base, venv);
    }
    const file = join(folder, 'requirements.txt');
    writeFileSync(file, requirements);
    const installed = await installPackages(
      {
        interpreter: interpreterIn(folder),
        file,
        folder: this.#options.folder,
        pins: this.#options.uv ?? shippedUv(),
        run: this.#run,
        clock: this.#options.clock,
        called: 'Jupyter, Ray',
        report,
      },
      signal,
    );
    if (installed.code !== 0) {
      // Half an environment is none; the next try starts afresh.
      rmSync(folder, { recursive: true, force: true });
      throw pipProblem(installed);
    }
    writeFileAtomic(join(folder, MARKER), `${base}\n`);
    report('Packages are installed.');
  }

  async #findBase(signal: AbortSignal): Promise<string> {
    let problem: HostError | null = null;
    for (const candidate of this.#options.candidates ?? PYTHONS) {
      const probe = 'import sys; print("%d.%d.%d" % sys.version_info[:3])';
      const { code, stdout } = await this.#run(candidate, ['-c', probe], signal);
      signal.throwIfAborted();
      if (code === 0) {
        const why = versionProblem(candidate, stdout.trim());
        if (why === null) {
          return candidate;
        }
        problem ??= why;
      }
    }
    throw (
      problem ??
      new HostError(
        'There is no Python on this computer: install Python 3.10 to 3.14, or set HITCH_PYTHON to an interpreter.',
        { fatal: true },
      )
    );
  }

  /** Runs the interpreter once: does it start, has it what is needed? */
  async #check(python: string, needs: PythonNeeds, signal: AbortSignal): Promise<void> {
    const key = `${python}\n${needs.ray.toString()}`;
    if (this.#checked.has(key)) {
      return;
    }
    const result = await this.#run(python, ['-c', PROBE], signal);
    signal.throwIfAborted();
    if (result.code !== 0) {
      const missing = result.code === null && result.stderr.includes('ENOENT');
      throw new HostError(
        missing
          ? `There is no Python at ${python}: correct HITCH_PYTHON, or unset it to let Hitch make its own environment.`
          : `${python} does not run: ${lastLine(result.stderr)}`,
        { fatal: true },
      );
    }
    const problem = missingPackages(python, result.stdout, needs);
    if (problem !== null) {
      throw problem;
    }
    this.#checked.add(key);
  }
}

/** Prints `name version` for each package asked for that is installed; imports none of them, which takes seconds. */
const PROBE = `
import importlib.metadata as m, sys
print('python', '%d.%d.%d' % sys.version_info[:3])
for n in ('jupyter_server', 'ipykernel', 'ray'):
    try:
        print(n, m.version(n))
    except m.PackageNotFoundError:
        pass
`;

function isComplete(folder: string): boolean {
  try {
    readFileSync(join(folder, MARKER));
    return true;
  } catch {
    return false;
  }
}

export function interpreterIn(folder: string): string {
  return process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

export function shippedRequirements(from: string | URL = import.meta.url): string {
  return shippedList('requirements.lock.txt', from);
}

/** The same pins with the hashes of their files, for machines that install them from an index that we do not know. */
export function shippedHashes(from: string | URL = import.meta.url): string {
  return shippedList('requirements.hashes.txt', from);
}

/** The pin of uv, with the hashes of its files. */
export function shippedUv(from: string | URL = import.meta.url): string {
  return shippedList('uv.hashes.txt', from);
}

/** The lists lie beside the sources, and at the same place relative to the bundle. */
function shippedList(file: string, from: string | URL): string {
  const name = `python/${file}`;
  let cause: unknown;
  for (const path of [`../../${name}`, `../${name}`, `./${name}`]) {
    try {
      return readFileSync(new URL(path, from), 'utf8');
    } catch (error) {
      cause = error;
    }
  }
  throw new HostError(
    `The list of Python packages that comes with Hitch is missing (${errorText(cause)}): install Hitch again.`,
    { fatal: true, cause },
  );
}
