/** The rows of the Jobs view: those that run first, each with how it stands and what it cost. */
import { isJobOver, type Job } from '@hitch/contract/src/jobs.ts';
import { jobStandLine } from '@hitch/contract/src/job-rental-words.ts';
import { jobOutputs, workWordsOf } from '@hitch/contract/src/job-words.ts';
import { course, glanceWords } from '@hitch/contract/src/metrics/words.ts';
import { type ClusterRayJob, rayJobLine, rayStopWords } from '@hitch/contract/src/ray-jobs.ts';
import * as format from '@hitch/contract/src/format.ts';
import type { Row, RowIcon } from '../tree/row.ts';

const JOB = 'job:';

const ICONS: Readonly<Record<Job['state'], RowIcon>> = {
  waiting: { name: 'watch' },
  running: { name: 'sync', color: 'charts.blue' },
  stopping: { name: 'sync' },
  succeeded: { name: 'pass', color: 'charts.green' },
  failed: { name: 'error', color: 'list.errorForeground' },
  stopped: { name: 'circle-slash' },
};

export function jobRows(jobs: readonly Job[], nowMs: number): readonly Row[] {
  return [...jobs]
    .sort((a, b) => Number(isJobOver(a.state)) - Number(isJobOver(b.state)) || b.createdAtMs - a.createdAtMs)
    .map(job => jobRow(job, nowMs));
}

function jobRow(job: Job, nowMs: number): Row {
  const cost = job.costMicroUsd === null ? '' : `, ${format.dollars(job.costMicroUsd)}`;
  const figure = job.glance === undefined ? '' : `, ${glanceWords(job.glance)}`;
  const line = `${jobStandLine(job, nowMs)}${cost}${figure}`;
  const curve = course(job.glance?.values ?? []);
  const id = `${JOB}${job.id}`;
  return {
    id,
    label: job.name,
    description: curve === '' ? line : `${line} ${curve}`,
    icon: ICONS[job.state],
    contextValue: [
      'job',
      // Neither: one whose own machine is being ended, or is gone. Another run of it is another purchase.
      isJobOver(job.state) ? (job.rental === undefined ? 'over' : 'rented') : 'live',
      ...(jobOutputs(job).length > 0 && (job.rental?.stage ?? 'running') === 'running' ? ['outputs'] : []),
    ].join(';'),
    collapsible: 'none',
    spoken: `Job ${job.name} on ${job.clusterName}: ${line}`,
    tooltip: () => [job.name, line, `On ${job.clusterName}: ${workWordsOf(job.spec)}`],
    command: { id: 'hitch.jobs.open', argument: id },
  };
}

const RAY_ICONS: Readonly<Record<ClusterRayJob['state'], RowIcon>> = {
  pending: ICONS.waiting,
  running: ICONS.running,
  stopped: ICONS.stopped,
  succeeded: ICONS.succeeded,
  failed: ICONS.failed,
  unknown: { name: 'question' },
};

/** What was submitted to Ray itself, below ours: only shown. */
export const rayJobRows = (jobs: readonly ClusterRayJob[], nowMs: number): readonly Row[] =>
  jobs.map(job => {
    const line = `${rayJobLine(job, nowMs)}, submitted to the Ray of ${job.clusterName}`;
    return {
      id: `ray:${job.clusterId}:${job.submissionId}`,
      label: job.entrypoint,
      description: line,
      icon: RAY_ICONS[job.state],
      contextValue: 'ray-job',
      collapsible: 'none',
      spoken: `${job.entrypoint}: ${line}`,
      tooltip: () => [job.entrypoint, line, rayStopWords(job)],
    };
  });

/** Which job a row is of, or an id that a page gives; null: it is none. */
export const jobOfRow = (argument: unknown): string | null =>
  typeof argument !== 'string' ? null : argument.startsWith(JOB) ? argument.slice(JOB.length) : argument;
