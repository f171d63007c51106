/**
 * What the processes of this node do: the CPU, disk and network they use between two looks. Everything that a kernel, a
 * terminal, ssh or a job started carries the node's tag, in the background too; what else works in the work folder counts as
 * well. Only Linux shows this.
 */
import { availableParallelism } from 'node:os';
import { type BusyLimits, format } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { NodeProcess, ProcessReader } from './proc.ts';

/** A short burst is no work: what is used is counted over at least as long. */
const SHORTEST_SPAN_MS = 10_000;
/** A process below this is only awake now and then, as an idle kernel is; a hundred of them are no work either. */
const AWAKE_PERCENT = 2;

export interface ProcessWorkOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly reader: ProcessReader;
  readonly limits: () => BusyLimits;
}

interface Seen {
  readonly atMs: number;
  readonly processes: ReadonlyMap<string, NodeProcess>;
  readonly networkBytes: number;
}

interface Used {
  readonly process: NodeProcess;
  readonly cpuPercent: number;
  readonly diskRate: number;
}

export class ProcessWork {
  readonly #options: ProcessWorkOptions;
  #seen: Seen | null = null;
  #work: readonly string[] = [];

  constructor(options: ProcessWorkOptions) {
    this.#options = options;
  }

  /** A sentence for each kind of work; what was found at the last look until it is time for the next. */
  look(): readonly string[] {
    const { clock, reader } = this.#options;
    const atMs = clock.monotonic();
    const before = this.#seen;
    if (before !== null && atMs - before.atMs < SHORTEST_SPAN_MS) {
      return this.#work;
    }
    const processes = new Map(reader.processes().map(process => [process.key, process]));
    const now = { atMs, processes, networkBytes: reader.networkBytes() };
    this.#seen = now;
    this.#work = before === null ? [] : this.#between(before, now);
    return this.#work;
  }

  #between(before: Seen, now: Seen): string[] {
    const { limits, reader } = this.#options;
    const { cpuPercent, kilobytesPerSecond } = limits();
    const spanMs = now.atMs - before.atMs;
    const rateLimit = kilobytesPerSecond * 1000;
    const used = [...now.processes.values()].map(process => usedBy(process, before, spanMs));
    const network = ((now.networkBytes - before.networkBytes) / spanMs) * 1000;
    const connected = network >= rateLimit ? reader.connected(used.map(({ process }) => process)) : null;
    return [
      ...over(
        used,
        ({ cpuPercent: own }) => (own >= AWAKE_PERCENT ? own : 0),
        cpuPercent,
        ({ sum, most }) => `processes use ${Math.round(sum).toString()} % of a core, most of it ${most}`,
      ),
      ...over(
        used,
        ({ diskRate }) => diskRate,
        rateLimit,
        ({ sum, most }) => `processes read and write ${rate(sum)}, most of it ${most}`,
      ),
      ...(connected === null
        ? []
        : [`${named(connected)} is connected while the network carries ${rate(network)}`]),
    ];
  }
}

function usedBy(process: NodeProcess, before: Seen, spanMs: number): Used {
  const known = before.processes.get(process.key);
  // Its children's time counts when they have ended, all at once: no more than there was in this span.
  const most = spanMs * availableParallelism();
  const cpuMs = Math.min(most, Math.max(0, process.cpuMs - (known?.cpuMs ?? 0)));
  const diskBytes = Math.max(0, process.diskBytes - (known?.diskBytes ?? 0));
  return { process, cpuPercent: (cpuMs / spanMs) * 100, diskRate: (diskBytes / spanMs) * 1000 };
}

function over(
  used: readonly Used[],
  of: (used: Used) => number,
  limit: number,
  say: (what: { sum: number; most: string }) => string,
): string[] {
  const sum = used.reduce((total, one) => total + of(one), 0);
  const [most] = used.toSorted((a, b) => of(b) - of(a));
  return most !== undefined && sum >= limit ? [say({ sum, most: named(most.process) })] : [];
}

const named = ({ name, pid }: NodeProcess): string => `${name} (process ${pid.toString()})`;
const rate = (bytes: number): string => `${format.bytes(Math.round(bytes))}/s`;
