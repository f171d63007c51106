/** A job as the daemon tells of it. */
import { type Job, type JobRental, jobSchema } from '@hitch/contract';
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

/** One that rents its own machine. */
export const rentedJob = (change: Partial<JobRental> = {}): Partial<Job> => ({
  rental: {
    stage: 'running',
    message: '',
    limits: {
      capMicroUsd: '1000000',
      maxNodePricePerHourMicroUsd: '400000',
      lastsMs: 3_600_000,
      stopAtMs: null,
      waitMs: 0,
      replacements: 3,
      saveWithinMs: 1_800_000,
    },
    waitsUntilMs: null,
    replaced: 0,
    checkpointFolder: 'numpy-classifier/out',
    checkpoint: null,
    template: { id: 'numpy-classifier', digest: 'sha256:0' },
    saved: [],
    machinesLeft: 1,
    ...change,
  },
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
