/**
 * The jobs of this node. Each is looked after by a small program of its own (python/hitch_job/runner.py) that outlives the
 * agent; here they are begun, listed, read and asked to end, and taken over by the next agent.
 */
import { join } from 'node:path';
import { HitchError, type JobId, MOST_LIVE_JOBS, MOST_NODE_JOBS, type NodeJob } from '@hitch/contract';
import type { MetricPoints, MetricPointsQuery } from '@hitch/contract/src/metrics/wire.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import { NodeMetrics, type NodeMetricsOptions } from './metrics/node-metrics.ts';
import { JobFolder, type JobRecord, jobsIn } from './job-folder.ts';
import type { JobPlace } from './job-place.ts';
import { Job } from './node-job.ts';
import { JOB_PROGRAM } from './python-texts.ts';

export interface JobsOptions
  extends
    Pick<JobPlace, 'ref' | 'workFolder' | 'python' | 'ready' | 'changed'>,
    Pick<NodeMetricsOptions, 'secret' | 'signals'> {
  readonly clock: Clock;
  readonly log: Log;
  /** Theirs alone. */
  readonly folder: string;
  /** Of the log of one job, and of those of all that are over. */
  readonly limits: { readonly logBytes: number; readonly overBytes: number };
}

export class Jobs {
  readonly #options: JobsOptions;
  readonly #place: JobPlace;
  readonly #jobs = new Map<JobId, Job>();
  readonly #metrics: NodeMetrics;
  #read: Promise<void> | null = null;

  constructor(options: JobsOptions) {
    this.#options = options;
    const { clock, log, ref, workFolder, python, ready, changed, limits, folder } = options;
    const program = join(folder, 'program');
    const { secret, signals } = options;
    const portFile = join(folder, 'mlflow-port');
    this.#metrics = new NodeMetrics({ clock, log, workFolder, secret, signals, portFile });
    this.#place = {
      ...{ clock, log, ref, workFolder, python, ready, changed, program },
      logBytes: limits.logBytes,
      metricVariables: (record, given) => this.#metrics.variables(record, given),
      points: (id, run) => this.#metrics.points(id, run),
    };
  }

  /** Takes over what an earlier agent began, unless the node has ended. */
  async resume({ follow }: { follow: boolean }): Promise<void> {
    await this.#known();
    if (follow) {
      if (this.live.length > 0) {
        await this.#metrics.listenAgain();
      }
      this.#jobs.forEach(job => {
        job.follow();
        this.#metrics.follow(job);
      });
    }
  }

  /** @throws HitchError CONFLICT when too many run. */
  async start(asked: Pick<JobRecord, 'id' | 'name' | 'engine' | 'spec'>): Promise<NodeJob> {
    const { id } = asked;
    await this.#known();
    const known = this.#jobs.get(id);
    if (known !== undefined) {
      return known.state();
    }
    if (this.live.length >= MOST_LIVE_JOBS) {
      throw new HitchError('CONFLICT', `${MOST_LIVE_JOBS.toString()} jobs run here already.`, {
        next: 'Stop one of them, or wait until one is over.',
      });
    }
    for (const [name, text] of Object.entries(JOB_PROGRAM)) {
      writeFileAtomic(join(this.#place.program, name), text);
    }
    const folder = new JobFolder(join(this.#options.folder, id));
    const record = { ...asked, createdAtMs: this.#options.clock.now(), notRun: null };
    folder.write(record);
    const job = new Job(folder, record, this.#place);
    this.#jobs.set(id, job);
    this.#options.log.info('A job begins', { jobId: id });
    job.follow();
    this.#metrics.follow(job);
    void this.#makeRoom();
    this.#options.changed();
    return job.state();
  }

  /** Those that are not over, and the latest of the others. */
  async list(): Promise<NodeJob[]> {
    await this.#known();
    const live = new Set(this.live);
    const over = [...this.#jobs.values()].filter(job => !live.has(job));
    const listed = new Set([...live, ...over.slice(-(MOST_NODE_JOBS - live.size))]);
    return Promise.all([...this.#jobs.values()].filter(job => listed.has(job)).map(job => job.state()));
  }

  /** @throws HitchError NOT_FOUND */
  async get(id: JobId): Promise<Job> {
    await this.#known();
    const job = this.#jobs.get(id);
    if (job === undefined) {
      throw new HitchError('NOT_FOUND', 'There is no such job on this machine.');
    }
    return job;
  }

  async stop(id: JobId): Promise<NodeJob> {
    const job = await this.get(id);
    await job.stop('stopped');
    return job.state();
  }

  /** Points of its figures. @throws HitchError NOT_FOUND */
  async metrics(id: JobId, query: MetricPointsQuery): Promise<MetricPoints> {
    await this.get(id);
    return this.#metrics.page(id, query);
  }

  /** Those that are not over. */
  get live(): readonly Job[] {
    return [...this.#jobs.values()].filter(job => !job.isOver);
  }

  /** Ends all of them, because the node ends; each has a moment to write its last checkpoint. */
  async endAll(graceMs: number, signal: AbortSignal): Promise<void> {
    await Promise.allSettled(
      this.live.map(async job => {
        await job.stop('cluster', graceMs);
        await job.ended(signal);
      }),
    );
  }

  /** Stops following; the jobs go on, for the next agent to take over. */
  async letGo(): Promise<void> {
    await Promise.all([...this.live.map(job => job.letGo()), this.#metrics.letGo()]);
  }

  #known(): Promise<void> {
    return (this.#read ??= this.#readAll());
  }

  async #readAll(): Promise<void> {
    for (const id of await jobsIn(this.#options.folder)) {
      const folder = new JobFolder(join(this.#options.folder, id));
      const { record } = folder;
      if (record === null) {
        this.#options.log.warn('A job’s folder cannot be read', { jobId: id });
      } else {
        this.#jobs.set(id, new Job(folder, record, this.#place));
      }
    }
  }

  /** The logs and figures of jobs that are over share a bound; the oldest go first, and their extents say that they are gone. */
  async #makeRoom(): Promise<void> {
    const over = [...this.#jobs.values()].filter(job => job.isOver);
    const sizes = await Promise.all(
      over.map(async job => (await job.logBytes()) + (await this.#metrics.bytes(job.folder))),
    );
    let bytes = sizes.reduce((sum, size) => sum + size, 0);
    for (const [at, job] of over.entries()) {
      if (bytes <= this.#options.limits.overBytes) {
        return;
      }
      bytes -= sizes[at] ?? 0;
      await job.removeLogs();
      this.#options.log.warn(
        'The log and the figures of a job that is over were removed to keep within the bound',
        {
          jobId: job.record.id,
          bytes: sizes[at] ?? 0,
        },
      );
    }
  }
}
