/**
 * The jobs of all clusters. A record is written before the machine is asked, and what machines say of their jobs is
 * listened to while any is not over; their logs are fetched meanwhile, so that they can be read when the machine is gone.
 */
import {
  type ClusterId,
  HitchError,
  isJobOver,
  type Job,
  type JobFinds,
  type JobId,
  type JobLogPage,
  type jobLogQuerySchema,
  type jobSearchQuerySchema,
  type JobSpec,
  type NodeJob,
  type RayJobs,
} from '@hitch/contract';
import type {
  JobMetrics as ShownMetrics,
  MetricPoints,
  MetricPointsQuery,
  MetricsQuery,
} from '@hitch/contract/src/metrics/wire.ts';
import type * as z from 'zod';
import type { AgentLink } from '../access/agent-link.ts';
import { eachOnce } from '../access/asked-for.ts';
import { NotUnderstood } from '../access/not-understood.ts';
import { presentNodes } from '../ledger/cluster-state.ts';
import { jobs as jobKind, type JobRecord } from '../ledger/kinds/job.ts';
import { type Clock, repeat, type Timer, within } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { checkNews, isUnclear } from './believed.ts';
import { lost } from './lost.ts';
import { JobAgents } from './job-agents.ts';
import { JobMetrics } from './job-metrics.ts';
import { JobLogs } from './job-logs.ts';
import type { LogBytesQuery, LogToSend } from './log-bytes.ts';
import { JobRecords, type JobRecordsOptions, numbered, onItsMachine } from './job-records.ts';
import { removeOthers } from './kept-log.ts';
import { loseRented, stopRented } from './rented/transitions.ts';
import { freeName, jobNameFor, nameTaken } from './names.ts';
import { checkNodes } from './several-nodes.ts';

export interface JobsOptions extends JobRecordsOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** The way to a cluster's head. @throws HitchError UNREACHABLE */
  readonly linkFor: (clusterId: ClusterId) => AgentLink;
}

const LOOK_EVERY_MS = 1_000;
const LOOK_AGAIN_MS = 50;
const LAST_WITHIN_MS = 4_000;
/** Jobs may write a last checkpoint when their cluster ends. */
const END_WITHIN_MS = 30_000;

export class Jobs {
  readonly #options: JobsOptions;
  readonly #records: JobRecords;
  readonly #looks = new Map<ClusterId, Promise<void>>();
  readonly #ending = new AbortController();
  readonly #agents: JobAgents;
  readonly #logs: JobLogs;
  readonly #metrics: JobMetrics;
  #timer: Timer | null = null;

  constructor(options: JobsOptions) {
    const { clock, linkFor } = options;
    const { signal: ending } = this.#ending;
    this.#options = options;
    this.#records = new JobRecords(options);
    this.#agents = new JobAgents({ clock, linkFor, ending });
    this.#metrics = new JobMetrics(this.#records, this.#agents);
    this.#logs = new JobLogs(this.#records, this.#agents, clock, ending);
  }

  /** Listens until {@link close}. */
  start(): void {
    const { clock, folder, log } = this.#options;
    void removeOthers(folder, id =>
      // The first job's folder has the files that all of its queue share.
      this.#records.all().some(job => job.id === id || job.rental?.queue?.id === id),
    ).catch((error: unknown) =>
      log.warn('Old logs of jobs could not be removed', { error: errorText(error) }),
    );
    this.#timer = repeat(clock, LOOK_EVERY_MS, async () => this.#lookAround());
  }

  close(): void {
    this.#timer?.cancel();
    this.#ending.abort(new Error('the daemon ends'));
  }

  /** Resolves once the record is durable and the machine has it, or may have it. @throws HitchError */
  async begin(clusterId: ClusterId, spec: JobSpec, name?: string): Promise<Job> {
    const { clock, ids, ledger, linkFor } = this.#options;
    linkFor(clusterId);
    const state = ledger.state(clusterId);
    const attemptId = state === undefined ? null : (presentNodes(state)[0]?.attemptId ?? null);
    if (state === undefined || attemptId === null || state.cluster.desired === 'stopped') {
      throw new HitchError('CONFLICT', 'This cluster runs no jobs: it has no machine, or it ends.', {
        next: 'Start it again first.',
      });
    }
    checkNodes(spec, state);
    const id = ids.next('job');
    await ledger.transact(tx => {
      const taken = (wanted: string): boolean => [...tx.all(jobKind)].some(job => job.name === wanted);
      if (name !== undefined && taken(name)) {
        throw nameTaken(name);
      }
      tx.put(jobKind, {
        id,
        name: name ?? jobNameFor(spec.work, taken),
        clusterId,
        clusterName: state.cluster.name,
        attemptId,
        environmentId: state.cluster.environment.id,
        createdAtMs: clock.now(),
        spec,
        owes: 'start',
        state: 'waiting',
        message: '',
        runs: [],
        runsBefore: 0,
        heardAtMs: null,
        logDone: false,
        rental: null,
      });
    });
    await this.#tell(this.#records.find(id)).catch((error: unknown) => {
      // The machine may have it all the same: it is asked again with the same id until it answers.
      if (isUnclear(error)) {
        return;
      }
      throw error;
    });
    return this.get(id);
  }

  /** The same again, as another job on the same cluster. */
  async again(id: JobId): Promise<Job> {
    const { clusterId, spec, name, rental } = this.#records.find(id);
    if (rental !== null) {
      throw new HitchError('CONFLICT', `${name} rented its own machine, and another run rents again.`, {
        next: 'Approve that with “hitch job run --rent”.',
      });
    }
    const stem = name.replace(/-\d+$/, '');
    const next = freeName(stem, wanted => this.#records.all().some(job => job.name === wanted));
    return this.begin(clusterId, spec, next);
  }

  /** Oldest first. */
  async list(clusterId?: ClusterId): Promise<Job[]> {
    const records = this.#records.all().filter(job => clusterId === undefined || job.clusterId === clusterId);
    return Promise.all(records.map(record => this.#records.shown(record)));
  }

  /** @throws HitchError NOT_FOUND */
  get(id: JobId): Promise<Job> {
    return this.#records.shown(this.#records.find(id));
  }

  /** How many of a cluster are not over. */
  running(clusterId: ClusterId): number {
    return this.#records.all().filter(job => job.clusterId === clusterId && !isJobOver(job.state)).length;
  }

  /** Asks it to end. While its machine does not answer that is owed, and said once it does. */
  async stop(id: JobId): Promise<Job> {
    const record = this.#records.find(id);
    if (record.rental !== null) {
      await this.#options.ledger.transact(tx => stopRented(tx, id));
    } else if (!isJobOver(record.state)) {
      await this.#records.change(id, { owes: record.owes === 'start' ? 'start' : 'stop', state: 'stopping' });
      await this.#tell(this.#records.find(id)).catch(() => undefined);
    }
    return this.get(id);
  }

  /** What was submitted to the cluster's Ray itself. @throws HitchError */
  ofRay(clusterId: ClusterId): Promise<RayJobs> {
    return this.#agents.call(clusterId, (call, options) => call.jobs.ofRay(undefined, options));
  }

  log(
    id: JobId,
    query: z.output<typeof jobLogQuerySchema>,
    signal: AbortSignal | undefined,
  ): Promise<JobLogPage> {
    return this.#logs.page(id, query, signal);
  }

  /** The same as bytes, which whoever is given it sends on. @throws HitchError */
  openLog(id: JobId, query: LogBytesQuery, signal: AbortSignal): Promise<LogToSend> {
    return this.#logs.open(id, query, signal);
  }

  search(id: JobId, query: z.output<typeof jobSearchQuerySchema>): Promise<JobFinds> {
    return this.#logs.search(id, query);
  }

  /** @throws HitchError NOT_FOUND */
  async metrics(id: JobId, query: MetricsQuery): Promise<ShownMetrics> {
    await this.#fetchLast(id);
    return this.#metrics.shown(id, query);
  }

  /** @throws HitchError NOT_FOUND */
  async metricPoints(id: JobId, query: MetricPointsQuery): Promise<MetricPoints> {
    await this.#fetchLast(id);
    return this.#metrics.points(id, query);
  }

  /** What a job wrote last may not be here yet when it is over: who asks then waits a moment for it. */
  async #fetchLast(id: JobId): Promise<void> {
    const { clock } = this.#options;
    const isOwed = (): boolean => {
      const record = this.#records.find(id);
      return isJobOver(record.state) && !record.logDone && this.#records.hasMachine(record);
    };
    const { clusterId } = this.#records.find(id);
    await within(clock, LAST_WITHIN_MS, async signal => {
      while (isOwed()) {
        await Promise.race([this.#look(clusterId), clock.sleep(LAST_WITHIN_MS, signal)]);
        await clock.sleep(LOOK_AGAIN_MS, signal);
      }
    }).catch(() => undefined);
  }

  /**
   * Its cluster ends: jobs are asked to, have a moment for a last checkpoint, and what they printed is fetched. Resolves in
   * any case; what could not be had is said in their records.
   */
  async endAll(clusterId: ClusterId): Promise<void> {
    const { clock } = this.#options;
    if (!this.#records.open().some(job => job.clusterId === clusterId)) {
      return;
    }
    await within(clock, END_WITHIN_MS, async signal => {
      await this.#agents.call(
        clusterId,
        (call, options) => call.jobs.endAll(undefined, options),
        END_WITHIN_MS,
        signal,
      );
      while (!signal.aborted && this.#records.open().some(job => job.clusterId === clusterId)) {
        await this.#look(clusterId);
        await clock.sleep(100, signal);
      }
    }).catch(() => undefined);
  }

  // -- machines --------------------------------------------------------------------------------------------------------

  #lookAround(): void {
    for (const clusterId of new Set(this.#records.open().map(job => job.clusterId))) {
      void this.#look(clusterId);
    }
  }

  /** One look at a cluster at a time. */
  #look(clusterId: ClusterId): Promise<void> {
    const running = this.#looks.get(clusterId);
    if (running !== undefined) {
      return running;
    }
    const look = this.#lookAt(clusterId)
      .catch((error: unknown) => {
        if (error instanceof NotUnderstood) {
          this.#records.misunderstood(clusterId, error.message);
        } else if (!(error instanceof HitchError)) {
          this.#options.log.warn('Jobs could not be looked at', { clusterId, error: errorText(error) });
        }
      })
      .finally(() => this.#looks.delete(clusterId));
    this.#looks.set(clusterId, look);
    return look;
  }

  async #lookAt(clusterId: ClusterId): Promise<void> {
    const open = this.#records.open().filter(job => job.clusterId === clusterId);
    for (const job of open.filter(each => !this.#records.hasMachine(each))) {
      await this.#lose(job);
    }
    const asked = open.filter(each => this.#records.hasMachine(each));
    if (asked.length === 0) {
      return;
    }
    for (const job of asked.filter(({ owes }) => owes !== null)) {
      await this.#tell(job);
    }
    const said = await this.#agents.call(clusterId, (call, options) => call.jobs.list(undefined, options));
    const known = new Map(eachOnce('job', said, ({ id }) => id).map(job => [job.id, job]));
    for (const { id } of asked) {
      const news = known.get(id);
      if (news !== undefined) {
        await this.#note(id, news);
        await this.#fetch(id, news);
      }
    }
  }

  /** Says what is owed: that a job is there, and that it is to end. */
  async #tell(record: JobRecord): Promise<void> {
    const { id, name, spec, clusterId } = record;
    const engine = this.#options.ledger.state(clusterId)?.cluster.engine ?? 'single';
    try {
      let news = await this.#agents.call(clusterId, (call, options) =>
        record.owes === 'start'
          ? call.jobs.start({ jobId: id, name, engine, spec }, options)
          : call.jobs.stop({ jobId: id }, options),
      );
      checkNews(onItsMachine(record), news);
      if (record.owes === 'start' && record.state === 'stopping') {
        news = await this.#agents.call(clusterId, (call, options) => call.jobs.stop({ jobId: id }, options));
        checkNews(onItsMachine(record), news);
      }
      await this.#records.change(id, { owes: null });
      await this.#note(id, news);
    } catch (error) {
      if (record.owes === 'start' && !isUnclear(error)) {
        await this.#records.change(id, {
          owes: null,
          state: 'failed',
          message: errorText(error),
          logDone: true,
        });
      }
      throw error;
    }
  }

  async #note(id: JobId, heard: NodeJob): Promise<void> {
    const before = this.#records.find(id);
    checkNews(onItsMachine(before), heard);
    const news = numbered(before, heard);
    this.#records.understood(id, news);
    const steps = (job: Pick<JobRecord, 'state' | 'message' | 'runs'>): string =>
      JSON.stringify([job.state, job.message, job.runs.map(run => [run.number, run.endedAtMs])]);
    const isStopOwed = before.owes !== null && !isJobOver(news.state);
    if (!isStopOwed && (steps(before) !== steps(news) || before.heardAtMs === null)) {
      const { state, message, runs } = news;
      await this.#records.change(id, { state, message, runs, heardAtMs: this.#options.clock.now() });
    }
  }

  async #fetch(id: JobId, news: NodeJob): Promise<void> {
    const record = this.#records.find(id);
    const [hasLog, hasFigures] = [
      await this.#logs.fetch(record, news),
      await this.#metrics.fetch(record, news),
    ];
    if (hasLog && hasFigures && isJobOver(news.state)) {
      await this.#records.change(id, { runs: numbered(record, news).runs, logDone: true });
    }
  }

  /** Its machine is gone, and with it whatever nobody has heard. */
  async #lose(record: JobRecord): Promise<void> {
    if (isJobOver(record.state)) {
      await this.#records.change(record.id, { logDone: true });
      return;
    }
    const { cluster } = this.#options.ledger.state(record.clusterId) ?? {};
    const isEnded = cluster === undefined || cluster.desired === 'stopped';
    const heard = this.#records.heard(record.id)?.runs ?? record.runs;
    if (record.rental !== null && cluster?.stopCause === 'failure' && !record.rental.stopAsked) {
      this.#records.forget(record.id);
      await this.#options.ledger.transact(tx => loseRented(tx, record, heard));
      return;
    }
    await this.#records.change(record.id, lost(heard, isEnded, this.#options.clock.now()));
  }
}
