/** How many hours are paid ahead when a cluster is started again, where the time of what it is quoted is sold so. */
import { type Quote, termWords } from '@hitch/contract';
import type { TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { DialogForm } from '../ui/dialog-form.ts';
import { ask } from './ask.ts';
import type { Deps } from './deps.ts';
import { failed } from './report.ts';

const HOUR_MS = 3_600_000;
/** A year: nobody sells more at once. */
const MOST_HOURS = 8_784;

export const sellsTime = ({ candidates }: Pick<Quote, 'candidates'>): boolean =>
  candidates.some(({ termMs }) => termMs !== undefined);

class HoursForm extends DialogForm {
  readonly #trans;
  readonly #now: string;
  hours: string;

  constructor({ trans }: Pick<Deps, 'trans'>, { candidates, asked }: Quote) {
    super();
    this.#trans = trans;
    const termMs = candidates[0]?.termMs;
    this.#now = termMs === undefined ? '' : termWords(termMs);
    const wanted = asked?.termMs ?? null;
    this.hours = wanted === null ? '' : (wanted / HOUR_MS).toString();
  }

  protected override content(): TemplateResult {
    const trans = this.#trans;
    return html`<div class="jp-Hitch-form">
      <p>${trans.__('This network sells time ahead. As it was ordered, %1 are paid at once.', this.#now)}</p>
      <label>
        <span>${trans.__('Hours to pay ahead (empty: until it stops, as far as the limit goes)')}</span>
        <input
          class="jp-mod-styled"
          name="hours"
          inputmode="decimal"
          autocomplete="off"
          .value=${this.hours}
          @input=${(event: Event) => {
            if (event.target instanceof HTMLInputElement) {
              this.hours = event.target.value.trim();
            }
          }}
        />
      </label>
    </div>`;
  }
}

/** `termMs` null: until it stops. Null when the person changed their mind, or typed what is no number of hours, which is said. */
export async function askHours(
  deps: Deps,
  name: string,
  quote: Quote,
  again: () => void,
): Promise<{ readonly termMs: number | null } | null> {
  const { trans } = deps;
  const form = new HoursForm(deps, quote);
  const answer = await ask<'price'>(trans, {
    title: trans.__('Start %1 again', name),
    body: form,
    choices: [{ value: 'price', label: trans.__('Show the price…') }],
    usual: 'price',
    focus: 'input[name=hours]',
  });
  if (answer === null) {
    return null;
  }
  if (form.hours === '') {
    return { termMs: null };
  }
  const hours = /^\d{1,4}(\.\d{1,2})?$/.test(form.hours) ? Number(form.hours) : Number.NaN;
  if (!(hours > 0 && hours <= MOST_HOURS)) {
    failed(trans.__('“%1” is no number of hours.', form.hours), { label: trans.__('Try again'), run: again });
    return null;
  }
  return { termMs: Math.round(hours * HOUR_MS) };
}
