/** What a person is shown of a job that rents, and the records that their yes makes of it. */
import { dirname, join } from 'node:path';
import {
  formatMicroUsd,
  type JobId,
  type JobLimits,
  type JobQuote,
  jobQuoteLines,
  jobYesLabel,
  parseMicroUsd,
  type Quote,
  type QuoteRequest,
  REPLACEMENT_WAIT_MS,
  USUAL_SAVE_WITHIN_MS,
} from '@hitch/contract';
import type { JobRecord, JobRentalRecord } from '../../ledger/kinds/job.ts';
import { QUOTE_VALID_MS } from '../../spend/limits.ts';
import { clusterNameOf } from '../names.ts';
import type { JobsOfQuote, PreparedJob } from './queued.ts';

export interface Made extends JobsOfQuote {
  readonly jobs: readonly PreparedJob[];
  readonly sent: { readonly files: number; readonly bytes: number };
  /** Null: none is offered now. */
  readonly quote: Quote | null;
  readonly request: QuoteRequest;
}

/** Nothing outside of these is bought for one job. */
export function limitsOf({ asked, plan, quote, request }: Made): JobLimits {
  return {
    capMicroUsd: quote?.caps.totalMicroUsd ?? request.capMicroUsd ?? '0',
    // Those whose turn comes later may find less than is offered now: they go by what the person said.
    maxNodePricePerHourMicroUsd:
      quote === null || (asked.queue !== null && request.maxNodePricePerHourMicroUsd !== null)
        ? (request.maxNodePricePerHourMicroUsd ?? '0')
        : formatMicroUsd(parseMicroUsd(quote.highestRatePerHourMicroUsd) / BigInt(quote.nodes)),
    lastsMs: plan.lastsMs,
    stopAtMs: null,
    // What was offered at the yes may be gone when the turn of a later job has come.
    waitMs: asked.queue === null ? asked.waitMs : Math.max(asked.waitMs, REPLACEMENT_WAIT_MS),
    replacements: plan.replacements,
    saveWithinMs: asked.saveWithinMs ?? USUAL_SAVE_WITHIN_MS,
  };
}

export function quoteOf(
  id: JobId,
  made: Made & { readonly limits: JobLimits; readonly nowMs: number },
): JobQuote {
  const { asked, plan, template, name, sent, quote, request, limits, nowMs, jobs } = made;
  const queue =
    asked.queue === null
      ? null
      : {
          budgetMicroUsd: asked.queue.budgetMicroUsd,
          mostAtOnce: asked.queue.mostAtOnce,
          withinMs: asked.queue.withinMs,
          name,
          jobs: jobs.map(job => ({ id: job.id, name: job.name, label: job.label })),
        };
  const facts = {
    name,
    spec: plan.spec,
    limits,
    ...sent,
    checkpointFolder: plan.checkpointFolder,
    template: template === null ? null : `${template.template.name} ${template.template.version}`,
    createdAtMs: nowMs,
    wanted: template?.wanted ?? 'as asked for',
    request,
    queue,
    bucket: asked.bucket,
  };
  return {
    id,
    name,
    createdAtMs: nowMs,
    expiresAtMs: quote?.expiresAtMs ?? nowMs + QUOTE_VALID_MS,
    practice: quote?.practice ?? request.filter.practice === 'only',
    spec: plan.spec,
    limits,
    template: template === null ? null : { id: template.id, digest: template.digest },
    ...sent,
    quote,
    lines: [...jobQuoteLines(facts, quote), ...(template?.notes ?? [])],
    yes: jobYesLabel(limits, queue),
    ...(queue === null ? {} : { queue }),
  };
}

/** One of the jobs of a quote, from the yes on. */
export function recordOf(
  job: PreparedJob,
  {
    quote,
    rental,
    jobs,
  }: { readonly quote: JobQuote; readonly rental: JobRentalRecord; readonly jobs: readonly PreparedJob[] },
  nowMs: number,
): JobRecord {
  const { queue } = quote;
  const { capMicroUsd, waitMs } = rental.limits;
  const isFirst = job.id === quote.id;
  return {
    id: job.id,
    name: job.name,
    clusterId: job.clusterId,
    clusterName: clusterNameOf(job.name),
    attemptId: null,
    environmentId: null,
    createdAtMs: nowMs,
    spec: job.spec,
    owes: null,
    state: 'waiting',
    message: '',
    runs: [],
    runsBefore: 0,
    heardAtMs: null,
    logDone: false,
    rental: {
      ...rental,
      approvedAtMs: nowMs,
      // What was shown is the first one's machine.
      quoteId: isFirst ? rental.quoteId : null,
      request: isFirst || queue === undefined ? rental.request : requestOfLater(rental.request, job.name),
      // One of several waits from its turn on.
      waitsUntilMs: queue === undefined ? nowMs + waitMs : null,
      queue:
        queue === undefined
          ? null
          : {
              id: quote.id,
              name: queue.name,
              budgetMicroUsd: queue.budgetMicroUsd,
              mostAtOnce: queue.mostAtOnce,
              withinMs: queue.withinMs,
              place: jobs.indexOf(job) + 1,
              of: jobs.length,
              label: job.label,
              capMicroUsd,
            },
    },
  };
}

const requestOfLater = (request: QuoteRequest, name: string): QuoteRequest => ({
  ...request,
  save: {
    ...request.save,
    toFolder: request.save.toFolder === null ? null : join(dirname(request.save.toFolder), name),
  },
});
