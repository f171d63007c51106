/**
 * Jobs: programs that run on a cluster's head beside its kernels and outlive whoever started them. What is asked for, how
 * it stands and what it printed; shared by the daemon's contract and the agent's.
 */
import * as z from 'zod';
import { workPathSchema } from './clusters.ts';
import { environmentIdSchema } from './environments.ts';
import { attemptIdSchema, clusterIdSchema, clusterNameSchema, jobIdSchema, jobNameSchema } from './ids.ts';
import { jobRentalSchema, MOST_REPLACEMENTS } from './job-rental.ts';
import { LONGEST_SERIES_NAME } from './metrics/points.ts';
import { metricGlanceSchema } from './metrics/wire.ts';
import { microUsdSchema } from './money.ts';
import { saidAmount, saidMoment, saidName, saidSentence } from './said.ts';

/** Characters of all that is run: a system takes no longer argument list. */
const MOST_COMMAND = 100_000;

/** Cells by their place in the notebook, the first being 0; both ends are run. */
const cellRangeSchema = z
  .object({ first: z.number().int().min(0).max(100_000), last: z.number().int().min(0).max(100_000) })
  .refine(({ first, last }) => first <= last, 'must not end before it begins');

/** A program and its arguments. */
const commandSchema = z
  .array(z.string().max(MOST_COMMAND))
  .min(1)
  .max(1_000)
  .refine(words => words[0] !== '', 'must begin with a program')
  .refine(words => !words.some(word => word.includes('\0')), 'must be without the character 0');

/** One job is on so many nodes at most. */
const MOST_JOB_NODES = 100;

/** What a job runs. */
export const jobWorkSchema = z.discriminatedUnion('kind', [
  /** A program and its arguments, with no shell between. */
  z.object({ kind: z.literal('command'), command: commandSchema }),
  /**
   * A program on several nodes at once, until all of them have ended or one has failed; the head's is the first. Each gets
   * MASTER_ADDR, MASTER_PORT, RANK and WORLD_SIZE, as torch's `env://` reads them.
   */
  z.object({
    kind: z.literal('nodes'),
    nodes: z.number().int().min(1).max(MOST_JOB_NODES),
    /** Started by torch's launcher (`torchrun`): then the command begins with the file, and the ranks are of all processes. */
    torchrun: z.boolean(),
    /** On each node, with torchrun; null: one for each of its GPUs, else one. */
    processes: z.number().int().min(1).max(1_000).nullable().default(null),
    command: commandSchema,
  }),
  /** A text for bash, or sh where there is none. */
  z.object({ kind: z.literal('script'), script: z.string().min(1).max(MOST_COMMAND) }),
  /** A notebook of the work folder; its outputs go into a copy beside it, cell by cell. */
  z.object({
    kind: z.literal('notebook'),
    path: workPathSchema,
    /** Null: all of them. */
    cells: cellRangeSchema.nullable().default(null),
  }),
]);
export type JobWork = z.infer<typeof jobWorkSchema>;

/** Where the outputs of a notebook that is run as a job go: beside it, under the job's name too. */
export const notebookCopy = (path: string, jobName: string): string =>
  `${path.replace(/\.ipynb$/, '')}.${jobName}.ipynb`;

/** A job runs again at most so often. */
export const MOST_RETRIES = 10;

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u').source !== '';
  } catch {
    return false;
  }
}

export const jobSpecSchema = z.object({
  work: jobWorkSchema,
  /** Where it runs: a folder of the work folder; '': the work folder itself. */
  folder: workPathSchema.default(''),
  /** Set for it beside what every program of the node gets. Names of the cluster's secrets are set already. */
  variables: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, 'must be an environment variable’s name'),
      z.string().max(32_768),
    )
    .default({}),
  /** Started again so often when it fails; not when it is stopped or its time is over. */
  retries: z.number().int().min(0).max(MOST_RETRIES).default(0),
  /** Each run is ended after so long; null: only the cluster's own limits end it. */
  timeLimitMs: z
    .number()
    .int()
    .min(1_000)
    .max(365 * 24 * 3_600_000)
    .nullable()
    .default(null),
  /** Between asking it to end (SIGTERM) and ending it (SIGKILL). */
  graceMs: z.number().int().min(0).max(600_000).default(10_000),
  /** The memory of the job and all that it starts; null: the machine's. */
  memoryBytes: z
    .number()
    .int()
    .min(16 * 1024 * 1024)
    .max(Number.MAX_SAFE_INTEGER)
    .nullable()
    .default(null),
  /** Files and folders of the work folder that it makes: what is fetched for it. */
  outputs: z.array(workPathSchema).max(100).default([]),
  /**
   * Figures in lines that it prints, by their name: a regular expression with the group `value`, and `step` where the line says
   * one. Those of TensorBoard, MLflow, W&B and Trackio, and lines of JSON, are found without.
   */
  metricPatterns: z
    .record(z.string().min(1).max(LONGEST_SERIES_NAME), z.string().min(1).max(500))
    .refine(patterns => Object.keys(patterns).length <= 50, 'must be 50 patterns at most')
    .refine(patterns => Object.values(patterns).every(isPattern), 'must be regular expressions')
    .default({}),
});
export type JobSpec = z.infer<typeof jobSpecSchema>;

/**
 * Why a run ended. `finished`: with 0 · `exit`: with another code · `signal`: by a signal that was not ours · `memory`: for
 * want of memory · `limit`: at its time limit · `stopped`: a person did it · `cluster`: its cluster ended ·
 * `environment`: it could not be started · `lost`: the machine went away · `unwatched`: how it ended is not known.
 */
export const jobCauseSchema = z.enum([
  'finished',
  'exit',
  'signal',
  'memory',
  'limit',
  'stopped',
  'cluster',
  'environment',
  'lost',
  'unwatched',
]);
export type JobCause = z.infer<typeof jobCauseSchema>;

/** Where what a run printed stands. Bytes are numbered from 0, and keep their numbers whatever goes. */
export const jobLogExtentSchema = z.object({
  /** All that was printed so far. */
  endByte: saidAmount.int(),
  /** Of that, what is not kept: the bound of the log was reached, or the disk was full. */
  droppedBytes: saidAmount.int(),
});
export type JobLogExtent = z.infer<typeof jobLogExtentSchema>;

export const jobRunSchema = z.object({
  /** The first is 1. */
  number: saidAmount.int(),
  startedAtMs: saidMoment,
  /** Null: it runs. */
  endedAtMs: saidMoment.nullable(),
  cause: jobCauseSchema.nullable(),
  exitCode: z.number().int().nullable(),
  /** As it is called on the machine, such as SIGSEGV. */
  signal: saidName.nullable(),
  /** The most memory at once, with what the system kept of its files; null: not known. */
  peakBytes: saidAmount.nullable(),
  /** What is to be said beside the cause; '' as a rule. */
  message: saidSentence,
  /** Programs that it had left running when it ended, and that were ended with it. */
  leftBehind: saidAmount.int(),
  log: jobLogExtentSchema,
  /** Points of its figures; left out: its machine keeps none. */
  points: saidAmount.int().optional(),
});
export type JobRun = z.infer<typeof jobRunSchema>;

export const jobStateSchema = z.enum(['waiting', 'running', 'stopping', 'succeeded', 'failed', 'stopped']);
export type JobState = z.infer<typeof jobStateSchema>;

export const isJobOver = (state: JobState): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'stopped';

/** Nothing of it changes any more: it has ended, and the machine that it rented is gone. */
export const isJobSettled = ({ state, rental }: Pick<Job, 'state' | 'rental'>): boolean =>
  isJobOver(state) && (rental === undefined || rental.stage === 'over');

/** How a job stands whose last run ended so. */
export function stateAfter(cause: JobCause): JobState {
  switch (cause) {
    case 'finished':
      return 'succeeded';
    case 'stopped':
    case 'cluster':
      return 'stopped';
    default:
      return 'failed';
  }
}

/** A job as the agent knows it. */
export const nodeJobSchema = z.object({
  id: jobIdSchema,
  state: jobStateSchema,
  /** Why it waits or did not run, as a sentence; '' otherwise. */
  message: saidSentence,
  runs: z.array(jobRunSchema).max(MOST_RETRIES + 1),
});
export type NodeJob = z.infer<typeof nodeJobSchema>;

/** An agent looks after so many jobs at once, and lists so many. */
export const MOST_LIVE_JOBS = 100;
export const MOST_NODE_JOBS = 200;

/** Bytes of a log in one answer. */
export const MOST_LOG_PAGE_BYTES = 256 * 1024;
/** The longest that an answer about a log is waited with for more to come. */
export const MOST_LOG_WAIT_MS = 20_000;
/** Places in one answer to a search, and the longest line that is shown of one. */
export const MOST_LOG_FINDS = 200;
export const LONGEST_FOUND_LINE = 500;

export const jobLogQuerySchema = z.object({
  /** Left out: the latest. */
  run: z.coerce.number().int().min(1).optional(),
  /** Number of the first byte that is wanted. */
  from: z.coerce.number().int().min(0).default(0),
  most: z.coerce.number().int().min(1).max(MOST_LOG_PAGE_BYTES).default(MOST_LOG_PAGE_BYTES),
  /** Where there is nothing from there on yet, it is waited for so long. */
  waitMs: z.coerce.number().int().min(0).max(MOST_LOG_WAIT_MS).default(0),
});
export type JobLogQuery = z.input<typeof jobLogQuerySchema>;

export const jobLogPageSchema = z.object({
  run: saidAmount.int(),
  /** Number of the first byte in `data`. What lies between it and the one that was asked for is not kept. */
  from: saidAmount.int(),
  /** The bytes, in base64: a program may print anything. */
  data: z.base64().max(Math.ceil(MOST_LOG_PAGE_BYTES / 3) * 4),
  /** Number of the byte to ask for next. */
  next: saidAmount.int(),
  /** All that was printed so far. */
  endByte: saidAmount.int(),
  /** Nothing more comes of this run once `next` is at the end. */
  isOver: z.boolean(),
});
export type JobLogPage = z.infer<typeof jobLogPageSchema>;

export const jobSearchQuerySchema = z.object({
  run: z.coerce.number().int().min(1).optional(),
  /** Plain text, upper and lower case alike. */
  text: z.string().min(1).max(200),
  from: z.coerce.number().int().min(0).default(0),
});
export type JobSearchQuery = z.input<typeof jobSearchQuerySchema>;

export const jobFindsSchema = z.object({
  run: saidAmount.int(),
  lines: z
    .array(
      z.object({
        /** Number of the line's first byte. */
        at: saidAmount.int(),
        text: z.string().max(LONGEST_FOUND_LINE + 60),
      }),
    )
    .max(MOST_LOG_FINDS),
  /** Where to go on searching; null: this was all. */
  next: saidAmount.int().nullable(),
});
export type JobFinds = z.infer<typeof jobFindsSchema>;

/** Of so many that were submitted to Ray a cluster tells, the newest; how many more there are is said. */
export const MOST_RAY_JOBS = 200;

/** What somebody submitted to a cluster's Ray itself (`ray job submit`). Ray runs it; Hitch shows that it is there. */
export const rayJobSchema = z.object({
  /** As Ray calls it, such as `raysubmit_sS8ApEwPiukzf9XW`. */
  submissionId: saidName,
  state: z.enum(['pending', 'running', 'stopped', 'succeeded', 'failed', 'unknown']),
  entrypoint: saidSentence,
  message: saidSentence,
  startedAtMs: saidMoment.nullable(),
  endedAtMs: saidMoment.nullable(),
});
export type RayJob = z.infer<typeof rayJobSchema>;

export const rayJobsSchema = z.object({
  jobs: z.array(rayJobSchema).max(MOST_RAY_JOBS),
  /** Older ones that are not among them. */
  more: saidAmount.int(),
});
export type RayJobs = z.infer<typeof rayJobsSchema>;

/** A job as the daemon knows it. */
export const jobSchema = nodeJobSchema.extend({
  /** Of all its machines, one after the other. */
  runs: z.array(jobRunSchema).max((MOST_RETRIES + 1) * (MOST_REPLACEMENTS + 1)),
  name: jobNameSchema,
  /** Of a job that rents, the cluster that it will have: there is none before a machine is ordered. */
  clusterId: clusterIdSchema,
  clusterName: clusterNameSchema,
  /** The purchase whose machine runs it: a cluster that is started again has another. Null: it rents, and has no machine now. */
  attemptId: attemptIdSchema.nullable(),
  /** The lock that its cluster had when it was begun; null: Hitch's own packages, or not known. */
  environmentId: environmentIdSchema.nullable(),
  createdAtMs: z.number(),
  spec: jobSpecSchema,
  /** When its machine last said how it stands; null: never yet. */
  heardAtMs: z.number().nullable(),
  /** What the cluster cost while it ran, of a job that rents all of it; null where nothing is counted for it. */
  costMicroUsd: microUsdSchema.nullable(),
  /** What this computer holds of each run's log, by the run's number: so much of it can be read without the machine. */
  kept: z.array(z.object({ run: z.number().int(), bytes: z.number() })),
  /** A figure of its latest run; left out: none is known. */
  glance: metricGlanceSchema.optional(),
  /** It rents its own machine; left out: it runs on a cluster that a person rented. */
  rental: jobRentalSchema.optional(),
});
export type Job = z.infer<typeof jobSchema>;
