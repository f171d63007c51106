/** What keeps this node busy: kernels, Ray, GPUs, transfers, processes. A sentence each; none means idle. */
import { readFileSync } from 'node:fs';
import { BUSY_GPU_PERCENT, type Signals } from '@hitch/contract';
import { type Clock, within } from '@hitch/platform/src/clock.ts';
import type { RayDashboard } from './ray/dashboard.ts';

/** Three questions to Ray's dashboard at each look would be work by themselves. */
const ASK_RAY_EVERY_MS = 15_000;
const RAY_ANSWERS_WITHIN_MS = 10_000;

export interface ActivityOptions {
  readonly clock: Clock;
  readonly kernels: () => readonly string[];
  readonly dashboard: () => RayDashboard | null;
  readonly signals: () => Signals | null;
  readonly transfers: () => number;
  /** Names of the jobs that are not over. */
  readonly jobs: () => readonly string[];
  /** What its other processes do. */
  readonly work: () => readonly string[];
  readonly jupyterPid: () => number | null;
}

/** Without an answer from Ray, what it said last still holds: silence is not idleness. */
export function activityReader(options: ActivityOptions): () => Promise<string[]> {
  let ray: readonly string[] = [];
  let askedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const near = [
      ...options.kernels(),
      ...busyGpus(options.signals()),
      ...(options.transfers() > 0 ? ['files are being sent or fetched'] : []),
      ...options.jobs().map(name => `job ${name} is running`),
      ...options.work(),
    ];
    const dashboard = options.dashboard();
    if (dashboard === null) {
      return near;
    }
    if (options.clock.monotonic() - askedAt >= ASK_RAY_EVERY_MS) {
      askedAt = options.clock.monotonic();
      ray = await askRay(options, dashboard).catch(() => ray);
    }
    return [...near, ...ray];
  };
}

function askRay(options: ActivityOptions, dashboard: RayDashboard): Promise<string[]> {
  const server = options.jupyterPid();
  return within(options.clock, RAY_ANSWERS_WITHIN_MS, signal =>
    dashboard.activity(pid => server !== null && parentOf(pid) === server, signal),
  );
}

function busyGpus(signals: Signals | null): string[] {
  return (signals?.gpus ?? [])
    .filter(({ utilizationPercent }) => (utilizationPercent ?? 0) > BUSY_GPU_PERCENT)
    .map(gpu => `GPU ${gpu.index.toString()} is at ${Math.round(gpu.utilizationPercent ?? 0).toString()} %`);
}

/** The parent of a process; null where the system does not tell in a file. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid.toString()}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}
