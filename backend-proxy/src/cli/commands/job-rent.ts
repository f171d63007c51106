/** `hitch job run --rent`: a job that rents its own machine. One quote, one yes, and it goes on by itself. */
import {
  formatMicroUsd,
  HitchError,
  type Job,
  jobBucketSchema,
  type JobQuote,
  type JobQuoteRequest,
  type JobSpec,
  MOST_REPLACEMENTS,
  parseMicroUsd,
  pythonVersionSchema,
  quoteLineTone,
  quoteRequestSchema,
  secretNameSchema,
  workPathSchema,
} from '@hitch/contract';
import type { Command } from 'commander';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { lockOrSay, readEnvironmentFile } from '../environment-file.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { comeBack } from '../jobs/follow-job.ts';
import { followRented } from '../jobs/follow-rented.ts';
import { followQueue } from '../jobs/queues.ts';
import { PRACTICE_BANNER } from '../screen/offer-table.ts';
import { confirm } from '../screen/prompt.ts';
import { dollars, duration, wholeNumber } from '../values.ts';
import { addFilterOptions, filterFrom, filterOptionsShape } from './filter-options.ts';
import { addQueueOptions, queueShape } from './job-queue-options.ts';

const collect = (value: string, before: string[] = []): string[] => [...before, value];

export function addJobRentOptions(command: Command): Command {
  return addFilterOptions(
    addQueueOptions(command)
      .option(
        '--rent',
        'rent a machine for it, and delete that when it is over; takes the options that follow',
      )
      .option('--template <id>', 'a template instead of a file or command')
      .option('--preset <name>', 'of the template: values and a machine that are known to work')
      .option('--set <name=value>', 'a parameter of the template; again for more', collect)
      .option('--cap <dollars>', 'the most it may cost, all its machines together (default: $2)')
      .option('--for <duration>', 'the longest it may rent (default: 4h)')
      .option('--max <dollars>', 'the most that one machine may cost an hour')
      .option('--wait <duration>', 'wait so long for a machine where none is offered')
      .option('--replace <count>', 'rent so many others where a machine is lost')
      .option('--checkpoints <path>', 'its folder of checkpoints, kept here for the next machine')
      .option('--bucket <s3://…>', 'keep checkpoints there too, also while this computer sleeps')
      .option('--bucket-endpoint <url>', 'of a bucket that is not Amazon’s')
      .option('--bucket-region <name>', 'the bucket’s region (default: us-east-1)')
      .option('--save-within <duration>', 'try so long to save what it made (default: 30m)')
      .option('--offer <id>', 'this offer instead of the best that match; again for more', collect)
      .option(
        '--nodes <count>',
        'how many machines; without --rent: of the cluster, on all of them at once as one job',
      )
      .option('--packages <file>', 'its packages: a requirements file or lock, or pyproject.toml')
      .option('--python <version>', 'the Python for --packages, such as 3.12')
      .option('--secret <name>', 'a stored secret that it may read; again for more', collect)
      .option('--to <folder>', 'where what it made goes on this computer')
      .option('-y, --yes', 'rent without asking; needs --max'),
  );
}

export const parameterValues = z
  .array(z.string().regex(/^[a-z][a-z0-9_]*=/, 'must be like steps=200'))
  .default([]);

export const jobRentShape = {
  ...filterOptionsShape,
  ...queueShape,
  rent: z.boolean().default(false),
  template: z.string().optional(),
  preset: z.string().optional(),
  set: parameterValues,
  cap: dollars.optional(),
  for: duration.optional(),
  max: dollars.optional(),
  wait: duration.optional(),
  replace: wholeNumber(0, MOST_REPLACEMENTS).optional(),
  checkpoints: workPathSchema.optional(),
  bucket: jobBucketSchema.shape.url.optional(),
  bucketEndpoint: jobBucketSchema.shape.endpoint.unwrap().unwrap().optional(),
  bucketRegion: jobBucketSchema.shape.region.unwrap().optional(),
  saveWithin: duration.optional(),
  offer: z.array(z.string()).default([]),
  nodes: wholeNumber(1, 100).optional(),
  packages: z.string().optional(),
  python: pythonVersionSchema.optional(),
  secret: z.array(secretNameSchema).default([]),
  to: z.string().optional(),
  yes: z.boolean().default(false),
};
export type JobRentInput = z.output<z.ZodObject<typeof jobRentShape>>;

/** @returns an option that says something of a rental, where none is wanted. */
export function rentOptionIn(input: JobRentInput): string | null {
  // On a cluster that is there, `nodes` says on how many of its own.
  const given = Object.keys(jobRentShape).find(key => {
    if (key === 'nodes') {
      return false;
    }
    const value: unknown = Object.entries(input).find(([name]) => name === key)?.[1];
    return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  });
  return given === undefined ? null : `--${given.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
}

export type WantedWork =
  | { readonly kind: 'program'; readonly spec: JobSpec; readonly folder: string | null }
  | { readonly kind: 'template' };

export interface RentJob {
  /** Said on the command line: what is quoted is begun. */
  readonly yes: boolean;
  readonly detach: boolean;
  readonly json: boolean;
}

/** Asks for a price, for a yes, and follows the job until its machine is gone. */
export async function rentJob(
  context: Context,
  request: JobQuoteRequest,
  { yes, detach, json }: RentJob,
): Promise<ExitCode> {
  const { io } = context;
  const { api } = await context.session();
  const quote = await api.jobs.quote(request);
  showJobQuote(context, quote, json);
  await agree(context, yes, quote, json).catch(async (error: unknown) => {
    // Else its name would be taken until it expires.
    await api.jobs.discardQuote({ jobId: quote.id }).catch(() => undefined);
    throw error;
  });
  const job = await beginJob(context, quote);
  if (quote.queue !== undefined) {
    return followQueue(context, quote.queue, { detach, json });
  }
  if (json) {
    io.jsonLine({ type: 'job', job });
  } else {
    io.note(`${job.name} goes on by itself. ^C leaves it. ${comeBack(job)}`);
  }
  return detach ? EXIT.ok : followRented(context, job, json);
}

/** What `job run --rent` asks for. @throws HitchError BAD_INPUT for a yes without a limit. */
export async function jobRequestFrom(
  context: Context,
  input: JobRentInput,
  work: WantedWork,
  { name, json }: { readonly name: string | undefined; readonly json: boolean },
): Promise<JobQuoteRequest> {
  const { clock, cwd } = context;
  if (input.yes && input.max === undefined) {
    throw new HitchError('BAD_INPUT', '--yes needs --max: the most that one machine may cost an hour.', {
      field: '--max',
      next: 'See the price first: without --yes it is shown, and you are asked.',
    });
  }
  const filter = filterFrom(input);
  return {
    work: workOf(input, work, cwd),
    rent: quoteRequestSchema.parse({
      nodes: input.nodes ?? 1,
      offerIds: input.offer,
      filter,
      maxNodePricePerHourMicroUsd: input.max === undefined ? null : formatMicroUsd(parseMicroUsd(input.max)),
      capMicroUsd: input.cap ?? null,
      stopAtMs: input.for === undefined ? null : clock.now() + input.for,
      save: { paths: [], toFolder: input.to === undefined ? null : resolve(cwd, input.to) },
      secrets: input.secret,
      environment: await environmentOf(context, input, filter.practice === 'only', json),
    }),
    waitMs: input.wait ?? 0,
    replacements: input.replace ?? null,
    saveWithinMs: input.saveWithin ?? null,
    bucket:
      input.bucket === undefined
        ? null
        : { url: input.bucket, endpoint: input.bucketEndpoint ?? null, region: input.bucketRegion },
    ...(name === undefined ? {} : { name }),
  };
}

function workOf(input: JobRentInput, work: WantedWork, cwd: string): JobQuoteRequest['work'] {
  if (work.kind === 'program') {
    const { spec, folder } = work;
    return { kind: 'program', spec, folder, checkpoints: input.checkpoints ?? null };
  }
  return templateWork(input.template ?? '.', input, cwd);
}

/** A template as a person names it: by its name, or by its folder from where one stands. */
export function templateWork(
  template: string,
  { preset, set }: { readonly preset?: string | undefined; readonly set: readonly string[] },
  cwd: string,
): JobQuoteRequest['work'] & { readonly kind: 'template' } {
  return {
    kind: 'template',
    template: /^\.|[\\/]/.test(template) ? resolve(cwd, template) : template,
    ...(preset === undefined ? {} : { preset }),
    values: Object.fromEntries(
      set.map(each => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
    ),
  };
}

async function environmentOf(
  context: Context,
  { packages, python, nodes = 1 }: JobRentInput,
  isPractice: boolean,
  json: boolean,
): Promise<string | null> {
  if (packages === undefined) {
    return null;
  }
  const { api } = await context.session();
  const file = await readEnvironmentFile(context.cwd, packages);
  const platform = isPractice ? ('this-computer' as const) : ('linux-x86_64' as const);
  const locked = await lockOrSay(
    context,
    api,
    // Several machines have Ray, which has to be in the lock.
    { file, python: python ?? null, engine: nodes > 1 ? 'ray' : 'single', platform },
    json,
  );
  return locked.id;
}

function showJobQuote({ io }: Context, quote: JobQuote, json: boolean): void {
  if (json) {
    io.jsonLine({ type: 'quote', quote });
    return;
  }
  if (quote.practice) {
    io.line(io.style('yellow', PRACTICE_BANNER));
  }
  for (const [index, line] of quote.lines.entries()) {
    const tone = quoteLineTone(line);
    // The banner above says it.
    if (tone !== 'practice') {
      io.line(index === 0 ? io.style('bold', line) : tone === 'warning' ? io.style('yellow', line) : line);
    }
  }
}

async function agree({ io }: Context, yes: boolean, quote: JobQuote, json: boolean): Promise<void> {
  // What was quoted costs no more than --max: it was asked for so.
  if (yes) {
    return;
  }
  if (json || !io.interactive) {
    throw new CommandFailure(
      EXIT.declined,
      'BAD_INPUT',
      'Renting needs your approval, and there is no terminal to ask in; nothing was rented.',
      { next: 'Add --yes --max <dollars an hour>.' },
    );
  }
  if (!(await confirm(io, `${quote.yes}?`))) {
    throw new CommandFailure(EXIT.declined, 'CONFLICT', 'Nothing was rented.');
  }
}

const TRIES = 5;

/** The yes counts once however often it is said: an unanswered call is made again. */
export async function beginJob(context: Context, { id }: Pick<JobQuote, 'id'>): Promise<Job> {
  for (let tries = 1; ; tries++) {
    try {
      const { api } = await context.session();
      return await api.jobs.rent({ jobId: id });
    } catch (error) {
      if (tries === TRIES || !(error instanceof HitchError && error.code === 'UNREACHABLE')) {
        throw error;
      }
      await context.clock.sleep(500);
    }
  }
}
