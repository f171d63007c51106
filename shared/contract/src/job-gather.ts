/** What belongs to a job beside its record: the offer that its machine was, the lock of its packages, its figures. */
import type { HitchApi } from './client.ts';
import { HitchError } from './errors.ts';
import { dollars } from './format.ts';
import type { JobId } from './ids.ts';
import { type ComparedJob, compareJobs, type JobComparison } from './job-compare.ts';
import type { Job } from './jobs.ts';
import { isOwnFigure, type JobMetrics, type MetricSeries, MOST_SERIES_PAGE } from './metrics/wire.ts';
import { shownName } from './shown/text.ts';

export interface JobSurroundings extends Pick<ComparedJob, 'attempt' | 'lock'> {
  /** What is not known any more, a sentence each. */
  readonly notes: readonly string[];
}

const missing = (error: unknown): null => {
  if (error instanceof HitchError && error.code === 'NOT_FOUND') {
    return null;
  }
  throw error;
};

/** @throws HitchError */
export async function jobSurroundings(
  api: HitchApi,
  job: Pick<Job, 'name' | 'clusterId' | 'attemptId' | 'environmentId'>,
  signal?: AbortSignal,
): Promise<JobSurroundings> {
  const options = signal === undefined ? {} : { signal };
  const { clusterId, environmentId: id } = job;
  const cluster = await api.clusters.get({ clusterId }, options).catch(missing);
  const attempts = cluster?.nodes.flatMap(node => node.attempts) ?? [];
  const attempt = attempts.find(each => each.id === job.attemptId) ?? null;
  const lock = id === null ? null : await api.environments.get({ id }, options).catch(missing);
  const lost =
    id !== null && lock === null ? [`${job.name}: its lock (${id}) is not on this computer any more.`] : [];
  return { attempt, lock, notes: lost };
}

export interface SurroundingsWords {
  /** The offer that its machine was, with its price; null: not known any more. */
  readonly offer: string | null;
  readonly packages: string;
}

export const surroundingsWords = (
  { environmentId }: Pick<Job, 'environmentId'>,
  { attempt, lock }: Pick<JobSurroundings, 'attempt' | 'lock'>,
): SurroundingsWords => ({
  offer: attempt === null ? null : `${attempt.offerTitle}, ${dollars(attempt.pricePerHourMicroUsd)}/h`,
  packages:
    lock !== null
      ? `${lock.file}, Python ${lock.python} (${lock.id})`
      : environmentId === null
        ? 'Hitch’s own packages'
        : `a lock that is not on this computer any more (${environmentId})`,
});

/** All series of a run, with so many points of each. @param run left out: the latest. */
export async function seriesOf(
  api: HitchApi,
  { id: jobId }: Pick<Job, 'id'>,
  run?: number,
  points = 0,
): Promise<Omit<JobMetrics, 'total'>> {
  const found: MetricSeries[] = [];
  for (;;) {
    const query = { from: found.length, most: MOST_SERIES_PAGE, points };
    const { series, total, ...rest } = await api.jobs.metrics({
      jobId,
      ...query,
      ...(run === undefined ? {} : { run }),
    });
    found.push(...series);
    if (series.length === 0 || found.length >= total) {
      return { ...rest, series: found };
    }
  }
}

/** Its program's own figures, each with its bounds, and what is to be known of them. */
export async function figuresOf(
  api: HitchApi,
  job: Pick<Job, 'id' | 'name'>,
): Promise<Pick<ComparedJob, 'metrics'> & { readonly notes: readonly string[] }> {
  const { series, notes } = await seriesOf(api, job);
  return {
    metrics: series.filter(isOwnFigure),
    notes: notes.map(note => `${job.name}: ${shownName(note)}`),
  };
}

/** All that is known of a job, for a comparison. */
export async function gatherJob(
  api: HitchApi,
  job: Job,
): Promise<{ readonly compared: ComparedJob; readonly notes: readonly string[] }> {
  const [{ metrics, notes: said }, { attempt, lock, notes }] = await Promise.all([
    figuresOf(api, job),
    jobSurroundings(api, job),
  ]);
  return { compared: { job, attempt, lock, metrics }, notes: [...said, ...notes] };
}

/** Two jobs beside each other. */
export interface ComparedJobs {
  readonly names: readonly [string, string];
  readonly comparison: JobComparison;
  /** What of them is not known, a sentence each. */
  readonly notes: readonly string[];
}

/** @throws HitchError: NOT_FOUND where one of them is not there any more. */
export async function gatherTwo(
  api: HitchApi,
  [one, other]: readonly [JobId, JobId],
  nowMs: number,
): Promise<ComparedJobs> {
  const [a, b] = await Promise.all([
    api.jobs.get({ jobId: one }).then(job => gatherJob(api, job)),
    api.jobs.get({ jobId: other }).then(job => gatherJob(api, job)),
  ]);
  return {
    names: [a.compared.job.name, b.compared.job.name],
    comparison: compareJobs(a.compared, b.compared, nowMs),
    notes: [...a.notes, ...b.notes],
  };
}
