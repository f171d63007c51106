/** Jobs, procedure by procedure. */
import { refuseFromPages, refusePages, routes } from './implementer.ts';

export const jobs = {
  start: routes.jobs.start.handler(({ context, input: { clusterId, spec, name } }) =>
    context.parts.jobs.begin(clusterId, spec, name),
  ),
  quote: routes.jobs.quote.handler(({ context, input }) => {
    refuseFromPages(context, 'rent.save.toFolder', input.rent.save.toFolder);
    return context.parts.jobQuotes.quote(input, context.localRoot);
  }),
  rent: routes.jobs.rent.handler(async ({ context, input }) => {
    refusePages(context, 'rent', 'Ask a person with POST /approvals, or run “hitch job run --rent”.');
    await context.parts.jobQuotes.approve(input.jobId);
    return context.parts.jobs.get(input.jobId);
  }),
  discardQuote: routes.jobs.discardQuote.handler(async ({ context, input }) => {
    await context.parts.jobQuotes.discard(input.jobId);
    return {};
  }),
  list: routes.jobs.list.handler(({ context, input }) => context.parts.jobs.list(input.clusterId)),
  get: routes.jobs.get.handler(({ context, input }) => context.parts.jobs.get(input.jobId)),
  stop: routes.jobs.stop.handler(({ context, input }) => context.parts.jobs.stop(input.jobId)),
  again: routes.jobs.again.handler(({ context, input }) => context.parts.jobs.again(input.jobId)),
  ofRay: routes.jobs.ofRay.handler(({ context, input }) => context.parts.jobs.ofRay(input.clusterId)),
  log: routes.jobs.log.handler(({ context, input: { jobId, ...query }, signal }) =>
    context.parts.jobs.log(jobId, query, signal),
  ),
  metrics: routes.jobs.metrics.handler(({ context, input: { jobId, ...query } }) =>
    context.parts.jobs.metrics(jobId, query),
  ),
  metricPoints: routes.jobs.metricPoints.handler(({ context, input: { jobId, ...query } }) =>
    context.parts.jobs.metricPoints(jobId, query),
  ),
  search: routes.jobs.search.handler(({ context, input: { jobId, ...query } }) =>
    context.parts.jobs.search(jobId, query),
  ),
};
