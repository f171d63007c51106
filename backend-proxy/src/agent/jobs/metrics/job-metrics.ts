/** The figures of one job, run after run: gathered while it runs, by whichever agent is there, and read by the daemon. */
import { join } from 'node:path';
import type { MetricPoints, MetricPointsQuery } from '@hitch/contract/src/metrics/wire.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { type JobFolder, type JobRecord, type JobSaid, runAsked } from '../job-folder.ts';
import type { MlflowJob } from './mlflow-server.ts';
import { PointsFile } from './points-file.ts';
import { RunMetrics, type RunPlace, trackioFolderOf } from './run-metrics.ts';

export interface JobMetricsOptions extends Pick<RunPlace, 'signals' | 'isOurs'> {
  readonly clock: Clock;
  readonly log: Log;
  readonly workFolder: string;
  readonly folder: JobFolder;
  readonly record: JobRecord;
  /** The job is over, or never ran. */
  readonly isOver: () => boolean;
}

const LOOK_EVERY_MS = 1_000;

export class JobMetrics implements MlflowJob {
  readonly #options: JobMetricsOptions;
  readonly #leaving = new AbortController();
  readonly #files = new Map<number, PointsFile>();
  #current: { readonly points: PointsFile; readonly metrics: RunMetrics } | null = null;
  #following: Promise<void> = Promise.resolve();
  #isFollowing = false;

  constructor(options: JobMetricsOptions) {
    this.#options = options;
  }

  get id(): MlflowJob['id'] {
    return this.#options.record.id;
  }

  get folder(): string {
    return join(this.#options.workFolder, this.#options.record.spec.folder);
  }

  /** Until all of its runs are over and read. */
  follow(): void {
    if (!this.#isFollowing) {
      this.#isFollowing = true;
      this.#following = this.#follow()
        // The agent leaves: the next one goes on.
        .catch(() => undefined)
        .finally(() => {
          this.#current = null;
          this.#isFollowing = false;
        });
    }
  }

  async letGo(): Promise<void> {
    this.#leaving.abort(new Error('the agent leaves'));
    await this.#following;
  }

  /** An earlier agent ended before all was read. */
  get isOwed(): boolean {
    const last = this.#options.folder.said?.runs.at(-1)?.number;
    return last !== undefined && this.#file(last)?.isOver === false;
  }

  /** How many points of a run are kept. */
  count(run: number): number {
    return this.#file(run)?.end ?? 0;
  }

  takerOf(run: string): ReturnType<PointsFile['takerOf']> | null {
    return this.#current?.points.takerOf('mlflow', run) ?? null;
  }

  async kept(): Promise<void> {
    await this.#save(false);
  }

  /** @throws HitchError NOT_FOUND */
  async page({ run: asked, ...query }: MetricPointsQuery): Promise<MetricPoints> {
    const run = runAsked(this.#options.folder.said, asked);
    const file = this.#file(run);
    if (file === null) {
      // One that never ran has none, and one of before this agent kept figures.
      const isOver = this.#options.isOver() && !this.#isFollowing;
      return { run, series: [], from: query.from, data: '', next: query.from, end: 0, notes: [], isOver };
    }
    const page = await file.page(query);
    return this.#isFollowing ? page : { ...page, isOver: true };
  }

  #file(run: number): PointsFile | null {
    const known = this.#files.get(run);
    if (known !== undefined || !PointsFile.exists(this.#folder, run)) {
      return known ?? null;
    }
    const file = new PointsFile(this.#folder, run);
    this.#files.set(run, file);
    return file;
  }

  get #folder(): string {
    return this.#options.folder.metrics;
  }

  async #follow(): Promise<void> {
    const { clock, folder, isOver, log } = this.#options;
    const { signal } = this.#leaving;
    for (let problem = ''; ;) {
      // In this order: a job that is over begins no other run.
      const wasOver = isOver();
      try {
        for (const run of folder.said?.runs ?? []) {
          await this.#lookAt(run);
        }
        if (wasOver) {
          return;
        }
        problem = '';
      } catch (error) {
        // A full disk, as a rule: what was read waits in memory until there is room.
        if (problem !== errorText(error)) {
          problem = errorText(error);
          log.warn('The figures of a job cannot be kept', { jobId: this.id, error: problem });
        }
      }
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async #lookAt(run: JobSaid['runs'][number]): Promise<void> {
    const points = this.#file(run.number) ?? new PointsFile(this.#folder, run.number);
    this.#files.set(run.number, points);
    if (points.isOver) {
      return;
    }
    if (this.#current?.points !== points) {
      const before = this.#file(run.number - 1)?.read ?? null;
      this.#current = { points, metrics: new RunMetrics(this.#placeOf(run), points, before) };
    }
    const isOver = run.endedAtMs !== null;
    const { metrics } = this.#current;
    for (let more = true; more && !this.#leaving.signal.aborted;) {
      more = await metrics.look(isOver);
      await this.#save(isOver && !more);
    }
  }

  #placeOf(run: JobSaid['runs'][number]): RunPlace {
    const { clock, workFolder, record, folder, signals, isOurs } = this.#options;
    return {
      ...{ folder: this.folder, signals, isOurs },
      trackioFolder: trackioFolderOf(workFolder, record.name),
      logFolder: folder.log(run.number),
      startedAtMs: run.startedAtMs,
      patterns: record.spec.metricPatterns,
      now: () => clock.now(),
    };
  }

  async #save(isOver: boolean): Promise<void> {
    if (this.#current !== null) {
      const { points, metrics } = this.#current;
      await points.save(() => metrics.read, isOver);
    }
  }
}
