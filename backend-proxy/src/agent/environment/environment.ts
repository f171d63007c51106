/**
 * One environment for everything that people run on a node: kernels, terminals, what comes by ssh, jobs, Ray's workers.
 * Its programs are the first on PATH, and packages go into a Python environment of this node's own.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { AgentConfig } from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { AgentFolders } from '../folders.ts';
import { MAKE_PYTHON_SOURCE } from './make-python.ts';
import { LOGIN_FILE, SESSION_FILE, SHELL_FILE, shellFiles, unexpanded } from './shells.ts';

const run = promisify(execFile);
const MADE_WITHIN_MS = 120_000;
const isWindows = process.platform === 'win32';

const noteSchema = z.object({
  /** From what it was made: another interpreter, or another program that makes it, makes it anew over what is there. */
  from: z.string(),
  jupyterPath: z.string(),
});
type Note = z.infer<typeof noteSchema>;

export interface EnvironmentOptions {
  readonly config: Pick<AgentConfig, 'python' | 'clusterName'>;
  readonly folders: Pick<AgentFolders, 'state' | 'work' | 'short'>;
  readonly log: Log;
  readonly inherited?: NodeJS.ProcessEnv;
}

export class NodeEnvironment {
  /** The folder that is VIRTUAL_ENV. */
  readonly folder: string;
  readonly python: string;
  readonly #options: EnvironmentOptions;
  readonly #bin: string;
  readonly #shells: string;
  readonly #noteFile: string;
  #note: Note | null;
  #making: Promise<string> | null = null;
  #ray: Readonly<Record<string, string>> = {};

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.folder = join(options.folders.state, 'python');
    this.#bin = join(this.folder, isWindows ? 'Scripts' : 'bin');
    this.python = join(this.#bin, isWindows ? 'python.exe' : 'python');
    this.#shells = join(options.folders.state, 'shells');
    this.#noteFile = join(this.folder, 'hitch.json');
    this.#note = readNote(this.#noteFile);
  }

  /** Makes the Python environment unless it is there. @returns its interpreter. @throws Error with a sentence. */
  ready(): Promise<string> {
    this.#making ??= this.#make().catch((error: unknown) => {
      // The disk may have room at the next try.
      this.#making = null;
      throw error;
    });
    return this.#making;
  }

  /** What shells read at the beginning of a session. */
  get sessionFile(): string {
    return join(this.#shells, SESSION_FILE);
  }

  /** The program that is a person's shell; null where shells need no help. */
  get shell(): string | null {
    return isWindows ? null : join(this.#shells, SHELL_FILE);
  }

  /** For a program that is started here, and all that it starts. Ray's address is not among them: Ray would follow it. */
  get variables(): Record<string, string> {
    const { folders, inherited = process.env } = this.#options;
    const path = inherited['PATH'] ?? inherited['Path'];
    return {
      PATH: path === undefined || path === '' ? this.#bin : `${this.#bin}${delimiter}${path}`,
      VIRTUAL_ENV: this.folder,
      // A setting of the user's account would make pip install for all of this account's Pythons, or refuse.
      PIP_USER: '0',
      // Where a kernel's paths begin: by it a client can say where a file that a cell misses would have to lie.
      HITCH_WORK_FOLDER: folders.work,
      // `ray.init()` finds this node's Ray, and no other on the machine, by this folder.
      RAY_TMPDIR: folders.short,
      RAY_USAGE_STATS_ENABLED: '0',
      // Sessions by ssh begin without the agent's own environment. Empty: none of the machine's GPUs are this node's.
      ...(inherited['CUDA_VISIBLE_DEVICES'] === '' ? { CUDA_VISIBLE_DEVICES: '' } : {}),
      ...(this.#note === null ? {} : { JUPYTER_PATH: this.#note.jupyterPath }),
      ...(isWindows ? {} : { BASH_ENV: unexpanded(join(this.#shells, LOGIN_FILE)) }),
    };
  }

  /** What drivers need to reach the cluster's Ray; for sessions that begin from now on. */
  setRay(environment: Readonly<Record<string, string>>): void {
    this.#ray = environment;
    if (this.#note !== null) {
      try {
        this.#writeShells();
      } catch (error) {
        this.#options.log.warn('Shells cannot be told of Ray', { error: errorText(error) });
      }
    }
  }

  async #make(): Promise<string> {
    const { config, folders, log } = this.#options;
    const from = createHash('sha256').update(`${config.python}\n${MAKE_PYTHON_SOURCE}`).digest('hex');
    if (this.#note?.from !== from) {
      const args = ['-c', MAKE_PYTHON_SOURCE, this.folder, config.clusterName];
      try {
        const { stdout, stderr } = await run(config.python, args, {
          cwd: folders.state,
          timeout: MADE_WITHIN_MS,
        });
        this.#note = noteSchema.parse({ ...z.looseObject({}).parse(JSON.parse(stdout)), from });
        if (stderr.trim() !== '') {
          log.warn('Something was said while the Python environment of this node was made', { said: stderr });
        }
      } catch (cause) {
        throw new Error(`The cluster's own Python was not made from ${config.python}: ${lastLine(cause)}`, {
          cause,
        });
      }
      writeFileAtomic(this.#noteFile, JSON.stringify(this.#note));
      log.info('The Python environment of this node is made');
    }
    this.#writeShells();
    return this.python;
  }

  #writeShells(): void {
    if (isWindows) {
      return;
    }
    const { PATH: _path, VIRTUAL_ENV: _environment, ...variables } = this.variables;
    const facts = {
      folder: this.#shells,
      python: this.folder,
      bin: this.#bin,
      variables: { ...variables, ...this.#ray },
    };
    for (const [name, text] of Object.entries(shellFiles(facts))) {
      const file = join(this.#shells, name);
      if (textOf(file) !== text) {
        writeFileAtomic(file, text, name === SHELL_FILE ? 0o700 : 0o600);
      }
    }
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function readNote(file: string): Note | null {
  try {
    return noteSchema.parse(JSON.parse(textOf(file) ?? ''));
  } catch {
    return null;
  }
}

function lastLine(error: unknown): string {
  const said =
    error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : '';
  return said.trim().split('\n').at(-1) || errorText(error);
}
