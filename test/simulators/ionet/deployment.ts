/**
 * A deployment of the simulated io.net and what becomes of it as time passes. Sold by whole hours that are paid at once; the
 * first is kept, and of the others what was not used comes back (documentation, `vmaas/destroy-deployment`: three hours paid,
 * deleted after 1.2 of them, charged for 1.2). Of a container nothing comes back (`cli/deployment.py` of `ionet-cloud` 0.4.1:
 * "Prepaid time is not refunded").
 */
import { costOver, type MicroUsd } from '@hitch/contract';
import type { Hardware } from './hardware.ts';
import type { ContainerOrder } from './requests.ts';

export const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export type Product = 'vmaas' | 'caas';

export interface Deployment {
  readonly id: string;
  readonly product: Product;
  /** `resource_private_name`: shown as `name`, by the list alone (`VmInstance.refresh` of `iocloud/resources/vms.py`). */
  readonly name: string;
  readonly key: string;
  readonly hardware: Hardware;
  readonly sshKeys: Readonly<Record<string, string>>;
  readonly githubIds: readonly string[];
  /** What a container runs; null: it is a virtual machine. */
  readonly container: ContainerOrder | null;
  readonly perHourMicroUsd: MicroUsd;
  readonly createdAtMs: number;
  /** When it runs. */
  readonly startedAtMs: number;
  hours: number;
  /** How often more hours were bought. */
  timesMore: number;
  paidMicroUsd: MicroUsd;
  /** When somebody asked to end it; null: nobody did. */
  endAskedAtMs: number | null;
  /** When what was asked to end has ended. */
  goneAtMs: number | null;
}

/** When what is paid is over. */
export const paidUntil = ({ createdAtMs, hours }: Deployment): number => createdAtMs + hours * HOUR_MS;

/** When it ended; null: it stands. Whether it ends by itself or because somebody asked, whichever was first. */
export function endedAt(deployment: Deployment, nowMs: number): number | null {
  const endMs = Math.min(paidUntil(deployment), deployment.goneAtMs ?? Number.POSITIVE_INFINITY);
  return endMs <= nowMs ? endMs : null;
}

/** The words of `VmStatus` (`iocloud/types.py`). */
export function statusOf(deployment: Deployment, nowMs: number): string {
  const endMs = endedAt(deployment, nowMs);
  if (endMs !== null) {
    return endMs === deployment.goneAtMs ? 'destroyed' : 'completed';
  }
  if (deployment.endAskedAtMs !== null) {
    return 'termination requested';
  }
  return deployment.startedAtMs <= nowMs ? 'running' : 'deployment requested';
}

/**
 * What it costs in the end, or did until now. Nobody has written down whether time counts from the order or from when it runs:
 * here from the order, which costs more.
 */
export function costOf(deployment: Deployment, nowMs: number): MicroUsd {
  const { perHourMicroUsd, createdAtMs, product, paidMicroUsd } = deployment;
  if (product === 'caas') {
    return paidMicroUsd;
  }
  const used = costOver(perHourMicroUsd, (endedAt(deployment, nowMs) ?? nowMs) - createdAtMs);
  return used > perHourMicroUsd ? used : perHourMicroUsd;
}

export interface Minutes {
  readonly served: number;
  readonly remaining: number;
}

/** Whole minutes, as both answers have them. */
export function minutesOf(deployment: Deployment, nowMs: number): Minutes {
  const endMs = endedAt(deployment, nowMs);
  const served = Math.floor(((endMs ?? nowMs) - deployment.createdAtMs) / MINUTE_MS);
  return { served, remaining: endMs === null ? deployment.hours * 60 - served : 0 };
}
