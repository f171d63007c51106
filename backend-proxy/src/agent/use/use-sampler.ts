/** Measures the node every two seconds, whoever looks on, and keeps what it finds: for an hour each sample, then minutes. */
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import {
  COARSE_EVERY_MS,
  FINE_EVERY_MS,
  USE_KEPT_MS,
  type UseKind,
  type UseName,
  type UsePage,
  type UseQuery,
} from '@hitch/contract/src/use/wire.ts';
import { cpuCores, cpuUsedMs, disk, memory } from '../signals/host.ts';
import { networkCounts } from '../processes/proc.ts';
import { CoarseSample } from './coarse.ts';
import type { GpuWatch, ProcessVram } from './gpu-use.ts';
import type { Owner, Share } from './shares.ts';
import { UseLog, type UseSample } from './use-log.ts';

/** A look at all processes costs more than all the rest. */
export const SHARES_EVERY_MS = 10_000;
/** The room on a disk changes slowly. */
const DISK_EVERY_MS = 30_000;
/** Owners that are named; those with less memory are left out. */
const MOST_OWNERS = 30;

export interface UseSamplerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Of its files. */
  readonly folder: string;
  /** On the disk whose room is shown. */
  readonly workFolder: string;
  readonly gpus: GpuWatch;
  /** What kernels and jobs have; nothing where the system does not show it. */
  readonly shares: (nowMs: number, vram: readonly ProcessVram[]) => readonly Share[];
  /** For people: a notebook's path, a job's name. */
  readonly nameOf: (owner: Owner) => string;
  /** Told of each sample. */
  readonly measured?: (sample: UseSample) => void;
}

interface Counted {
  readonly atMs: number;
  readonly cpuMs: number;
  readonly received: number;
  readonly sent: number;
}

type Figure = readonly [name: UseName, value: number | null];

export class UseSampler {
  readonly #options: UseSamplerOptions;
  readonly #fine: UseLog;
  readonly #coarse: UseLog;
  readonly #minute = new CoarseSample(COARSE_EVERY_MS);
  #counted: Counted;
  #room: { atMs: number; usedMiB: number; totalMiB: number } | null = null;
  /** They stand until the next look. */
  #held: { readonly atMs: number; readonly figures: readonly Figure[] } = {
    atMs: Number.NEGATIVE_INFINITY,
    figures: [],
  };
  #timer: Timer | null = null;
  #isOver = false;
  #problem = '';

  constructor(options: UseSamplerOptions) {
    this.#options = options;
    const { folder } = options;
    this.#fine = new UseLog({ folder, name: 'fine', fileMs: USE_KEPT_MS.fine / 2, keptMs: USE_KEPT_MS.fine });
    this.#coarse = new UseLog({ folder, name: 'coarse', fileMs: 86_400_000, keptMs: USE_KEPT_MS.coarse });
    this.#counted = countedAt(options.clock.monotonic());
  }

  /** The minute in which an earlier agent ended is made whole of its samples. */
  resume(): void {
    for (const sample of this.#fine.after(this.#coarse.lastMs)) {
      this.#keepMinute(sample);
    }
  }

  start(): void {
    if (this.#isOver) {
      return;
    }
    this.#timer = this.#options.clock.setTimer(() => {
      void this.look().finally(() => this.start());
    }, FINE_EVERY_MS);
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#options.gpus.stop();
  }

  page({ scale, afterMs, withinMs, most }: UseQuery): UsePage {
    const log = scale === 'fine' ? this.#fine : this.#coarse;
    const sinceMs = withinMs === undefined ? 0 : log.lastMs - withinMs;
    return log.page({ afterMs: Math.max(afterMs, sinceMs), most });
  }

  /** Takes one sample. */
  async look(): Promise<void> {
    const { clock, log, gpus, measured } = this.#options;
    try {
      await this.#lookAtDisk();
      const processes = gpus.processes();
      const figures = [...this.#machine(), ...this.#gpus(), ...this.#shares(processes)];
      const sample = {
        atMs: clock.now(),
        names: figures.map(([name]) => name),
        values: figures.map(([, value]) => value),
      };
      measured?.(sample);
      this.#fine.add(sample);
      this.#keepMinute(sample);
      this.#problem = '';
    } catch (error) {
      // A full disk, as a rule; said once.
      if (this.#problem !== errorText(error)) {
        this.#problem = errorText(error);
        log.warn('How the machine does cannot be kept', { error: this.#problem });
      }
    }
  }

  #keepMinute(sample: UseSample): void {
    const whole = this.#minute.add(sample);
    if (whole !== null && whole.atMs > this.#coarse.lastMs) {
      this.#coarse.add(whole);
    }
  }

  async #lookAtDisk(): Promise<void> {
    const { clock, workFolder } = this.#options;
    const nowMs = clock.monotonic();
    if (this.#room === null || nowMs - this.#room.atMs >= DISK_EVERY_MS) {
      this.#room = { atMs: nowMs, ...(await disk(workFolder)) };
    }
  }

  #machine(): Figure[] {
    const now = countedAt(this.#options.clock.monotonic());
    const before = this.#counted;
    this.#counted = now;
    const spanMs = now.atMs - before.atMs;
    const cores = cpuCores();
    const perSecond = (count: number): number | null => (spanMs <= 0 ? null : (count / spanMs) * 1000);
    const share = spanMs <= 0 ? null : ((now.cpuMs - before.cpuMs) / spanMs / cores) * 100;
    const ram = memory();
    const figure = (kind: UseKind, most: number | null, value: number | null): Figure => [
      { of: 'machine', id: '', name: '', kind, most },
      value,
    ];
    return [
      figure('cpu', 100, share === null ? null : Math.min(100, Math.max(0, share))),
      figure('memory', ram.totalMiB, ram.usedMiB),
      figure('disk', this.#room?.totalMiB ?? null, this.#room?.usedMiB ?? null),
      figure('received', null, perSecond(now.received - before.received)),
      figure('sent', null, perSecond(now.sent - before.sent)),
    ];
  }

  #gpus(): Figure[] {
    return (this.#options.gpus.gpus() ?? []).flatMap(gpu => {
      const figure = (kind: UseKind, most: number | null, value: number | null): Figure => [
        { of: 'gpu', id: gpu.index.toString(), name: plain(gpu.name), kind, most },
        value,
      ];
      return [
        figure('busy', 100, gpu.utilizationPercent),
        figure('vram', gpu.vramTotalMiB, gpu.vramUsedMiB),
        figure('temperature', null, gpu.temperatureC),
        figure('power', null, gpu.powerW),
      ];
    });
  }

  #shares(processes: readonly ProcessVram[]): readonly Figure[] {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - this.#held.atMs >= SHARES_EVERY_MS) {
      const shares = this.#options.shares(nowMs, processes);
      const largest = shares.toSorted((a, b) => b.memoryMiB - a.memoryMiB).slice(0, MOST_OWNERS);
      // In an order that stays: the names of series are written only where they change.
      const inOrder = largest.toSorted((a, b) => keyOf(a.owner).localeCompare(keyOf(b.owner)));
      this.#held = { atMs: nowMs, figures: inOrder.flatMap(share => this.#shareOf(share)) };
    }
    return this.#held.figures;
  }

  #shareOf({ owner, cpuPercent, memoryMiB, vramMiB }: Share): Figure[] {
    const name = plain(this.#options.nameOf(owner));
    const figure = (kind: UseKind, value: number | null): Figure => [
      { ...owner, name, kind, most: null },
      value,
    ];
    return [
      figure('cpu', cpuPercent),
      figure('memory', memoryMiB),
      ...(vramMiB === null ? [] : [figure('vram', vramMiB)]),
    ];
  }
}

/** A notebook may be called anything; a name that is no name would spoil the whole answer. */
const plain = (name: string): string => name.replaceAll(/\p{Cc}/gu, '?').slice(0, 200);

const keyOf = ({ of, id }: Owner): string => `${of} ${id}`;

const countedAt = (atMs: number): Counted => ({ atMs, cpuMs: cpuUsedMs(), ...networkCounts() });
