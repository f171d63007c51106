/**
 * One environment for everything that people run on a node: kernels, terminals, what comes by ssh, jobs, Ray's workers.
 * Its programs are the first on PATH, and packages go into a Python environment of this node's own, a layer over the one that the
 * cluster was given: Hitch's own packages, or those of a lock. Another one for a running node is another layer beside the first,
 * so that what runs keeps what it has.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  type AgentConfig,
  type AgentEnvironment,
  agentEnvironmentSchema,
  type NodeEnvironmentSaid,
} from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { AgentFolders } from '../folders.ts';
import { AddedPackages } from './added-packages.ts';
import { MAKE_PYTHON_SOURCE } from './make-python.ts';
import { LOGIN_FILE, SESSION_FILE, SHELL_FILE, shellFiles, unexpanded } from './shells.ts';

const run = promisify(execFile);
const MADE_WITHIN_MS = 120_000;
/** Packages that were added before are fetched again. */
const ADDED_WITHIN_MS = 900_000;
const isWindows = process.platform === 'win32';

const noteSchema = z.object({
  /** From what it was made: another interpreter, or another program that makes it, makes it anew over what is there. */
  from: z.string(),
  jupyterPath: z.string(),
});
type Note = z.infer<typeof noteSchema>;

/** What the agent was told last, for the next agent of this node. */
const keptSchema = z.object({ told: agentEnvironmentSchema, oldKernels: z.array(z.string()) });
type Kept = z.infer<typeof keptSchema>;

export interface EnvironmentOptions {
  readonly config: Pick<AgentConfig, 'python' | 'clusterName' | 'environment'>;
  readonly folders: Pick<AgentFolders, 'state' | 'work' | 'short'>;
  readonly log: Log;
  readonly inherited?: NodeJS.ProcessEnv;
}

/** A Python environment of this node over another one. */
class Layer {
  readonly folder: string;
  readonly bin: string;
  readonly python: string;
  readonly added: AddedPackages;
  readonly noteFile: string;
  note: Note | null;

  constructor(state: string, generation: number) {
    this.folder = join(state, generation === 0 ? 'python' : `python-${generation.toString()}`);
    this.bin = join(this.folder, isWindows ? 'Scripts' : 'bin');
    this.python = join(this.bin, isWindows ? 'python.exe' : 'python');
    this.added = new AddedPackages(this.folder);
    this.noteFile = join(this.folder, 'hitch.json');
    this.note = readNote(this.noteFile);
  }
}

export class NodeEnvironment {
  readonly #options: EnvironmentOptions;
  readonly #shells: string;
  /** Kernels that name their interpreter; before all others in JUPYTER_PATH. */
  readonly #share: string;
  readonly #keptFile: string;
  #told: AgentEnvironment;
  #oldKernels: readonly string[];
  #layer: Layer;
  #problem = '';
  #making: Promise<string> | null = null;
  #changing: Promise<unknown> = Promise.resolve();
  #ray: Readonly<Record<string, string>> = {};

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    const { config, folders } = options;
    this.#shells = join(folders.state, 'shells');
    this.#share = join(folders.state, 'share', 'jupyter');
    this.#keptFile = join(folders.state, 'environment.json');
    const given = config.environment ?? { id: null, python: config.python, generation: 0, add: [] };
    const kept = readKept(this.#keptFile);
    const isNewer = kept !== null && kept.told.generation > given.generation;
    this.#told = isNewer ? kept.told : given;
    this.#oldKernels = isNewer ? kept.oldKernels : [];
    this.#layer = new Layer(folders.state, this.#told.generation);
  }

  /** The folder that is VIRTUAL_ENV. */
  get folder(): string {
    return this.#layer.folder;
  }

  get python(): string {
    return this.#layer.python;
  }

  /** What Jupyter Server runs on: Hitch's own packages, whatever people's programs run on. */
  get serverPython(): string {
    return this.#isHitchs && this.#told.generation === 0 ? this.python : this.#options.config.python;
  }

  get #isHitchs(): boolean {
    return this.#told.id === null && this.#told.python === this.#options.config.python;
  }

  /** @param kernels those that run now. */
  said(kernels: readonly string[]): NodeEnvironmentSaid | undefined {
    const old = this.#oldKernels.filter(id => kernels.includes(id));
    return this.#layer.note === null
      ? undefined
      : {
          generation: this.#told.generation,
          folder: this.folder,
          added: [...this.#layer.added.list()],
          oldKernels: old,
          problem: this.#problem,
        };
  }

  /** A kernel was started anew: it runs in what there is now. */
  restarted(kernelId: string): void {
    if (this.#oldKernels.includes(kernelId)) {
      this.#oldKernels = this.#oldKernels.filter(id => id !== kernelId);
      this.#keep();
    }
  }

  /** Makes the Python environment unless it is there. @returns its interpreter. @throws Error with a sentence. */
  ready(): Promise<string> {
    this.#making ??= this.#make(this.#layer, this.#told).then(
      () => {
        this.#writeKernel();
        this.#writeShells();
        return this.python;
      },
      (error: unknown) => {
        // The disk may have room at the next try.
        this.#making = null;
        throw error;
      },
    );
    return this.#making;
  }

  /**
   * What starts from now on runs in another environment. @param kernels those that run now, which keep theirs.
   * @returns whether anything changed. @throws Error with a sentence; then all stays as it was.
   */
  change(told: AgentEnvironment, kernels: () => readonly string[]): Promise<boolean> {
    const changed = this.#changing.then(async () => {
      if (told.generation <= this.#told.generation) {
        return false;
      }
      const layer = new Layer(this.#options.folders.state, told.generation);
      await this.#make(layer, told);
      this.#told = told;
      this.#layer = layer;
      this.#making = Promise.resolve(layer.python);
      this.#oldKernels = [...new Set([...this.#oldKernels, ...kernels()])];
      this.#keep();
      this.#writeKernel();
      this.#writeShells();
      this.#options.log.info('The environment of this node is another one', { generation: told.generation });
      return true;
    });
    this.#changing = changed.catch(() => undefined);
    return changed;
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
    const { bin, note, folder } = this.#layer;
    const path = inherited['PATH'] ?? inherited['Path'];
    return {
      PATH: path === undefined || path === '' ? bin : `${bin}${delimiter}${path}`,
      VIRTUAL_ENV: folder,
      // A setting of the user's account would make pip install for all of this account's Pythons, or refuse.
      PIP_USER: '0',
      // Where a kernel's paths begin: by it a client can say where a file that a cell misses would have to lie.
      HITCH_WORK_FOLDER: folders.work,
      // `ray.init()` finds this node's Ray, and no other on the machine, by this folder.
      RAY_TMPDIR: folders.short,
      RAY_USAGE_STATS_ENABLED: '0',
      // Sessions by ssh begin without the agent's own environment. Empty: none of the machine's GPUs are this node's.
      ...(inherited['CUDA_VISIBLE_DEVICES'] === '' ? { CUDA_VISIBLE_DEVICES: '' } : {}),
      ...(note === null ? {} : { JUPYTER_PATH: [this.#share, note.jupyterPath].join(delimiter) }),
      ...(isWindows ? {} : { BASH_ENV: unexpanded(join(this.#shells, LOGIN_FILE)) }),
    };
  }

  /** Those that a program misses which was started before the environment became another one. */
  get changedVariables(): Record<string, string> {
    return this.#told.generation === 0 ? {} : this.variables;
  }

  /** What drivers need to reach the cluster's Ray; for sessions that begin from now on. */
  setRay(environment: Readonly<Record<string, string>>): void {
    this.#ray = environment;
    if (this.#layer.note !== null) {
      try {
        this.#writeShells();
      } catch (error) {
        this.#options.log.warn('Shells cannot be told of Ray', { error: errorText(error) });
      }
    }
  }

  async #make(layer: Layer, { python, add }: AgentEnvironment): Promise<void> {
    const { config, folders, log } = this.#options;
    const uv = uvNear([config.python, python]);
    const from = createHash('sha256').update(`${python}\n${uv}\n${MAKE_PYTHON_SOURCE}`).digest('hex');
    if (layer.note?.from === from) {
      return;
    }
    const args = ['-c', MAKE_PYTHON_SOURCE, layer.folder, config.clusterName, uv];
    try {
      const { stdout, stderr } = await run(python, args, { cwd: folders.state, timeout: MADE_WITHIN_MS });
      layer.note = noteSchema.parse({ ...z.looseObject({}).parse(JSON.parse(stdout)), from });
      if (stderr.trim() !== '') {
        log.warn('Something was said while the Python environment of this node was made', { said: stderr });
      }
    } catch (cause) {
      throw new Error(`The cluster's own Python was not made from ${python}: ${lastLine(cause)}`, { cause });
    }
    await this.#addAgain(layer, add);
    writeFileAtomic(layer.noteFile, JSON.stringify(layer.note));
    log.info('The Python environment of this node is made');
  }

  /** What people had added before the cluster was started again. Without it the node still works, and its row says what is missing. */
  async #addAgain(layer: Layer, add: readonly string[]): Promise<void> {
    const there = new Set(layer.added.list().map(({ name, version }) => `${name}==${version}`));
    const missing = add.filter(each => !there.has(each));
    this.#problem = '';
    if (missing.length === 0) {
      return;
    }
    const args = [
      '-m',
      'pip',
      'install',
      '--disable-pip-version-check',
      '--no-input',
      '--no-deps',
      ...missing,
    ];
    try {
      await run(layer.python, args, {
        cwd: this.#options.folders.work,
        timeout: ADDED_WITHIN_MS,
        env: { ...process.env, VIRTUAL_ENV: layer.folder, PIP_USER: '0' },
        maxBuffer: 16 * 1024 * 1024,
      });
    } catch (error) {
      this.#problem = `What had been added is not there again (${missing.join(', ')}): ${lastLine(error)}`;
      this.#options.log.warn(this.#problem);
    }
  }

  #keep(): void {
    const kept: Kept = { told: this.#told, oldKernels: [...this.#oldKernels] };
    writeFileAtomic(this.#keptFile, JSON.stringify(kept));
  }

  /** Jupyter puts its own interpreter for the word "python"; where people's is another one, the kernel names it. */
  #writeKernel(): void {
    if (this.#isHitchs && this.#told.generation === 0) {
      return;
    }
    const folder = join(this.#share, 'kernels', 'python3');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const spec = {
      argv: [this.python, '-m', 'ipykernel_launcher', '-f', '{connection_file}'],
      display_name: 'Python 3 (ipykernel)',
      language: 'python',
      metadata: { debugger: true },
    };
    writeFileAtomic(join(folder, 'kernel.json'), JSON.stringify(spec));
  }

  #writeShells(): void {
    if (isWindows) {
      return;
    }
    const { PATH: _path, VIRTUAL_ENV: _environment, ...variables } = this.variables;
    const facts = {
      folder: this.#shells,
      python: this.folder,
      bin: this.#layer.bin,
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

function readKept(file: string): Kept | null {
  try {
    return keptSchema.parse(JSON.parse(textOf(file) ?? ''));
  } catch {
    return null;
  }
}

/**
 * The uv that installed a Python's packages, which lies beside the folders of such Pythons (`machines/uv.ts`, `far/bootstrap.sh`);
 * '' where there is none.
 */
function uvNear(pythons: readonly string[]): string {
  const program = isWindows ? 'uv.exe' : 'uv';
  for (const python of pythons) {
    const all = dirname(dirname(dirname(python)));
    const folders = [all, join(all, '..', 'python'), join(all, '..', 'cache')].flatMap(place =>
      namesIn(place)
        .filter(name => /^uv-[\d.]+$/.test(name))
        .map(name => join(place, name)),
    );
    const found = [dirname(python), ...folders.flatMap(folder => [join(folder, 'bin'), folder])]
      .map(folder => join(folder, program))
      .find(path => existsSync(path));
    if (found !== undefined) {
      return found;
    }
  }
  return '';
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
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
