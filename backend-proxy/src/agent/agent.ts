/** The agent, put together: what runs on the node, who may ask, and how it all ends. */
import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import {
  AGENT_PROTOCOL,
  type AgentConfig,
  HitchError,
  type AgentEnvironment,
  type NodeEnvironmentSaid,
  type AgentStatus,
  type EngineConfig,
  type MemoryWarning,
} from '@hitch/contract';
import { type Clock, within } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { agentServer, Transfers } from './agent-server.ts';
import { DiskRoom } from './disk-room.ts';
import { NodeEnvironment } from './environment/environment.ts';
import { WorkFolder } from './files/confine.ts';
import { Files } from './files/files.ts';
import { Uploads } from './files/uploads.ts';
import { prepareFolders, type AgentFolders } from './folders.ts';
import { listenOn } from './http/listen.ts';
import { jobGround } from './jobs/ground.ts';
import { Jobs } from './jobs/jobs.ts';
import { nodeWatchdog } from './node-watchdog.ts';
import { createNotebook, noNotebook, type Notebook } from './notebook.ts';
import { NodePorts } from './ports/node-ports.ts';
import { endTagged } from './processes/ending.ts';
import { keepLogsBounded } from './processes/log-files.ts';
import { processReader } from './processes/proc.ts';
import { NodesAlive } from './ray/nodes-alive.ts';
import { RayEngine } from './ray/ray.ts';
import { gpuReader } from './signals/gpus.ts';
import { Sampler } from './signals/sampler.ts';
import { Ssh } from './ssh/ssh.ts';
import { StatusFeed } from './status.ts';
import { type NodeUse, nodeUse } from './use/node-use.ts';
import { AGENT_VERSION } from './version.ts';
import type { Watchdog } from './watchdog/watchdog.ts';

export interface AgentDeps {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

const INTERRUPT_WITHIN_MS = 3_000;
const LEAVE_GRACE_MS = 3_000;
/** Jobs may write a last checkpoint when the node ends. */
const JOBS_GRACE_MS = 5_000;
const JOBS_END_WITHIN_MS = 10_000;
/** Answers that are under way when the end is decided. */
const LAST_WORDS_MS = 100;

export class Agent {
  readonly log: Log;
  readonly feed: StatusFeed;
  readonly watchdog: Watchdog;
  readonly ray: RayEngine;
  readonly sampler: Sampler;
  readonly files: Files;
  readonly uploads: Uploads;
  readonly ssh: Ssh;
  readonly room: DiskRoom;
  readonly environment: NodeEnvironment;
  readonly jobs: Jobs;
  readonly use: NodeUse;
  readonly ports: NodePorts;
  /** Resolves once {@link shutDown} has ended everything. */
  readonly ended: Promise<void>;

  readonly #deps: AgentDeps;
  readonly #folders: AgentFolders;
  readonly #notebook: Notebook | null;
  readonly #server: Server;
  readonly #nodes: NodesAlive;
  readonly #startedAtMs: number;
  readonly #timers: { cancel(): void }[] = [];
  #hasEnded: () => void = () => undefined;
  #ending: Promise<void> | null = null;
  #memoryWarning: MemoryWarning | null = null;

  static async create(deps: AgentDeps): Promise<Agent> {
    const folders = prepareFolders(deps.config);
    const room = new DiskRoom(deps.config);
    const environment = new NodeEnvironment({ ...deps, folders });
    let agent: Agent | null = null;
    const notebook = deps.config.jupyter
      ? await createNotebook({
          ...deps,
          folders,
          room,
          environment,
          changed: () => agent?.feed.changed(),
          turned: () => agent?.feed.turned(),
          touched: () => agent?.watchdog.touch(),
        })
      : null;
    agent = new Agent(deps, folders, { room, environment, notebook });
    return agent;
  }

  private constructor(
    deps: AgentDeps,
    folders: AgentFolders,
    {
      room,
      environment,
      notebook,
    }: { room: DiskRoom; environment: NodeEnvironment; notebook: Notebook | null },
  ) {
    const { config, clock, ids, log } = deps;
    this.#deps = deps;
    this.#folders = folders;
    this.#notebook = notebook;
    this.room = room;
    this.environment = environment;
    this.log = log;
    this.#startedAtMs = clock.now();
    this.ended = new Promise(resolve => {
      this.#hasEnded = resolve;
    });
    this.feed = new StatusFeed(clock, () => this.#status());
    const changed = (): void => this.feed.changed();
    const turned = (): void => this.feed.turned();
    this.ray = new RayEngine({
      config,
      folders,
      environment,
      clock,
      log,
      changed: turned,
      first: signal => notebook?.jupyter.untilReady(signal) ?? Promise.resolve(),
      clientEnvironment: variables => {
        environment.setRay(variables);
        notebook?.setKernelEnvironment(variables);
      },
    });
    this.#nodes = new NodesAlive({
      clock,
      ray: this.ray,
      isWatched: () => this.feed.isWatched,
      changed: turned,
    });
    this.sampler = new Sampler({
      clock,
      log,
      folder: folders.work,
      readGpus: gpuReader(),
      isWatched: () => this.feed.isWatched,
      sampled: changed,
    });
    const work = new WorkFolder(folders.work);
    this.files = new Files(work);
    this.uploads = new Uploads(work, folders.uploads);
    this.jobs = new Jobs({
      clock,
      log,
      ref: config.ref,
      folder: folders.jobs,
      workFolder: folders.work,
      python: config.python,
      limits: { logBytes: config.journal.maxBytesPerKernel, overBytes: config.journal.maxBytesEnded },
      ready: jobGround({ config, clock, environment, ray: this.ray }),
      changed,
      secret: config.token,
      signals: async () => {
        await this.sampler.refresh();
        return this.sampler.last;
      },
    });
    this.use = nodeUse({
      ...{ config, clock, log, folders },
      kernels: () => notebook?.list.kernels() ?? [],
      jobName: id => this.jobs.live.find(({ record }) => record.id === id)?.record.name,
      warn: warning => {
        this.#memoryWarning = warning;
        this.watchdog.warn(warning.sentence);
        changed();
      },
    });
    const transfers = new Transfers();
    this.watchdog = nodeWatchdog({
      ...deps,
      folders,
      notebook,
      ray: this.ray,
      sampler: this.sampler,
      jobs: this.jobs,
      transfers,
      end: sentence => void this.shutDown(sentence),
      changed,
    });
    this.ssh = new Ssh({
      config,
      folders,
      environment,
      clock,
      ids,
      log,
      touched: () => this.watchdog.touch(),
    });
    const place = {
      ref: config.ref,
      workFolder: folders.work,
      jupyterPid: () => notebook?.jupyter.supervisor.state.pid ?? null,
    };
    this.ports = new NodePorts({
      reader: process.platform === 'linux' ? processReader(place) : null,
      runtimeFolder: join(folders.jupyter, 'runtime'),
      ray: () => this.ray.taken,
    });
    this.#server = agentServer(this, { token: config.token, folders, work, notebook, transfers });
  }

  /** Takes over or starts what runs here, then listens. */
  async start(): Promise<void> {
    if (this.watchdog.hasEnded) {
      await this.#stayEnded();
      return;
    }
    this.ray.resume();
    this.environment.ready().catch((error: unknown) => this.log.warn(errorText(error)));
    this.#notebook?.jupyter.supervisor.start();
    await this.jobs.resume({ follow: true });
    await listenOn(this.#server, this.#deps.config.listen);
    this.#notebook?.list.start();
    void this.#notebook?.jupyter
      .untilReady(new AbortController().signal)
      .then(() => this.#notebook?.list.look());
    this.sampler.start();
    void this.use.start();
    this.watchdog.start();
    this.#nodes.start();
    const logs = ['agent.log', 'jupyter.log', 'ray.log', 'sshd.log'].map(name =>
      join(this.#folders.logs, name),
    );
    this.#timers.push(keepLogsBounded(this.#deps.clock, logs));
    this.log.info('The agent serves', {
      version: AGENT_VERSION,
      ref: this.#deps.config.ref,
      pid: process.pid,
    });
  }

  /** Joins or replaces the engine, unless this node has ended. */
  async startEngine(engine: EngineConfig): Promise<void> {
    if (!this.watchdog.hasEnded) {
      await this.ray.start(engine);
    }
  }

  /** What starts from now on runs in another Python environment; Ray is started again in it. @throws HitchError */
  async setEnvironment(told: AgentEnvironment): Promise<NodeEnvironmentSaid> {
    const kernels = (): readonly string[] => this.#notebook?.list.kernels().map(({ id }) => id) ?? [];
    try {
      if (await this.environment.change(told, kernels)) {
        this.#notebook?.environmentChanged();
        await this.ray.startAgain();
        this.feed.changed();
      }
    } catch (cause) {
      throw new HitchError('CONFLICT', errorText(cause), { cause });
    }
    const said = this.environment.said(kernels());
    if (said === undefined) {
      throw new HitchError('CONFLICT', 'The Python environment of this node is not made yet.');
    }
    return said;
  }

  /** Stops serving; Jupyter, kernels and Ray go on, for the next agent to take over. */
  async leave(): Promise<void> {
    this.log.info('The agent leaves; what it supervises goes on');
    await this.#stopServing();
    await Promise.all([this.#notebook?.jupyter.supervisor.letGo(), this.ray.letGo(), this.jobs.letGo()]);
  }

  /** Interrupts kernels, then ends kernels, Jupyter, Ray and everything else that carries this node's tag. */
  shutDown(reason: string): Promise<void> {
    this.#ending ??= this.#shutDown(reason).finally(() => this.#hasEnded());
    return this.#ending;
  }

  /** @throws HitchError NOT_FOUND on a node without Jupyter. */
  notebook(): Notebook {
    if (this.#notebook === null) {
      throw noNotebook();
    }
    return this.#notebook;
  }

  /** Its limit ended this node while nobody was there. Whoever comes now learns that, and can save files. */
  async #stayEnded(): Promise<void> {
    await listenOn(this.#server, this.#deps.config.listen);
    this.log.info('The node has ended before; the agent only answers', {
      reason: this.watchdog.state.reason,
      ref: this.#deps.config.ref,
      pid: process.pid,
    });
    await this.ssh.end();
    await endTagged(this.#deps.clock, { HITCH_NODE: this.#deps.config.ref }, LEAVE_GRACE_MS);
  }

  async #shutDown(reason: string): Promise<void> {
    const { clock, config } = this.#deps;
    this.log.info('The node ends', { reason });
    this.watchdog.stop();
    await clock.sleep(LAST_WORDS_MS);
    await Promise.all([this.interruptKernels(), this.endJobs()]);
    await this.#stopServing();
    await Promise.all([this.#notebook?.jupyter.supervisor.stop(), this.ray.stop(), this.ssh.end()]);
    const left = await endTagged(clock, { HITCH_NODE: config.ref }, LEAVE_GRACE_MS);
    rmSync(this.#folders.short, { recursive: true, force: true });
    this.log.info('The node has ended', { count: left });
  }

  /** Interrupts kernels at work and waits a moment for them to be idle. @returns how many there were. */
  async interruptKernels(): Promise<number> {
    const notebook = this.#notebook;
    if (notebook?.jupyter.supervisor.state.state !== 'running') {
      return 0;
    }
    const busy = notebook.list.kernels().filter(({ state }) => state === 'busy');
    const slow = new AbortController();
    const timer = this.#deps.clock.setTimer(() => slow.abort(new Error('too slow')), INTERRUPT_WITHIN_MS);
    const interrupts = busy.map(({ id }) => notebook.jupyter.client.interrupt(id, slow.signal));
    await Promise.allSettled(interrupts);
    // What a cell does in its `finally` is worth a moment: a checkpoint, a closed file.
    while (!slow.signal.aborted && notebook.list.kernels().some(({ state }) => state === 'busy')) {
      await this.#deps.clock.sleep(LAST_WORDS_MS);
    }
    timer.cancel();
    return busy.length;
  }

  /** Ends all jobs; each has a moment to write its last checkpoint. */
  endJobs(): Promise<void> {
    return within(this.#deps.clock, JOBS_END_WITHIN_MS, signal => this.jobs.endAll(JOBS_GRACE_MS, signal));
  }

  async #stopServing(): Promise<void> {
    this.#timers.forEach(timer => timer.cancel());
    this.watchdog.stop();
    this.sampler.stop();
    this.use.sampler.stop();
    this.#nodes.stop();
    this.#server.close();
    await this.#notebook?.close();
    this.#server.closeAllConnections();
  }

  #status(): AgentStatus {
    const { config, clock } = this.#deps;
    const kernels = this.#notebook?.list.kernels() ?? [];
    const environment = this.environment.said(kernels.map(({ id }) => id));
    return {
      protocol: AGENT_PROTOCOL,
      version: AGENT_VERSION,
      nodeId: config.nodeId,
      ref: config.ref,
      startedAtMs: this.#startedAtMs,
      nowMs: clock.now(),
      jupyter: this.#notebook?.jupyter.supervisor.state ?? {
        state: 'off',
        pid: null,
        restarts: 0,
        message: '',
      },
      engine: {
        ...this.ray.state,
        headAddress: this.ray.headAddress,
        nodesAlive: this.#nodes.count,
        rayVersion: this.ray.version,
      },
      kernels,
      watchdog: this.watchdog.state,
      signals: this.sampler.last,
      ...(environment === undefined ? {} : { environment }),
      ...(this.#memoryWarning === null ? {} : { memoryWarning: this.#memoryWarning }),
    };
  }
}
