/** A template with a command is run: the quote of its job, a person's yes in the daemon's window, and the job's own tab. */
import { HitchError, type JobId } from '@hitch/contract';
import { templateJobRequest, type RunLimits } from '@hitch/contract/src/templates/run-wish.ts';
import type { FormProblem, HitchEventDetails } from '@hitch/views';
import type { Deps } from '../actions/deps.ts';
import { sentenceOf } from '../actions/report.ts';
import { askPerson } from '../approval/approve.ts';
import { firstFilter, firstLimits, type Preferences } from '../settings/preferences.ts';
import type { IHitch } from '../tokens.ts';

/** With no stop time in the settings a job still has one: it is not watched. */
const LONGEST_MS = 24 * 3_600_000;

/** What the person's settings say of a run. */
export function ownRunLimits(preferences: Preferences, { providers }: Pick<IHitch, 'providers'>): RunLimits {
  const { capMicroUsd, stopAtMs } = firstLimits(preferences, 0);
  return {
    capMicroUsd,
    timeMs: stopAtMs ?? LONGEST_MS,
    practice: firstFilter(preferences, providers).practice !== 'exclude',
  };
}

/**
 * @param signal the quote is not waited for any more.
 * @returns the job that was begun; null: the person said no, or left. @throws HitchError for what is refused.
 */
export async function runTemplate(
  deps: Deps,
  { choice, details, limits }: HitchEventDetails['hitch-template-run'],
  signal: AbortSignal,
): Promise<JobId | null> {
  const { hitch, preferences, now } = deps;
  const { rent: wish } = details;
  if (wish === null) {
    throw new HitchError('BAD_INPUT', `The template ${details.info.id} has mistakes.`, {
      next: 'Correct its hitch.yaml; they are marked there.',
    });
  }
  const { template, preset, values } = choice;
  const done = await askPerson(deps, async () => {
    const request = templateJobRequest(
      { template, preset, values, limits },
      { own: firstFilter(preferences.present, hitch.providers), wish, nowMs: now() },
    );
    const { id } = await hitch.client.api.jobs.quote(request, { signal });
    // Left while the daemon was answering: nobody is asked.
    signal.throwIfAborted();
    return { kind: 'job', jobId: id };
  });
  return done?.jobId ?? null;
}

/** Which field it is about, and why. */
export const problemOf = (error: unknown): FormProblem => ({
  field: error instanceof HitchError ? (error.field ?? null) : null,
  sentence: sentenceOf(error),
});
