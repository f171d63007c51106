/** A way in to one machine: put files, run the agent, reach the agent's socket. Over SSH later, direct for this computer. */

import type { LockedEnvironment, MachineAbout } from '@hitch/contract';
import type { MachineAddress } from '../ledger/records.ts';

/** Where the daemon reaches an agent: a Unix socket or Windows pipe on this side of whatever tunnel there is. */
export type AgentAddress =
  { readonly socketPath: string } | { readonly host: '127.0.0.1'; readonly port: number };

/** What the machine offers to an agent and an engine. */
export interface HostFacts {
  /** Absolute folders on the machine, writable, empty at first. */
  readonly stateFolder: string;
  readonly workFolder: string;
  /** Value for the agent's `listen`. */
  readonly listen: string;
  /** Address other nodes of the same cluster reach this one at, and this one reaches itself at. */
  readonly nodeAddress: string;
  /** First of 150 consecutive ports reserved for this node; null: the machine is ours alone, take the usual ones. */
  readonly portBase: number | null;
  /** From which it may call other nodes, besides `nodeAddress`. */
  readonly addresses?: readonly string[];
  readonly cpuCores: number;
  readonly gpuCount: number;
  readonly gpuModel: string | null;
  /** True where GPUs are only numbers for Ray's scheduler. */
  readonly practice: boolean;
  /** What a person should know of it; left out where it is this computer. */
  readonly about?: MachineAbout;
  /** What is held against what was bought; left out where it is this computer. */
  readonly has?: MachineHas;
}

/** What a machine says that it has. Null: it does not say. */
export interface MachineHas {
  readonly gpuCount: number;
  /** Of the GPU that has least. */
  readonly gpuMemoryMiB: number | null;
  /** `550.54.15` */
  readonly driver: string | null;
  /** The newest CUDA that its driver carries. */
  readonly cudaMax: string | null;
  /** What its driver says in the place of a list of GPUs. */
  readonly gpuProblem: string | null;
  /** Where most is free of the folders that Hitch could lie in. */
  readonly freeDiskMiB: number | null;
  /** By how much its clock is before this computer's, in seconds; negative: behind. */
  readonly clockAheadS: number;
  /** Null: nobody has measured it. */
  readonly network: NetworkSpeed | null;
}

/** Why a direction was not measured; '' where it was. `priced`: its traffic costs. */
export type NotMeasured = '' | 'priced' | 'python' | 'disk' | 'index' | 'cut';

/** As it was measured, in megabits (10⁶) a second. Null: it was not, and why. */
export interface NetworkSpeed {
  /** What its package index sent it. */
  readonly downMbps: number | null;
  /** That index is the one that this computer's user has set, which may be what is slow. */
  readonly isOwnIndex: boolean;
  /** What it sent to this computer, whose own connection may be the slower one. */
  readonly upMbps: number | null;
  readonly whyNoDown: NotMeasured;
  readonly whyNoUp: NotMeasured;
  /** How often measuring was begun. */
  readonly begun: number;
  /** How often what comes in was measured to the end: whoever measures may be killed meanwhile. */
  readonly ended: number;
}

export type { MachineAddress };

export interface Host {
  readonly address: MachineAddress;

  facts(signal: AbortSignal): Promise<HostFacts>;

  /**
   * What {@link facts} answered last, where asking takes a while and it is the same machine still: enough to reach its agent.
   * Null: it was not asked yet, or something else is needed first. Left out where asking costs nothing.
   */
  readonly lastFacts?: HostFacts | null;

  /** The machine is to be asked anew before anything else: what was known of it led nowhere. */
  forgetFacts?(): void;

  /**
   * Measures how fast its network is, with at most 29 MB and for some 10 s, or once more: of both the better counts. Where its
   * traffic costs (`isPriced`), nothing is moved for this alone. Left out where there is no network between.
   * @returns what {@link facts} says from then on. @throws HostError where the machine is not reached.
   */
  measureNetwork?(options: { readonly isPriced: boolean }, signal: AbortSignal): Promise<HostFacts>;

  /**
   * Makes sure that an interpreter with the wanted packages is there and answers its path. Idempotent.
   * `report` receives a sentence for each stage, for the row `Installing packages`.
   * @throws HostError with a sentence when there is no usable Python.
   */
  ensurePython(needs: PythonNeeds, report: (sentence: string) => void, signal: AbortSignal): Promise<string>;

  /**
   * Makes sure that the environment of a lock is there, beside the one with Jupyter, and answers its interpreter's path. Two calls at
   * once make one; what was killed half way is made anew. Left out where there can be none.
   * @throws HostError with a sentence.
   */
  ensureEnvironment?(
    lock: EnvironmentLock,
    report: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<string>;

  /**
   * Ends what {@link ensureEnvironment} has left at work there on this lock after its signal, and with it what is half made.
   * Left out where the signal ends it. @throws HostError where that is not known.
   */
  endEnvironment?(lock: EnvironmentLock, signal: AbortSignal): Promise<void>;

  /** Writes `config` (0600) and starts the agent from it unless that very agent already runs. Idempotent. */
  startAgent(agent: { bundlePath: string; config: string }, signal: AbortSignal): Promise<void>;

  /** Opens the way to the agent's socket and keeps it open until `close`. */
  connect(signal: AbortSignal): Promise<AgentLinkTransport>;

  /** The last `bytes` of a log under the state folder's `logs/<name>.log`; '' when there is none. */
  readLog(
    name: 'agent' | 'jupyter' | 'ray' | 'bootstrap',
    bytes: number,
    signal: AbortSignal,
  ): Promise<string>;

  /**
   * Closes the ports of this node to everybody but those it stands with, before anything listens there and again when those
   * change; on a machine that is rented, all ports but its sshd's. Idempotent. Does nothing where nobody else reaches them.
   * Left out where ports need no closing.
   * @returns why they stay open, where that is so and may be; null: they are closed or need not be.
   * @throws HostError fatal, where they would be open to the internet.
   */
  closePorts?(ports: ClosedPorts, signal: AbortSignal): Promise<string | null>;

  /** What lies between this computer and the machine, where it costs something to open it; else left out. */
  readonly way?: WayThere;
}

export interface ClosedPorts {
  /** First of the node's 150 ports. */
  readonly portBase: number;
  /** Addresses of the cluster's other machines. */
  readonly peers: readonly string[];
}

export interface WayThere {
  readonly isOpen: boolean;
  /** Resolves once it is open, which is tried until then. @throws what the machine says, or the signal's reason. */
  opened(signal: AbortSignal): Promise<void>;
  /**
   * Dials the machine anew beside the connection that is open, which knows nothing of a key that was taken out meanwhile, and
   * hangs up. Left out where a person may be asked for the key (a security key to be touched).
   * @returns whether it lets the key in. @throws HostError where it says nothing of that.
   */
  knock?(signal: AbortSignal): Promise<boolean>;
}

/** What an environment is made from. */
export interface EnvironmentLock extends LockedEnvironment {
  /** As pip and uv read it: every package with its exact version, hashes where they are known. */
  readonly text: string;
}

export interface PythonNeeds {
  readonly ray: boolean;
}

export interface AgentLinkTransport {
  readonly address: AgentAddress;
  /** Aborted with why as soon as the way is known to be gone; left out where there is nothing that could be. */
  readonly closed?: AbortSignal;
  close(): Promise<void>;
}

/** A machine that cannot be used, with the sentence that says why. `fatal`: another try on it cannot help. */
export class HostError extends Error {
  override readonly name = 'HostError';
  readonly fatal: boolean;

  constructor(message: string, options: { fatal: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.fatal = options.fatal;
  }
}
