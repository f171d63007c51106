/** `hitch job run` and `hitch job retry`. */
import {
  conflictSchema,
  HitchError,
  jobNameSchema,
  type JobSpec,
  type JobWork,
  MOST_RETRIES,
  shownName,
  USUAL_CONFLICT,
  workWordsOf,
} from '@hitch/contract';
import { resolve } from 'node:path';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findJob, jobRef } from '../jobs/find-job.ts';
import { comeBack, followToEnd } from '../jobs/follow-job.ts';
import { jobWork } from '../jobs/job-work.ts';
import { sendFolder } from '../jobs/send-folder.ts';
import { clusterRef, duration, wholeNumber } from '../values.ts';
import {
  checkQueueOptions,
  isQueue,
  linesOf,
  queueOfLines,
  queueOfProgram,
  queueOfTemplate,
} from './job-queue-options.ts';
import { addJobRentOptions, jobRentShape, jobRequestFrom, rentJob, rentOptionIn } from './job-rent.ts';

const GiB = 1024 ** 3;

const schema = z.object({
  ...jobRentShape,
  cluster: z.string().optional(),
  command: z.array(z.string()),
  sh: z.string().min(1, 'needs a text to run').optional(),
  cells: z.string().optional(),
  name: jobNameSchema.optional(),
  folder: z.string().max(4096).optional(),
  torchrun: z.boolean().default(false),
  processes: wholeNumber(1, 1_000).optional(),
  env: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*=/, 'must be like NAME=value')).default([]),
  output: z.array(z.string().min(1)).default([]),
  retries: wholeNumber(0, MOST_RETRIES).default(0),
  time: duration.optional(),
  memory: wholeNumber(1, 100_000).optional(),
  onConflict: conflictSchema.default(USUAL_CONFLICT),
  send: z.boolean().default(true),
  detach: z.boolean().default(false),
  json: z.boolean().default(false),
});
type RunInput = z.output<typeof schema>;

/** The same work on several nodes, where that was asked for. @throws HitchError BAD_INPUT */
function onNodes(
  work: JobWork,
  { nodes, torchrun, processes }: Pick<RunInput, 'nodes' | 'torchrun' | 'processes'>,
  all: number,
): JobWork {
  if (processes !== undefined && !torchrun) {
    throw new HitchError('BAD_INPUT', '--processes is how many torchrun starts on each node.', {
      field: '--processes',
      next: 'Add --torchrun.',
    });
  }
  if (nodes === undefined && !torchrun) {
    return work;
  }
  if (work.kind !== 'command') {
    throw new HitchError('BAD_INPUT', '--nodes and --torchrun run a Python file or a command.', {
      field: '--nodes',
      next: 'For example: hitch job run llm-dev --nodes 2 --torchrun train.py',
    });
  }
  // torchrun starts Python itself.
  const command =
    torchrun && /^python[\d.]*$/.test(work.command[0] ?? '') ? work.command.slice(1) : work.command;
  return { kind: 'nodes', nodes: nodes ?? all, torchrun, processes: processes ?? null, command };
}

async function run(context: Context, input: RunInput): Promise<ExitCode> {
  if (input.rent) {
    return runRented(context, input);
  }
  const option = rentOptionIn(input);
  if (option !== null) {
    throw new HitchError('BAD_INPUT', `${option} is for a job that rents its own machine.`, {
      field: option,
      next: 'Add --rent, or leave it out.',
    });
  }
  return runOnCluster(context, input);
}

/** Options that would change nothing: what is asked for in vain is said, and nothing is rented. @throws HitchError BAD_INPUT */
function refuseIdle(input: RunInput): void {
  const { template, preset, set, torchrun, processes, onConflict } = input;
  const ofRun = {
    '--cells': input.cells !== undefined,
    '--folder': input.folder !== undefined,
    '--torchrun': torchrun,
    '--env': input.env.length > 0,
    '--output': input.output.length > 0,
    '--retries': input.retries > 0,
    '--time': input.time !== undefined,
    '--memory': input.memory !== undefined,
    '--no-send': !input.send,
  };
  const idle =
    template === undefined
      ? { '--preset': preset !== undefined, '--set': set.length > 0 }
      : {
          ...ofRun,
          '--processes': processes !== undefined,
          '--checkpoints': input.checkpoints !== undefined,
          '--each': input.each !== undefined,
        };
  if (input.bucket === undefined && (input.bucketEndpoint ?? input.bucketRegion) !== undefined) {
    throw new HitchError('BAD_INPUT', '--bucket-endpoint and --bucket-region are of --bucket.', {
      field: '--bucket',
      next: 'Add --bucket s3://name/prefix, or leave them out.',
    });
  }
  if (input.python !== undefined && input.packages === undefined) {
    throw new HitchError('BAD_INPUT', '--python is the Python of --packages, and there are none.', {
      field: '--python',
      next: 'Add --packages requirements.txt, or leave it out.',
    });
  }
  const [option] = [
    ...Object.entries(idle).filter(([, isGiven]) => isGiven),
    ...(onConflict === USUAL_CONFLICT ? [] : [['--on-conflict']]),
  ].map(([name]) => name);
  if (option !== undefined) {
    const why =
      option === '--on-conflict'
        ? 'a machine that is rented for a job has no files yet'
        : template === undefined
          ? 'it is for a template'
          : 'a template says that itself';
    throw new HitchError('BAD_INPUT', `${option} would change nothing: ${why}.`, {
      field: option,
      next:
        template === undefined && option !== '--on-conflict'
          ? 'Add --template, or leave it out.'
          : 'Leave it out.',
    });
  }
}

/** The first word names no cluster then. */
async function runRented(context: Context, input: RunInput): Promise<ExitCode> {
  refuseIdle(input);
  checkQueueOptions(input);
  const { name, yes, detach, json } = input;
  const words = [...(input.cluster === undefined ? [] : [input.cluster]), ...input.command];
  if (input.template !== undefined) {
    if (words.length > 0 || input.sh !== undefined) {
      throw new HitchError('BAD_INPUT', 'A template has its own command: give the one or the other.', {
        field: '--template',
      });
    }
    const request = await jobRequestFrom(context, input, { kind: 'template' }, { name, json });
    const queue = isQueue(input) ? queueOfTemplate(input) : null;
    return rentJob(context, { ...request, queue }, { yes, detach, json });
  }
  const lines = input.each === undefined ? null : await linesOf(context.cwd, input.each);
  const local = await jobWork(context, { words, sh: lines?.[0] ?? input.sh, cells: input.cells });
  const folder = input.send ? resolve(local.folder) : null;
  // Without torchrun it runs on the first of the machines, and reaches the others by Ray.
  const work =
    input.torchrun || input.processes !== undefined
      ? onNodes(local.work(''), input, input.nodes ?? 1)
      : local.work('');
  const spec = specOf(input, work, input.folder ?? '');
  const request = await jobRequestFrom(context, input, { kind: 'program', spec, folder }, { name, json });
  const queue =
    lines === null ? (isQueue(input) ? queueOfProgram(input, spec) : null) : queueOfLines(input, spec, lines);
  return rentJob(context, { ...request, queue }, { yes, detach, json });
}

const specOf = (input: RunInput, work: JobSpec['work'], folder: string): JobSpec => ({
  work,
  folder,
  variables: Object.fromEntries(
    input.env.map(each => [each.split('=', 1)[0] ?? '', each.slice(each.indexOf('=') + 1)]),
  ),
  retries: input.retries,
  timeLimitMs: input.time ?? null,
  graceMs: 10_000,
  memoryBytes: input.memory === undefined ? null : input.memory * GiB,
  // As a person in that folder writes them.
  outputs: input.output.map(path => (folder === '' ? path : `${folder}/${path}`)),
  metricPatterns: {},
});

async function runOnCluster(context: Context, input: RunInput): Promise<ExitCode> {
  const { io } = context;
  const named = clusterRef.safeParse(input.cluster);
  if (!named.success) {
    throw new HitchError(
      'BAD_INPUT',
      input.cluster === undefined
        ? 'Name a cluster to run on, or add --rent to rent a machine for it.'
        : `cluster: ${named.error.issues[0]?.message ?? 'is not valid'}`,
      { field: 'cluster' },
    );
  }
  const local = await jobWork(context, { words: input.command, sh: input.sh, cells: input.cells });
  const { api } = await context.session();
  const cluster = await findCluster(api, named.data);
  const sent = input.send
    ? await sendFolder(context, cluster, resolve(local.folder), {
        conflict: input.onConflict,
        json: input.json,
      })
    : '';
  const folder = input.folder ?? sent;
  const spec = specOf(input, onNodes(local.work(folder), input, cluster.nodes.length), folder);
  const job = await api.jobs.start({
    clusterId: cluster.id,
    spec,
    ...(input.name === undefined ? {} : { name: input.name }),
  });
  if (input.json) {
    io.jsonLine({ type: 'job', job });
  } else {
    io.note(`${job.name} runs on ${cluster.name}: ${shownName(workWordsOf(spec))}`);
    io.note(`^C leaves it running. ${comeBack(job)}`);
  }
  return input.detach ? EXIT.ok : followToEnd(context, job, input.json);
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

export const addJobRun = defineCommand({
  usage: 'run [cluster] [command...]',
  summary: 'run a file or a command on a cluster, or on a machine rented for it; it goes on when you leave',
  examples: [
    ['hitch job run llm-dev train.py --epochs 3', 'sends this folder, runs the file, shows its output'],
    ['hitch job run llm-dev -- torchrun --nproc-per-node 2 train.py', 'any command'],
    ['hitch job run llm-dev train.ipynb', 'a notebook; outputs go into a copy beside it'],
    ['hitch job run llm-dev train.ipynb --cells -5', 'its first five cells'],
    ['hitch job run llm-dev --nodes 2 --torchrun train.py', 'a distributed training on two machines'],
    ["hitch job run llm-dev --no-send --sh 'nvidia-smi; df -h'", 'a text for bash'],
    [
      'hitch job run llm-dev -d --retries 3 --time 8h train.py',
      'returns at once; tries again, at most 8 h a run',
    ],
    [
      'hitch job run --rent --gpu L4 --cap 5 --output out train.py',
      'rents a machine, runs the file there, saves out/ here, deletes the machine',
    ],
    [
      'hitch job run --rent --template hf-lora --set steps=200 --replace 3',
      'a template; up to 3 other machines where one is lost',
    ],
    [
      'hitch job run --rent --sweep lr=1e-3,1e-4 --budget 9 --at-once 2 train.py --lr {lr}',
      'a job for each value, two at once, for at most $9 together',
    ],
  ],
  options: command =>
    addJobRentOptions(command)
      .option('--sh <text>', 'a text for bash instead of a command')
      .option('--cells <range>', 'of a notebook: 3, 2-5 or -5 (the first five)')
      .option('--name <name>', 'the job’s name (default: after what it runs)')
      .option('--folder <path>', 'where it runs, in the work folder (default: where this folder is sent to)')
      .option('--env <NAME=value>', 'a variable for it; again for more', collect)
      .option('--output <path>', 'what it makes, for hitch job fetch; again for more', collect)
      .option('--retries <count>', 'start it again so often when it fails')
      .option('--time <duration>', 'end a run after this long')
      .option('--memory <GiB>', 'end it when it uses more memory')
      .option(
        '--on-conflict <what>',
        'where a sent file differs from the one there: keep-both, replace, skip',
      )
      .option(
        '--torchrun',
        'with torch’s launcher on all nodes or --nodes: a process for each GPU, all in one group',
      )
      .option(
        '--processes <count>',
        'how many torchrun starts on each node (default: one for each GPU, else one)',
      )
      .option('--no-send', 'send nothing; what it needs is there already')
      .option('-d, --detach', 'return at once'),
  schema,
  run,
});

export const addJobRetry = defineCommand({
  usage: 'retry <job>',
  summary: 'run the same again on the same cluster, as a job of its own',
  examples: [['hitch job retry train', 'its folder is not sent again']],
  options: command => command.option('-d, --detach', 'return at once'),
  schema: z.object({ job: jobRef, detach: z.boolean().default(false), json: z.boolean().default(false) }),
  run: async (context, input) => {
    const { api } = await context.session();
    const before = await findJob(api, input.job);
    const job = await api.jobs.again({ jobId: before.id });
    if (input.json) {
      context.io.jsonLine({ type: 'job', job });
    } else {
      context.io.note(`${job.name} runs on ${job.clusterName}. ^C leaves it running. ${comeBack(job)}`);
    }
    return input.detach ? EXIT.ok : followToEnd(context, job, input.json);
  },
});
