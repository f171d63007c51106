/** Machines that are processes on this computer. One object for the home; providers rent from it. */
import { rmSync } from 'node:fs';
import type { ProviderId } from '@hitch/contract';
import type { Host } from '../access/host.ts';
import { removeShortFolder } from '../agent/folders.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import { cgroupPids, createCgroup, removeCgroup } from './cgroups.ts';
import { type NodeMarks, endProcesses, membersOf } from './end-processes.ts';
import { LocalEnvironments } from './environments/local-environments.ts';
import { LocalHost } from './local-host.ts';
import {
  type MachinePaths,
  type MachineRecord,
  listMachineRefs,
  machinePaths,
  readMachine,
  removeMachine,
  removeShell,
  writeMachine,
} from './machine-folder.ts';
import { type PortBlocks, portBlocks } from './port-blocks.ts';
import { type ProcessTable, systemProcesses } from './process-table.ts';
import type { PythonEnvironments } from './python.ts';
import { socketPathOf } from './sockets.ts';
import { inTurn } from './turns.ts';

export interface MachineSpec {
  readonly ref: string;
  readonly provider: ProviderId;
  readonly offerId: string;
  readonly pricePerHourMicroUsd: string;
  readonly cpuCores: number;
  readonly gpuCount: number;
  readonly gpuModel: string | null;
  readonly practice: boolean;
}

export interface MachinesOptions {
  readonly home: Home;
  readonly clock: Clock;
  readonly python: PythonEnvironments;
  /** Those of clusters that have their own; left out: made below the home. */
  readonly environments?: LocalEnvironments;
  readonly table?: ProcessTable;
  readonly ports?: PortBlocks;
  /** Whether control groups are tried at all. */
  readonly cgroups?: boolean;
  /** How long a machine's processes have to end by themselves. */
  readonly graceMs?: number;
}

const CGROUP_TRIES = 20;
const CGROUP_PAUSE_MS = 25;

export class Machines {
  readonly #options: MachinesOptions;
  readonly #table: ProcessTable;
  readonly #ports: PortBlocks;
  readonly environments: LocalEnvironments;

  constructor(options: MachinesOptions) {
    this.#options = options;
    this.#table = options.table ?? systemProcesses;
    this.#ports = options.ports ?? portBlocks();
    const { home, clock } = options;
    this.environments =
      options.environments ??
      new LocalEnvironments({
        folder: home.environments,
        tools: home.python,
        machines: home.machines,
        clock,
      });
  }

  /** Makes a machine; it exists, durably, when this returns. @throws Error when the ref is in use. */
  create(spec: MachineSpec): MachineRecord {
    const paths = this.#paths(spec.ref);
    if (readMachine(paths) !== null) {
      throw new Error(`There is a machine ${spec.ref} on this computer already.`);
    }
    const record: MachineRecord = {
      version: 1,
      ...spec,
      createdAtMs: this.#options.clock.now(),
      cgroup: this.#options.cgroups === false ? null : createCgroup(spec.ref),
      portBase: null,
      agent: null,
    };
    writeMachine(paths, record);
    return record;
  }

  get(ref: string): MachineRecord | null {
    return readMachine(this.#paths(ref));
  }

  /** @throws Error when one record cannot be read: a partial list would be taken for the whole. */
  list(provider: ProviderId): readonly MachineRecord[] {
    return listMachineRefs(this.#options.home.machines).flatMap(ref => {
      const record = this.get(ref);
      return record?.provider === provider ? [record] : [];
    });
  }

  /** How many there are; one whose record cannot be read counts, whoever rented it. */
  count(provider: ProviderId): number {
    return listMachineRefs(this.#options.home.machines).filter(ref => {
      try {
        return this.get(ref)?.provider === provider;
      } catch {
        return true;
      }
    }).length;
  }

  /** How many processes of the node run, as the operating system says. */
  async processes(ref: string): Promise<number> {
    const marks = this.#marks(ref, this.get(ref));
    const inGroup = new Set(marks.cgroup === null ? [] : cgroupPids(marks.cgroup));
    return membersOf(marks, await this.#table.read(), inGroup).length;
  }

  /**
   * Now, when an agent was started on the machine and no process of it is left; otherwise null. The system keeps no
   * note of when the last one ended, so the first look is the moment.
   */
  async endedByItselfAtMs(ref: string): Promise<number | null> {
    const record = this.get(ref);
    const started = record !== null && record.agent !== null;
    return started && (await this.processes(ref)) === 0 ? this.#options.clock.now() : null;
  }

  /** Ends every process of the node and removes its group, ports and folder. Resolves only when all are gone. */
  async destroy(ref: string): Promise<void> {
    const paths = this.#paths(ref);
    await inTurn(paths.folder, () => this.#destroy(ref, paths));
  }

  /** A way in. The machine need not exist any more: then its calls say so. */
  host(ref: string): Host {
    const { home, clock, python } = this.#options;
    return new LocalHost({
      ref,
      paths: this.#paths(ref),
      home,
      clock,
      python,
      environments: this.environments,
      table: this.#table,
      ports: this.#ports,
    });
  }

  async #destroy(ref: string, paths: MachinePaths): Promise<void> {
    const record = readMachine(paths);
    const marks = this.#marks(ref, record);
    const { clock, graceMs, home } = this.#options;
    const deps = { clock, table: this.#table, ...(graceMs === undefined ? {} : { graceMs }) };
    await endProcesses(marks, deps);
    if (record === null) {
      removeShell(paths);
      return;
    }
    if (marks.cgroup !== null) {
      await this.#removeCgroup(marks.cgroup);
    }
    if (process.platform !== 'win32') {
      rmSync(socketPathOf(home, ref), { force: true });
    }
    removeShortFolder(paths.state);
    if (record.portBase !== null) {
      this.#ports.release(record.portBase, paths.record);
    }
    removeMachine(paths);
  }

  /** A group stays busy for a moment after its last process; an empty one that stays all the same harms nobody. */
  async #removeCgroup(folder: string): Promise<void> {
    for (let tries = 0; tries < CGROUP_TRIES && !removeCgroup(folder); tries++) {
      await this.#options.clock.sleep(CGROUP_PAUSE_MS);
    }
  }

  #paths(ref: string): MachinePaths {
    return machinePaths(this.#options.home.machines, ref);
  }

  #marks(ref: string, record: MachineRecord | null): NodeMarks {
    return {
      ref,
      cgroup: record?.cgroup ?? null,
      roots: record === null || record.agent === null ? [] : [record.agent],
    };
  }
}
