/** What a job ran with, for whoever wants to know what made a result: parameters, packages, machine, template. */
import { type Job, shownName } from '@hitch/contract';
import { shownParameters } from '@hitch/contract/src/job-compare.ts';
import type { SurroundingsWords } from '@hitch/contract/src/job-gather.ts';
import type { Translate } from '../base/translate.ts';

/** Titles, each with its words. */
export function ranWith(
  job: Job,
  around: SurroundingsWords | null,
  t: Translate,
): readonly (readonly [string, string])[] {
  const template = job.rental?.template ?? null;
  return [
    ...shownParameters(job.spec).map(([name, value]) => [shownName(name), shownName(value)] as const),
    ...(around === null ? [] : [[t('Packages'), shownName(around.packages)] as const]),
    ...(around === null || around.offer === null ? [] : [[t('Machine'), shownName(around.offer)] as const]),
    ...(template === null
      ? []
      : [[t('Template'), t('%1, %2', shownName(template.id), template.digest)] as const]),
  ];
}
