/** What somebody rented: a record, and what it is at a moment, which follows from the record alone. */
import { type MicroUsd, costOver } from '@hitch/contract';
import type { Ask } from './machines.ts';

/** A time in which its container runs; its end may be known before it comes. */
export interface Run {
  readonly fromMs: number;
  readonly untilMs: number | null;
}

export interface Stop {
  readonly atMs: number;
  /** Its owner's wish, a higher bid, or an empty account. */
  readonly by: 'owner' | 'bid' | 'credit';
}

export interface Contract {
  readonly id: number;
  readonly ask: Ask;
  readonly label: string | null;
  readonly image: string;
  readonly runtype: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onstart: string | null;
  readonly diskGb: number;
  readonly isBid: boolean;
  /** What its GPUs cost an hour while they run. */
  readonly gpuMicroUsd: MicroUsd;
  readonly diskMicroUsd: MicroUsd;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
  readonly runs: readonly Run[];
  /** When it stands still, or is to, and why; null: not. */
  readonly stop: Stop | null;
  /** When its host goes away; null: never. */
  readonly offlineFromMs: number | null;
  /** When its host takes it back. */
  readonly hostEndsAtMs: number | null;
  /** When keys that were attached before open it no more; null: never. */
  readonly keysLostAtMs: number | null;
  readonly brokenWords: string | null;
  /** A word in the place of `running`. */
  readonly word: string | null;
  readonly showsLabel: boolean;
  readonly hiddenUntilMs: number;
  readonly slowDestroyMs: number;
  readonly destroyFailures: number;
  /** GPUs and their name as the contract has them, which may not be what was offered. */
  readonly gotGpus: number;
  readonly gotGpuName: string;
  /** The key that the container itself has. */
  readonly ownKey: string;
}

/** When it ended or is to end, as far as that has come. */
export function endOf({ endedAtMs, hostEndsAtMs }: Contract, nowMs: number): number | null {
  const ends = [endedAtMs, hostEndsAtMs].filter(atMs => atMs !== null && atMs <= nowMs);
  return ends.length === 0 ? null : Math.min(...ends.map(Number));
}

export const isOver = (contract: Contract, nowMs: number): boolean => endOf(contract, nowMs) !== null;

export const runningAt = ({ runs }: Contract, nowMs: number): Run | undefined =>
  runs.find(({ fromMs, untilMs }) => fromMs <= nowMs && (untilMs === null || nowMs < untilMs));

export const isOffline = ({ offlineFromMs }: Contract, nowMs: number): boolean =>
  offlineFromMs !== null && offlineFromMs <= nowMs;

export const isStopped = ({ stop }: Contract, nowMs: number): boolean => stop !== null && stop.atMs <= nowMs;

/** Whether others cannot have its GPUs. */
export const holdsGpus = (contract: Contract, nowMs: number): boolean =>
  !isOver(contract, nowMs) && !isStopped(contract, nowMs);

/** How often its container was started until then: its ports outside are others each time. */
export const startsUntil = ({ runs }: Contract, nowMs: number): number =>
  runs.filter(({ fromMs }) => fromMs <= nowMs).length;

const PROVISIONING_MS = 1_000;

/** `actual_status`; null before anything of it is there (`show_instance.yaml`). */
export function statusAt(contract: Contract, nowMs: number): string | null {
  if (isOffline(contract, nowMs)) {
    return 'offline';
  }
  if (contract.brokenWords !== null) {
    return 'created';
  }
  if (runningAt(contract, nowMs) !== undefined) {
    return contract.word ?? 'running';
  }
  if (isStopped(contract, nowMs)) {
    return contract.stop?.by === 'owner' ? 'stopped' : 'exited';
  }
  return nowMs - contract.createdAtMs < PROVISIONING_MS ? null : 'loading';
}

/** Stops it at that moment, which may be ahead: what would have run later does not. */
export const stopped = (contract: Contract, stop: Stop): Contract => ({
  ...contract,
  runs: cut(contract.runs, stop.atMs),
  stop,
});

/** Starts it again, or anew: what runs ends, and it runs from `fromMs` on. */
export const restarted = (contract: Contract, atMs: number, fromMs: number): Contract => ({
  ...contract,
  runs: [...cut(contract.runs, atMs), { fromMs, untilMs: null }],
  stop: null,
});

/** Its end, which may be ahead. */
export const ended = (contract: Contract, atMs: number): Contract => ({ ...contract, endedAtMs: atMs });

function cut(runs: readonly Run[], atMs: number): readonly Run[] {
  return runs.flatMap(run =>
    run.fromMs >= atMs
      ? []
      : [{ ...run, untilMs: run.untilMs === null ? atMs : Math.min(run.untilMs, atMs) }],
  );
}

/** How long its GPUs were billed: while it runs ("not charged while loading", pricing documentation). */
function gpuMsUntil(contract: Contract, nowMs: number): number {
  const limits = [nowMs, endOf(contract, nowMs), contract.offlineFromMs].filter(atMs => atMs !== null);
  const until = Math.min(...limits);
  return contract.runs.reduce(
    (sum, { fromMs, untilMs }) => sum + Math.max(0, Math.min(until, untilMs ?? until) - fromMs),
    0,
  );
}

/** How long its disk was billed: from creation in every state but offline, stopped too (pricing documentation). */
function diskMsUntil(contract: Contract, nowMs: number): number {
  const limits = [nowMs, endOf(contract, nowMs), contract.offlineFromMs].filter(atMs => atMs !== null);
  return Math.max(0, Math.min(...limits) - contract.createdAtMs);
}

/** What it was billed until then, by part. */
export const billedUntil = (
  contract: Contract,
  nowMs: number,
): { readonly gpu: MicroUsd; readonly disk: MicroUsd } => ({
  gpu: costOver(contract.gpuMicroUsd, gpuMsUntil(contract, nowMs)),
  disk: costOver(contract.diskMicroUsd, diskMsUntil(contract, nowMs)),
});

/** What it costs an hour then. */
export function rateAt(contract: Contract, nowMs: number): MicroUsd {
  if (isOver(contract, nowMs) || isOffline(contract, nowMs)) {
    return 0n;
  }
  const runs = runningAt(contract, nowMs) !== undefined;
  return contract.diskMicroUsd + (runs ? contract.gpuMicroUsd : 0n);
}
