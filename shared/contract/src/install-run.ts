/**
 * Installs a package on all machines of a running cluster, into the layer of its environment that kernels see at once: as a job,
 * which has a log, can be stopped and goes on without the page. What was installed so is noted by each machine's agent, and the
 * next start has it too.
 */
import type { HitchApi } from './client.ts';
import type { Cluster } from './clusters.ts';
import { isJobOver, type Job, jobSpecSchema } from './jobs.ts';

export interface InstallRun {
  readonly api: Pick<HitchApi, 'jobs'>;
  readonly cluster: Pick<Cluster, 'id' | 'engine' | 'nodes'>;
  /** As `readRequirement` gives it. */
  readonly requirement: string;
  /** Stops it. */
  readonly signal: AbortSignal;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

const LOOK_EVERY_MS = 500;
/** A daemon that is away so often in a row is no longer waited for; the job goes on without. */
const TRIES = 60;

/** The environment's own Python has pip, and it is the first on every machine's PATH. */
const commandFor = (requirement: string): string[] => ['python', '-m', 'pip', 'install', requirement];

/** On how many machines it is installed: without Ray programs begin on the first alone. */
export const machinesFor = ({ engine, nodes }: Pick<Cluster, 'engine' | 'nodes'>): number =>
  engine === 'ray' ? Math.max(1, nodes.filter(({ phase }) => phase === 'ready').length) : 1;

/** @returns the job as it ended. @throws HitchError when it could not be begun, or the daemon stayed away. */
export async function runInstall({ api, cluster, requirement, signal, sleep }: InstallRun): Promise<Job> {
  const command = commandFor(requirement);
  const nodes = machinesFor(cluster);
  const work =
    nodes === 1 ? { kind: 'command', command } : { kind: 'nodes', nodes, torchrun: false, command };
  const { id: jobId } = await api.jobs.start({ clusterId: cluster.id, spec: jobSpecSchema.parse({ work }) });
  let asked = false;
  for (let failures = 0; ;) {
    try {
      if (signal.aborted && !asked) {
        await api.jobs.stop({ jobId });
        asked = true;
      }
      const job = await api.jobs.get({ jobId });
      if (isJobOver(job.state)) {
        return job;
      }
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures === TRIES) {
        throw error;
      }
    }
    await sleep(LOOK_EVERY_MS, asked ? undefined : signal).catch(() => undefined);
  }
}
