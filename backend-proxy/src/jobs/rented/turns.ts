/**
 * When a job of several may rent: in their order, so many at once, and never for more than their budget in all. A turn sets
 * the job's whole spending limit aside until nothing of it costs any more, so that no two jobs can count on the same money.
 */
import { formatMicroUsd, type JobLimits, type MicroUsd, parseMicroUsd, showDollars } from '@hitch/contract';
import type { Transaction } from '../../ledger/batch.ts';
import type { ClusterState } from '../../ledger/cluster-state.ts';
import { type JobQueueRecord, type JobRecord, jobs as jobKind } from '../../ledger/kinds/job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { totalCost } from '../../spend/cost.ts';
import { changeAt, endRented, isRented, type RentedJob } from './transitions.ts';

/** Records as they are now: those of the ledger, or those of a transaction. */
interface TurnRecords {
  readonly nowMs: number;
  jobs(): Iterable<JobRecord>;
  state(id: JobRecord['clusterId']): ClusterState | undefined;
}

type Turn =
  | { readonly kind: 'now'; readonly limits: JobLimits }
  | { readonly kind: 'wait'; readonly sentence: string }
  /** It never comes. */
  | { readonly kind: 'never'; readonly sentence: string };

/** One of several that has not had its turn: it asks for no machine. */
export const awaitsTurn = ({ rental }: RentedJob): boolean =>
  rental.queue !== null && rental.stage === 'waiting' && rental.waitsUntilMs === null;

const isOfQueue = (job: JobRecord, id: JobQueueRecord['id']): job is RentedJob =>
  isRented(job) && job.rental.queue?.id === id;

/** Whether it may rent now, and with which limits. */
function turnOf(records: TurnRecords, job: RentedJob): Turn {
  const { queue, limits, approvedAtMs } = job.rental;
  if (queue === null) {
    return { kind: 'now', limits };
  }
  if (records.nowMs >= approvedAtMs + queue.withinMs) {
    return { kind: 'never', sentence: 'Its turn did not come in the time that was approved.' };
  }
  const all = [...records.jobs()].filter(each => isOfQueue(each, queue.id));
  const open = all.filter(each => each.rental.stage !== 'over' && !awaitsTurn(each));
  const isNext = all.every(
    each => !awaitsTurn(each) || each.rental.queue === null || each.rental.queue.place >= queue.place,
  );
  if (!isNext || open.length >= queue.mostAtOnce) {
    return {
      kind: 'wait',
      sentence: `Waits for its turn: ${queue.place.toString()} of ${queue.of.toString()}, ${queue.mostAtOnce.toString()} at once.`,
    };
  }
  const left = parseMicroUsd(queue.budgetMicroUsd) - takenOf(records, queue, all);
  const cap = parseMicroUsd(limits.capMicroUsd);
  if (left >= cap) {
    return { kind: 'now', limits };
  }
  if (open.length > 0) {
    return {
      kind: 'wait',
      sentence: `Waits for its turn: what is left of the budget of ${showDollars(parseMicroUsd(queue.budgetMicroUsd))} is set aside for those that run.`,
    };
  }
  return left > 0n
    ? { kind: 'now', limits: { ...limits, capMicroUsd: formatMicroUsd(left) } }
    : { kind: 'never', sentence: 'The budget that was approved for all of them is used up.' };
}

/** What the others have cost, or may cost yet. One whose record is gone counts with all that it was approved for. */
function takenOf(records: TurnRecords, queue: JobQueueRecord, all: readonly RentedJob[]): MicroUsd {
  const known = all
    .filter(each => !awaitsTurn(each))
    .map(({ clusterId, rental: { stage, limits } }) => {
      const state = records.state(clusterId);
      const cost = state === undefined ? 0n : totalCost(state.segments, records.nowMs);
      const cap = parseMicroUsd(limits.capMicroUsd);
      return stage === 'over' || cost > cap ? cost : cap;
    })
    .reduce((sum, amount) => sum + amount, 0n);
  return known + BigInt(queue.of - all.length) * parseMicroUsd(queue.capMicroUsd);
}

const recordsIn = (tx: Transaction): TurnRecords => ({
  nowMs: tx.nowMs,
  jobs: () => tx.all(jobKind),
  state: id => {
    const cluster = tx.cluster(id);
    return cluster.exists ? cluster.state : undefined;
  },
});

/** Whether a look in a transaction is worth it: its turn has come, never comes, or waits for something else than it says. */
export function isTurnNews(ledger: Pick<Ledger, 'state' | 'kept'>, nowMs: number, job: RentedJob): boolean {
  const turn = turnOf({ nowMs, jobs: () => ledger.kept.all(jobKind), state: id => ledger.state(id) }, job);
  return turn.kind !== 'wait' || turn.sentence !== job.rental.message;
}

/** Takes its turn where it has one, among all that others took meanwhile. */
export function takeTurn(tx: Transaction, job: RentedJob): void {
  const now = tx.get(jobKind, job.id);
  if (!isRented(now) || !awaitsTurn(now)) {
    return;
  }
  const turn = turnOf(recordsIn(tx), now);
  switch (turn.kind) {
    case 'now':
      changeAt(tx, job.id, 'waiting', {
        rental: { message: '', limits: turn.limits, waitsUntilMs: tx.nowMs + turn.limits.waitMs },
      });
      return;
    case 'wait':
      if (now.rental.message !== turn.sentence) {
        changeAt(tx, job.id, 'waiting', { rental: { message: turn.sentence } });
      }
      return;
    case 'never':
      endRented(tx, now, { state: 'failed', message: turn.sentence });
  }
}

/** Whether the files that all of a queue share are needed by none of them any more. */
export const isQueueOver = (jobs: Iterable<JobRecord>, id: JobQueueRecord['id']): boolean =>
  [...jobs].every(job => !isOfQueue(job, id) || job.rental.stage === 'over');
