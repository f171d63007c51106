/** The way in to a use of one of the user's machines, over whatever connection there is to it at the time. */
import type {
  AgentLinkTransport,
  ClosedPorts,
  EnvironmentLock,
  Host,
  HostFacts,
  MachineAddress,
  PythonNeeds,
  WayThere,
} from '../../access/host.ts';
import type { FarShell } from '../../access/tunnel/far-shell.ts';
import type { Shells } from '../../access/tunnel/far-shells.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { FarTarget } from '../../access/tunnel/target.ts';
import { FarHost } from './far-host.ts';
import { isKeyRefused, overSsh } from './far-programs.ts';
import type { LastLook } from './last-look.ts';
import type { Promised } from './place.ts';
import { asRented } from './rented-problem.ts';

export interface SshHostOptions {
  readonly shells: Shells;
  readonly target: FarTarget;
  readonly ref: string;
  readonly address: MachineAddress;
  /** A folder there without which the machine is gone; null: there is none. */
  readonly lease: string | null;
  /** What the machine was taken for; null: whatever it has. */
  readonly promised: Promised | null;
  readonly clock: Clock;
  readonly last: LastLook;
}

export class SshHost implements Host {
  readonly address: MachineAddress;
  readonly #options: SshHostOptions;
  #found: { readonly shell: FarShell; readonly host: FarHost } | null = null;

  constructor(options: SshHostOptions) {
    this.#options = options;
    this.address = options.address;
  }

  facts(signal: AbortSignal): Promise<HostFacts> {
    return this.#use(signal, host => host.facts(signal));
  }

  get lastFacts(): HostFacts | null {
    return this.#options.last.get()?.facts ?? null;
  }

  forgetFacts(): void {
    this.#options.last.forget();
    this.#found = null;
  }

  measureNetwork(options: { readonly isPriced: boolean }, signal: AbortSignal): Promise<HostFacts> {
    return this.#use(signal, host => host.measureNetwork(options, signal));
  }

  ensurePython(needs: PythonNeeds, report: (sentence: string) => void, signal: AbortSignal): Promise<string> {
    return this.#use(signal, host => host.ensurePython(needs, report, signal));
  }

  ensureEnvironment(
    lock: EnvironmentLock,
    report: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<string> {
    return this.#use(signal, host => host.ensureEnvironment(lock, report, signal));
  }

  endEnvironment(lock: EnvironmentLock, signal: AbortSignal): Promise<void> {
    return this.#use(signal, host => host.endEnvironment(lock, signal));
  }

  startAgent(agent: { bundlePath: string; config: string }, signal: AbortSignal): Promise<void> {
    return this.#use(signal, host => host.startAgent(agent, signal));
  }

  closePorts(ports: ClosedPorts, signal: AbortSignal): Promise<string | null> {
    return this.#use(signal, host => host.closePorts(ports, signal));
  }

  readLog(
    name: 'agent' | 'jupyter' | 'ray' | 'bootstrap',
    bytes: number,
    signal: AbortSignal,
  ): Promise<string> {
    return this.#use(signal, host => host.readLog(name, bytes, signal));
  }

  /** The connection stays as long as this way over it. */
  async connect(signal: AbortSignal): Promise<AgentLinkTransport> {
    const { shells, target } = this.#options;
    const { shell, letGo } = await this.#over(() => shells.hold(target, signal));
    try {
      const { address } = await this.#hostOver(shell).connect(signal);
      return {
        address,
        closed: shell.closed,
        close: async () => letGo(),
      };
    } catch (error) {
      letGo();
      throw error;
    }
  }

  get way(): WayThere {
    const { shells, target } = this.#options;
    return {
      isOpen: shells.isOpen(target),
      opened: signal => shells.opened(target, signal),
      ...(target.isRented === true ? { knock: (signal: AbortSignal) => this.#knock(signal) } : {}),
    };
  }

  async #knock(signal: AbortSignal): Promise<boolean> {
    const { shells, target } = this.#options;
    try {
      await this.#over(() => shells.knock(target, signal));
      return true;
    } catch (error) {
      if (isKeyRefused(error)) {
        return false;
      }
      throw error;
    }
  }

  #use<T>(signal: AbortSignal, work: (host: FarHost) => Promise<T>): Promise<T> {
    const { shells, target } = this.#options;
    return this.#over(() => shells.use(target, signal, shell => work(this.#hostOver(shell))));
  }

  #over<T>(work: () => Promise<T>): Promise<T> {
    const { isRented = false, name } = this.#options.target;
    return overSsh(() => (isRented ? asRented(name, work) : work()));
  }

  #hostOver(shell: FarShell): FarHost {
    if (this.#found?.shell !== shell) {
      const { ref, lease, promised, clock, last } = this.#options;
      const host = new FarHost({ shell, ref, clock, address: this.address, lease, promised, last });
      this.#found = { shell, host };
    }
    return this.#found.host;
  }
}
