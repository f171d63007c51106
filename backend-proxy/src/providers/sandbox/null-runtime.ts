/**
 * Machines without processes: records whose agent answers from this process, so that a thousand clusters, or a
 * million crashes, cost nothing. For load and chaos; the time it takes to boot, to start and to join is set.
 */
import {
  AGENT_PROTOCOL,
  type AgentConfig,
  type AgentStatus,
  type EngineConfig,
  type WatchdogConfig,
  type WatchdogState,
  agentConfigSchema,
} from '@hitch/contract';
import {
  type AgentAddress,
  type AgentLinkTransport,
  type Host,
  HostError,
  type HostFacts,
  type MachineAddress,
  type MachineHas,
  type NetworkSpeed,
} from '../../access/host.ts';
import type { AgentPort } from '../../access/links.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { refOfRank } from '../../ledger/cluster-state.ts';
import { lastOf, type MarketRuntime, ranksOf } from './market-runtime.ts';
import type { Rental } from './market-storage.ts';

export interface NullRuntimeOptions {
  readonly clock: Clock;
  /** From the agent's start to a usable Jupyter Server. */
  readonly jupyterDelayMs?: number;
  /** From `startEngine` to a running engine. */
  readonly engineDelayMs?: number;
}

/** What its facts are taken from. */
type NullMachine = Pick<CatalogueEntry['fixed'], 'cpuCores' | 'gpuCount' | 'gpuModel'> &
  Partial<Pick<CatalogueEntry['fixed'], 'vramMiB' | 'diskGiB' | 'cudaMax' | 'downMbps' | 'upMbps'>>;

/** What one machine without processes remembers. */
interface Machine {
  readonly number: number;
  config: AgentConfig | null;
  configText: string;
  agentSinceMs: number;
  /** When somebody last said that it is in use. */
  touchedAtMs: number;
  watchdog: WatchdogConfig;
  engine: EngineConfig | null;
  engineSinceMs: number;
  shutDownAtMs: number | null;
}

const NO_WATCHDOG: WatchdogConfig = { stopAtMs: null, idleMs: null, warnBeforeMs: 600_000, webhookUrl: null };
const GCS_PORT = 6379;
/** How often somebody who follows a status gets it; there is no stream. */
const WATCH_EVERY_MS = 10_000;

/** Nothing listens at these addresses: each is known as the object that it is. */
const agents = new WeakMap<AgentAddress, AgentPort>();

/** The agent of a machine without processes, by the address that its host's transport has; null: it is of no such machine. */
export const agentWithoutProcess = (address: AgentAddress): AgentPort | null => agents.get(address) ?? null;

export class NullRuntime implements MarketRuntime {
  readonly #clock: Clock;
  readonly #jupyterDelayMs: number;
  readonly #engineDelayMs: number;
  readonly #machines = new Map<string, Machine>();
  #count = 0;

  constructor(options: NullRuntimeOptions) {
    this.#clock = options.clock;
    this.#jupyterDelayMs = options.jupyterDelayMs ?? 0;
    this.#engineDelayMs = options.engineDelayMs ?? 0;
  }

  reserve(): void {
    // Records cannot collide.
  }

  host(
    rental: Pick<Rental, 'id' | 'ref'> & Partial<Pick<Rental, 'flaw'>>,
    rank: number,
    { fixed }: { readonly fixed: NullMachine },
  ): Host {
    const id = refOfRank(rental.id, rank);
    const flaw = rental.flaw ?? null;
    const found = { has: nullHas(fixed, flaw), network: nullNetwork(fixed, flaw) };
    return new NullHost(
      this.#machine(id),
      refOfRank(rental.ref, rank),
      { ...fixed, ...found },
      this.#agent(id),
    );
  }

  async end(rental: Rental): Promise<void> {
    await Promise.all(ranksOf(rental).map(rank => this.endMember(rental, rank)));
  }

  endMember({ id }: Pick<Rental, 'id'>, rank: number): Promise<void> {
    this.#machines.delete(refOfRank(id, rank));
    return Promise.resolve();
  }

  endedByItselfAtMs(rental: Rental): Promise<number | null> {
    const machines = ranksOf(rental).map(rank => this.#machines.get(refOfRank(rental.id, rank)));
    return Promise.resolve(
      lastOf(machines.map(machine => (machine === undefined ? null : this.#endAtMs(machine)))),
    );
  }

  /** Whether an agent answers on one of its machines. */
  answers(rental: Rental): boolean {
    return ranksOf(rental).some(rank => this.answersAt(rental, rank));
  }

  answersAt({ id }: Pick<Rental, 'id'>, rank: number): boolean {
    const machine = this.#machines.get(refOfRank(id, rank));
    return machine !== undefined && machine.config !== null && this.#endAtMs(machine) === null;
  }

  #machine(id: string): Machine {
    const known = this.#machines.get(id);
    if (known !== undefined) {
      return known;
    }
    const machine: Machine = {
      number: this.#count++,
      config: null,
      configText: '',
      agentSinceMs: 0,
      touchedAtMs: 0,
      watchdog: NO_WATCHDOG,
      engine: null,
      engineSinceMs: 0,
      shutDownAtMs: null,
    };
    this.#machines.set(id, machine);
    return machine;
  }

  /** When the agent ended the machine by itself, if that moment has come. */
  #endAtMs(machine: Machine): number | null {
    if (machine.config === null) {
      return null;
    }
    const { stopAtMs, idleMs } = machine.watchdog;
    const idleAtMs = idleMs === null ? null : idleSince(machine) + idleMs;
    const ends = [machine.shutDownAtMs, stopAtMs, idleAtMs].filter(atMs => atMs !== null);
    const endAtMs = ends.length === 0 ? null : Math.min(...ends);
    return endAtMs !== null && endAtMs <= this.#clock.now() ? endAtMs : null;
  }

  /** The machine's agent; every answer is looked up afresh, so that one of an ended machine stops answering. */
  #agent(id: string): NullAgent {
    const running = (): { machine: Machine; config: AgentConfig } => {
      const machine = this.#machines.get(id);
      if (machine?.config === null || machine === undefined || this.#endAtMs(machine) !== null) {
        throw new HostError(`No agent answers on ${id}.`, { fatal: machine === undefined });
      }
      return { machine, config: machine.config };
    };
    const clock = this.#clock;
    const status = async (): Promise<AgentStatus> => {
      const { machine, config } = running();
      return this.#status(machine, config);
    };
    return {
      isThere: () => this.#machines.has(id),
      start: configText => {
        const machine = this.#machines.get(id);
        if (machine === undefined) {
          throw new HostError(`There is no machine ${id} any more.`, { fatal: true });
        }
        if (machine.configText !== configText) {
          const config = agentConfigSchema.parse(JSON.parse(configText));
          const nowMs = this.#clock.now();
          Object.assign(machine, { config, configText, watchdog: config.watchdog, agentSinceMs: nowMs });
        }
      },
      status,
      async *watch(signal) {
        while (!signal.aborted) {
          yield await status();
          await clock.sleep(WATCH_EVERY_MS, signal);
        }
      },
      startEngine: async engine => {
        const { machine, config } = running();
        if (machine.engine === null) {
          machine.engine = engine;
          machine.engineSinceMs = this.#clock.now();
        }
        return this.#status(machine, config);
      },
      setWatchdog: async watchdog => {
        running().machine.watchdog = watchdog;
      },
      setEnvironment: async ({ generation }) => {
        running();
        return { generation, folder: '/nowhere', added: [], oldKernels: [], problem: '' };
      },
      touch: async () => {
        running().machine.touchedAtMs = this.#clock.now();
      },
      shutDown: async () => {
        running().machine.shutDownAtMs ??= this.#clock.now();
      },
      interruptKernels: () => Promise.resolve(0),
      allowSsh: () =>
        Promise.resolve({
          available: false,
          message: 'A practice machine without processes has no SSH server.',
          hostKey: '',
          user: '',
          workFolder: '',
        }),
    };
  }

  #status(machine: Machine, config: AgentConfig): AgentStatus {
    const nowMs = this.#clock.now();
    const jupyterUp = nowMs >= machine.agentSinceMs + this.#jupyterDelayMs;
    const { engine } = machine;
    const off = { pid: null, restarts: 0, message: '' };
    return {
      protocol: AGENT_PROTOCOL,
      version: 'null',
      nodeId: config.nodeId,
      ref: config.ref,
      startedAtMs: machine.agentSinceMs,
      nowMs,
      jupyter: { ...off, state: !config.jupyter ? 'off' : jupyterUp ? 'running' : 'starting' },
      engine: {
        ...off,
        state: engine === null ? 'off' : this.#engineUp(machine) ? 'running' : 'starting',
        headAddress: this.#headAddress(machine),
        nodesAlive: this.#nodesAlive(machine),
        rayVersion: engine?.rayVersion ?? null,
      },
      kernels: [],
      watchdog: this.#watchdog(machine),
      signals: null,
    };
  }

  #engineUp(machine: Machine): boolean {
    const asked = machine.engine !== null && this.#endAtMs(machine) === null;
    return asked && this.#clock.now() >= machine.engineSinceMs + this.#engineDelayMs;
  }

  #headAddress(machine: Machine): string | null {
    const { engine } = machine;
    return engine?.kind === 'ray' && engine.role === 'head' && this.#engineUp(machine)
      ? `${engine.nodeAddress}:${GCS_PORT.toString()}`
      : null;
  }

  #nodesAlive(head: Machine): number | null {
    const address = this.#headAddress(head);
    if (address === null) {
      return null;
    }
    const workers = [...this.#machines.values()].filter(
      machine => machine.engine?.headAddress === address && this.#engineUp(machine),
    );
    return 1 + workers.length;
  }

  #watchdog(machine: Machine): WatchdogState {
    const { stopAtMs, idleMs } = machine.watchdog;
    return {
      state: stopAtMs === null && idleMs === null ? 'off' : 'armed',
      reason: 'none',
      idleSinceMs: idleSince(machine),
      activity: [],
      stopAtMs,
    };
  }
}

const idleSince = ({ agentSinceMs, touchedAtMs }: Machine): number => Math.max(agentSinceMs, touchedAtMs);

interface NullAgent extends AgentPort {
  isThere(): boolean;
  start(configText: string): void;
}

/** What it says that it has: what its entry says, but for what it lacks. */
function nullHas(
  { gpuCount, vramMiB = 0, diskGiB = 0, cudaMax = null }: NullMachine,
  flaw: Rental['flaw'],
): MachineHas {
  return {
    gpuCount: flaw === 'gpu' ? Math.max(0, gpuCount - 1) : gpuCount,
    gpuMemoryMiB: flaw === 'memory' ? Math.floor(vramMiB / 2) : vramMiB,
    driver: null,
    cudaMax: flaw === 'driver' && cudaMax !== null ? '11.0' : cudaMax,
    gpuProblem: null,
    // A disk of another size may have been chosen.
    freeDiskMiB: flaw === 'disk' ? Math.floor(diskGiB * 102.4) : null,
    clockAheadS: flaw === 'clock' ? -3_600 : 0,
    network: null,
  };
}

/** What is measured of its network: what its entry says, but for what it lacks. */
function nullNetwork({ downMbps = null, upMbps = null }: NullMachine, flaw: Rental['flaw']): NetworkSpeed {
  return {
    downMbps: flaw === 'network' && downMbps !== null ? 1 : downMbps,
    upMbps,
    isOwnIndex: false,
    whyNoDown: downMbps === null ? 'index' : '',
    whyNoUp: upMbps === null ? 'cut' : '',
    begun: 0,
    ended: 0,
  };
}

export class NullHost implements Host {
  #facts: HostFacts;
  readonly #has: MachineHas;
  readonly #network: NetworkSpeed;
  readonly #agent: NullAgent;

  constructor(
    machine: { readonly number: number },
    ref: string,
    fixed: NullMachine & { readonly has: MachineHas; readonly network: NetworkSpeed },
    agent: NullAgent,
  ) {
    this.#agent = agent;
    this.#has = fixed.has;
    this.#network = fixed.network;
    const { number } = machine;
    this.#facts = {
      stateFolder: `/null/${ref}/state`,
      workFolder: `/null/${ref}/work`,
      listen: `/null/${ref}.sock`,
      nodeAddress: `10.${[number >> 16, number >> 8, number].map(part => (part & 255).toString()).join('.')}`,
      portBase: null,
      cpuCores: fixed.cpuCores,
      gpuCount: fixed.gpuCount,
      gpuModel: fixed.gpuModel,
      practice: true,
      has: fixed.has,
    };
  }

  get address(): MachineAddress {
    return { at: this.#facts.listen, hostKey: null, ssh: null, proof: null, privateAddress: null };
  }

  facts(): Promise<HostFacts> {
    return Promise.resolve(this.#facts);
  }

  measureNetwork(): Promise<HostFacts> {
    const { begun, ended } = this.#facts.has?.network ?? this.#network;
    const network = { ...this.#network, begun: begun + 1, ended: ended + 1 };
    this.#facts = { ...this.#facts, has: { ...this.#has, network } };
    return Promise.resolve(this.#facts);
  }

  ensurePython(): Promise<string> {
    return Promise.resolve('/null/python');
  }

  async startAgent(agent: { config: string }): Promise<void> {
    this.#agent.start(agent.config);
  }

  async connect(): Promise<AgentLinkTransport> {
    if (!this.#agent.isThere()) {
      throw new HostError('The machine is gone.', { fatal: true });
    }
    const address = { socketPath: this.#facts.listen };
    agents.set(address, this.#agent);
    return { address, close: () => Promise.resolve() };
  }

  readLog(): Promise<string> {
    return Promise.resolve('');
  }
}
