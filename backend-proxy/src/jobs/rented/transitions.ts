/** What is done to the records of jobs that rent; each inside one transaction, which looks again at how they stand. */
import { isJobOver, type JobId, type JobRun, type JobStage, type JobState } from '@hitch/contract';
import { beginStop } from '../../clusters/transitions.ts';
import type { Transaction } from '../../ledger/batch.ts';
import { type ClusterState, isUnfinished } from '../../ledger/cluster-state.ts';
import { type JobRecord, type JobRentalRecord, jobs } from '../../ledger/kinds/job.ts';

/** A job that rents, as its record has it. */
export type RentedJob = JobRecord & { readonly rental: JobRentalRecord };

export const isRented = (record: JobRecord | undefined): record is RentedJob =>
  record !== undefined && record.rental !== null;

type Change = Partial<Omit<JobRecord, 'rental'>> & { readonly rental?: Partial<JobRentalRecord> };

/** Changes a job that is still at that stage. @returns whether it was. */
export function changeAt(tx: Transaction, id: JobId, stage: JobStage, change: Change): boolean {
  const record = tx.get(jobs, id);
  if (!isRented(record) || record.rental.stage !== stage) {
    return false;
  }
  tx.put(jobs, { ...record, ...change, rental: { ...record.rental, ...change.rental } });
  return true;
}

/** Nothing more runs for it: what its cluster has is saved and deleted. */
export function endRented(
  tx: Transaction,
  { id, clusterId, rental: { stage } }: RentedJob,
  end: { readonly state?: JobState; readonly message: string },
): void {
  const { state, message } = end;
  const now = tx.get(jobs, id);
  const isRunning = now !== undefined && now.attemptId !== null && !now.logDone;
  const isChanged = changeAt(tx, id, stage, {
    ...(state === undefined ? {} : { state, message, owes: null, logDone: !isRunning }),
    rental: { stage: 'ending', message, waitsUntilMs: null },
  });
  const cluster = tx.cluster(clusterId);
  if (isChanged && cluster.exists && cluster.cluster.removedAtMs === null) {
    beginStop(cluster, 'user');
  }
}

/** A person stops it: nothing more is bought, and what runs is asked to end before its cluster is saved and deleted. */
export function stopRented(tx: Transaction, id: JobId): void {
  const record = tx.get(jobs, id);
  if (!isRented(record) || record.rental.stage === 'over' || record.rental.stage === 'ending') {
    return;
  }
  if (record.rental.stage !== 'running') {
    endRented(tx, record, { state: 'stopped', message: 'It was stopped.' });
    return;
  }
  const isOver = isJobOver(record.state);
  tx.put(jobs, {
    ...record,
    ...(isOver ? {} : { state: 'stopping', owes: record.owes === 'start' ? 'start' : 'stop' }),
    rental: { ...record.rental, stopAsked: true, message: 'It was stopped.' },
  });
  const cluster = tx.cluster(record.clusterId);
  if (cluster.exists) {
    beginStop(cluster, 'user');
  }
}

/** Its machine is gone: what ran there has ended with it. @param heard its runs as the machine said them last. */
export function loseRented(tx: Transaction, { id, clusterId }: JobRecord, heard: readonly JobRun[]): void {
  const { nowMs } = tx;
  const runs = heard.map(run =>
    run.endedAtMs === null ? { ...run, endedAtMs: nowMs, cause: 'lost' as const } : run,
  );
  const cluster = tx.cluster(clusterId);
  changeAt(tx, id, 'running', {
    attemptId: null,
    owes: null,
    state: 'waiting',
    message: 'Its machine was lost.',
    runs,
    runsBefore: runs.length,
    heardAtMs: null,
    rental: { stage: 'lost', message: cluster.exists ? cluster.cluster.message : '' },
  });
}

/** Whether anything of its cluster exists or may exist, or is still to be saved. */
export function isLeft(tx: Transaction, { clusterId }: RentedJob): boolean {
  const cluster = tx.cluster(clusterId);
  if (!cluster.exists) {
    return false;
  }
  const { desired, saveDone, skipSave } = cluster.cluster;
  return desired === 'up' || !(saveDone || skipSave) || cluster.attempts.some(isUnfinished);
}

/** No network rented anything when it was last started. */
export const hasBoughtNothing = ({ cluster, attempts }: ClusterState): boolean =>
  attempts.every(({ createdAtMs, instanceId }) => createdAtMs < cluster.startedAtMs || instanceId === null);
