/** The way in to a use of one of the user's machines, over whatever connection there is to it at the time. */
import type { AgentLinkTransport, Host, HostFacts, MachineAddress, PythonNeeds } from '../../access/host.ts';
import type { FarShell } from '../../access/tunnel/far-shell.ts';
import type { FarShells } from '../../access/tunnel/far-shells.ts';
import type { FarTarget } from '../../access/tunnel/target.ts';
import { FarHost } from '../../machines/far/far-host.ts';
import { overSsh } from '../../machines/far/far-programs.ts';
import { leaseFolder } from './leases.ts';

export interface SshHostOptions {
  readonly shells: FarShells;
  readonly target: FarTarget;
  readonly ref: string;
  /** GPUs that it was taken with; null where that is not known. */
  readonly gpuCount: number | null;
}

export class SshHost implements Host {
  readonly address: MachineAddress;
  readonly #options: SshHostOptions;
  #over: { readonly shell: FarShell; readonly host: FarHost } | null = null;

  constructor(options: SshHostOptions) {
    this.#options = options;
    // Its key is in the user's own list.
    this.address = { at: options.target.name, hostKey: null };
  }

  facts(signal: AbortSignal): Promise<HostFacts> {
    return this.#use(signal, host => host.facts(signal));
  }

  ensurePython(needs: PythonNeeds, report: (sentence: string) => void, signal: AbortSignal): Promise<string> {
    return this.#use(signal, host => host.ensurePython(needs, report, signal));
  }

  startAgent(agent: { bundlePath: string; config: string }, signal: AbortSignal): Promise<void> {
    return this.#use(signal, host => host.startAgent(agent, signal));
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
    const { shell, letGo } = await overSsh(() => shells.hold(target, signal));
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

  #use<T>(signal: AbortSignal, work: (host: FarHost) => Promise<T>): Promise<T> {
    const { shells, target } = this.#options;
    return overSsh(() => shells.use(target, signal, shell => work(this.#hostOver(shell))));
  }

  #hostOver(shell: FarShell): FarHost {
    if (this.#over?.shell !== shell) {
      const { ref, gpuCount } = this.#options;
      const host = new FarHost({
        shell,
        ref,
        address: this.address,
        lease: leaseFolder(ref),
        promised: gpuCount === null ? null : { gpuCount },
      });
      this.#over = { shell, host };
    }
    return this.#over.host;
  }
}
