/** What a machine may say of its jobs that no honest one would; `$jobId` is the job that it was asked for last. */
import type { Lie } from './lie.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
/** A log of nine petabytes. */
const ENDLESS = { endByte: 9e15, droppedBytes: 0 };
const RUN = {
  number: 1,
  startedAtMs: 1,
  endedAtMs: null,
  cause: null,
  exitCode: null,
  signal: null,
  peakBytes: 1,
  message: '',
  leftBehind: 0,
  log: { endByte: 3, droppedBytes: 0 },
};
const JOB = { id: '$jobId', state: 'running', message: '', runs: [RUN] };

const listed = (name: string, ...jobs: readonly unknown[]): Lie => ({
  name,
  headers: JSON_TYPE,
  pieces: [JSON.stringify(jobs)],
});

/** Each with the words by which it is refused. */
export const REFUSED_JOBS: readonly (readonly [Lie, string])[] = [
  [listed('the same job twice', JOB, JOB), 'the same job twice'],
  [listed('a run of another number', { ...JOB, runs: [{ ...RUN, number: 7 }] }), 'not numbered from 1'],
  [listed('many runs', { ...JOB, runs: [RUN, { ...RUN, number: 2 }] }), 'more runs of a job'],
  [listed('no runs any more', { ...JOB, runs: [] }), 'fewer runs of a job'],
  [listed('that it waits', { ...JOB, state: 'waiting' }), 'waits to begin'],
];

/** Jobs that are other clusters', or that no Hitch has begun. */
export const jobsOfOthers = (other: string): Lie =>
  listed('jobs of others', { ...JOB, id: other }, { ...JOB, id: 'job_01ARZ3NDEKTSV4RRFFQ69G5FAV' });

export const ENDLESS_LOG = listed('a log without an end', { ...JOB, runs: [{ ...RUN, log: ENDLESS }] });

const page = (name: string, said: object): Lie => ({
  name,
  headers: JSON_TYPE,
  pieces: [
    JSON.stringify({
      ...{ run: 1, from: 3, data: 'YWIK', next: 6, endByte: ENDLESS.endByte, isOver: false },
      ...said,
    }),
  ],
});

/** Pages of it, for whoever asks for what comes after the third byte. */
export const WRONG_PAGES: readonly Lie[] = [
  page('another run', { run: 9 }),
  page('from before', { from: 0, next: 3 }),
  page('a part is skipped', { next: 9e14 }),
  page('far away', { from: 8e15, next: 8e15 + 3 }),
];

export const ITS_END = listed('the end', {
  ...JOB,
  state: 'succeeded',
  runs: [{ ...RUN, endedAtMs: 2, cause: 'finished', exitCode: 0, log: ENDLESS }],
});

export const IT_RUNS_AGAIN = listed('that it runs again', JOB);
