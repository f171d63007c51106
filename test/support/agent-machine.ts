/** A machine behind a real sshd on which the agent itself is started, as a daemon would, and asked through the connection. */
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type AgentStatus, agentStatusSchema } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import type { AgentAddress, HostFacts } from '../../backend-proxy/src/access/host.ts';
import { OpenSshShell } from '../../backend-proxy/src/access/tunnel/open-ssh-shell.ts';
import { endFar } from '../../backend-proxy/src/machines/far/far-end.ts';
import { FarHost } from '../../backend-proxy/src/machines/far/far-host.ts';
import { FarMachine } from './far-machine.ts';
import { type SeenProcess, nodeProcesses } from './processes.ts';
import { delay, until } from './waiting.ts';

export const AGENT_TOKEN = 'a-token-that-is-nowhere-in-a-list';

const signal = new AbortController().signal;
const bundlePath = new URL('../../backend-proxy/dist/agent.mjs', import.meta.url).pathname;
/** Answers as a Python that has what a node needs; nothing is run with it here. */
const PYTHON = `#!/bin/sh
case $1:$2 in -c:*'has("ray")'*) echo 'fits 3.12.3' ;; esac
`;

export class AgentMachine {
  readonly machine: FarMachine;
  readonly ref: string;
  shell: OpenSshShell;
  facts: HostFacts;

  private constructor(machine: FarMachine, ref: string, shell: OpenSshShell, facts: HostFacts) {
    this.machine = machine;
    this.ref = ref;
    this.shell = shell;
    this.facts = facts;
  }

  /** @param ref of its own for each file of tests: processes are found by it. */
  static async start(ref: string): Promise<AgentMachine> {
    const machine = await FarMachine.start({ bashrc: 'export PATH="$HOME/../bin:$PATH"\n' });
    try {
      const bin = join(machine.folder, 'bin');
      mkdirSync(bin);
      copyFileSync(process.execPath, join(bin, 'node'));
      writeFileSync(join(bin, 'python3'), PYTHON);
      for (const path of [bin, join(bin, 'node'), join(bin, 'python3')]) {
        chmodSync(path, 0o755);
      }
      const shell = await openShell(machine);
      return new AgentMachine(machine, ref, shell, await hostAt(shell, ref).facts(signal));
    } catch (error) {
      await machine.dispose();
      throw error;
    }
  }

  /** Hitch's folder there. */
  get root(): string {
    return join(this.machine.home, '.hitch', 'far');
  }

  host(more: { lease?: string; gpuCount?: number } = {}): FarHost {
    return hostAt(this.shell, this.ref, more);
  }

  config(more: Record<string, unknown> = {}): string {
    const { listen, stateFolder, workFolder } = this.facts;
    return JSON.stringify({
      protocol: 1,
      clusterId: 'clu_far',
      clusterName: 'far',
      nodeId: 'nod_far',
      ref: this.ref,
      token: AGENT_TOKEN,
      listen,
      stateFolder,
      workFolder,
      python: '/nowhere/python3',
      jupyter: false,
      journal: {},
      watchdog: { stopAtMs: null, idleMs: null },
      ...more,
    });
  }

  /** @param more of the configuration; a lease besides it */
  async startAgent(more: Record<string, unknown> = {}, at: { lease?: string } = {}): Promise<void> {
    await this.host(at).facts(signal);
    await this.host(at).ensurePython({ ray: false }, () => undefined, signal);
    await this.host(at).startAgent({ bundlePath, config: this.config(more) }, signal);
  }

  async ask(): Promise<AgentStatus> {
    return statusAt((await this.host().connect(signal)).address);
  }

  /** On a busy machine an agent that was started may take its time to listen. */
  status(): Promise<AgentStatus> {
    return until('the agent answers', () => this.ask().catch(() => null));
  }

  /** The agents that run. */
  agents(): readonly SeenProcess[] {
    return nodeProcesses(this.ref).filter(({ command }) => command.includes('--config'));
  }

  /** Resolves when an agent answers that was started after `ms`. */
  async agentAfter(ms: number): Promise<void> {
    await until('another agent answers', async () => {
      const now = await this.ask().catch(() => null);
      return now !== null && now.startedAtMs > ms;
    });
  }

  /** Ends everything of the node at once, as a power cut does. */
  async loseAll(): Promise<void> {
    for (let left = nodeProcesses(this.ref); left.length > 0; left = nodeProcesses(this.ref)) {
      left.forEach(({ pid }) => process.kill(pid, 'SIGKILL'));
      await delay(20);
    }
  }

  /** A program on the machine's PATH. */
  program(name: string, text: string): void {
    writeFileSync(join(this.machine.folder, 'bin', name), text, { mode: 0o755 });
  }

  removeProgram(name: string): void {
    rmSync(join(this.machine.folder, 'bin', name), { force: true });
  }

  async reconnect(): Promise<void> {
    await this.shell.close();
    this.shell = await openShell(this.machine);
  }

  end(): Promise<void> {
    return endFar(this.shell, this.ref, signal);
  }

  async dispose(): Promise<void> {
    await this.shell.close();
    await this.machine.dispose();
  }
}

const openShell = (machine: FarMachine): Promise<OpenSshShell> =>
  OpenSshShell.open(
    { name: 'gpu-box', destination: 'gpu-box', settings: [], configFile: machine.config },
    { clock: systemClock, random: systemRandom, sockets: join(machine.folder, 's'), shared: true },
    signal,
  );

const hostAt = (
  shell: OpenSshShell,
  ref: string,
  { lease, gpuCount }: { lease?: string; gpuCount?: number } = {},
): FarHost =>
  new FarHost({
    shell,
    ref,
    clock: systemClock,
    address: { at: 'gpu-box', hostKey: null, ssh: null, proof: null, privateAddress: null },
    lease: lease ?? null,
    promised: gpuCount === undefined ? null : { gpuCount },
    environment: {},
  });

function statusAt(address: AgentAddress): Promise<AgentStatus> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${AGENT_TOKEN}` };
    request({ ...address, path: '/status', headers }, response => {
      let text = '';
      response.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')));
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(agentStatusSchema.parse(JSON.parse(text)));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    })
      .once('error', reject)
      .end();
  });
}
