/** The daemon's contract on jobs. */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import { clusterIdSchema, jobIdSchema, jobNameSchema } from './ids.ts';
import { jobQuoteRequestSchema, jobQuoteSchema } from './job-quotes.ts';
import {
  jobFindsSchema,
  jobLogPageSchema,
  jobLogQuerySchema,
  jobSchema,
  jobSearchQuerySchema,
  jobSpecSchema,
  rayJobsSchema,
} from './jobs.ts';
import {
  jobMetricsSchema,
  metricPointsQuerySchema,
  metricPointsSchema,
  metricsQuerySchema,
} from './metrics/wire.ts';

const byJob = z.object({ jobId: jobIdSchema });

export const jobs = {
  /**
   * Runs it on the cluster's head, whatever becomes of who asked. @throws CONFLICT where no machine is up, NAME_TAKEN,
   * UNREACHABLE while the machine does not answer and nothing was begun.
   */
  start: oc
    .route({ method: 'POST', path: '/clusters/{clusterId}/jobs', summary: 'Run a program on a cluster' })
    .input(z.object({ clusterId: clusterIdSchema, name: jobNameSchema.optional(), spec: jobSpecSchema }))
    .output(jobSchema),
  /**
   * What a job that rents its own machine would do and cost at most. Its files are copied now: what is approved is what runs.
   * @throws NO_OFFERS where no machine is offered and it may not wait, BAD_INPUT, CAP_TOO_LOW, LOGIN_NEEDED, FUNDS_TOO_LOW.
   */
  quote: oc
    .route({ method: 'POST', path: '/job-quotes', summary: 'Freeze a job, its machine and its limits' })
    .input(jobQuoteRequestSchema)
    .output(jobQuoteSchema),
  /**
   * A person's yes to that: the job rents, runs, saves and deletes its machine by itself, whatever becomes of who asked. The
   * same call again returns the same job. A page asks for an approval of the kind `job` instead.
   */
  rent: oc
    .route({ method: 'POST', path: '/jobs', summary: 'Begin a job that rents its own machine' })
    .input(byJob)
    .output(jobSchema),
  /** The person says no: its files and its name are free again. Of one that was approved, or is not there, nothing changes. */
  discardQuote: oc
    .route({ method: 'DELETE', path: '/job-quotes/{jobId}', summary: 'Drop a job’s quote' })
    .input(byJob)
    .output(z.object({})),
  /** Those of ended clusters too, oldest first, until their cluster is forgotten. */
  list: oc
    .route({ method: 'GET', path: '/jobs' })
    .input(z.object({ clusterId: clusterIdSchema.optional() }))
    .output(z.array(jobSchema)),
  get: oc.route({ method: 'GET', path: '/jobs/{jobId}' }).input(byJob).output(jobSchema),
  stop: oc
    .route({ method: 'POST', path: '/jobs/{jobId}/stop', summary: 'Ask a job to end; it has its grace' })
    .input(byJob)
    .output(jobSchema),
  again: oc
    .route({
      method: 'POST',
      path: '/jobs/{jobId}/again',
      summary: 'The same as another job, on the same cluster',
    })
    .input(byJob)
    .output(jobSchema),
  /** What was submitted to the cluster's Ray itself; none where no Ray runs. Only shown: Ray's own programs stop it. */
  ofRay: oc
    .route({ method: 'GET', path: '/clusters/{clusterId}/ray-jobs' })
    .input(z.object({ clusterId: clusterIdSchema }))
    .output(rayJobsSchema),
  /** From the machine, or from what is kept here where that does not answer. */
  log: oc
    .route({ method: 'GET', path: '/jobs/{jobId}/log' })
    .input(byJob.extend(jobLogQuerySchema.shape))
    .output(jobLogPageSchema),
  /** Series of a run's figures, thinned for a plot; the machine's use and the cost are among them. */
  metrics: oc
    .route({ method: 'GET', path: '/jobs/{jobId}/metrics' })
    .input(byJob.extend(metricsQuerySchema.shape))
    .output(jobMetricsSchema),
  /** Every point of its figures, as it was logged. */
  metricPoints: oc
    .route({ method: 'GET', path: '/jobs/{jobId}/metric-points' })
    .input(byJob.extend(metricPointsQuerySchema.shape))
    .output(metricPointsSchema),
  search: oc
    .route({ method: 'GET', path: '/jobs/{jobId}/log-search' })
    .input(byJob.extend(jobSearchQuerySchema.shape))
    .output(jobFindsSchema),
};
