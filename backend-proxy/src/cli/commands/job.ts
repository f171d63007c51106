/** `hitch job`: programs that run on a cluster and outlive whoever started them. */
import {
  checkpointWords,
  format,
  HitchError,
  isJobOver,
  isJobSettled,
  type Job,
  jobStandLine,
  jobOutputs,
  logLossWords,
  shownName,
  workWordsOf,
} from '@hitch/contract';
import * as z from 'zod';
import { defineCommand, defineGroup } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { findJob, jobRef } from '../jobs/find-job.ts';
import { findQueue } from '../jobs/queues.ts';
import { runLine } from '../jobs/follow-job.ts';
import { type Column, writeTable } from '../screen/table.ts';
import { runCp } from './cp.ts';
import { figuresOf } from '@hitch/contract/src/job-gather.ts';
import { rayJobLine, rayJobsOf } from '@hitch/contract/src/ray-jobs.ts';
import { addJobCompare } from './job-compare.ts';
import { addJobLogs } from './job-logs.ts';
import { addJobMetrics, figure } from './job-metrics.ts';
import { addJobQueue } from './job-queue.ts';
import { addJobRetry, addJobRun } from './job-run.ts';

const json = z.boolean().default(false);

const costOf = ({ costMicroUsd }: Job): string =>
  costMicroUsd === null ? '–' : format.dollars(costMicroUsd);

const glanceOf = ({ glance }: Job): string =>
  glance === undefined
    ? '–'
    : `${shownName(glance.name)} ${figure(glance.last)}${glance.step === null ? '' : ` at ${figure(glance.step)}`}`;

interface Row {
  readonly name: string;
  readonly state: string;
  /** The last value of a figure. */
  readonly glance: string;
  readonly cluster: string;
  readonly cost: string;
  readonly runs: string;
}

const columns: readonly Column<Row>[] = [
  { title: 'Job', priority: 1, cell: ({ name }) => name },
  { title: 'State', priority: 1, cell: ({ state }) => state },
  { title: 'Figure', priority: 2, cell: ({ glance }) => glance },
  { title: 'Cluster', priority: 2, cell: ({ cluster }) => cluster },
  { title: 'Cost', priority: 3, align: 'right', cell: ({ cost }) => cost },
  { title: 'Runs', priority: 4, cell: ({ runs }) => runs },
];

const rowOf = (job: Job, nowMs: number): Row => ({
  name: job.name,
  state: jobStandLine(job, nowMs),
  glance: glanceOf(job),
  cluster: job.clusterName,
  cost: costOf(job),
  runs: shownName(workWordsOf(job.spec)),
});

const addList = defineCommand({
  usage: 'ls',
  aliases: ['list'],
  summary: 'list your jobs, those of ended clusters too',
  examples: [['hitch job ls --json | jq -r \'.[] | select(.state=="running").name\'', 'those that run']],
  options: command =>
    command.option('--ray', 'only what was submitted to the Ray of your clusters itself (ray job submit)'),
  schema: z.object({ ray: z.boolean().default(false), json }),
  run: async ({ io, session, clock }, input) => {
    const { api } = await session();
    const jobs = input.ray ? [] : await api.jobs.list({});
    if (input.json && !input.ray) {
      io.json(jobs);
      return EXIT.ok;
    }
    const ofRay = await rayJobsOf(api);
    ofRay.notes.forEach(note => io.note(note));
    if (input.json) {
      io.json(ofRay.jobs);
      return EXIT.ok;
    }
    if (jobs.length + ofRay.jobs.length === 0) {
      io.line(
        input.ray
          ? 'Nothing was submitted to the Ray of a cluster.'
          : 'No jobs. Begin one with hitch job run.',
      );
      return EXIT.ok;
    }
    const ordered = [...jobs].sort(
      (a, b) => Number(isJobOver(a.state)) - Number(isJobOver(b.state)) || b.createdAtMs - a.createdAtMs,
    );
    const nowMs = clock.now();
    const rows = [
      ...ordered.map(job => rowOf(job, nowMs)),
      ...ofRay.jobs.map(job => ({
        name: `${shownName(job.submissionId)} (Ray’s)`,
        state: rayJobLine(job, nowMs),
        glance: '–',
        cluster: job.clusterName,
        cost: '–',
        runs: shownName(job.entrypoint),
      })),
    ];
    writeTable(io, rows, columns);
    return EXIT.ok;
  },
});

/** A line bears so many. */
const MOST_FIGURES = 8;

const addShow = defineCommand({
  usage: 'show <job>',
  summary: 'show one job: what it runs, each run and how it ended',
  examples: [['hitch job show train', 'its runs, cost, memory and outputs']],
  schema: z.object({ job: jobRef, json }),
  run: async ({ io, session, clock }, input) => {
    const { api } = await session();
    const job = await findJob(api, input.job);
    if (input.json) {
      io.json(job);
      return EXIT.ok;
    }
    const nowMs = clock.now();
    io.line(`${job.name} on ${job.clusterName}: ${jobStandLine(job, nowMs)}`);
    rentalLines(job, nowMs).forEach(line => io.line(`  ${line}`));
    io.line(`  Runs: ${shownName(workWordsOf(job.spec))}`);
    io.line(`  In: ~/work/${shownName(job.spec.folder)}`);
    io.line(`  Cost${job.rental === undefined ? ' while it ran' : ', all its machines'}: ${costOf(job)}`);
    job.runs.forEach(run => io.line(`  ${runLine(run, nowMs)}`));
    const outputs = jobOutputs(job);
    if (outputs.length > 0) {
      io.line(`  Outputs: ${outputs.map(shownName).join(', ')} (hitch job fetch ${job.name})`);
    }
    const figures = (await figuresOf(api, job)).metrics.slice(0, MOST_FIGURES);
    if (figures.length > 0) {
      const words = figures.map(({ name, last }) => `${shownName(name)} ${figure(last)}`);
      io.line(`  Figures: ${words.join(', ')} (all: hitch job metrics ${job.name})`);
    }
    const loss = isJobOver(job.state) ? logLossWords(job, true) : null;
    if (loss !== null) {
      io.line(`  ${loss}`);
    }
    return EXIT.ok;
  },
});

/** What was approved for a job that rents, and where its checkpoints and outputs are. */
function rentalLines({ rental }: Job, nowMs: number): string[] {
  if (rental === undefined) {
    return [];
  }
  const { limits, replaced, template, saved, message, queue, bucket } = rental;
  const inBucket = bucket?.checkpoint ?? null;
  const checkpoint = checkpointWords(rental, nowMs);
  return [
    ...(message === '' ? [] : [shownName(message)]),
    `Approved: ${format.dollars(limits.capMicroUsd)} in all, ${format.dollars(limits.maxNodePricePerHourMicroUsd)}/h a machine${limits.stopAtMs === null ? '' : `, until ${format.clock(limits.stopAtMs, nowMs)}`}`,
    ...(limits.replacements === 0
      ? []
      : [`Machines in the place of lost ones: ${replaced} of ${limits.replacements}`]),
    ...(checkpoint === null ? [] : [`Checkpoints: ${checkpoint}`]),
    ...(rental.checkpoint === null ? [] : [`Kept in: ${rental.checkpoint.folder}`]),
    ...(inBucket === null ? [] : [`In the bucket: ${shownName(inBucket.folder)}`]),
    ...(bucket === undefined || bucket.message === '' ? [] : [`Bucket: ${shownName(bucket.message)}`]),
    ...(queue === undefined
      ? []
      : [
          `One of ${queue.of} (${shownName(queue.label)}), ${format.dollars(queue.budgetMicroUsd)} for all: hitch job queue ${queue.name}`,
        ]),
    ...(template === null ? [] : [`Template: ${shownName(template.id)}, ${template.digest.slice(0, 19)}`]),
    ...saved.map(path => `Saved: ${path}`),
  ];
}

const LOOK_AGAIN_MS = 200;

const addStop = defineCommand({
  usage: 'stop <job>',
  summary: 'end a job, or all of one --sweep: SIGTERM, and SIGKILL to all that it started after its grace',
  examples: [['hitch job stop train --no-wait', 'return at once']],
  options: command => command.option('--no-wait', 'do not wait until it is over'),
  schema: z.object({ job: jobRef, wait: z.boolean().default(true), json }),
  run: async ({ io, session, clock }, input) => {
    const { api } = await session();
    const asked = (await findQueue(api, input.job)) ?? [await findJob(api, input.job)];
    // The last first: of several none begins in the place of one that is stopped.
    for (const { id } of [...asked].reverse()) {
      await api.jobs.stop({ jobId: id });
    }
    const stopped: Job[] = [];
    for (const { id } of asked) {
      let job = await api.jobs.get({ jobId: id });
      // Of one that rents the machine is to be gone, too.
      while (input.wait && !isJobSettled(job)) {
        await clock.sleep(LOOK_AGAIN_MS);
        job = await api.jobs.get({ jobId: id });
      }
      stopped.push(job);
    }
    if (input.json) {
      io.json(stopped.length === 1 ? stopped[0] : stopped);
    } else {
      stopped.forEach(job => io.line(`${job.name}: ${jobStandLine(job, clock.now())}`));
    }
    return EXIT.ok;
  },
});

const addFetch = defineCommand({
  usage: 'fetch <job> [folder]',
  summary: 'copy what a job made to this computer',
  examples: [['hitch job fetch train ./results', 'its outputs into that folder']],
  schema: z.object({ job: jobRef, folder: z.string().default('.'), json }),
  run: async (context, input) => {
    const { api } = await context.session();
    const job = await findJob(api, input.job);
    const outputs = jobOutputs(job);
    if (job.rental !== undefined && job.rental.stage !== 'running') {
      const { saved } = job.rental;
      throw new HitchError('CONFLICT', `${job.name} has no machine now to fetch from.`, {
        next:
          saved.length === 0
            ? `See how it ended with hitch job show ${job.name}.`
            : `What it made was saved to ${saved.join(', ')}.`,
      });
    }
    if (outputs.length === 0) {
      throw new HitchError('BAD_INPUT', `${job.name} was started without outputs.`, {
        next: `Fetch what it made with hitch cp ${job.clusterName}:${job.spec.folder} ./, or name it with --output next time.`,
      });
    }
    return runCp(context, {
      paths: [...outputs.map(path => `${job.clusterName}:${path}`), `${input.folder.replace(/\/+$/, '')}/`],
      all: false,
      json: input.json,
    });
  },
});

export const addJob = defineGroup({
  name: 'job',
  summary: 'run programs on a cluster that go on when you leave',
  commands: [
    addList,
    addJobRun,
    addShow,
    addJobLogs,
    addJobMetrics,
    addJobCompare,
    addJobQueue,
    addStop,
    addFetch,
    addJobRetry,
  ],
});
