/**
 * Agents behind a link, as far machines have them: the way in may not open or may break, and the agent is a stranger's
 * program. What it says is what its contract allows, or an exception, as parsing gives one for anything else.
 */
import { type AgentStatus, HitchError, type WatchdogState } from '@hitch/contract';
import { type Host, HostError } from '../../backend-proxy/src/access/host.ts';
import type { AgentPort, OpenAgent } from '../../backend-proxy/src/access/links.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { pick, type Random, randomInt } from '@hitch/platform/src/random.ts';
import type { Provider } from '../../backend-proxy/src/providers/provider.ts';
import { agentWithoutProcess } from '../../backend-proxy/src/providers/sandbox/null-runtime.ts';
import { waysIn } from '../../backend-proxy/test/clusters/ways-in.ts';
import type { AgentPlan } from './plan.ts';

const WATCH_EVERY_MS = 10_000;
const YEAR_MS = 365 * 24 * 3_600_000;

export interface AgentOptions {
  readonly plan: AgentPlan;
  readonly clock: Clock;
  readonly random: Random;
  readonly isOver: () => boolean;
  readonly onFault: (name: string) => void;
}

export class Agents {
  readonly #options: AgentOptions;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** The same host, whose way in may not open. */
  host(host: Host): Host {
    return {
      address: host.address,
      facts: signal => host.facts(signal),
      ensurePython: (needs, report, signal) => host.ensurePython(needs, report, signal),
      startAgent: (start, signal) => host.startAgent(start, signal),
      connect: async signal => {
        if (this.#options.plan.overLinks) {
          this.#strike('a way in that does not open', () => {
            throw new HostError('ssh: connection refused', { fatal: false });
          });
        }
        return host.connect(signal);
      },
      readLog: (name, bytes, signal) => host.readLog(name, bytes, signal),
      ...(host.way === undefined ? {} : { way: host.way }),
    };
  }

  readonly open: OpenAgent = ({ address }): AgentPort => {
    const agent = agentWithoutProcess(address);
    if (agent === null) {
      throw new HostError('There is no agent there.', { fatal: false });
    }
    return this.#options.plan.overLinks ? this.#overLink(agent) : agent;
  };

  #overLink(agent: AgentPort): AgentPort {
    const asked = async <T>(ask: () => Promise<T>): Promise<T> => {
      this.#strike('a way in that breaks', () => {
        throw new HitchError('UNREACHABLE', 'The connection to the machine broke.');
      });
      this.#strike('an agent that talks nonsense', () => {
        throw new TypeError('Unexpected token in JSON');
      });
      return this.#strikes('an agent that hangs') ? new Promise<T>(() => undefined) : ask();
    };
    const status = (signal: AbortSignal) => asked(async () => this.#said(await agent.status(signal)));
    return {
      status,
      watch: signal => this.#watch(() => status(signal), signal),
      startEngine: (config, signal) => asked(async () => this.#said(await agent.startEngine(config, signal))),
      setWatchdog: (config, signal) => asked(() => agent.setWatchdog(config, signal)),
      setEnvironment: (environment, signal) => asked(() => agent.setEnvironment(environment, signal)),
      touch: signal => asked(() => agent.touch(signal)),
      shutDown: (reason, signal) => asked(() => agent.shutDown(reason, signal)),
      interruptKernels: () => asked(() => Promise.resolve(randomInt(this.#options.random, 0, 3))),
      allowSsh: (publicKey, signal) => asked(() => agent.allowSsh(publicKey, signal)),
    };
  }

  async *#watch(status: () => Promise<AgentStatus>, signal: AbortSignal): AsyncGenerator<AgentStatus> {
    while (!signal.aborted) {
      yield await status();
      await this.#options.clock.sleep(WATCH_EVERY_MS, signal);
    }
  }

  #strikes(name: string): boolean {
    const { plan, random, isOver, onFault } = this.#options;
    const does = !isOver() && random.next() < plan.chance;
    if (does) {
      onFault(name);
    }
    return does;
  }

  #strike(name: string, run: () => never): void {
    if (this.#strikes(name)) {
      run();
    }
  }

  #said(status: AgentStatus): AgentStatus {
    const { plan, random } = this.#options;
    return plan.lies && this.#strikes('an agent that lies') ? pick(random, LIES)(status) : status;
  }
}

const watchdog = (status: AgentStatus, change: Partial<WatchdogState>): AgentStatus => ({
  ...status,
  watchdog: { ...status.watchdog, ...change },
});

/** Each within the agent's contract. A machine may end itself by a lie, but nobody else. */
const LIES: readonly ((status: AgentStatus) => AgentStatus)[] = [
  status => ({ ...status, nowMs: status.nowMs + YEAR_MS }),
  status => ({ ...status, nowMs: -YEAR_MS, startedAtMs: Number.MAX_SAFE_INTEGER }),
  status => watchdog(status, { idleSinceMs: status.nowMs + YEAR_MS }),
  status => watchdog(status, { idleSinceMs: -YEAR_MS }),
  status => watchdog(status, { state: 'ending', reason: 'idle' }),
  status => watchdog(status, { stopAtMs: 1 }),
  status => ({ ...status, ref: 'hitch-somebodyelse', nodeId: status.nodeId }),
  status => ({ ...status, jupyter: { ...status.jupyter, state: 'failed', message: '\u001b[2J‮' } }),
  status => ({ ...status, engine: { ...status.engine, nodesAlive: 1_000_000, headAddress: 'nowhere:1' } }),
  status => ({ ...status, engine: { ...status.engine, state: 'failed', message: 'x'.repeat(10_000) } }),
  status => ({ ...status, version: '', startedAtMs: 0 }),
];

/** The way in to each machine that is a process here, as far machines have it. */
export function withAgents(network: Provider, agents: Agents): Provider {
  if (network.host === undefined) {
    // Ssh leads to its machines (ssh/far-machines.ts).
    return network;
  }
  return {
    ...network,
    host: async (instance, rank, signal) => agents.host(await waysIn(network).host(instance, rank, signal)),
    dial: async (id, rank, address, signal) =>
      agents.host(await waysIn(network).dial(id, rank, address, signal)),
  };
}
