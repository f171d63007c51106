/** Jobs that rent, in words: the same in all clients. */
import type { Quote, QuoteRequest } from './clusters.ts';
import { bytes, clock, dollars, duration, elapsed } from './format.ts';
import type { JobQuote } from './job-quotes.ts';
import type { BucketCheckpoint, JobBucket } from './job-buckets.ts';
import { type JobCheckpoint, type JobLimits, type JobRental, REPLACEMENT_WAIT_MS } from './job-rental.ts';
import { isJobOver, type Job, type JobSpec } from './jobs.ts';
import { jobLine, workWordsOf } from './job-words.ts';
import type { OfferFilter } from './offers.ts';
import { COMMUNITY, LAPTOP_WARNING, NOTHING_SAVED, PRACTICE_LINE, SPOT } from './quote-marks.ts';
import { secretsLine } from './quote-words.ts';
import { shownName } from './shown/text.ts';

export interface JobQuoteFacts {
  readonly name: string;
  readonly spec: JobSpec;
  readonly limits: JobLimits;
  readonly files: number;
  readonly bytes: number;
  readonly checkpointFolder: string | null;
  /** A template's name and version; null: none. */
  readonly template: string | null;
  readonly createdAtMs: number;
  /** Where nothing is offered: the machine that is waited for, in words, and what is asked for with it. */
  readonly wanted: string;
  readonly request: Pick<QuoteRequest, 'filter' | 'save' | 'secrets'>;
  /** Several jobs instead of one; null: one. */
  readonly queue: QueueFacts | null;
  /** The bucket that its checkpoints go to; null: none. */
  readonly bucket: JobBucket | null;
}

export type QueueFacts = NonNullable<JobQuote['queue']>;

/** The confirm dialog of a job that rents: its machine's lines, and all that the same yes covers beside that. */
export function jobQuoteLines(facts: JobQuoteFacts, quote: Quote | null): string[] {
  const { name, spec, limits, template, queue } = facts;
  if (queue !== null) {
    return queueLines(facts, queue, quote);
  }
  const [first, ...rest] = quote?.lines ?? waitingLines(facts);
  const runs = `Runs ${shownName(workWordsOf(spec))}${template === null ? '' : `, template ${shownName(template)}`}`;
  return [
    first ?? '',
    `For the job ${name}. ${runs}`,
    ...(facts.files === 0
      ? []
      : [`Sends ${facts.files} ${facts.files === 1 ? 'file' : 'files'}, ${bytes(facts.bytes)}`]),
    ...rest,
    `When the job is over, however it ends, what it made is saved and the machine is deleted; saving is tried for up to ${duration(limits.saveWithinMs)}, also where it cannot be reached`,
    ...bucketLines(facts),
    replacementLine(facts),
    ...(quote === null || limits.waitMs === 0 ? [] : [`If it is gone by then: ${waits(limits)}`]),
  ];
}

/** So many jobs are named by what they are given; the others are counted. */
const MOST_LABELS = 8;

/** The same for several jobs: what holds for all of them together, and then what holds for each. */
function queueLines(facts: JobQuoteFacts, queue: QueueFacts, quote: Quote | null): string[] {
  const { jobs, budgetMicroUsd, mostAtOnce, withinMs } = queue;
  const [first, ...each] = jobQuoteLines({ ...facts, name: jobs[0]?.name ?? facts.name, queue: null }, quote);
  const labels = jobs.slice(0, MOST_LABELS).map(({ label }) => shownName(label));
  const more = jobs.length - labels.length;
  return [
    `Rent machines for ${jobs.length} jobs, ${mostAtOnce} at once, for up to ${dollars(budgetMicroUsd)} in all?`,
    `For the jobs ${facts.name}-1 to ${facts.name}-${jobs.length}: ${labels.join('; ')}${more === 0 ? '' : ` and ${more} more`}`,
    `All of them together, with all their machines: at most ${dollars(budgetMicroUsd)}; what is left of it at the end may be less than the limit of one job, which then gets that`,
    `No job begins later than ${duration(withinMs)} after your yes`,
    `The others rent by quotes of their own when their turn comes: each waits up to ${duration(facts.limits.waitMs)} for a machine of at most ${price(facts.limits)}, at most ${dollars(facts.limits.capMicroUsd)} a job`,
    `The first of them, as all others: ${(first ?? '').replace(/\?$/, '')}`,
    ...each,
  ];
}

const price = (limits: JobLimits): string => `${dollars(limits.maxNodePricePerHourMicroUsd)}/h`;

const waits = (limits: JobLimits): string =>
  `waits up to ${duration(limits.waitMs)} for one of at most ${price(limits)}`;

function waitingLines({ limits, wanted, request: { filter, save, secrets } }: JobQuoteFacts): string[] {
  return [
    `Wait for a machine, and rent it?`,
    `None is offered now: ${waits(limits)} (${shownName(wanted)})`,
    `Then runs until ${[
      ...(limits.lastsMs === null ? [] : [`${duration(limits.lastsMs)} are over`]),
      `${dollars(limits.capMicroUsd)} is spent`,
    ].join(' or ')}`,
    save.paths.length === 0
      ? `${NOTHING_SAVED}it names no outputs`
      : `Saved to this computer: ${save.paths.map(path => `~/work/${shownName(path)}`).join(', ')}`,
    ...openTermLines(filter),
    ...secretsLine(secrets),
  ];
}

/** What a machine may be that nobody has chosen yet, by the filter that it must pass. */
function openTermLines({ practice, markets, trusts, endsBillingAlone }: OfferFilter): string[] {
  if (practice === 'only') {
    return [PRACTICE_LINE];
  }
  return [
    ...(endsBillingAlone === true
      ? []
      : [
          `${LAPTOP_WARNING}If this computer sleeps or is off, it may keep running and billing past its limits until Hitch is back`,
        ]),
    ...(markets === undefined || markets.includes('spot')
      ? [`${SPOT}it may be one that the network can take back at any time; what is not saved is lost`]
      : []),
    ...(trusts === undefined || trusts.includes('community')
      ? [`${COMMUNITY}it may be one whose owner can read your data`]
      : []),
  ];
}

/** Where checkpoints go, and who can do what there. */
const bucketLines = ({ bucket, checkpointFolder }: JobQuoteFacts): string[] =>
  bucket === null || checkpointFolder === null
    ? []
    : [
        `Checkpoints (~/work/${shownName(checkpointFolder)}) go to ${shownName(bucket.url)} too, also while this computer sleeps, and stay there until you remove them; its machines get addresses to write this job’s there for a week, and no key`,
      ];

function replacementLine({ limits, checkpointFolder, bucket }: JobQuoteFacts): string {
  if (limits.replacements === 0) {
    return 'If the machine is lost, the job has failed: no other is rented';
  }
  const others = `${limits.replacements} ${limits.replacements === 1 ? 'other' : 'others'}`;
  const from =
    checkpointFolder === null
      ? 'from its beginning'
      : `from the newest checkpoint (~/work/${shownName(checkpointFolder)}) that is here${bucket === null ? '' : ' or in the bucket'}; they are kept here while this computer is awake`;
  return `If the machine is lost: up to ${others}, each at most ${price(limits)}, all inside ${dollars(limits.capMicroUsd)}${limits.lastsMs === null ? '' : ` and ${duration(limits.lastsMs)}`}, waiting up to ${duration(Math.max(limits.waitMs, REPLACEMENT_WAIT_MS))} for it, ${from}`;
}

/** The button that says yes. */
export const jobYesLabel = (limits: JobLimits, queue: QueueFacts | null = null): string =>
  queue === null
    ? `Run for up to ${dollars(limits.capMicroUsd)}`
    : `Run ${queue.jobs.length} jobs for up to ${dollars(queue.budgetMicroUsd)}`;

/** The newest checkpoint that is kept anywhere, and where; null: none is. */
export function newestCheckpoint({ checkpoint, bucket }: JobRental): JobCheckpoint | BucketCheckpoint | null {
  const kept = bucket?.checkpoint ?? null;
  return checkpoint === null || (kept !== null && kept.writtenAtMs > checkpoint.writtenAtMs)
    ? kept
    : checkpoint;
}

/** Where the newest checkpoint is; null: the job has none. */
export function checkpointWords(rental: JobRental, nowMs: number): string | null {
  const { checkpoint, checkpointFolder, stage, bucket } = rental;
  if (checkpointFolder === null) {
    return null;
  }
  const newest = newestCheckpoint(rental);
  if (newest === null) {
    return stage === 'running' ? 'no checkpoint here yet: what there is lies on the machine only' : null;
  }
  const where = [
    ...(checkpoint?.name === newest.name ? ['here'] : []),
    ...(bucket?.checkpoint?.name === newest.name ? ['in the bucket'] : []),
  ].join(' and ');
  return `checkpoint ${shownName(newest.name)} is ${where}, written ${elapsed(Math.max(0, nowMs - newest.writtenAtMs))} ago`;
}

/** One line on any job; of one that rents, where it stands with its machine too. */
export function jobStandLine(job: Job, nowMs: number): string {
  const { rental } = job;
  if (rental === undefined) {
    return jobLine(job, nowMs);
  }
  const { stage, message } = rental;
  const again = rental.replaced === 0 ? '' : `, machine ${(rental.replaced + 1).toString()}`;
  const said = shownName(message.replace(/\.$/, ''));
  switch (stage) {
    case 'waiting':
      return `${said === '' ? 'Waiting for a machine' : said}${rental.waitsUntilMs === null || rental.waitsUntilMs <= nowMs ? '' : ` (until ${clock(rental.waitsUntilMs, nowMs)})`}`;
    case 'renting':
      return `Renting a machine${again}`;
    case 'sending':
      return `Sending its files${again}`;
    case 'running':
      return `${jobLine(job, nowMs)}${again}`;
    case 'lost':
      return `Its machine was lost${said === '' ? '' : `: ${said}`}`;
    case 'ending':
      return `${isJobOver(job.state) ? jobLine(job, nowMs) : 'Stopping'}; saving and deleting the machine`;
    case 'over':
      return `${jobLine(job, nowMs)}; machine deleted`;
  }
}
