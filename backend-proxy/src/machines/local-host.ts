/** The way in to a machine that is processes on this computer. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AgentLinkTransport,
  type EnvironmentLock,
  type Host,
  HostError,
  type HostFacts,
  type MachineAddress,
  type PythonNeeds,
} from '../access/host.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import type { LocalEnvironments } from './environments/local-environments.ts';
import { lastingConfig } from './agent-config.ts';
import { endAgent, findAgent, startAgentProcess } from './agent-process.ts';
import { type MachinePaths, type MachineRecord, readMachine, writeMachine } from './machine-folder.ts';
import { nodeAddressFor } from './node-address.ts';
import type { PortBlocks } from './port-blocks.ts';
import type { ProcessTable } from './process-table.ts';
import type { PythonEnvironments } from './python.ts';
import { checkedSocketPath, socketPathOf } from './sockets.ts';
import { inTurn } from './turns.ts';

export interface LocalHostOptions {
  readonly ref: string;
  readonly paths: MachinePaths;
  readonly home: Home;
  readonly clock: Clock;
  readonly python: PythonEnvironments;
  readonly environments: LocalEnvironments;
  readonly table: ProcessTable;
  readonly ports: PortBlocks;
}

export class LocalHost implements Host {
  readonly #options: LocalHostOptions;

  constructor(options: LocalHostOptions) {
    this.#options = options;
  }

  get address(): MachineAddress {
    const { home, ref } = this.#options;
    return { at: socketPathOf(home, ref), hostKey: null, ssh: null, proof: null, privateAddress: null };
  }

  facts(signal: AbortSignal): Promise<HostFacts> {
    return this.#inTurn(signal, async machine => {
      const { paths, ports } = this.#options;
      let { portBase } = machine;
      if (portBase === null) {
        portBase = await ports.take(paths.record);
        writeMachine(paths, { ...machine, portBase });
      }
      return this.#facts(machine, portBase, await nodeAddressFor(portBase));
    });
  }

  ensurePython(needs: PythonNeeds, report: (sentence: string) => void, signal: AbortSignal): Promise<string> {
    return this.#options.python.ensure(needs, report, signal);
  }

  ensureEnvironment(
    lock: EnvironmentLock,
    report: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<string> {
    return this.#options.environments.ensure(lock, this.#options.ref, report, signal);
  }

  startAgent(agent: { bundlePath: string; config: string }, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async machine => {
      const { paths, table, clock, home, ref } = this.#options;
      const bundleHash = hashOf(bundleOf(agent.bundlePath));
      const configHash = hashOf(lastingConfig(agent.config));
      const running = await findAgent(machine, paths.agentConfig, table);
      if (running !== null) {
        if (running.bundleHash === bundleHash && running.configHash === configHash) {
          return;
        }
        // While no agent is meant to run, an empty machine is not one that ended by itself.
        writeMachine(paths, { ...machine, agent: null });
        // Only the agent: kernels and Ray go on, and the next agent takes them over.
        await endAgent(running, { table, clock });
      }
      writeFileAtomic(paths.agentConfig, agent.config);
      mkdirSync(home.sockets, { recursive: true, mode: 0o700 });
      const started = await startAgentProcess({
        ref,
        bundlePath: agent.bundlePath,
        configPath: paths.agentConfig,
        logPath: join(paths.state, 'logs', 'agent.log'),
        cgroup: machine.cgroup,
        table,
        clock,
      });
      writeMachine(paths, { ...machine, agent: { ...started, bundleHash, configHash } });
    });
  }

  // A socket on this computer needs no tunnel; whether somebody listens there, a request will tell.
  async connect(signal: AbortSignal): Promise<AgentLinkTransport> {
    signal.throwIfAborted();
    this.#machine();
    return {
      address: { socketPath: checkedSocketPath(this.#options.home, this.#options.ref) },
      close: () => Promise.resolve(),
    };
  }

  async readLog(name: string, bytes: number, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    let file;
    try {
      file = await open(join(this.#options.paths.state, 'logs', `${name}.log`), 'r');
    } catch {
      return '';
    }
    try {
      const { size } = await file.stat();
      const length = Math.max(0, Math.min(bytes, size));
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }

  #facts(machine: MachineRecord, portBase: number, nodeAddress: string): HostFacts {
    const { paths, home, ref } = this.#options;
    return {
      stateFolder: paths.state,
      workFolder: paths.work,
      listen: checkedSocketPath(home, ref),
      nodeAddress,
      portBase,
      cpuCores: machine.cpuCores,
      gpuCount: machine.gpuCount,
      gpuModel: machine.gpuModel,
      practice: machine.practice,
    };
  }

  #machine(): MachineRecord {
    const machine = readMachine(this.#options.paths);
    if (machine === null) {
      throw new HostError(`The machine ${this.#options.ref} is gone from this computer.`, { fatal: true });
    }
    return machine;
  }

  async #inTurn<T>(signal: AbortSignal, work: (machine: MachineRecord) => Promise<T>): Promise<T> {
    try {
      return await inTurn(this.#options.paths.folder, async () => {
        signal.throwIfAborted();
        return await work(this.#machine());
      });
    } catch (cause) {
      throw cause instanceof HostError || signal.aborted
        ? cause
        : new HostError(errorText(cause), { fatal: false, cause });
    }
  }
}

function bundleOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HostError(`The agent's program ${path} cannot be read: install Hitch again.`, {
      fatal: true,
      cause,
    });
  }
}

function hashOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
