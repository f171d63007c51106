/** A job that rents on the screen: waiting, renting, its log run by run, and the end of its machine. */
import {
  checkpointWords,
  format,
  isJobOver,
  type Job,
  jobLine,
  type JobRental,
  jobStandLine,
} from '@hitch/contract';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';
import { lineWriter } from '../line-writer.ts';
import { LiveLine } from '../screen/live-line.ts';
import { comeBack, exitOf, writeLog } from './follow-job.ts';

const LOOK_AGAIN_MS = 300;

/** Until nothing is left that costs. Ctrl-C leaves it to itself. @returns the job's own code, or why it has none. */
export async function followRented(context: Context, begun: Job, json: boolean): Promise<ExitCode> {
  const { io } = context;
  const live = new LiveLine(io);
  let job: Job;
  try {
    job = await interruptible(context.interrupts, signal => follow(context, begun, { json, live, signal }));
  } catch (error) {
    live.clear();
    if (!(error instanceof InterruptedError)) {
      throw error;
    }
    io.endOutput();
    io.note(`It goes on by itself, and its machine costs until it is deleted. ${comeBack(begun)}`);
    return EXIT.interrupted;
  }
  live.clear();
  if (json) {
    io.jsonLine({ type: 'job', job });
  } else {
    endLines(job, context.clock.now()).forEach(line => io.note(line));
  }
  return rentedExit(job);
}

interface Following {
  readonly json: boolean;
  readonly live: LiveLine;
  readonly signal: AbortSignal;
}

async function follow(context: Context, begun: Job, { json, live, signal }: Following): Promise<Job> {
  const { clock } = context;
  const startedAt = clock.monotonic();
  let shownRun = 0;
  let stage = '';
  for (;;) {
    signal.throwIfAborted();
    const { api } = await context.session();
    const job = await api.jobs.get({ jobId: begun.id });
    if (json && job.rental !== undefined && job.rental.stage !== stage) {
      context.io.jsonLine({ type: 'stage', stage: job.rental.stage, message: job.rental.message });
    }
    stage = job.rental?.stage ?? 'over';
    const next = job.runs.find(({ number }) => number > shownRun);
    if (next !== undefined) {
      live.clear();
      if (next.number > 1 && !json) {
        context.io.note(`Run ${next.number.toString()}:`);
      }
      await writeLog(context, job, { json, run: next.number, from: 0, follow: true }, signal);
      shownRun = next.number;
      continue;
    }
    if (stage === 'over') {
      return job;
    }
    if (!json) {
      live.show(format.elapsed(clock.monotonic() - startedAt), await lineOf(context, job));
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** Where its machine comes up, the cluster's own row says more. */
async function lineOf(context: Context, job: Job): Promise<string> {
  const { api } = await context.session();
  const nowMs = context.clock.now();
  if (job.rental?.stage === 'renting' || job.rental?.stage === 'ending') {
    const cluster = (await api.clusters.list()).find(({ id }) => id === job.clusterId);
    if (cluster !== undefined) {
      return (await lineWriter(api, { hasClock: true }))(cluster, nowMs);
    }
  }
  return jobStandLine(job, nowMs);
}

function endLines(job: Job, nowMs: number): string[] {
  const { rental } = job;
  const saved = rental?.saved ?? [];
  return [
    `${job.name}: ${jobLine(job, nowMs)}`,
    ...(rental === undefined || rental.message === '' ? [] : [rental.message]),
    ...saved.map(path => `Saved: ${path}`),
    ...(rental === undefined || job.state === 'succeeded' ? [] : checkpointLines(rental, nowMs)),
    job.costMicroUsd === '0' && job.runs.length === 0
      ? 'No machine was rented; it cost nothing.'
      : `The machine is deleted. It cost ${format.dollars(job.costMicroUsd ?? '0')}.`,
  ];
}

/** The newest checkpoint, and where it lies: a job that was not finished can go on from it. */
function checkpointLines(rental: JobRental, nowMs: number): string[] {
  const words = checkpointWords(rental, nowMs);
  return [
    ...(words === null ? [] : [`The ${words}`]),
    ...(rental.checkpoint === null ? [] : [`Kept in: ${rental.checkpoint.folder}`]),
  ];
}

/** As {@link exitOf}; and what became of a job that did not come to run, or whose outputs are not here. */
export function rentedExit(job: Job): ExitCode {
  const { rental, state, runs } = job;
  if (state === 'stopped' && (rental?.message === '' || rental?.message === 'It was stopped.')) {
    return EXIT.declined;
  }
  if (runs.length === 0 && isJobOver(state)) {
    return job.costMicroUsd === '0' ? EXIT.nothingBought : EXIT.clusterFailed;
  }
  const code = exitOf(job);
  return code === EXIT.ok && rental?.message !== '' ? EXIT.notAll : code;
}
