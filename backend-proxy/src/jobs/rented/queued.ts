/** The jobs of one quote: one, or all of a queue, each with what it is given. */
import { join } from 'node:path';
import {
  type ClusterId,
  HitchError,
  type JobId,
  type jobQuoteRequestSchema,
  type JobSpec,
  parseMicroUsd,
  type QueuedWork,
  type QuoteRequest,
} from '@hitch/contract';
import type { Values } from '@hitch/contract/src/templates/render.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import type * as z from 'zod';
import { planProgram, planTemplate, type RentedPlan } from './plan.ts';
import { judged, type TemplateToRun } from './template-to-run.ts';

type Asked = z.output<typeof jobQuoteRequestSchema>;

export interface PreparedJob {
  readonly id: JobId;
  readonly clusterId: ClusterId;
  readonly name: string;
  /** What it is given that others are not; '' where it is alone. */
  readonly label: string;
  readonly spec: JobSpec;
  /** Of its template's parameters; null: it has none. */
  readonly values: Values | null;
}

export interface JobsOfQuote {
  readonly asked: Asked;
  readonly plan: RentedPlan;
  readonly template: TemplateToRun | null;
  readonly name: string;
}

/** What one of several jobs is called. */
export const queuedName = (name: string, place: number): string => `${name}-${place.toString()}`;

/** Each saves into a folder of its own, where a person named one for all. */
const savedInto = (request: QuoteRequest, name: string): QuoteRequest => ({
  ...request,
  save: {
    ...request.save,
    toFolder: request.save.toFolder === null ? null : join(request.save.toFolder, name),
  },
});

/** @throws HitchError BAD_INPUT where one of several jobs cannot be. */
export function jobsOf(ids: Ids, id: JobId, quoted: JobsOfQuote, nowMs: number): readonly PreparedJob[] {
  const { asked, plan, template, name } = quoted;
  if (asked.queue === null) {
    const alone = { id, name, label: '', spec: plan.spec, values: template?.values ?? null };
    return [{ ...alone, clusterId: ids.next('clu') }];
  }
  return asked.queue.jobs.map((each, at) => ({
    ...oneOf(quoted, each, `queue.jobs.${at.toString()}`, nowMs),
    id: at === 0 ? id : ids.next('job'),
    clusterId: ids.next('clu'),
    name: queuedName(name, at + 1),
    label: each.label,
  }));
}

function oneOf(
  { asked, template }: JobsOfQuote,
  { values: given, spec }: QueuedWork,
  field: string,
  nowMs: number,
): Pick<PreparedJob, 'spec' | 'values'> {
  const { work } = asked;
  if (work.kind === 'template' && template !== null) {
    const all = { preset: work.preset, values: { ...work.values, ...given } };
    const { values } = judged(template, all, `${field}.values`);
    return { values, spec: planTemplate(asked, { ...template, values }, nowMs).spec };
  }
  if (work.kind !== 'program' || spec === undefined) {
    throw new HitchError('BAD_INPUT', 'Each of several jobs needs something to run.', {
      field: `${field}.spec`,
    });
  }
  if (spec.work.kind === 'notebook') {
    throw new HitchError('BAD_INPUT', 'A notebook is given no values, so that several would be the same.', {
      field: `${field}.spec`,
      next: 'Run a Python file or a template.',
    });
  }
  const one = { ...work, spec: { ...spec, outputs: work.spec.outputs } };
  return { values: null, spec: planProgram({ ...asked, work: one }, nowMs).spec };
}

/** What several jobs ask of a machine: no more than their budget, and into the first one's folder. */
export function planOfQueue({ asked, plan, name }: JobsOfQuote): RentedPlan {
  const { queue } = asked;
  if (queue === null) {
    return plan;
  }
  const budget = parseMicroUsd(queue.budgetMicroUsd);
  return {
    ...plan,
    requests: plan.requests.map(request => ({
      ...savedInto(request, queuedName(name, 1)),
      capMicroUsd:
        request.capMicroUsd === null || parseMicroUsd(request.capMicroUsd) > budget
          ? queue.budgetMicroUsd
          : request.capMicroUsd,
    })),
  };
}
