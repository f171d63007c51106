/** A job as the daemon tells of it. */
import { type Job, jobSchema } from '@hitch/contract';
import { MOMENT_MS } from './offers.ts';

export const testJob = (change: Partial<Job> = {}): Job => ({
  ...jobSchema.parse({
    id: 'job_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    name: 'train',
    state: 'running',
    message: '',
    runs: [
      {
        number: 1,
        startedAtMs: MOMENT_MS - 150_000,
        endedAtMs: null,
        cause: null,
        exitCode: null,
        signal: null,
        peakBytes: null,
        message: '',
        leftBehind: 0,
        log: { endByte: 14, droppedBytes: 0 },
      },
    ],
    clusterId: 'clu_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    clusterName: 'llm-dev',
    attemptId: 'att_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    environmentId: null,
    createdAtMs: MOMENT_MS - 150_000,
    spec: {
      work: { kind: 'command', command: ['python', 'train.py'] },
      folder: 'code',
      outputs: ['code/out'],
    },
    heardAtMs: MOMENT_MS,
    costMicroUsd: '20000',
    kept: [],
  }),
  ...change,
});

/** One that ended so. */
export const endedJob = (): Partial<Job> => {
  const { runs } = testJob();
  return {
    state: 'failed',
    runs: runs.map(run => ({
      ...run,
      endedAtMs: MOMENT_MS,
      cause: 'memory',
      signal: 'SIGKILL',
      peakBytes: 24_000_000_000,
    })),
  };
};
