/** A job's log on the screen until the job is over, whatever becomes of the daemon and the way to the machine meanwhile. */
import {
  causeWords,
  format,
  HitchError,
  isJobOver,
  type Job,
  type JobLogPart,
  jobLine,
  readJobLog,
} from '@hitch/contract';
import { constants } from 'node:os';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode, jobExitCode } from '../exit-codes.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';

/** The daemon is asked for what comes, and answers when there is something. */
const WAIT_MS = 15_000;
const AGAIN_MS = 1_000;
/** So often a machine may give nothing of what it says that there is: bytes may come between its two looks, once. */
const MOST_EMPTY = 3;

export interface LogOptions {
  readonly json: boolean;
  readonly run?: number | undefined;
  readonly from: number;
  readonly follow: boolean;
}

/** @returns how many bytes were not there any more. */
export async function writeLog(
  context: Context,
  job: Job,
  options: LogOptions,
  signal: AbortSignal,
): Promise<number> {
  const { io, clock } = context;
  let { run } = options;
  let missing = 0;
  let isAway = false;
  let empty = 0;
  // A character may lie across two pages.
  let decoder = new TextDecoder();
  for (let from = options.from; ;) {
    signal.throwIfAborted();
    let page: JobLogPart;
    try {
      const { client } = await context.session();
      const waitMs = options.follow ? WAIT_MS : 0;
      const query = { from, waitMs, ...(run === undefined ? {} : { run }) };
      page = await readJobLog(client, job.id, query, signal);
    } catch (error) {
      if (!options.follow || !(error instanceof HitchError) || error.code !== 'UNREACHABLE') {
        throw error;
      }
      if (!isAway) {
        io.note(`${error.message} Trying again.`);
      }
      isAway = true;
      await clock.sleep(AGAIN_MS, signal);
      continue;
    }
    isAway = false;
    // The latest may be another one by the time of the next page.
    run ??= page.run;
    if (page.from > from && page.bytes.length > 0) {
      missing += page.from - from;
      io.note(`… ${format.bytes(page.from - from)} of this log are not kept`);
      decoder = new TextDecoder();
    }
    if (page.bytes.length > 0) {
      empty = 0;
      if (options.json) {
        const text = decoder.decode(page.bytes, { stream: true });
        io.jsonLine({ type: 'log', run: page.run, from: page.from, next: page.next, text });
      } else {
        await io.bytes(page.bytes);
      }
    }
    from = page.next;
    if (page.bytes.length === 0 && (page.isOver || !options.follow)) {
      const left = page.endByte - page.next;
      if (left > 0 && ++empty < MOST_EMPTY) {
        await clock.sleep(AGAIN_MS, signal);
        continue;
      }
      if (left > 0) {
        missing += left;
        io.note(`… the machine does not give the last ${format.bytes(left)} of this log`);
      }
      const next = options.run === undefined && options.follow ? await nextRun(context, job, page.run) : null;
      if (next === null) {
        io.endOutput();
        return missing;
      }
      io.note(`Run ${next.toString()}:`);
      [run, from, empty] = [next, 0, 0];
      decoder = new TextDecoder();
    }
  }
}

/** The run after this one, when the job is tried again; null: it is over. */
async function nextRun(context: Context, job: Job, run: number): Promise<number | null> {
  for (;;) {
    const { api } = await context.session();
    const now = await api.jobs.get({ jobId: job.id });
    const next = now.runs.find(({ number }) => number > run);
    if (next !== undefined || isJobOver(now.state)) {
      return next?.number ?? null;
    }
    await context.clock.sleep(AGAIN_MS);
  }
}

export const comeBack = ({ name }: Job): string => `hitch job logs ${name} -f · hitch job stop ${name}`;

/** Shows the log from its beginning until the job is over. Ctrl-C leaves it running. @returns the job's own code. */
export async function followToEnd(context: Context, job: Job, json: boolean): Promise<ExitCode> {
  const { io, clock } = context;
  try {
    await interruptible(context.interrupts, signal =>
      writeLog(context, job, { json, from: 0, follow: true }, signal),
    );
  } catch (error) {
    if (!(error instanceof InterruptedError)) {
      throw error;
    }
    io.endOutput();
    io.note(`It keeps running. ${comeBack(job)}`);
    return EXIT.interrupted;
  }
  const { api } = await context.session();
  let ended = await api.jobs.get({ jobId: job.id });
  while (!isJobOver(ended.state)) {
    await clock.sleep(100);
    ended = await api.jobs.get({ jobId: job.id });
  }
  if (json) {
    io.jsonLine({ type: 'job', job: ended });
  } else {
    io.note(`${ended.name}: ${jobLine(ended, clock.now())}`);
    const last = ended.runs.at(-1);
    if (last !== undefined && last.leftBehind > 0) {
      io.note(`${last.leftBehind.toString()} programs that it had left running were ended.`);
    }
  }
  return exitOf(ended);
}

/** The job's own exit code, as a shell would say it. */
export function exitOf(job: Job): ExitCode {
  const run = job.runs.at(-1);
  switch (run?.cause) {
    case 'finished':
      return EXIT.ok;
    case 'exit':
      return jobExitCode(run.exitCode ?? EXIT.defect);
    case 'signal':
    case 'memory':
      return jobExitCode(run.exitCode ?? 128 + numberOf(run.signal));
    case 'limit':
      return EXIT.timedOut;
    case 'stopped':
      return EXIT.declined;
    default:
      return EXIT.clusterFailed;
  }
}

const numberOf = (signal: string | null): number =>
  Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0;

/** One line a run, for people. */
export const runLine = (run: Job['runs'][number], nowMs: number): string => {
  const time = format.elapsed((run.endedAtMs ?? nowMs) - run.startedAtMs);
  const why = run.cause === null ? 'running' : causeWords(run);
  const peak = run.peakBytes === null ? '' : `, at most ${format.bytes(run.peakBytes)} of memory`;
  return `Run ${run.number.toString()}: ${why} after ${time}, ${format.bytes(run.log.endByte)} of output${peak}`;
};
