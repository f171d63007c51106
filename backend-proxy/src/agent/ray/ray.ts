/** This node's part in the engine: nothing for `single`, one supervised `ray start --block` for `ray`. */
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  engineConfigSchema,
  HitchError,
  type AgentConfig,
  type EngineConfig,
  type RayJobs,
  type Supervised,
} from '@hitch/contract';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { type Clock, within } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { NodeEnvironment } from '../environment/environment.ts';
import type { AgentFolders } from '../folders.ts';
import type { Upstream } from '../http/upstream.ts';
import { endTagged } from '../processes/ending.ts';
import { Supervisor, type Program } from '../processes/supervisor.ts';
import { checkRayVersion, rayArguments, rayClientEnvironment, rayEnvironment } from './command.ts';
import { RayDashboard } from './dashboard.ts';
import { checkPortsFree } from './free-ports.ts';
import { rayPorts, type RayPorts } from './ports.ts';
import { rayTrouble } from './trouble.ts';

const run = promisify(execFile);

export interface RayOptions {
  readonly config: AgentConfig;
  readonly folders: AgentFolders;
  readonly environment: NodeEnvironment;
  readonly clock: Clock;
  readonly log: Log;
  readonly changed: () => void;
  /** Waited for before the first start: a notebook comes first, and Ray's start takes every core for seconds. */
  readonly first: (signal: AbortSignal) => Promise<void>;
  /** Gets what kernels and drivers need to reach the cluster, before Ray itself is up. */
  readonly clientEnvironment: (environment: Readonly<Record<string, string>>) => void;
}

const READY_WITHIN_MS = 180_000;
const LOOK_EVERY_MS = 250;
const WAIT_FOR_NOTEBOOK_MS = 20_000;
const LEFTOVER_GRACE_MS = 3_000;

interface Running {
  readonly engine: EngineConfig;
  readonly ports: RayPorts;
  readonly supervisor: Supervisor;
}

export class RayEngine {
  readonly #options: RayOptions;
  readonly #tokenPath: string;
  readonly #enginePath: string;
  #running: Running | null = null;
  #version: string | null = null;
  /** Where this run's part of the log begins; null: taken over from an agent that was killed. */
  #logStart: number | null = null;

  constructor(options: RayOptions) {
    this.#options = options;
    this.#tokenPath = join(options.folders.run, 'ray-token');
    this.#enginePath = join(options.folders.run, 'engine.json');
  }

  get state(): Supervised {
    return this.#running?.supervisor.state ?? { state: 'off', pid: null, restarts: 0, message: '' };
  }

  get version(): string | null {
    return this.#version;
  }

  /** `host:port` for workers to join, once the head runs. */
  get headAddress(): string | null {
    const running = this.#running;
    return running?.engine.role === 'head' && running.supervisor.state.state === 'running'
      ? `${running.engine.nodeAddress}:${running.ports.gcs.toString()}`
      : null;
  }

  /** The head's dashboard; null on workers and without Ray. */
  get dashboard(): { readonly upstream: Upstream; readonly api: RayDashboard } | null {
    const running = this.#running;
    if (running?.engine.role !== 'head') {
      return null;
    }
    const upstream: Upstream = {
      name: "Ray's dashboard",
      address: { host: '127.0.0.1', port: running.ports.dashboard },
      authorization: `Bearer ${running.engine.token}`,
    };
    return { upstream, api: new RayDashboard(upstream) };
  }

  /** The ports that Ray takes on this node; null while it does not run here. */
  get taken(): { readonly ports: RayPorts; readonly isHead: boolean } | null {
    const running = this.#running;
    return running === null ? null : { ports: running.ports, isHead: running.engine.role === 'head' };
  }

  /** What was submitted to Ray itself; none on workers, and while Ray does not run. @throws when its dashboard does not answer. */
  async submitted(signal: AbortSignal): Promise<RayJobs> {
    const api = this.state.state === 'running' ? this.dashboard?.api : undefined;
    return api === undefined ? { jobs: [], more: 0 } : api.submitted(signal);
  }

  /** What programs of this node need to reach the cluster's Ray; none without Ray. */
  get clientVariables(): Readonly<Record<string, string>> {
    const running = this.#running;
    return running === null ? {} : rayClientEnvironment(running.engine, running.ports, this.#tokenPath);
  }

  /** Takes up what a killed agent was told before. */
  resume(): void {
    let engine: EngineConfig;
    try {
      engine = engineConfigSchema.parse(JSON.parse(readFileSync(this.#enginePath, 'utf8')));
    } catch {
      return;
    }
    this.#begin(engine);
  }

  /** Idempotent for the same configuration; another one replaces what runs. Returns before Ray is up. */
  async start(engine: EngineConfig): Promise<void> {
    if (engine.kind === 'ray' && engine.role === 'worker' && engine.headAddress === null) {
      throw new HitchError('BAD_INPUT', 'A Ray worker needs the address of its head.', {
        field: 'headAddress',
      });
    }
    if (this.#running !== null) {
      if (JSON.stringify(this.#running.engine) === JSON.stringify(engine) && this.state.state !== 'failed') {
        return;
      }
      await this.stop();
    }
    writeFileAtomic(this.#enginePath, JSON.stringify(engine));
    this.#begin(engine);
  }

  /** Ends what runs, and starts the same again with what the environment holds now. */
  async startAgain(): Promise<void> {
    const running = this.#running;
    if (running !== null) {
      await this.stop();
      this.#begin(running.engine);
    }
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running !== null) {
      await running.supervisor.stop();
      await this.#endLeftovers();
      this.#running = null;
    }
  }

  async letGo(): Promise<void> {
    await this.#running?.supervisor.letGo();
  }

  #begin(engine: EngineConfig): void {
    if (engine.kind === 'single') {
      return;
    }
    const { config, folders, clock, log, changed } = this.#options;
    const ports = rayPorts(engine.portBase);
    writeFileAtomic(this.#tokenPath, engine.token);
    this.#options.clientEnvironment(rayClientEnvironment(engine, ports, this.#tokenPath));
    const supervisor = new Supervisor({
      name: 'ray',
      clock,
      log,
      runFolder: folders.run,
      logFile: this.#logPath,
      program: signal => this.#program(engine, ports, signal),
      ready: signal => this.#untilReady(engine, signal),
      cleanUp: () => this.#endLeftovers(),
      changed,
      readyWithinMs: READY_WITHIN_MS,
      reason: () => this.#trouble(),
    });
    this.#running = { engine, ports, supervisor };
    log.info(`Ray ${engine.role} of ${config.ref} begins`, { port: ports.gcs });
    supervisor.start();
    // A program that is taken over is not asked for again, and the status says the version all the same.
    void this.#installed().then(changed, () => undefined);
  }

  async #program(engine: EngineConfig, ports: RayPorts, signal: AbortSignal): Promise<Program> {
    const { config, folders, environment } = this.#options;
    const version = await this.#installed();
    checkRayVersion(version);
    if (engine.rayVersion !== null && engine.rayVersion !== version) {
      throw new HitchError(
        'VERSION_MISMATCH',
        `This node has Ray ${version}, the cluster runs ${engine.rayVersion}.`,
        { next: `Install ray[default]==${engine.rayVersion} here; Ray joins equal versions only.` },
      );
    }
    await checkPortsFree(engine.role, ports);
    await this.#waitForNotebook(signal);
    this.#logStart = sizeOf(this.#logPath);
    return {
      file: environment.python,
      args: rayArguments(engine, ports, join(folders.short, 'ray')),
      cwd: folders.work,
      environment: rayEnvironment(config, engine, ports, this.#tokenPath, {
        ...process.env,
        ...environment.variables,
      }),
    };
  }

  /** Asked anew each time: another Ray may have been installed meanwhile. */
  async #installed(): Promise<string> {
    this.#version = await installedRay(await this.#options.environment.ready());
    return this.#version;
  }

  async #waitForNotebook(stopping: AbortSignal): Promise<void> {
    const { clock, first } = this.#options;
    await within(clock, WAIT_FOR_NOTEBOOK_MS, late => first(AbortSignal.any([stopping, late]))).catch(
      () => undefined,
    );
  }

  /**
   * A node is ready when `ray start` says so; until then it may still give up and end all it started. A head counts
   * itself among its living nodes besides: its GCS and dashboard go on answering when its raylet never comes.
   */
  async #untilReady(engine: EngineConfig, signal: AbortSignal): Promise<void> {
    const isReady = async (): Promise<boolean> =>
      this.#saysStarted() && (engine.role !== 'head' || (await this.#headCountsItself(signal)));
    while (!(await isReady().catch(() => false))) {
      const trouble = this.#trouble();
      await this.#options.clock.sleep(LOOK_EVERY_MS, signal);
      if (trouble !== null) {
        // Looked for once more: the reason comes in the lines after the first.
        throw new Error(this.#trouble() ?? trouble);
      }
    }
  }

  async #headCountsItself(signal: AbortSignal): Promise<boolean> {
    const api = this.dashboard?.api;
    return api !== undefined && (await api.isHealthy(signal)) && ((await api.nodesAlive(signal)) ?? 0) > 0;
  }

  #saysStarted(): boolean {
    return this.#said()?.includes('Ray runtime started') ?? true;
  }

  /** What this run's log says; null: it was taken over. */
  #said(): string | null {
    if (this.#logStart === null) {
      return null;
    }
    const text = readFileSync(this.#logPath);
    return text.subarray(Math.min(this.#logStart, text.length)).toString('utf8');
  }

  /** Why this start will come to nothing. Ray may go on for minutes after it has said so. */
  #trouble(): string | null {
    return rayTrouble(this.#said() ?? '');
  }

  get #logPath(): string {
    return join(this.#options.folders.logs, 'ray.log');
  }

  /** A killed `ray start` leaves its GCS and raylet behind, which hold the ports. Never `ray stop`: it ends everybody's. */
  async #endLeftovers(): Promise<void> {
    const tags = { HITCH_NODE: this.#options.config.ref, HITCH_PROGRAM: 'ray' };
    await endTagged(this.#options.clock, tags, LEFTOVER_GRACE_MS);
  }
}

async function installedRay(python: string): Promise<string> {
  const ask = "import importlib.metadata as m; print(m.version('ray'))";
  try {
    return (await run(python, ['-I', '-c', ask])).stdout.trim();
  } catch (error) {
    throw new HitchError('NOT_FOUND', `There is no Ray in ${python}.`, {
      next: 'Install ray[default] there, or choose the engine single.',
      cause: error,
    });
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
