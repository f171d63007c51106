/** The folder that is a machine: `machine.json`, `state/`, `work/`. It is the record, and it outlives the daemon. */
import { mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { cutText, microUsdSchema, providerIdSchema } from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { REF } from './process-table.ts';

const processSchema = z.object({ pid: z.number().int(), startedAt: z.string() });

export const machineRecordSchema = z.object({
  version: z.literal(1),
  ref: z.string().regex(REF),
  provider: providerIdSchema,
  offerId: z.string(),
  createdAtMs: z.number(),
  pricePerHourMicroUsd: microUsdSchema,
  cpuCores: z.number(),
  gpuCount: z.number().int(),
  gpuModel: z.string().nullable(),
  practice: z.boolean(),
  /** Folder of its control group; null where there is none. */
  cgroup: z.string().nullable(),
  /** First of its 150 ports; null until somebody asked. */
  portBase: z.number().int().nullable(),
  agent: processSchema.extend({ bundleHash: z.string(), configHash: z.string() }).nullable(),
});
export type MachineRecord = z.infer<typeof machineRecordSchema>;

export interface MachinePaths {
  readonly folder: string;
  readonly record: string;
  readonly state: string;
  readonly work: string;
  readonly agentConfig: string;
}

/** @throws RangeError for what is no ref: it becomes a folder's name. */
export function machinePaths(machinesFolder: string, ref: string): MachinePaths {
  if (!REF.test(ref)) {
    throw new RangeError(`"${cutText(ref, 60)}" is not a machine's ref.`);
  }
  const folder = join(machinesFolder, ref);
  return {
    folder,
    record: join(folder, 'machine.json'),
    state: join(folder, 'state'),
    work: join(folder, 'work'),
    agentConfig: join(folder, 'agent-config.json'),
  };
}

/** The folders first, the record last: a machine exists from the moment its record does. */
export function writeMachine(paths: MachinePaths, record: MachineRecord): void {
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  mkdirSync(paths.work, { recursive: true, mode: 0o700 });
  writeFileAtomic(paths.record, JSON.stringify(record));
}

/** Null where there is no machine. @throws Error with a sentence when there is one that cannot be read. */
export function readMachine(paths: MachinePaths): MachineRecord | null {
  let text: string;
  try {
    text = readFileSync(paths.record, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return null;
    }
    throw error;
  }
  try {
    return machineRecordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${paths.record} cannot be read as a machine's record.`, { cause });
  }
}

/** Refs of everything under `machinesFolder` that looks like a machine, with a record or without. */
export function listMachineRefs(machinesFolder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(machinesFolder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return [];
    }
    throw error;
  }
  return names.filter(name => REF.test(name));
}

/** The record goes last: until then the machine is still listed, and removing it is tried again. */
export function removeMachine(paths: MachinePaths): void {
  for (const part of [paths.state, paths.work, paths.agentConfig]) {
    rmSync(part, { recursive: true, force: true, maxRetries: 3 });
  }
  rmSync(paths.record, { force: true });
  rmSync(paths.folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Removes the empty folders of a machine that a crash kept from coming to be. */
export function removeShell(paths: MachinePaths): void {
  for (const part of [paths.state, paths.work, paths.folder]) {
    try {
      rmdirSync(part);
    } catch {
      // Absent, or something lies in it that nobody may lose.
    }
  }
}
