/**
 * What kernels and jobs have of the node, by the process tree: a kernel's process names its id in its arguments, a job's processes
 * carry its tag, and what any of them starts is theirs too, wherever it ends up. Only Linux shows this.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jobIdSchema } from '@hitch/contract';
import type { UseOwner } from '@hitch/contract/src/use/wire.ts';
import { parseStat } from '../processes/proc.ts';
import type { ProcessVram } from './gpu-use.ts';

export interface Owner {
  readonly of: Exclude<UseOwner, 'machine' | 'gpu'>;
  /** A kernel's or a job's; '' for the others. */
  readonly id: string;
}

export interface Share {
  readonly owner: Owner;
  /** Of one core; null at the first look. */
  readonly cpuPercent: number | null;
  readonly memoryMiB: number;
  /** Null: no GPU of this node tells of processes that are known here. */
  readonly vramMiB: number | null;
}

export interface SharesOptions {
  /** The value of HITCH_NODE that everything here inherits. */
  readonly ref: string;
  readonly root?: string;
  readonly pageBytes?: number;
  /** Not people's: the agent's own process. */
  readonly self?: number;
}

interface Known {
  readonly key: string;
  readonly owner: Owner;
  readonly cpuMs: number;
}

interface Sum {
  readonly owner: Owner;
  cpuMs: number;
  memoryMiB: number;
  vramMiB: number;
  hasVram: boolean;
}

const MIB = 1024 * 1024;
/** Every Linux that a node runs on has pages of that size, but for some ARM kernels. */
const PAGE_BYTES = 4_096;
/** A process that was none of ours is looked at again after so many looks: its id may be another's by then. */
const LOOKS_FORGOTTEN = 30;
const OTHER: Owner = { of: 'other', id: '' };
const RAY: Owner = { of: 'ray', id: '' };

export class Shares {
  readonly #options: SharesOptions;
  readonly #root: string;
  #known = new Map<number, Known>();
  /** Processes that are none of this node's: most of a computer's, and not read again for a while. */
  #strangers = new Set<string>();
  #looks = 0;
  #atMs: number | null = null;

  constructor(options: SharesOptions) {
    this.#options = options;
    this.#root = options.root ?? '/proc';
  }

  /** @param nowMs by a clock that only grows. @returns one for each owner that has a process. */
  look(nowMs: number, vram: readonly ProcessVram[]): readonly Share[] {
    if (this.#looks++ % LOOKS_FORGOTTEN === 0) {
      this.#strangers.clear();
    }
    const vramOf = new Map<number, number>();
    vram.forEach(({ pid, vramMiB }) => vramOf.set(pid, (vramOf.get(pid) ?? 0) + vramMiB));
    const spanMs = this.#atMs === null ? null : nowMs - this.#atMs;
    this.#atMs = nowMs;
    const before = this.#known;
    this.#known = new Map();
    const sums = new Map<string, Sum>();
    for (const { pid, known, rssMiB } of this.#processes(before)) {
      const { owner, cpuMs } = known;
      const sum = sums.get(`${owner.of} ${owner.id}`) ?? {
        ...{ owner, cpuMs: 0, memoryMiB: 0, vramMiB: 0, hasVram: false },
      };
      sums.set(`${owner.of} ${owner.id}`, sum);
      const last = before.get(pid);
      sum.cpuMs += last?.key === known.key ? Math.max(0, cpuMs - last.cpuMs) : 0;
      sum.memoryMiB += rssMiB;
      sum.vramMiB += vramOf.get(pid) ?? 0;
      sum.hasVram ||= vramOf.has(pid);
    }
    return [...sums.values()].map(({ owner, cpuMs, memoryMiB, vramMiB, hasVram }) => ({
      owner,
      cpuPercent: spanMs === null || spanMs <= 0 ? null : (cpuMs / spanMs) * 100,
      memoryMiB,
      vramMiB: hasVram ? vramMiB : null,
    }));
  }

  *#processes(before: ReadonlyMap<number, Known>): Generator<{ pid: number; known: Known; rssMiB: number }> {
    const { pageBytes = PAGE_BYTES, self = process.pid } = this.#options;
    const strangers = new Set<string>();
    // Children come after their parents as a rule; one that does not gets its owner by its own tags.
    const pids = readdirSync(this.#root).filter(name => /^\d+$/.test(name));
    for (const name of pids) {
      if (this.#strangers.has(name)) {
        strangers.add(name);
        continue;
      }
      const text = read(join(this.#root, name, 'stat'));
      const stat = parseStat(text);
      if (stat === null) {
        continue;
      }
      const { pid, key, cpuMs, parent } = stat;
      const last = before.get(pid);
      const owner =
        last?.key === key
          ? last.owner
          : pid === self || parent === self
            ? null
            : this.#ownerOf(name, this.#known.get(parent)?.owner ?? before.get(parent)?.owner);
      if (owner === null) {
        strangers.add(name);
        continue;
      }
      const known = { key, owner, cpuMs };
      this.#known.set(pid, known);
      yield { pid, known, rssMiB: (rssPages(text) * pageBytes) / MIB };
    }
    this.#strangers = strangers;
  }

  /** Null: it is none of this node's. */
  #ownerOf(name: string, parents: Owner | undefined): Owner | null {
    const folder = join(this.#root, name);
    const environment = read(join(folder, 'environ')).split('\0');
    if (!environment.includes(`HITCH_NODE=${this.#options.ref}`)) {
      return null;
    }
    const job = valueOf(environment, 'HITCH_JOB');
    // Programs may set it to anything for what they start.
    if (jobIdSchema.safeParse(job).success && job !== null) {
      return { of: 'job', id: job };
    }
    if (parents?.of === 'kernel') {
      return parents;
    }
    const kernel = /\bkernel-([0-9a-f-]{36})\.json\b/.exec(read(join(folder, 'cmdline')))?.[1];
    if (kernel !== undefined) {
      return { of: 'kernel', id: kernel };
    }
    return valueOf(environment, 'HITCH_PROGRAM') === 'ray' ? RAY : OTHER;
  }
}

const valueOf = (environment: readonly string[], name: string): string | null =>
  environment.find(entry => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;

/** The 24th field: pages of it in memory. */
function rssPages(stat: string): number {
  const pages = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[21]);
  return Number.isFinite(pages) ? Math.max(0, pages) : 0;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
