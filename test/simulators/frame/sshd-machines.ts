/** Machines of a simulator that are real: each an sshd on this computer with a port, a host key and a home of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { SshdRuntime } from '../../../backend-proxy/src/providers/sandbox/sshd-runtime.ts';
import { allProcesses, type SeenProcess, sendSignal } from '../../support/processes.ts';
import { until } from '../../support/waiting.ts';
import type { RentedAddress, SimMachines } from './simulator.ts';

type Machine = Parameters<SimMachines['start']>[0];

/** As an authorized_keys file has them. */
const linesOf = (publicKeys: readonly string[]): string => publicKeys.join('\n');

export class SshdMachines implements SimMachines {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hitch-sim-'));
  readonly #runtime: SshdRuntime;
  readonly #started = new Set<string>();

  /** @param path folders in which the machines find programs first */
  constructor(path?: readonly string[]) {
    this.#runtime = new SshdRuntime({
      folder: this.#folder,
      clock: systemClock,
      ...(path === undefined ? {} : { path }),
    });
  }

  start({ id, publicKeys, environment }: Machine): Promise<RentedAddress> {
    this.#started.add(id);
    const proof = environment['HITCH_PROOF'] ?? null;
    return this.#runtime.ssh({ ref: id, letIn: { publicKey: linesOf(publicKeys), proof } }, 0);
  }

  /** What is on one of them. */
  folderOf(id: string): string {
    return join(this.#folder, id);
  }

  /** Everything that runs there: what a cluster started carries the cluster's tag, and paths of the machine. */
  processesOn(id: string): readonly SeenProcess[] {
    const folder = `${this.folderOf(id)}/`;
    return allProcesses().filter(({ command, environment }) =>
      [command, ...environment].some(text => text.includes(folder)),
    );
  }

  letIn(id: string, publicKeys: readonly string[]): Promise<void> {
    if (this.#started.has(id)) {
      writeFileSync(join(this.folderOf(id), 'authorized_keys'), `${linesOf(publicKeys)}\n`, { mode: 0o600 });
    }
    return Promise.resolve();
  }

  async end(id: string): Promise<void> {
    if (this.#started.delete(id)) {
      await until(`nothing runs on ${id}`, () => {
        const left = this.processesOn(id);
        left.forEach(({ pid }) => sendSignal(pid, 'SIGKILL'));
        return left.length === 0;
      });
      await this.#runtime.end({ ref: id, members: 1 });
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#started].map(id => this.end(id)));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
