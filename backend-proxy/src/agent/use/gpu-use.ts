/** What is measured of one GPU, whoever made it. */
import type { Signals } from '@hitch/contract';

export type Gpu = Signals['gpus'][number];

export interface GpuUse extends Gpu {
  readonly temperatureC: number | null;
  readonly powerW: number | null;
}

/** The memory that a process has of one GPU. */
export interface ProcessVram {
  readonly pid: number;
  readonly vramMiB: number;
}

/** The GPUs of this node now, from memory: whoever asks waits for nothing. */
export interface GpuWatch {
  /** Null: nothing is known of any yet. */
  gpus(): readonly GpuUse[] | null;
  /** Process ids as the driver sees them: in a container they may be none that are known there. */
  processes(): readonly ProcessVram[];
  stop(): void;
}
