/**
 * Moves jobs that rent forward, one step at a look: a machine is ordered, gets the job's files, runs the job, and is saved
 * and deleted; one that was lost is replaced. Each step is one transaction that looks again where the job is, and what is
 * done outside of it may be done twice. So a daemon may die between any two lines: the next one looks and goes on.
 */
import {
  type ClusterId,
  HitchError,
  isJobOver,
  type JobCheckpoint,
  type JobId,
  REPLACEMENT_WAIT_MS,
} from '@hitch/contract';
import { type Clock, repeat, type Timer } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { AlreadyUsed, placeOrder, startAgain } from '../../clusters/commands.ts';
import type { ClusterService } from '../../clusters/service.ts';
import { freeName } from '../../clusters/transitions.ts';
import { type ClusterState, isUnfinished, presentNodes } from '../../ledger/cluster-state.ts';
import { jobs as jobKind } from '../../ledger/kinds/job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { filesOf, removeFiles, removeOwn } from './files.ts';
import { nextQuote } from './next-quote.ts';
import { changeAt, endRented, hasBoughtNothing, isLeft, isRented, type RentedJob } from './transitions.ts';
import { awaitsTurn, isQueueOver, isTurnNews, takeTurn } from './turns.ts';
import { endedWords, unsavedWords } from './words.ts';

export interface RentedJobsOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly ledger: Pick<Ledger, 'transact' | 'state' | 'kept' | 'quote'>;
  readonly clusters: Pick<ClusterService, 'quote' | 'quoteAgain' | 'events'>;
  /** Where jobs keep what they need on this computer. */
  readonly folder: string;
  /** Newer offers, where those that are known are old. */
  readonly fresh: () => Promise<void>;
  /** Whether the cluster's head takes work now. */
  readonly isReady: (state: ClusterState) => boolean;
  /** Copies a folder of this computer into the work folder; again where it was begun before. @throws HitchError */
  readonly send: (
    clusterId: ClusterId,
    copy: { from: string; to: string },
    signal: AbortSignal,
  ) => Promise<void>;
  /** The newest checkpoint that is kept anywhere, brought here; null: there is none. @throws HitchError */
  readonly newestCheckpoint: (job: RentedJob, signal: AbortSignal) => Promise<JobCheckpoint | null>;
  /** Keeps the newest checkpoint of a job that runs. */
  readonly keepCheckpoint: (job: RentedJob, signal: AbortSignal) => Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
/** Offers change so often. */
const OFFERS_EVERY_MS = 30_000;
const RETRY_LONGEST_MS = 30_000;
/** A machine that answers, and does not take all of a job's files, is asked so often. */
const MOST_SENDS = 5;

export class RentedJobs {
  readonly #options: RentedJobsOptions;
  readonly #looks = new Map<JobId, Promise<void>>();
  /** Not looked at before, by the steady clock, and how often it failed. */
  readonly #pauses = new Map<JobId, { readonly untilMs: number; readonly failures: number }>();
  readonly #keeping = new Map<JobId, Promise<void>>();
  /** How often not all of a job's files came to be on its machine. */
  readonly #unsent = new Map<JobId, number>();
  readonly #ending = new AbortController();
  #timer: Timer | null = null;

  constructor(options: RentedJobsOptions) {
    this.#options = options;
  }

  /** Moves them until {@link close}. */
  start(): void {
    this.#timer = repeat(this.#options.clock, LOOK_EVERY_MS, async () => this.lookAround());
  }

  close(): void {
    this.#timer?.cancel();
    this.#ending.abort(new Error('the daemon ends'));
  }

  lookAround(): void {
    const { ledger, clock } = this.#options;
    for (const record of ledger.kept.all(jobKind)) {
      const isDue = (this.#pauses.get(record.id)?.untilMs ?? 0) <= clock.monotonic();
      if (isRented(record) && record.rental.stage !== 'over' && isDue && !this.#looks.has(record.id)) {
        this.#looks.set(
          record.id,
          this.#look(record).finally(() => this.#looks.delete(record.id)),
        );
      }
    }
  }

  async #look(job: RentedJob): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await this.#step(job);
      if ((this.#pauses.get(job.id)?.untilMs ?? 0) <= clock.monotonic()) {
        this.#pauses.delete(job.id);
      }
    } catch (error) {
      if (this.#ending.signal.aborted) {
        return;
      }
      const failures = (this.#pauses.get(job.id)?.failures ?? 0) + 1;
      const pauseMs = Math.min(RETRY_LONGEST_MS, LOOK_EVERY_MS * 2 ** failures);
      this.#pauses.set(job.id, { untilMs: clock.monotonic() + pauseMs, failures });
      log.warn('A job that rents could not be moved forward', { job: job.id, error: errorText(error) });
    }
  }

  #pause(id: JobId, ms: number): void {
    this.#pauses.set(id, { untilMs: this.#options.clock.monotonic() + ms, failures: 0 });
  }

  async #step(job: RentedJob): Promise<void> {
    const state = this.#options.ledger.state(job.clusterId);
    switch (job.rental.stage) {
      case 'waiting':
        return this.#order(job, state);
      case 'renting':
        return this.#awaitMachine(job, state);
      case 'sending':
        return this.#send(job, state);
      case 'running':
        return this.#watch(job, state);
      case 'lost':
        return this.#afterLoss(job);
      case 'ending':
        return this.#finish(job);
      case 'over':
        return;
    }
  }

  // -- a machine ---------------------------------------------------------------------------------------------------------

  async #order(job: RentedJob, state: ClusterState | undefined): Promise<void> {
    const { ledger, ids, clock } = this.#options;
    const { rental } = job;
    if (awaitsTurn(job)) {
      await this.#awaitTurn(job);
      return;
    }
    if (state?.cluster.desired === 'up') {
      // A person has started it again by hand.
      await ledger.transact(tx =>
        changeAt(tx, job.id, 'waiting', { rental: { stage: 'renting', message: '' } }),
      );
      return;
    }
    if (state !== undefined && (state.cluster.removedAtMs !== null || state.attempts.some(isUnfinished))) {
      if (state.cluster.removedAtMs !== null) {
        await this.#fail(job, 'Its cluster was removed from the list.');
      }
      return;
    }
    const found = await nextQuote(this.#options, job, state);
    if (found.quote === null) {
      const isLate = rental.waitsUntilMs === null || clock.now() >= rental.waitsUntilMs;
      if (found.isFinal || isLate) {
        await this.#fail(job, found.isFinal ? found.sentence : `No machine came in time. ${found.sentence}`);
        return;
      }
      this.#pause(job.id, OFFERS_EVERY_MS);
      if (rental.message !== found.sentence) {
        await ledger.transact(tx => changeAt(tx, job.id, 'waiting', { rental: { message: found.sentence } }));
      }
      return;
    }
    const { id: quoteId, caps } = found.quote;
    const { lastsMs, stopAtMs } = rental.limits;
    const endsAtMs = stopAtMs ?? caps.stopAtMs ?? (lastsMs === null ? null : clock.now() + lastsMs);
    try {
      await ledger.transact(tx => {
        const cluster = tx.cluster(job.clusterId);
        if (
          !changeAt(tx, job.id, 'waiting', {
            message: '',
            rental: {
              stage: 'renting',
              message: '',
              quoteId: null,
              waitsUntilMs: null,
              limits: { ...rental.limits, stopAtMs: endsAtMs },
            },
          })
        ) {
          return;
        }
        if (cluster.exists) {
          startAgain(ids, cluster, quoteId);
        } else {
          const name = freeName(cluster, job.clusterName);
          placeOrder(ids, cluster, { id: job.clusterId, quoteId, name });
          const now = tx.get(jobKind, job.id);
          if (now !== undefined) {
            tx.put(jobKind, { ...now, clusterName: name });
          }
        }
      });
    } catch (error) {
      if (error instanceof AlreadyUsed || (error instanceof HitchError && error.code === 'QUOTE_EXPIRED')) {
        // Another one is made at the next look.
        await ledger.transact(tx => changeAt(tx, job.id, 'waiting', { rental: { quoteId: null } }));
        return;
      }
      throw error;
    }
  }

  async #awaitTurn(job: RentedJob): Promise<void> {
    const { ledger, clock } = this.#options;
    if (isTurnNews(ledger, clock.now(), job)) {
      await ledger.transact(tx => takeTurn(tx, job));
    }
  }

  async #awaitMachine(job: RentedJob, state: ClusterState | undefined): Promise<void> {
    if (state?.cluster.desired !== 'up') {
      await this.#withoutMachine(job, state);
      return;
    }
    if (this.#options.isReady(state)) {
      await this.#options.ledger.transact(tx =>
        changeAt(tx, job.id, 'renting', { rental: { stage: 'sending' } }),
      );
    }
  }

  async #send(job: RentedJob, state: ClusterState | undefined): Promise<void> {
    const { ledger, folder, send, isReady } = this.#options;
    if (state?.cluster.desired !== 'up') {
      await this.#withoutMachine(job, state);
      return;
    }
    const attemptId = presentNodes(state)[0]?.attemptId ?? null;
    if (attemptId === null || !isReady(state)) {
      return;
    }
    const { target, checkpointFolder } = job.rental;
    const { signal } = this.#ending;
    try {
      if (target !== null) {
        for (const from of await filesOf(folder, job)) {
          await send(job.clusterId, { from, to: target }, signal);
        }
      }
      const checkpoint = await this.#options.newestCheckpoint(job, signal);
      if (checkpoint !== null && checkpointFolder !== null) {
        await send(job.clusterId, { from: checkpoint.folder, to: checkpointFolder }, signal);
      }
    } catch (error) {
      if (error instanceof HitchError && this.#isPast(job.id, error)) {
        this.#unsent.delete(job.id);
        await this.#fail(job, `Its files could not be sent: ${error.message}`);
        return;
      }
      throw error;
    }
    this.#unsent.delete(job.id);
    await ledger.transact(tx => {
      const { exists, state: now } = tx.cluster(job.clusterId);
      // The machine that has the files is the one that gets the job.
      if (exists && now.cluster.desired === 'up' && presentNodes(now)[0]?.attemptId === attemptId) {
        changeAt(tx, job.id, 'sending', {
          attemptId,
          environmentId: now.cluster.environment.id,
          owes: 'start',
          state: 'waiting',
          message: '',
          rental: { stage: 'running', message: '' },
        });
      }
    });
  }

  /** Whether sending is given up: a machine that never takes all of it costs all that was approved, for nothing. */
  #isPast(id: JobId, { code }: HitchError): boolean {
    const tries = (this.#unsent.get(id) ?? 0) + (code === 'CONFLICT' ? 1 : 0);
    this.#unsent.set(id, tries);
    return code === 'CONFLICT' ? tries >= MOST_SENDS : code !== 'UNREACHABLE';
  }

  /** Its cluster ends before the job has begun there. */
  async #withoutMachine(job: RentedJob, state: ClusterState | undefined): Promise<void> {
    const { ledger } = this.#options;
    if (state?.cluster.stopCause === 'failure') {
      const { message } = state.cluster;
      await ledger.transact(tx =>
        changeAt(tx, job.id, job.rental.stage, { rental: { stage: 'lost', message } }),
      );
      return;
    }
    const message = endedWords(state);
    await ledger.transact(tx =>
      endRented(tx, job, { state: state?.cluster.stopCause === 'user' ? 'stopped' : 'failed', message }),
    );
  }

  // -- the job -----------------------------------------------------------------------------------------------------------

  async #watch(job: RentedJob, state: ClusterState | undefined): Promise<void> {
    if (isJobOver(job.state) || state === undefined) {
      const message = state?.cluster.desired === 'stopped' ? endedWords(state) : '';
      await this.#options.ledger.transact(tx => endRented(tx, job, { message }));
      return;
    }
    if (job.state === 'running' && state.cluster.desired === 'up' && !this.#keeping.has(job.id)) {
      // A checkpoint may take long to come: the end of the job is not looked for any later for that.
      const kept = this.#options
        .keepCheckpoint(job, this.#ending.signal)
        .catch((error: unknown) =>
          this.#options.log.warn('A checkpoint could not be kept', { job: job.id, error: errorText(error) }),
        )
        .finally(() => this.#keeping.delete(job.id));
      this.#keeping.set(job.id, kept);
    }
  }

  /** The network has to confirm that the machine is gone before another one is bought. */
  async #afterLoss(job: RentedJob): Promise<void> {
    const { ledger } = this.#options;
    const { replaced, limits, message } = job.rental;
    await this.#keeping.get(job.id);
    const waitsAgain = await ledger.transact(tx => {
      if (isLeft(tx, job)) {
        return false;
      }
      const now = tx.get(jobKind, job.id);
      const waitsUntilMs = job.rental.approvedAtMs + limits.waitMs;
      if (isRented(now) && tx.nowMs < waitsUntilMs && hasBoughtNothing(tx.cluster(job.clusterId).state)) {
        // What was offered was gone: it goes on waiting, as was agreed.
        return changeAt(tx, job.id, 'lost', {
          message: '',
          rental: { stage: 'waiting', message, waitsUntilMs },
        });
      }
      if (!isRented(now) || replaced >= limits.replacements) {
        const others =
          limits.replacements === 0 ? '' : ` ${limits.replacements.toString()} were rented in its place.`;
        endRented(tx, job, { state: 'failed', message: `${message}${others}`.trim() });
        return false;
      }
      changeAt(tx, job.id, 'lost', {
        message: 'Its machine was lost; another one is rented.',
        rental: {
          stage: 'waiting',
          message: '',
          replaced: replaced + 1,
          waitsUntilMs: tx.nowMs + Math.max(limits.waitMs, REPLACEMENT_WAIT_MS),
        },
      });
      return false;
    });
    if (waitsAgain) {
      this.#pause(job.id, OFFERS_EVERY_MS);
    }
  }

  async #finish(job: RentedJob): Promise<void> {
    const { ledger, clusters } = this.#options;
    const state = ledger.state(job.clusterId);
    const unsaved = state === undefined ? null : await unsavedWords(clusters, state);
    const isOver = await ledger.transact(tx => {
      const now = tx.get(jobKind, job.id);
      if (isLeft(tx, job) || !isRented(now) || !isJobOver(now.state)) {
        return false;
      }
      const message = [now.rental.message, unsaved ?? ''].filter(part => part !== '').join(' ');
      return changeAt(tx, job.id, 'ending', { rental: { stage: 'over', message } });
    });
    if (isOver) {
      await this.#removeFiles(job).catch((error: unknown) =>
        this.#options.log.warn('The files of a job could not be removed', { error: errorText(error) }),
      );
    }
  }

  /** Files that several jobs share go with the last of them. */
  async #removeFiles({ id, rental: { queue } }: RentedJob): Promise<void> {
    const { folder, ledger } = this.#options;
    if (queue === null) {
      await removeFiles(folder, id);
      return;
    }
    await removeOwn(folder, id);
    if (isQueueOver(ledger.kept.all(jobKind), queue.id)) {
      await removeFiles(folder, queue.id);
    }
  }

  #fail(job: RentedJob, message: string): Promise<void> {
    return this.#options.ledger.transact(tx => endRented(tx, job, { state: 'failed', message }));
  }
}
