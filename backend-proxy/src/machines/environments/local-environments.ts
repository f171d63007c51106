/**
 * Environments of clusters on this computer: one folder for each lock, made once by uv whoever wants it, from its one cache, to
 * which the files are linked. The marker is written last: a folder without it is nobody's, and made anew.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { shownName } from '@hitch/contract';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { HostError } from '../../access/host.ts';
import { withFolderLock } from '../folder-lock.ts';
import { type CommandResult, interpreterIn, type RunCommand, runCommand, shippedUv } from '../python.ts';
import { pipProblem, venvProblem } from '../python-problems.ts';
import { type Uv, uvFor } from '../uv.ts';
import { findPython, type FoundPython } from './find-python.ts';
import type { LockTools } from './locker.ts';
import type { Lock } from './locks.ts';
import { noteUse, removeUnused, type Removed } from './unused.ts';
import { UvProgress } from './uv-progress.ts';

export interface LocalEnvironmentsOptions {
  /** Where they are made. */
  readonly folder: string;
  /** Where uv and fetched Pythons are kept. */
  readonly tools: string;
  /** Where this computer's machines are: each that uses an environment keeps it. */
  readonly machines: string;
  readonly clock: Clock;
  /** The user's own interpreter (HITCH_PYTHON). */
  readonly named?: string | undefined;
  readonly run?: RunCommand;
  readonly uvPins?: string;
}

export const MARKER = '.hitch-complete';
/** One that no machine used for so long is removed when another one is made. */
const UNUSED_MS = 14 * 24 * 3_600_000;

interface FoundUv {
  readonly uv: Uv | null;
  /** One that has pip. */
  readonly interpreter: string | null;
  /** Why there is no uv; '' where there is. */
  readonly why: string;
}

export class LocalEnvironments {
  #found: FoundUv | null = null;
  /** By version: each look starts a program. */
  readonly #pythons = new Map<string, FoundPython>();
  readonly #options: LocalEnvironmentsOptions;
  readonly #run: RunCommand;

  constructor(options: LocalEnvironmentsOptions) {
    this.#options = options;
    this.#run = options.run ?? runCommand;
  }

  /** What locks are made with. @throws HostError where there is no Python with pip, or no uv comes. */
  async tools(signal: AbortSignal): Promise<LockTools> {
    const { uv, interpreter, why } = await this.#uv(signal);
    if (uv === null || interpreter === null) {
      throw new HostError(`Packages cannot be locked on this computer: ${why}.`, { fatal: true });
    }
    return { uv, interpreter, run: this.#run };
  }

  /**
   * The interpreter of the environment, which is made where it is not there.
   * @param ref the machine that uses it
   * @throws HostError with a sentence
   */
  async ensure(
    lock: Lock,
    ref: string,
    report: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { folder: all, clock } = this.#options;
    const folder = join(all, lock.id);
    mkdirSync(all, { recursive: true, mode: 0o700 });
    if (!existsSync(join(folder, MARKER))) {
      // Before this one is held: nobody waits for another while he holds one.
      await this.#makeRoom(report, signal);
    }
    const wait = () => report('Another cluster makes this environment; waiting for it.');
    // Held while its use is noted too: what is about to be used is not removed.
    await withFolderLock(`${folder}.lock`, { clock, signal, wait }, async () => {
      if (!existsSync(join(folder, MARKER))) {
        await this.#make(lock, folder, report, signal);
      }
      noteUse(folder, ref);
    });
    return interpreterIn(folder);
  }

  /** Removes what no machine of this computer uses. */
  clean(signal: AbortSignal, forMs = 0): Promise<Removed> {
    const { folder, machines, clock } = this.#options;
    return removeUnused({ folder, machines, clock, signal, forMs });
  }

  async #makeRoom(report: (sentence: string) => void, signal: AbortSignal): Promise<void> {
    const { removed } = await this.clean(signal, UNUSED_MS);
    if (removed > 0) {
      report(
        `Removed ${removed === 1 ? 'an environment' : `${removed.toString()} environments`} that no cluster used for two weeks.`,
      );
    }
  }

  async #make(
    lock: Lock,
    folder: string,
    report: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { uv, why } = await this.#uv(signal);
    const { path: base, pip } = await this.#python(lock.python, uv, report, signal);
    const what = `Installing ${lock.packages.length.toString()} packages`;
    rmSync(folder, { recursive: true, force: true });
    try {
      report(`${what}.`);
      const file = join(folder, 'requirements.lock');
      const isWithPip = uv === null || lock.packages.some(({ name }) => name === 'pip');
      const made = await this.#venv(uv, base, folder, signal);
      if (made.code !== 0) {
        throw venvProblem(base, made);
      }
      writeFileSync(file, isWithPip || pip === null ? lock.text : `${lock.text}${pipLine(pip)}`);
      const installed =
        uv === null
          ? await this.#byPip(
              folder,
              file,
              () => report(`${what} with pip, which takes a while (${why}).`),
              signal,
            )
          : await this.#byUv(uv, folder, { file, lock, what, report }, signal);
      if (installed.code !== 0) {
        throw installProblem(installed, lock);
      }
      writeFileAtomic(join(folder, MARKER), `${base}\n`);
    } catch (error) {
      // Half an environment is none.
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    report('The environment is made.');
  }

  #venv(uv: Uv | null, base: string, folder: string, signal: AbortSignal): Promise<CommandResult> {
    return uv === null
      ? this.#run(base, ['-m', 'venv', folder], signal)
      : this.#run(uv.program, ['venv', '--no-project', '--python', base, folder], signal, quiet(uv));
  }

  async #byUv(
    uv: Uv,
    folder: string,
    {
      file,
      lock,
      what,
      report,
    }: {
      readonly file: string;
      readonly lock: Lock;
      readonly what: string;
      readonly report: (sentence: string) => void;
    },
    signal: AbortSignal,
  ): Promise<CommandResult> {
    const python = interpreterIn(folder);
    const began = this.#options.clock.monotonic();
    const progress = new UvProgress(what);
    const heard = (line: string): void => {
      const said = progress.take(line, this.#options.clock.monotonic() - began);
      if (said !== null) {
        report(said);
      }
    };
    const hashes = lock.text.includes('--hash=') ? ['--require-hashes'] : [];
    // In a folder without packages it installs what the list names and nothing that those want: the lock has all of it.
    const args = ['pip', 'sync', '--python', python, ...hashes, file];
    const installed = await this.#run(uv.program, args, signal, quiet(uv), heard);
    signal.throwIfAborted();
    return installed;
  }

  async #byPip(folder: string, file: string, say: () => void, signal: AbortSignal): Promise<CommandResult> {
    say();
    const args = [
      '-m',
      'pip',
      'install',
      '--disable-pip-version-check',
      '--no-input',
      '--no-deps',
      '-r',
      file,
    ];
    const installed = await this.#run(interpreterIn(folder), args, signal);
    signal.throwIfAborted();
    return installed;
  }

  async #python(
    version: string,
    uv: Uv | null,
    report: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<FoundPython> {
    const known = this.#pythons.get(version);
    if (known !== undefined && existsSync(known.path) && (known.pip === null || existsSync(known.pip))) {
      return known;
    }
    const { tools, named } = this.#options;
    const found = await findPython(
      { version, named, folder: join(tools, 'pythons'), uv, run: this.#run, report },
      signal,
    );
    this.#pythons.set(version, found);
    return found;
  }

  /** Found once: each look starts several programs. */
  async #uv(signal: AbortSignal): Promise<FoundUv> {
    if (this.#found === null || this.#found.uv === null) {
      this.#found = await this.#findUv(signal);
    }
    return this.#found;
  }

  async #findUv(signal: AbortSignal): Promise<FoundUv> {
    const { tools, named, uvPins = shippedUv() } = this.#options;
    const { code, path } = await this.#withPip(named, signal);
    if (code !== 0) {
      return { uv: null, interpreter: null, why: 'it has no Python with pip, which fetches uv' };
    }
    mkdirSync(tools, { recursive: true, mode: 0o700 });
    const uv = await uvFor(
      {
        python: path,
        folder: tools,
        pins: uvPins,
        run: this.#run,
        clock: this.#options.clock,
        wait: () => undefined,
      },
      signal,
    );
    return typeof uv === 'string'
      ? { uv: null, interpreter: path, why: uv }
      : { uv, interpreter: path, why: '' };
  }

  async #withPip(
    named: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly code: number; readonly path: string }> {
    for (const candidate of [...(named === undefined || named === '' ? [] : [named]), ...WITH_PIP]) {
      const { code, stdout } = await this.#run(
        candidate,
        ['-c', 'import pip, sys; print(sys.executable)'],
        signal,
      );
      signal.throwIfAborted();
      const path = stdout.trim();
      if (code === 0 && path !== '') {
        return { code, path };
      }
    }
    return { code: 1, path: '' };
  }
}

const WITH_PIP =
  process.platform === 'win32'
    ? ['python', 'py']
    : ['python3', 'python', 'python3.12', 'python3.11', 'python3.13'];

const quiet = (uv: Uv): Readonly<Record<string, string>> => ({
  ...uv.environment,
  UV_PYTHON_DOWNLOADS: 'never',
  NO_COLOR: '1',
});

/**
 * uv's environments have no pip. With the one that Python itself brings, as a line of the same list, no cluster makes its own in its
 * first seconds.
 */
function pipLine(wheel: string): string {
  const hash = createHash('sha256').update(readFileSync(wheel)).digest('hex');
  return `pip @ ${pathToFileURL(wheel).href} \\\n    --hash=sha256:${hash}\n`;
}

function installProblem(result: CommandResult, lock: Lock): HostError {
  const text = `${result.stdout}\n${result.stderr}`;
  const mismatch = /Hash mismatch for `([^`]+)`/.exec(text)?.[1];
  if (mismatch !== undefined) {
    return new HostError(
      `The file of ${shownName(mismatch)} on the package index is not the one that ${shownName(lock.file)} was locked with: lock it again, and find out why it changed.`,
      { fatal: true },
    );
  }
  return pipProblem(result);
}
