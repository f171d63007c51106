/** The figures of all jobs of this node, and the address where programs log with MLflow. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { JobId, Signals } from '@hitch/contract';
import type { MetricPoints, MetricPointsQuery } from '@hitch/contract/src/metrics/wire.ts';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { JobFolder, JobRecord } from '../job-folder.ts';
import { processesWith } from '../../processes/identity.ts';
import { JobMetrics } from './job-metrics.ts';
import { MlflowServer } from './mlflow-server.ts';
import { trackioFolderOf } from './run-metrics.ts';
import { metricVariables } from './variables.ts';

export interface NodeMetricsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly workFolder: string;
  /** Known to nobody but the agent and its daemon. */
  readonly secret: string;
  /** Where the port is written down that running jobs know. */
  readonly portFile: string;
  /** How the machine does now. */
  readonly signals: () => Promise<Signals | null>;
}

export interface FollowedJob {
  readonly record: JobRecord;
  readonly folder: JobFolder;
  readonly isOver: boolean;
}

export class NodeMetrics {
  readonly #options: NodeMetricsOptions;
  readonly #jobs = new Map<JobId, JobMetrics>();
  readonly #followed = new Map<JobId, FollowedJob>();
  readonly #mlflow: MlflowServer;

  constructor(options: NodeMetricsOptions) {
    this.#options = options;
    this.#mlflow = new MlflowServer({
      secret: options.secret,
      now: () => options.clock.now(),
      jobOf: id => (this.#followed.get(id)?.isOver === false ? (this.#jobs.get(id) ?? null) : null),
    });
  }

  /** Gathers them until the job is over and all is read; of one that is over nothing, unless something was left. */
  follow(job: FollowedJob): void {
    const { id } = job.record;
    const { clock, log, workFolder, signals } = this.#options;
    const metrics = new JobMetrics({
      ...{ clock, log, workFolder, signals },
      folder: job.folder,
      record: job.record,
      isOver: () => job.isOver,
      isOurs: path => this.#isOf(job, path),
    });
    this.#jobs.set(id, metrics);
    this.#followed.set(id, job);
    if (!job.isOver || metrics.isOwed) {
      metrics.follow();
    }
  }

  /** Programs that an earlier agent began log to where they were told. */
  async listenAgain(): Promise<void> {
    const port = readPort(this.#options.portFile);
    if (port !== null) {
      await this.#mlflow.listen(port);
    }
  }

  async variables(
    { id, name }: JobRecord,
    given: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> {
    const { portFile, workFolder, log } = this.#options;
    const port = await this.#mlflow.listen(readPort(portFile));
    if (port === null) {
      log.warn('MLflow’s figures are not taken: no port of this machine can be listened on');
    } else {
      writeFileAtomic(portFile, port.toString());
    }
    return metricVariables({
      given: { ...process.env, ...given },
      mlflow: this.#mlflow.accessOf(id),
      trackioFolder: trackioFolderOf(workFolder, name),
    });
  }

  points(id: JobId, run: number): number {
    return this.#jobs.get(id)?.count(run) ?? 0;
  }

  /** Of a job that is there. @throws HitchError NOT_FOUND */
  async page(id: JobId, query: MetricPointsQuery): Promise<MetricPoints> {
    const page = await this.#jobs.get(id)?.page(query);
    const { from } = query;
    return page ?? { run: 1, series: [], from, data: '', next: from, end: 0, notes: [], isOver: true };
  }

  /** On the disk. */
  async bytes({ metrics }: JobFolder): Promise<number> {
    const sizes = await Promise.all(
      namesIn(metrics).map(async name => (await stat(join(metrics, name)).catch(() => null))?.size ?? 0),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Stops gathering; the next agent goes on. */
  async letGo(): Promise<void> {
    this.#mlflow.close();
    await Promise.all([...this.#jobs.values()].map(metrics => metrics.letGo()));
  }

  /** Of two jobs that run in one folder a file is of the one that has it open. */
  async #isOf({ record }: FollowedJob, path: string): Promise<boolean> {
    const { workFolder } = this.#options;
    const isIn = (other: FollowedJob): boolean =>
      !relative(join(workFolder, other.record.spec.folder), path).startsWith('..');
    const rivals = [...this.#followed.values()].filter(
      other => other.record.id !== record.id && !other.isOver && isIn(other),
    );
    return rivals.length === 0 || (await isOpenIn(await processesWith({ HITCH_JOB: record.id }), path));
  }
}

function readPort(file: string): number | null {
  try {
    const port = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
  } catch {
    return null;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** As Linux shows it; elsewhere it is not known, and no file is taken for another job's. */
async function isOpenIn(pids: readonly number[], path: string): Promise<boolean> {
  return pids.some(pid => {
    const folder = `/proc/${pid.toString()}/fd`;
    return namesIn(folder).some(name => {
      try {
        return readlinkSync(join(folder, name)) === path;
      } catch {
        return false;
      }
    });
  });
}
