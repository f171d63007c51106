/** `hitch job logs`: what a job printed, from any place, also when its machine is gone. */
import { format, HitchError, logLossWords } from '@hitch/contract';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';
import { findJob, jobRef } from '../jobs/find-job.ts';
import { writeLog } from '../jobs/follow-job.ts';
import { wholeNumber } from '../values.ts';

const schema = z
  .object({
    job: jobRef,
    follow: z.boolean().default(false),
    from: z.coerce.number('must be the number of a byte').int().min(0).default(0),
    run: wholeNumber(1, 1_000).optional(),
    grep: z.string().min(1).max(200).optional(),
    json: z.boolean().default(false),
  })
  .refine(({ follow, grep }) => !(follow && grep !== undefined), {
    path: ['grep'],
    message: 'cannot be combined with --follow: pipe the output into grep instead',
  });
type LogsInput = z.output<typeof schema>;

async function search(context: Context, input: LogsInput, text: string): Promise<ExitCode> {
  const { io } = context;
  const { api } = await context.session();
  const job = await findJob(api, input.job);
  let found = 0;
  for (let from: number | null = input.from; from !== null;) {
    const run = input.run === undefined ? {} : { run: input.run };
    const finds = await api.jobs.search({ jobId: job.id, text, from, ...run });
    for (const { at, text: line } of finds.lines) {
      found += 1;
      if (input.json) {
        io.jsonLine({ type: 'found', run: finds.run, at, text: line });
      } else {
        io.line(line);
      }
    }
    from = finds.next;
  }
  if (found === 0) {
    throw new HitchError('NOT_FOUND', `Nothing in the log of ${job.name} holds “${text}”.`);
  }
  return EXIT.ok;
}

async function run(context: Context, input: LogsInput): Promise<ExitCode> {
  if (input.grep !== undefined) {
    return search(context, input, input.grep);
  }
  const { io } = context;
  const { api } = await context.session();
  const job = await findJob(api, input.job);
  let missing = 0;
  try {
    missing = await interruptible(context.interrupts, signal =>
      writeLog(
        context,
        job,
        { json: input.json, run: input.run, from: input.from, follow: input.follow },
        signal,
      ),
    );
  } catch (error) {
    // Ctrl-C is how one leaves a followed log.
    if (!(error instanceof InterruptedError)) throw error;
    io.endOutput();
    return EXIT.ok;
  }
  const cluster = await api.clusters.get({ clusterId: job.clusterId }).catch(() => null);
  const isOnMachine = cluster !== null && ['starting', 'ready', 'degraded'].includes(cluster.phase);
  const loss = isOnMachine ? null : logLossWords(job, false);
  if (loss !== null) {
    io.note(`… ${loss}`);
  } else if (missing > 0) {
    io.note(`… ${format.bytes(missing)} of this log are not kept; its beginning and its end are`);
  }
  return missing > 0 || loss !== null ? EXIT.notAll : EXIT.ok;
}

export const addJobLogs = defineCommand({
  usage: 'logs <job>',
  summary: 'show what a job printed; also when its machine is gone',
  examples: [
    ['hitch job logs train', 'all of it'],
    ['hitch job logs train -f', 'and what comes, until it is over or Ctrl-C'],
    ['hitch job logs train --from 1048576', 'from that byte on'],
    ['hitch job logs train --grep loss', 'the lines with this text'],
  ],
  options: command =>
    command
      .option('-f, --follow', 'keep printing what comes')
      .option('--from <byte>', 'begin at this byte (default: 0)')
      .option('--run <number>', 'which run of a job that was started again (default: the latest)')
      .option('--grep <text>', 'only lines with this text, upper and lower case alike'),
  schema,
  run,
});
