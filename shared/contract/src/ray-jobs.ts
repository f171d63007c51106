/** What was submitted to the Ray of clusters itself, in words: shown beside our jobs in all clients, and Ray's own to stop. */
import type { HitchApi } from './client.ts';
import { HitchError } from './errors.ts';
import { elapsed } from './format.ts';
import type { RayJob } from './jobs.ts';

export interface ClusterRayJob extends RayJob {
  readonly clusterId: string;
  readonly clusterName: string;
}

/** Of all clusters whose Ray runs; one that does not answer is said in `notes`, and hides no other. */
export async function rayJobsOf(
  api: HitchApi,
  signal?: AbortSignal,
): Promise<{ readonly jobs: readonly ClusterRayJob[]; readonly notes: readonly string[] }> {
  const options = signal === undefined ? {} : { signal };
  const clusters = (await api.clusters.list(undefined, options)).filter(
    ({ engine, conditions }) => engine === 'ray' && conditions.engine.status === 'yes',
  );
  const found = await Promise.all(
    clusters.map(async ({ id: clusterId, name: clusterName }) => {
      try {
        const { jobs, more } = await api.jobs.ofRay({ clusterId }, options);
        const left =
          more === 0 ? [] : [`${more.toString()} older jobs of the Ray of ${clusterName} are not shown.`];
        return { jobs: jobs.map(job => ({ ...job, clusterId, clusterName })), notes: left };
      } catch (error) {
        if (!(error instanceof HitchError)) {
          throw error;
        }
        return {
          jobs: [],
          notes: [`What was submitted to the Ray of ${clusterName} is not known: ${error.message}`],
        };
      }
    }),
  );
  return { jobs: found.flatMap(({ jobs }) => jobs), notes: found.flatMap(({ notes }) => notes) };
}

const WORDS: Readonly<Record<RayJob['state'], string>> = {
  pending: 'Starting',
  running: 'Running',
  stopped: 'Stopped',
  succeeded: 'Finished',
  failed: 'Failed',
  unknown: 'State not known',
};

/** `Running, 2:31`, as of our own. */
export function rayJobLine({ state, startedAtMs, endedAtMs }: RayJob, nowMs: number): string {
  const ran =
    startedAtMs === null || state === 'pending' ? null : Math.max(0, (endedAtMs ?? nowMs) - startedAtMs);
  return ran === null ? WORDS[state] : `${WORDS[state]}, ${elapsed(ran)}`;
}

/** How it is stopped: by Ray's own program, on its machine. */
export const rayStopWords = ({ submissionId, clusterName }: ClusterRayJob): string =>
  `Ray runs it. To stop it, in a terminal of ${clusterName}: ray job stop ${submissionId}; its log: ray job logs ${submissionId}`;
