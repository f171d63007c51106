/** What the agent asks the head's dashboard: is it up, how many nodes live, does anything work. */
import * as z from 'zod';
import { MOST_RAY_JOBS, rayJobSchema, type RayJobs } from '@hitch/contract';
import { requestJson, type Upstream } from '../http/upstream.ts';

const nodesSchema = z.object({
  data: z.object({ result: z.object({ result: z.array(z.object({ state: z.string() })) }) }),
});
const jobsSchema = z.array(
  z.object({
    type: z.string().optional(),
    status: z.string(),
    job_id: z.string().nullish(),
    submission_id: z.string().nullish(),
    entrypoint: z.string().nullish(),
    message: z.string().nullish(),
    start_time: z.number().nullish(),
    end_time: z.number().nullish(),
    driver_info: z.object({ pid: z.coerce.number() }).nullish(),
  }),
);
type RayJob = z.infer<typeof jobsSchema>[number];
const tasksSchema = z.object({
  data: z.object({ result: z.object({ result: z.array(z.object({ name: z.string().nullish() })) }) }),
});
const activitiesSchema = z.record(
  z.string(),
  z.object({ is_active: z.string(), reason: z.string().nullish() }).loose(),
);

const OVER = new Set(['STOPPED', 'SUCCEEDED', 'FAILED']);
const RUNNING_TASKS =
  '/api/v0/tasks?limit=1&filter_keys=state&filter_predicates=%3D&filter_values=RUNNING&timeout=5';

export class RayDashboard {
  readonly #upstream: Upstream;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  async isHealthy(signal: AbortSignal): Promise<boolean> {
    return (await requestJson(this.#upstream, 'GET', '/api/gcs_healthz', { signal })).status === 200;
  }

  /** Nodes alive as the head sees them; null when it does not say. */
  async nodesAlive(signal: AbortSignal): Promise<number | null> {
    const { value } = await requestJson(this.#upstream, 'GET', '/api/v0/nodes?limit=10000', { signal });
    const parsed = nodesSchema.safeParse(value);
    return parsed.success
      ? parsed.data.data.result.result.filter(({ state }) => state === 'ALIVE').length
      : null;
  }

  /** What was submitted to Ray itself, newest first: drivers that a kernel or a job of ours began are none. @throws when it does not answer. */
  async submitted(signal: AbortSignal): Promise<RayJobs> {
    const { value } = await requestJson(this.#upstream, 'GET', '/api/jobs/', { signal });
    const all = jobsSchema
      .parse(value)
      .filter(job => !isDriver(job) && typeof job.submission_id === 'string')
      .toSorted((one, other) => (other.start_time ?? 0) - (one.start_time ?? 0));
    const jobs = all.slice(0, MOST_RAY_JOBS).map(job => ({
      submissionId: job.submission_id ?? '',
      state: rayJobSchema.shape.state.safeParse(job.status.toLowerCase()).data ?? 'unknown',
      entrypoint: job.entrypoint ?? '',
      message: job.message ?? '',
      startedAtMs: job.start_time ?? null,
      endedAtMs: job.end_time ?? null,
    }));
    return { jobs, more: all.length - jobs.length };
  }

  /**
   * What keeps Ray busy, a sentence each: jobs, drivers, running tasks, and what activity hooks report. A kernel that
   * called `ray.init()` is a driver for as long as it lives, working or not, so `isKernel` drivers are left to the
   * kernel's own state; a task that such a kernel left running still counts.
   * @throws when the dashboard does not answer.
   */
  async activity(isKernel: (pid: number) => boolean, signal: AbortSignal): Promise<string[]> {
    const [jobs, tasks, activities] = await Promise.all([
      requestJson(this.#upstream, 'GET', '/api/jobs/', { signal }),
      requestJson(this.#upstream, 'GET', RUNNING_TASKS, { signal }),
      requestJson(this.#upstream, 'GET', '/api/component_activities', { signal }),
    ]);
    const working = jobsSchema
      .parse(jobs.value)
      .filter(job => !OVER.has(job.status) && !(isDriver(job) && isKernel(job.driver_info?.pid ?? 0)))
      .map(
        job =>
          `Ray ${isDriver(job) ? 'driver' : 'job'} ${job.submission_id ?? job.job_id ?? ''} is ${job.status.toLowerCase()}`,
      );
    const running = tasksSchema
      .parse(tasks.value)
      .data.result.result.map(({ name }) => `Ray task ${name ?? ''} is running`);
    // `driver` repeats what the jobs say, kernels included.
    const active = Object.entries(activitiesSchema.parse(activities.value))
      .filter(([component, { is_active: state }]) => component !== 'driver' && state === 'ACTIVE')
      .map(([component, { reason }]) => ['Ray', component, 'is active', reason ?? ''].join(' ').trim());
    return [...working, ...running, ...active];
  }
}

const isDriver = (job: RayJob): boolean => job.type === 'DRIVER';
