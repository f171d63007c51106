/**
 * Jobs that rent, on virtual time: the real records, quotes and steps over a practice market, with a daemon that can be made to
 * die at each thing that it waits for. What runs on the machines is played: a program that takes a while there, and is gone
 * with its machine.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Cluster,
  type HitchError,
  isJobOver,
  type Job,
  type JobId,
  type JobQuote,
  type JobQuoteRequest,
  jobQuoteRequestSchema,
  type JobRun,
} from '@hitch/contract';
import { repeat, type Timer } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { createIds } from '@hitch/platform/src/random.ts';
import { JobRecords } from '../../src/jobs/job-records.ts';
import { JobQuotes } from '../../src/jobs/rented/job-quotes.ts';
import { RentedJobs } from '../../src/jobs/rented/rented-jobs.ts';
import { loseRented, stopRented } from '../../src/jobs/rented/transitions.ts';
import { presentNodes } from '../../src/ledger/cluster-state.ts';
import { type JobRecord, jobs as jobKind } from '../../src/ledger/kinds/job.ts';
import { Practice, type PracticeOptions } from '../clusters/practice.ts';

/** Of the program, on one machine. */
const RUNS_MS = 10 * 60_000;

/** One life of a daemon: at a chosen one of the things that it waits for it is dead, and hears of nothing any more. */
class Life {
  dead = false;
  left: number;
  steps = 0;

  constructor(stepsToLive: number) {
    this.left = stepsToLive;
  }

  #dies(): boolean {
    this.steps += 1;
    this.left -= 1;
    this.dead ||= this.left <= 0;
    return this.dead;
  }

  /** Dead before the effect, or after it with the answer lost. */
  async step<T>(run: () => Promise<T>): Promise<T> {
    if (this.dead || this.#dies()) {
      return new Promise<T>(() => undefined);
    }
    const value = await run();
    return this.dead || this.#dies() ? new Promise<T>(() => undefined) : value;
  }
}

export class RentedRig {
  readonly practice: Practice;
  readonly folder = mkdtempSync(join(tmpdir(), 'hitch-rented-'));
  /** What was sent, to which machine. */
  readonly sent: { readonly attemptId: string | null; readonly from: string; readonly to: string }[] = [];
  /** Why nothing can be sent; null: it can. */
  sendProblem: HitchError | null = null;
  /** What the program ends with; null: it goes on for ever. */
  exitCode: number | null = 0;
  /** So many machines are taken back in the middle of it. */
  takes = 0;
  /** So long after the program began there. */
  takesAfterMs = RUNS_MS / 2;
  life = new Life(Infinity);
  quotes: JobQuotes | null = null;
  #driver: RentedJobs | null = null;
  #programs: Timer | null = null;
  /** By its purchase: the program that runs on it, which outlives the daemon. */
  readonly #running = new Map<string, JobRun>();

  constructor(options: PracticeOptions = {}) {
    this.practice = new Practice(options);
  }

  /** Starts a daemon, which lives for so many steps. */
  async open(stepsToLive = Infinity): Promise<this> {
    await this.practice.open();
    const { practice, folder } = this;
    const { ledger, service, clock } = practice;
    const life = new Life(stepsToLive);
    this.life = life;
    const ids = createIds(clock, practice.random);
    const mortal: Pick<typeof ledger, 'transact' | 'state' | 'kept' | 'quote'> = {
      transact: change => life.step(() => ledger.transact(change)),
      state: id => ledger.state(id),
      quote: id => ledger.quote(id),
      kept: ledger.kept,
    };
    this.quotes = new JobQuotes({
      clock,
      ids,
      ledger: mortal,
      folder,
      quoteMachine: request => service.quote(request),
      templateToRun: () => Promise.reject(new Error('no templates here')),
      tryBucket: () => Promise.resolve(),
      ending: new AbortController().signal,
    });
    this.#driver = new RentedJobs({
      clock,
      ids,
      log: silentLog,
      ledger: mortal,
      clusters: {
        quote: request => life.step(() => service.quote(request)),
        quoteAgain: (id, asked) => life.step(() => service.quoteAgain(id, asked)),
        events: (id, after, limit) => life.step(() => service.events(id, after, limit)),
      },
      folder,
      fresh: () => life.step(() => practice.stockUp()),
      isReady: ({ cluster }) => cluster.phase === 'ready',
      send: (clusterId, { from, to }) =>
        life.step(() => {
          const state = ledger.state(clusterId);
          const attemptId = state === undefined ? null : (presentNodes(state)[0]?.attemptId ?? null);
          this.sent.push({ attemptId, from, to });
          return this.sendProblem === null ? Promise.resolve() : Promise.reject(this.sendProblem);
        }),
      newestCheckpoint: job => Promise.resolve(job.rental.checkpoint),
      keepCheckpoint: () => Promise.resolve(),
    });
    this.#driver.start();
    this.#programs = repeat(clock, 1_000, () => this.#play());
    return this;
  }

  /** The daemon is gone; machines, programs and records stay. */
  close(): void {
    this.life.dead = true;
    this.#driver?.close();
    this.#programs?.cancel();
    this.practice.close();
  }

  dispose(): void {
    this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  quote(asked: Partial<JobQuoteRequest> = {}): Promise<JobQuote> {
    const { quotes, practice } = this;
    assert.ok(quotes !== null);
    const request = jobQuoteRequestSchema.parse({
      work: {
        kind: 'program',
        spec: { work: { kind: 'command', command: ['python', 'train.py'] }, outputs: ['out'] },
        folder: null,
      },
      ...asked,
    });
    return practice.pass(quotes.quote(request, null));
  }

  async begin(asked: Partial<JobQuoteRequest> = {}): Promise<JobId> {
    const { id } = await this.quote(asked);
    await this.practice.pass(this.quotes?.approve(id) ?? Promise.reject(new Error('not open')));
    return id;
  }

  stop(id: JobId): Promise<void> {
    return this.practice.pass(this.practice.ledger.transact(tx => stopRented(tx, id)));
  }

  record(id: JobId): JobRecord | undefined {
    return this.practice.ledger.kept.get(jobKind, id);
  }

  job(id: JobId): Promise<Job> {
    const { ledger, clock } = this.practice;
    const records = new JobRecords({ clock, ledger, folder: this.folder });
    return this.practice.pass(records.shown(records.find(id)));
  }

  cluster(id: JobId): Cluster {
    const record = this.record(id);
    assert.ok(record !== undefined);
    return this.practice.service.get(record.clusterId);
  }

  stage(id: JobId): string | undefined {
    return this.record(id)?.rental?.stage;
  }

  /** What the market bills for every machine that was ever rented. */
  billed(): bigint {
    const { market } = this.practice;
    return market.rentals().reduce((sum, { ref }) => sum + market.billed(ref), 0n);
  }

  untilStage(id: JobId, stage: string, mostMs = 12 * 3_600_000): Promise<void> {
    return this.practice.until(() => this.stage(id) === stage, mostMs);
  }

  // What the machines do, as `Jobs` would hear and write it.

  async #play(): Promise<void> {
    const { ledger } = this.practice;
    for (const record of [...ledger.kept.all(jobKind)]) {
      if (record.attemptId !== null && !record.logDone && !this.life.dead) {
        await this.#playOne(record);
      }
    }
  }

  async #playOne(record: JobRecord): Promise<void> {
    const { ledger, clock } = this.practice;
    const { id, clusterId, attemptId } = record;
    const state = ledger.state(clusterId);
    const isThere = state?.attempts.some(each => each.id === attemptId && each.state === 'owned') === true;
    const change = (news: Partial<JobRecord>) =>
      ledger.transact(tx => {
        const now = tx.get(jobKind, id);
        if (now !== undefined && now.attemptId === attemptId) {
          tx.put(jobKind, { ...now, ...news });
        }
      });
    if (attemptId === null) {
      return;
    }
    const before = record.runs.slice(0, record.runsBefore);
    const run = this.#running.get(attemptId);
    if (!isThere) {
      if (state?.cluster.stopCause === 'failure' && record.rental?.stopAsked === false) {
        await ledger.transact(tx => loseRented(tx, record, record.runs));
        return;
      }
      const ended = run === undefined ? [] : [{ ...run, endedAtMs: clock.now(), cause: 'cluster' as const }];
      await change({
        state: isJobOver(record.state) ? record.state : 'stopped',
        runs: [...before, ...ended],
        logDone: true,
      });
      return;
    }
    if (run === undefined) {
      const begun: JobRun = {
        number: record.runsBefore + 1,
        startedAtMs: clock.now(),
        endedAtMs: null,
        cause: null,
        exitCode: null,
        signal: null,
        peakBytes: null,
        message: '',
        leftBehind: 0,
        log: { endByte: 0, droppedBytes: 0 },
      };
      this.#running.set(attemptId, begun);
      await change({ owes: null, state: 'running', runs: [...before, begun], heardAtMs: clock.now() });
      return;
    }
    const instanceId = state?.attempts.find(each => each.id === attemptId)?.instanceId ?? null;
    if (this.takes > 0 && instanceId !== null && clock.now() >= run.startedAtMs + this.takesAfterMs) {
      this.takes -= 1;
      await this.practice.market.end(instanceId, new AbortController().signal);
      return;
    }
    const code = this.exitCode;
    if (code !== null && clock.now() >= run.startedAtMs + RUNS_MS) {
      const ended = {
        ...run,
        endedAtMs: clock.now(),
        cause: code === 0 ? ('finished' as const) : ('exit' as const),
        exitCode: code,
      };
      await change({ state: code === 0 ? 'succeeded' : 'failed', runs: [...before, ended], logDone: true });
    } else if (record.state !== 'running' && record.state !== 'stopping') {
      await change({ owes: null, state: 'running', runs: [...before, run], heardAtMs: clock.now() });
    }
  }
}
