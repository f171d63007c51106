/** A template with a command is run: the quote of its job, the yes of a person here, and the job's own page. */
import type { Job, JobQuote, TemplateDetails } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { formatMicroUsd } from '@hitch/contract/src/money.ts';
import { practiceAtFirst } from '@hitch/contract/src/network-state.ts';
import { type RunLimits, templateJobRequest } from '@hitch/contract/src/templates/run-wish.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { HitchModel } from '../daemon/model.ts';
import type { TemplateChoice } from '../page/messages.ts';
import { limitsFrom } from '../rent/draft.ts';
import { USUAL_FILTER } from '../rent/offer-words.ts';
import { ask } from './messages.ts';
import type { Host } from './module.ts';

/** The first button has the focus: Enter out of habit goes back to the form and spends nothing. */
const CHANGE = 'Change…';
const TRIES = 5;
const PAUSE_MS = 500;
/** With no stop time in the settings a job still has one: it is not watched. */
const LONGEST_MS = 24 * 3_600_000;

/** What the person's settings say of a run. */
export function ownRunLimits({ settings, connection }: Pick<Host, 'settings' | 'connection'>): RunLimits {
  const { capMicroUsd, stopAfterMs } = limitsFrom({
    capDollars: settings.get('hitch.rent.capDollars'),
    idleMinutes: settings.get('hitch.rent.idleMinutes'),
    stopAfterHours: settings.get('hitch.rent.stopAfterHours'),
    save: [],
  });
  return {
    capMicroUsd: formatMicroUsd(capMicroUsd),
    timeMs: stopAfterMs === 0 ? LONGEST_MS : stopAfterMs,
    practice: practiceAtFirst(connection.model.state.providers) !== 'exclude',
  };
}

/**
 * @param signal the quote is not waited for any more.
 * @returns the job that was begun; null: the person said no, or wants to change something in the form.
 */
export async function runTemplate(
  model: HitchModel,
  wanted: {
    readonly details: TemplateDetails;
    readonly choice: TemplateChoice;
    readonly limits: RunLimits;
  },
  signal: AbortSignal,
): Promise<Job | null> {
  const { details, choice, limits } = wanted;
  if (details.rent === null) {
    throw new HitchError('BAD_INPUT', `The template ${details.info.id} has mistakes.`, {
      next: 'Correct its hitch.yaml; they are marked there.',
    });
  }
  const { template, preset, values } = choice;
  const request = templateJobRequest(
    { template, preset, values, limits },
    { own: USUAL_FILTER, wish: details.rent, nowMs: Date.now() },
  );
  const quote = await model.client.api.jobs.quote(request, { signal });
  const [question = 'Rent a machine and run it?', ...lines] = quote.lines;
  const said = await ask(question, lines.join('\n'), CHANGE, quote.yes);
  if (said !== quote.yes) {
    // Else its name would be taken until it expires.
    await model.client.api.jobs.discardQuote({ jobId: quote.id }).catch(() => undefined);
    return null;
  }
  return begin(model, quote);
}

/** A quote makes one job however often it is asked: an unanswered call is made again. */
async function begin(model: HitchModel, { id }: JobQuote): Promise<Job> {
  for (let tries = 1; ; tries++) {
    try {
      return await model.client.api.jobs.rent({ jobId: id });
    } catch (error) {
      if (tries === TRIES || !(error instanceof HitchError && error.code === 'UNREACHABLE')) {
        throw error;
      }
      await systemClock.sleep(PAUSE_MS);
    }
  }
}
