/** What a person sets before a template with a command is run: how much it may cost, how long it may take, and where. */
import { format, formatMicroUsd, parseDollars, parseMicroUsd, typedDollars } from '@hitch/contract';
import type { RunLimits } from '@hitch/contract/src/templates/run-wish.ts';
import type { TemplateResult } from 'lit';
import { boxes, selectInput, textInput } from '../base/form.ts';
import { html } from '../base/html.ts';
import type { Translate } from '../base/translate.ts';
import { capProblem } from '../rent/rent-choices.ts';
import type { FormProblem } from '../rent/rent-form.ts';

/** Only what was changed; the cap as it was typed, so that nothing is lost while it is wrong. */
export interface RunLimitChanges {
  readonly cap?: string | undefined;
  readonly timeMs?: number | undefined;
  readonly practice?: boolean | undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const TIMES: readonly number[] = [
  ...[10, 30].map(minutes => minutes * MINUTE_MS),
  ...[1, 2, 4, 8, 12, 24, 48, 168].map(hours => hours * HOUR_MS),
];

export const CAP_ID = 'run-cap';
const TIME_ID = 'run-time';

const capText = ({ cap }: RunLimitChanges, first: RunLimits): string =>
  cap ?? typedDollars(parseMicroUsd(first.capMicroUsd));

/** Why the spending limit cannot be taken; null: it can. */
export const runCapProblem = (changes: RunLimitChanges, first: RunLimits, t: Translate): string | null =>
  capProblem(capText(changes, first), t);

/** The limits without a problem. @throws RangeError where {@link runCapProblem} has one. */
export const runLimits = (changes: RunLimitChanges, first: RunLimits): RunLimits => ({
  capMicroUsd: formatMicroUsd(parseDollars(capText(changes, first))),
  timeMs: changes.timeMs ?? first.timeMs,
  practice: changes.practice ?? first.practice,
});

/** The field that a refusal of the daemon is about; null: none of these. */
export function runFieldOf({ field }: FormProblem): typeof CAP_ID | typeof TIME_ID | null {
  switch (field?.split('.').at(-1)) {
    case 'capMicroUsd':
      return CAP_ID;
    case 'stopAtMs':
      return TIME_ID;
    default:
      return null;
  }
}

export function runLimitFields(part: {
  readonly t: Translate;
  readonly first: RunLimits;
  readonly changes: RunLimitChanges;
  /** What the daemon said against the last request. */
  readonly refused: FormProblem | null;
  readonly changed: (changes: RunLimitChanges) => void;
}): TemplateResult {
  const { t, first, changes, refused, changed } = part;
  const { timeMs, practice } = { ...first, ...changes };
  const chosenMs = timeMs ?? first.timeMs;
  const refusedAt = (id: string): string | null =>
    refused !== null && runFieldOf(refused) === id ? refused.sentence : null;
  const takeCap = (cap: string): void => changed({ ...changes, cap });
  return html`<fieldset class="group">
    <legend class="label">${t('Its machine')}</legend>
    <div class="fields">
      ${textInput({
        id: CAP_ID,
        label: t('Spending limit ($)'),
        value: capText(changes, first),
        help: t('All its machines together, saving included'),
        saysHelp: true,
        problem: runCapProblem(changes, first, t) ?? refusedAt(CAP_ID),
        typed: takeCap,
        changed: takeCap,
      })}
      ${selectInput({
        id: TIME_ID,
        label: t('Longest time'),
        value: chosenMs.toString(),
        options: [...new Set([...TIMES, first.timeMs, chosenMs])]
          .sort((a, b) => a - b)
          .map(ms => ({ value: ms.toString(), words: format.duration(ms) })),
        help: t('Then it is stopped, what it made is saved, and the machine is deleted'),
        problem: refusedAt(TIME_ID),
        changed: value => changed({ ...changes, timeMs: Number(value) }),
      })}
      ${boxes(
        t('Practice'),
        [{ value: 'on', words: t('on this computer: costs nothing, has no GPU') }],
        practice === true ? ['on'] : [],
        chosen => changed({ ...changes, practice: chosen.length > 0 }),
      )}
    </div>
  </fieldset>`;
}
