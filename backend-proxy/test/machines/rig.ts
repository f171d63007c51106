/** What the tests of machines share: a home in a temporary folder, machines in it, and ways to wait for real processes. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type MachineSpec, Machines, type MachinesOptions } from '../../src/machines/machines.ts';
import { PythonEnvironments } from '../../src/machines/python.ts';
import { systemProcesses } from '../../src/machines/process-table.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { type Home, homeAt } from '@hitch/platform/src/paths.ts';

export const program = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

export function machinesIn(home: Home, options: Partial<MachinesOptions> = {}): Machines {
  const python = new PythonEnvironments({ folder: home.python, clock: systemClock });
  return new Machines({ home, clock: systemClock, python, graceMs: 300, ...options });
}

export function specFor(ref: string): MachineSpec {
  return {
    ref,
    provider: 'local',
    offerId: 'local:cpu',
    pricePerHourMicroUsd: '0',
    cpuCores: 1,
    gpuCount: 0,
    gpuModel: null,
    practice: false,
  };
}

/** A fresh home; `dispose` ends every machine in it. */
export function temporaryHome(): { home: Home; dispose: () => Promise<void> } {
  const home = homeAt(mkdtempSync(join(tmpdir(), 'hitch-machines-')));
  return {
    home,
    dispose: async () => {
      const machines = machinesIn(home, { graceMs: 0 });
      for (const { ref } of machines.list('local')) {
        await machines.destroy(ref);
      }
      rmSync(home.root, { recursive: true, force: true });
      rmSync(home.sockets, { recursive: true, force: true });
    },
  };
}

let last = 0;
export const nextRef = () => `hitch-test${process.pid.toString()}n${(++last).toString()}`;

const WITHIN_MS = 90_000;

/** Waits until `ready` answers something. A wait without an end would outlive its test. */
export async function eventually<T>(ready: () => T | null | Promise<T | null>): Promise<T> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const value = await ready();
    if (value !== null) {
      return value;
    }
    if (performance.now() > deadline) {
      throw new Error('what was waited for never came');
    }
    await delay(25);
  }
}

export const contentOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : null);

/** Whether it runs; one that only waits to be reaped does not. */
export async function runs(pid: number | undefined): Promise<boolean> {
  return (await systemProcesses.read()).some(entry => entry.pid === pid);
}
