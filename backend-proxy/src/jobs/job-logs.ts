/** What jobs printed: from the machine while it answers, else from what is kept here. */
import {
  HitchError,
  isJobOver,
  type JobFinds,
  type JobId,
  type JobLogPage,
  type jobLogQuerySchema,
  type jobSearchQuerySchema,
  type NodeJob,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type * as z from 'zod';
import type { JobRecord } from '../ledger/kinds/job.ts';
import { checkFinds, checkPage } from './believed.ts';
import { ANSWERS_WITHIN_MS, type JobAgents } from './job-agents.ts';
import type { JobRecords } from './job-records.ts';
import { agentPath, fromAgent, fromKept, type LogBytesQuery, type LogToSend } from './log-bytes.ts';

/** Pages of a log that one look fetches: others have their turn. */
const PAGES_A_LOOK = 16;
/** What is kept here grows by looks. */
const LOOK_AGAIN_MS = 1_000;

export class JobLogs {
  readonly #records: JobRecords;
  readonly #agents: Pick<JobAgents, 'call' | 'raw'>;
  readonly #clock: Clock;
  readonly #ending: AbortSignal;

  constructor(
    records: JobRecords,
    agents: Pick<JobAgents, 'call' | 'raw'>,
    clock: Clock,
    ending: AbortSignal,
  ) {
    this.#records = records;
    this.#agents = agents;
    this.#clock = clock;
    this.#ending = ending;
  }

  async page(
    id: JobId,
    query: z.output<typeof jobLogQuerySchema>,
    signal: AbortSignal | undefined,
  ): Promise<JobLogPage> {
    const record = this.#records.find(id);
    const { waitMs } = query;
    if (this.#isAsked(record, query.run)) {
      try {
        const page = await this.#agents.call(
          record.clusterId,
          (call, options) => call.jobs.log({ jobId: id, ...query, ...onMachine(record, query.run) }, options),
          waitMs + ANSWERS_WITHIN_MS,
          signal,
        );
        const shown = { ...page, run: page.run + record.runsBefore };
        checkPage(query, shown);
        return shown;
      } catch (error) {
        if (signal?.aborted === true || !(error instanceof HitchError) || error.code !== 'UNREACHABLE') {
          throw error;
        }
      }
    }
    return this.#keptPage(record, query);
  }

  /** The same as bytes. Whoever is given it sends it. */
  async open(id: JobId, query: LogBytesQuery, signal: AbortSignal): Promise<LogToSend> {
    const record = this.#records.find(id);
    const { runsBefore } = record;
    if (this.#isAsked(record, query.run)) {
      try {
        const path = agentPath(id, query, onMachine(record, query.run).run);
        const withinMs = query.waitMs + ANSWERS_WITHIN_MS;
        const answer = await this.#agents.raw(record.clusterId, path, withinMs, signal);
        return await fromAgent(query, answer, runsBefore);
      } catch (error) {
        if (signal.aborted || !(error instanceof HitchError) || error.code !== 'UNREACHABLE') {
          throw error;
        }
      }
    }
    const run = query.run ?? Math.max(1, record.runs.length);
    const isOver = this.#hasEnded(record, run);
    const stretch = await this.#records.log(id).open(run, query.from, query.most);
    if (stretch.bytes === 0 && !isOver) {
      await this.#waitForMore(query.waitMs);
    }
    const { endByte } = await this.#records.log(id).extent(run);
    return fromKept({ run, from: stretch.from, endByte, isOver }, stretch);
  }

  async search(id: JobId, query: z.output<typeof jobSearchQuerySchema>): Promise<JobFinds> {
    const record = this.#records.find(id);
    if (this.#isAsked(record, query.run)) {
      try {
        const found = await this.#agents.call(record.clusterId, (call, options) =>
          call.jobs.search({ jobId: id, ...query, ...onMachine(record, query.run) }, options),
        );
        const shown = { ...found, run: found.run + record.runsBefore };
        checkFinds(query, shown);
        return shown;
      } catch (error) {
        if (!(error instanceof HitchError) || error.code !== 'UNREACHABLE') {
          throw error;
        }
      }
    }
    const run = query.run ?? Math.max(1, record.runs.length);
    return { run, ...(await this.#records.log(id).search(run, query.text, query.from)) };
  }

  /** @param news as its machine said it. @returns whether all that there is lies here. */
  async fetch(record: JobRecord, news: NodeJob): Promise<boolean> {
    const { id, clusterId, runsBefore } = record;
    const kept = this.#records.log(id);
    let pages = PAGES_A_LOOK;
    for (const { number: run, log } of news.runs) {
      for (let from = (await kept.extent(run + runsBefore)).endByte; from < log.endByte; pages--) {
        if (pages === 0) {
          return false;
        }
        const page = await this.#agents.call(clusterId, (call, options) =>
          call.jobs.log({ jobId: id, run, from }, options),
        );
        checkPage({ run, from }, page);
        if (page.next <= from) {
          break;
        }
        await kept.add({ ...page, run: run + runsBefore });
        from = page.next;
      }
    }
    return true;
  }

  /** Its machine can still be asked about this run. */
  #isAsked(record: JobRecord, run: number | undefined): boolean {
    const isThere = run === undefined || run > record.runsBefore;
    return isThere && record.heardAtMs !== null && this.#records.hasMachine(record);
  }

  /** Nothing more comes of the run to what is kept here. */
  #hasEnded({ state, runsBefore, runs }: JobRecord, run: number): boolean {
    return isJobOver(state) || run <= runsBefore || runs.some(({ number }) => number > run);
  }

  async #waitForMore(waitMs: number): Promise<void> {
    if (waitMs > 0) {
      await this.#clock.sleep(Math.min(waitMs, LOOK_AGAIN_MS), this.#ending);
    }
  }

  async #keptPage(record: JobRecord, query: z.output<typeof jobLogQuerySchema>): Promise<JobLogPage> {
    const run = query.run ?? Math.max(1, record.runs.length);
    const kept = this.#records.log(record.id);
    const [{ from, data }, { endByte }] = await Promise.all([
      kept.read(run, query.from, query.most),
      kept.extent(run),
    ]);
    const isOver = this.#hasEnded(record, run);
    if (data.length === 0 && !isOver) {
      await this.#waitForMore(query.waitMs);
    }
    return { run, from, data: data.toString('base64'), next: from + data.length, endByte, isOver };
  }
}

/** The number that its present machine knows a run by. */
const onMachine = ({ runsBefore }: JobRecord, run: number | undefined): { readonly run?: number } =>
  run === undefined ? {} : { run: run - runsBefore };
