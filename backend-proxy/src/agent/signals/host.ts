/** CPU, memory and disk of this node, as far as its control group lets it use them. */
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';

const MIB = 1024 * 1024;
const CGROUP = '/sys/fs/cgroup';

export interface Memory {
  readonly usedMiB: number;
  readonly totalMiB: number;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function field(text: string, name: string): number | null {
  const value = new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(text)?.[1];
  return value === undefined ? null : Number(value);
}

/** Cores this node may use: the group's quota where there is one. */
export function cpuCores(cpuMax: string = readText(`${CGROUP}/cpu.max`)): number {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  const all = availableParallelism();
  return quota === undefined || period === undefined || Number.isNaN(quota) || period === 0
    ? all
    : Math.min(all, quota / period);
}

/** CPU time used by everything the node may see, in core-milliseconds since some moment. */
export function cpuUsedMs(): number {
  const group = field(readText(`${CGROUP}/cpu.stat`), 'usage_usec');
  if (group !== null) {
    return group / 1000;
  }
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** Page cache that can be dropped does not count as used. */
export function memory(): Memory {
  const total = totalmem();
  const limit = Number(readText(`${CGROUP}/memory.max`));
  if (Number.isFinite(limit) && limit > 0 && limit < total) {
    const used = Number(readText(`${CGROUP}/memory.current`));
    const droppable = field(readText(`${CGROUP}/memory.stat`), 'inactive_file') ?? 0;
    return { usedMiB: Math.round(Math.max(0, used - droppable) / MIB), totalMiB: Math.round(limit / MIB) };
  }
  const availableKiB = field(readText('/proc/meminfo'), 'MemAvailable:');
  const available = availableKiB === null ? freemem() : availableKiB * 1024;
  return { usedMiB: Math.round((total - available) / MIB), totalMiB: Math.round(total / MIB) };
}

export async function disk(folder: string): Promise<Memory> {
  const { blocks, bavail, bfree, bsize } = await statfs(folder);
  const used = (blocks - bfree) * bsize;
  return { usedMiB: Math.round(used / MIB), totalMiB: Math.round((used + bavail * bsize) / MIB) };
}
