/** What keeps a cluster from being idle: the limits, and the words for them that all clients and agents share. */
import * as z from 'zod';
import { bytes } from './format.ts';

/** Above these the processes of a node count as work; each is for all of them together. */
export const busyLimitsSchema = z.object({
  /** Of one core. */
  cpuPercent: z.number().min(1).max(10_000).default(5),
  /** Of disk, and of network. */
  kilobytesPerSecond: z.number().min(1).max(10_000_000).default(100),
});
export type BusyLimits = z.infer<typeof busyLimitsSchema>;

export const DEFAULT_BUSY: BusyLimits = { cpuPercent: 5, kilobytesPerSecond: 100 };

/** Above this a GPU is at work; below lie displays and monitoring. */
export const BUSY_GPU_PERCENT = 10;

/**
 * What is looked at, as a list for a sentence.
 * @param processes whether this system shows what its processes do; only Linux does.
 */
export function looksAtWords({ cpuPercent, kilobytesPerSecond }: BusyLimits, processes: boolean): string {
  const always = `running cells, Ray jobs and tasks, typing in a terminal, file copies, GPUs above ${BUSY_GPU_PERCENT} %`;
  const rate = `${bytes(kilobytesPerSecond * 1000)}/s`;
  return processes
    ? `${always}, processes above ${cpuPercent} % of a core or ${rate} of disk or network`
    : `${always}; other processes are only seen on Linux`;
}

/** The line of the confirmation. */
export const busyLine = (limits: BusyLimits): string =>
  `Idle means none of these: ${looksAtWords(limits, true)} (processes only on Linux)`;
