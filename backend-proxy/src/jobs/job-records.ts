/** The records of jobs, and how each is shown: with what its machine said last, what it cost, what is kept of its logs. */
import {
  type ClusterId,
  HitchError,
  isJobOver,
  type Job,
  type JobId,
  type JobQueue,
  type JobRental,
  type MicroUsd,
  type NodeJob,
} from '@hitch/contract';
import { machinesLeft } from '../ledger/cluster-state.ts';
import {
  type JobBucketRecord,
  type JobQueueRecord,
  jobs as jobKind,
  type JobRecord,
  type JobRentalRecord,
} from '../ledger/kinds/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { totalCost } from '../spend/cost.ts';
import { money } from '../spend/usage.ts';
import { KeptLog } from './kept-log.ts';
import { KeptMetrics } from './kept-metrics.ts';

export interface JobRecordsOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly ledger: Pick<Ledger, 'transact' | 'state' | 'kept'>;
  /** Where logs are kept here. */
  readonly folder: string;
}

type Change = Partial<Pick<JobRecord, 'owes' | 'state' | 'message' | 'runs' | 'heardAtMs' | 'logDone'>>;

/** What a machine says of a job, with its runs numbered after those of the machines before it. */
export function numbered({ runs, runsBefore }: JobRecord, news: NodeJob): NodeJob {
  return {
    ...news,
    runs: [
      ...runs.slice(0, runsBefore),
      ...news.runs.map(run => ({ ...run, number: run.number + runsBefore })),
    ],
  };
}

/** The same the other way: a job as its present machine knows it. */
export const onItsMachine = (record: JobRecord): JobRecord => ({
  ...record,
  runs: record.runs.slice(record.runsBefore).map(run => ({ ...run, number: run.number - record.runsBefore })),
});

const shownBucket = ({ url, checkpoint, message }: JobBucketRecord): JobRental['bucket'] => ({
  url,
  checkpoint,
  message,
});

const shownQueue = ({ capMicroUsd: _cap, ...queue }: JobQueueRecord): JobQueue => queue;

export class JobRecords {
  /** What machines said last, with how far logs have grown. */
  readonly #heard = new Map<JobId, NodeJob>();
  /** What is wrong with what a machine says of its jobs at present, as a sentence. */
  readonly #wrong = new Map<ClusterId, string>();
  readonly #options: JobRecordsOptions;

  /** Figures of all of them. */
  readonly metrics: KeptMetrics;

  constructor(options: JobRecordsOptions) {
    this.#options = options;
    this.metrics = new KeptMetrics(options.folder);
  }

  nowMs(): number {
    return this.#options.clock.now();
  }

  /** Oldest first. */
  all(): JobRecord[] {
    return [...this.#options.ledger.kept.all(jobKind)].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Those of which there is something to hear from a machine. */
  open(): JobRecord[] {
    return this.all().filter(({ logDone, attemptId }) => !logDone && attemptId !== null);
  }

  /** @throws HitchError NOT_FOUND */
  find(id: JobId): JobRecord {
    const record = this.#options.ledger.kept.get(jobKind, id);
    if (record === undefined) {
      throw new HitchError('NOT_FOUND', 'There is no such job.', { next: 'Look at hitch job ls.' });
    }
    return record;
  }

  heard(id: JobId): NodeJob | undefined {
    return this.#heard.get(id);
  }

  /** Its machine is gone: what that said is in the record. */
  forget(id: JobId): void {
    this.#heard.delete(id);
  }

  understood(id: JobId, news: NodeJob): void {
    this.#heard.set(id, news);
    this.#wrong.delete(this.find(id).clusterId);
  }

  /** Until its machine says something that is understood, its jobs say so. */
  misunderstood(clusterId: ClusterId, sentence: string): void {
    this.#wrong.set(clusterId, sentence);
  }

  async change(id: JobId, change: Change): Promise<void> {
    await this.#options.ledger.transact(tx => {
      const record = tx.get(jobKind, id);
      if (record !== undefined) {
        tx.put(jobKind, { ...record, ...change });
      }
    });
  }

  /** Whether the machine that it was started on is still the cluster's. */
  hasMachine({ clusterId, attemptId }: JobRecord): boolean {
    const state = this.#options.ledger.state(clusterId);
    return state?.attempts.some(({ id, state: is }) => id === attemptId && is === 'owned') === true;
  }

  log(id: JobId): KeptLog {
    return new KeptLog(this.#options.folder, id);
  }

  async shown(record: JobRecord): Promise<Job> {
    const { owes: _owes, logDone: _done, runsBefore: _before, rental, ...rest } = record;
    const heard = isJobOver(record.state) ? undefined : this.#heard.get(record.id);
    const runs = [...(heard?.runs.length === record.runs.length ? heard.runs : record.runs)];
    const log = this.log(record.id);
    const glance = await this.metrics.glance(record.id, Math.max(1, runs.length));
    return {
      ...rest,
      message: (isJobOver(record.state) ? undefined : this.#wrong.get(record.clusterId)) ?? rest.message,
      runs,
      costMicroUsd: this.#cost(record, runs),
      ...(glance === null ? {} : { glance }),
      ...(rental === null ? {} : { rental: this.#rental(record, rental) }),
      kept: await Promise.all(runs.map(async ({ number: run }) => ({ run, bytes: await log.bytes(run) }))),
    };
  }

  #rental({ clusterId }: JobRecord, rental: JobRentalRecord): JobRental {
    const { stage, message, limits, waitsUntilMs, replaced, checkpointFolder, checkpoint, template } = rental;
    const state = this.#options.ledger.state(clusterId);
    return {
      stage,
      message,
      limits,
      waitsUntilMs,
      replaced,
      checkpointFolder,
      checkpoint,
      template,
      ...(rental.bucket === null ? {} : { bucket: shownBucket(rental.bucket) }),
      ...(rental.queue === null ? {} : { queue: shownQueue(rental.queue) }),
      saved: [...(state?.cluster.saved ?? [])],
      machinesLeft: (state?.attempts ?? []).reduce((sum, attempt) => sum + machinesLeft(attempt), 0),
    };
  }

  /** What its cluster cost in a stretch of time; null: nothing is counted for it. */
  costBetween({ clusterId }: JobRecord, fromMs: number, untilMs: number): MicroUsd | null {
    const segments = this.#options.ledger.state(clusterId)?.segments;
    return segments === undefined ? null : totalCost(segments, untilMs, fromMs);
  }

  /** What its cluster cost while it ran, whatever else ran there; all that its own cluster cost where it rents. */
  #cost({ clusterId, rental }: JobRecord, runs: NodeJob['runs']): string | null {
    const segments = this.#options.ledger.state(clusterId)?.segments;
    const nowMs = this.#options.clock.now();
    if (rental !== null) {
      return money(segments === undefined ? 0n : totalCost(segments, nowMs));
    }
    return segments === undefined
      ? null
      : money(
          runs.reduce(
            (sum, { startedAtMs, endedAtMs }) => sum + totalCost(segments, endedAtMs ?? nowMs, startedAtMs),
            0n,
          ),
        );
  }
}
