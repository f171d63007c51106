/** What was bought at the simulated Prime Intellect, as it shows it, and what it is billed: from the purchase to the end. */
import { costOver, type MicroUsd } from '@hitch/contract';
import type { RentedAddress, SimBill } from '../frame/simulator.ts';

export interface PrimePod {
  readonly id: string;
  readonly name: string | null;
  readonly gpuName: string;
  readonly gpuCount: number;
  readonly socket: string;
  readonly providerType: string;
  readonly isSpot: boolean | null;
  readonly image: string | null;
  readonly perHourMicroUsd: MicroUsd;
  /** Paid with the purchase, and used up by its hours. */
  readonly prepaidMicroUsd: MicroUsd;
  readonly boughtAtMs: number;
  /** When it is over; it may lie ahead. */
  endedAtMs: number | null;
  /** So long its status stays where it can be had no further. */
  readonly startMs: number;
  readonly installMs: number;
  /** Keys that the account had when it was made. */
  readonly publicKeys: readonly string[];
  /** Of a machine that is real. */
  address: Promise<RentedAddress> | null;
}

export const isOver = ({ endedAtMs }: PrimePod, nowMs: number): boolean =>
  endedAtMs !== null && endedAtMs <= nowMs;

/**
 * That it bills by the moment is assumed, and of `prepaidTime` (`api/availability.py`, `GPUAvailability`) that so many hours
 * are paid in any case: nothing of the client says otherwise.
 */
export function billOf(pod: PrimePod, nowMs: number): SimBill {
  const { id, name: mark, perHourMicroUsd, prepaidMicroUsd, boughtAtMs, endedAtMs } = pod;
  const ms = Math.max(0, Math.min(nowMs, endedAtMs ?? nowMs) - boughtAtMs);
  const used = costOver(perHourMicroUsd, ms);
  return { id, mark, label: 'Machine', amountMicroUsd: used > prepaidMicroUsd ? used : prepaidMicroUsd };
}

export const dollarsOf = (amount: MicroUsd): number => Number(amount) / 1e6;

/** How far it is: `ACTIVE` comes with the first part of its installation. */
export function progressOf(
  pod: PrimePod,
  nowMs: number,
): { readonly status: string; readonly percent: number } {
  const age = nowMs - pod.boughtAtMs;
  if (pod.endedAtMs !== null) {
    return { status: 'DELETING', percent: 100 };
  }
  return age < pod.startMs
    ? { status: 'PROVISIONING', percent: 0 }
    : { status: 'ACTIVE', percent: age < pod.startMs + pod.installMs ? 40 : 100 };
}

/** Model `Pod` (`api/pods.py`). @param way such as `root@192.0.2.7 -p 22`; null: not there yet. */
export function podRow(
  pod: PrimePod,
  nowMs: number,
  said: { readonly way: string | null; readonly word: string | null },
) {
  const { status, percent } = progressOf(pod, nowMs);
  const at = new Date(pod.boughtAtMs).toISOString();
  return {
    id: pod.id,
    name: pod.name,
    gpuName: pod.gpuName,
    gpuCount: pod.gpuCount,
    status: said.word ?? status,
    createdAt: at,
    updatedAt: at,
    providerType: pod.providerType,
    installationStatus: percent === 100 ? 'FINISHED' : percent === 0 ? 'PENDING' : 'ACTIVE',
    installationFailure: null,
    installationProgress: percent,
    teamId: null,
    resources: {},
    attachedResources: [],
    primePortMapping: [],
    // A list with nothing in it (`clean_connection_fields`).
    sshConnection: said.way ?? [null],
    ip: said.way === null ? [null] : (said.way.split('@')[1]?.split(' ')[0] ?? null),
    priceHr: dollarsOf(pod.perHourMicroUsd),
    environmentType: pod.image,
    socket: pod.socket,
    type: 'HOSTED',
    userId: 'user-1',
    walletId: 'wallet-1',
    isSpot: pod.isSpot,
    autoRestart: false,
  };
}

/** Model `HistoryObj`. */
export function historyRow(pod: PrimePod) {
  const { amountMicroUsd } = billOf(pod, pod.endedAtMs ?? pod.boughtAtMs);
  return {
    id: pod.id,
    name: pod.name ?? '',
    providerType: pod.providerType,
    type: 'HOSTED',
    createdAt: new Date(pod.boughtAtMs).toISOString(),
    terminatedAt: pod.endedAtMs === null ? null : new Date(pod.endedAtMs).toISOString(),
    gpuName: pod.gpuName,
    gpuCount: pod.gpuCount,
    socket: pod.socket,
    priceHr: dollarsOf(pod.perHourMicroUsd),
    userId: 'user-1',
    teamId: null,
    totalBilledPrice: dollarsOf(amountMicroUsd),
  };
}
