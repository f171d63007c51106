/** What was bought at the simulated RunPod, and what it is billed: by the second, from the purchase to the end. */
import { costOver, type MicroUsd } from '@hitch/contract';
import type { RentedAddress } from '../frame/simulator.ts';
import type { SimBill } from '../frame/simulator.ts';

export interface RunpodPod {
  readonly id: string;
  readonly rank: number;
  readonly costMicroUsd: MicroUsd;
}

export interface Purchase {
  readonly of: 'pod' | 'cluster';
  readonly id: string;
  readonly name: string;
  /** Of a cluster; null: it is a pod. */
  readonly type: string | null;
  readonly image: string;
  /** GB. */
  readonly disk: number;
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly gpuId: string;
  /** GPUs of one pod. */
  readonly count: number;
  readonly cloud: 'SECURE' | 'COMMUNITY';
  readonly pods: readonly RunpodPod[];
  readonly boughtAtMs: number;
  endedAtMs: number | null;
  readonly addresses: Map<string, Promise<RentedAddress>>;
}

/** "Container disk: $0.10 per GB and month" (pricing page), of months of 30 days, up. */
const DISK_MICRO_USD = 139n;

export function perHour({ pods, disk }: Purchase): MicroUsd {
  return pods.reduce((sum, pod) => sum + pod.costMicroUsd + DISK_MICRO_USD * BigInt(disk), 0n);
}

export function billOf(purchase: Purchase, nowMs: number): readonly SimBill[] {
  const { id, name: mark, pods, disk, boughtAtMs, endedAtMs } = purchase;
  const ms = Math.max(0, Math.min(nowMs, endedAtMs ?? nowMs) - boughtAtMs);
  const gpus = pods.reduce((sum, pod) => sum + pod.costMicroUsd, 0n);
  const disks = DISK_MICRO_USD * BigInt(disk) * BigInt(pods.length);
  return [
    { id, mark, label: 'GPU', amountMicroUsd: costOver(gpus, ms) },
    { id, mark, label: 'Disk', amountMicroUsd: costOver(disks, ms) },
  ];
}

/** What these lines come to. */
export const dollars = (lines: readonly { readonly amountMicroUsd: MicroUsd }[]): number =>
  Number(lines.reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n)) / 1e6;
