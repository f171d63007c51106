/**
 * What is remembered of deployments' jobs. A list of deployments says of each how many of its jobs run (`active_jobs`, counted
 * by `deploymentsHandler` in `list.ts` of nosana-ci/nosana-deployment-manager), and not since when; jobs are listed for one
 * deployment at a time (`getDeploymentJobs.ts`). So a job's start, which never changes, is asked for once.
 */
import type { Clock } from '@hitch/platform/src/clock.ts';
import { runs } from './instances.ts';
import type { Deployment, Job } from './shapes.ts';

/** Where none runs, whether one waits or has ended shows in the jobs alone: they are asked for again after this. */
const IDLE_LASTS_MS = 30_000;

interface Known {
  readonly status: string;
  readonly jobs: readonly Job[];
  readonly atMs: number;
}

export class KnownJobs {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #of = new Map<string, Known>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Those of a deployment as a list shows it; null: they have to be asked for. */
  of({ id, status, active_jobs: active }: Deployment): readonly Job[] | null {
    const known = this.#of.get(id);
    if (known?.status !== status) {
      return null;
    }
    const running = known.jobs.filter(runs);
    const lasts =
      running.length > 0
        ? running.every(({ time_start: atS }) => atS > 0)
        : this.#clock.monotonic() - known.atMs < IDLE_LASTS_MS;
    return running.length === active && lasts ? known.jobs : null;
  }

  keep({ id, status }: Deployment, jobs: readonly Job[]): void {
    this.#of.set(id, { status, jobs, atMs: this.#clock.monotonic() });
  }

  /** Forgets those of every other deployment. */
  keepOnly(deployments: readonly Deployment[]): void {
    const there = new Set(deployments.map(({ id }) => id));
    [...this.#of.keys()].filter(id => !there.has(id)).forEach(id => this.#of.delete(id));
  }
}
