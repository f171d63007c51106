/** How a machine that is not ours is to be taken over, and until when. The Hitch window asks once more, with all that is done. */
import {
  type AdoptionChoice,
  adoptionChoices,
  DEFAULT_LIMITS,
  formatMicroUsd,
  machineWords,
  type NetworkInfo,
  type NotOurs,
  parseDollars,
  setUpOf,
  type SetUpWay,
  typedDollars,
} from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit/html.js';
import { html } from '@hitch/views/html';
import { ask } from '../actions/ask.ts';
import type { Deps } from '../actions/deps.ts';
import { failed } from '../actions/report.ts';
import { DialogForm } from '../ui/dialog-form.ts';

export interface Foreign {
  readonly network: NetworkInfo;
  readonly machine: NotOurs;
}

export interface AdoptionWanted {
  readonly capMicroUsd: string;
  /** Null: no stop time. */
  readonly stopAfterMs: number | null;
  readonly setUp?: SetUpWay;
}

const HOUR_MS = 3_600_000;

class AdoptForm extends DialogForm {
  readonly #trans;
  readonly #choices: readonly AdoptionChoice[];
  way: AdoptionChoice['way'];
  file = '~/.ssh/id_ed25519';
  cap = typedDollars(DEFAULT_LIMITS.capMicroUsd);
  hours = (DEFAULT_LIMITS.stopAfterMs / HOUR_MS).toString();

  constructor({ trans }: Pick<Deps, 'trans'>, { network, machine }: Foreign) {
    super();
    this.#trans = trans;
    this.#choices = adoptionChoices(network, machine);
    this.way = this.#choices[0]?.way ?? 'watch';
  }

  protected override content(): TemplateResult {
    const trans = this.#trans;
    return html`<div class="jp-Hitch-form">
      <fieldset class="jp-Hitch-hosts">
        <legend>${trans.__('What is it to be?')}</legend>
        ${this.#choices.map(
          ({ way, label, detail }) =>
            html`<label>
              <input
                type="radio"
                name="adopt-way"
                value=${way}
                .checked=${this.way === way}
                @change=${() => {
                  this.way = way;
                  this.update();
                }}
              />
              <span>${label}</span>
              <span class="jp-Hitch-quiet">${detail}</span>
            </label>`,
        )}
      </fieldset>
      ${
        this.way === 'identity'
          ? this.#field(
              trans.__('Your private key, on the computer where Hitch runs'),
              'key',
              this.file,
              text => (this.file = text),
            )
          : nothing
      }
      ${this.#field(
        trans.__('The most that it may cost from now on, in dollars; it is ended then'),
        'cap',
        this.cap,
        text => (this.cap = text),
      )}
      ${this.#field(
        trans.__('Ended after so many hours (empty: no time limit)'),
        'hours',
        this.hours,
        text => (this.hours = text),
      )}
    </div>`;
  }

  #field(label: string, name: string, value: string, take: (text: string) => void): TemplateResult {
    return html`<label>
      <span>${label}</span>
      <input
        class="jp-mod-styled"
        name=${name}
        autocomplete="off"
        spellcheck="false"
        .value=${value}
        @input=${(event: Event) => {
          if (event.target instanceof HTMLInputElement) {
            take(event.target.value.trim());
          }
        }}
      />
    </label>`;
  }
}

/** Null when the person changed their mind, or entered what cannot be taken, which is then said. */
export async function askForAdoption(
  deps: Deps,
  foreign: Foreign,
  again: () => void,
): Promise<AdoptionWanted | null> {
  const { trans } = deps;
  const form = new AdoptForm(deps, foreign);
  const answer = await ask<'adopt'>(trans, {
    title: trans.__('Adopt %1', machineWords(foreign.machine)),
    body: form,
    stay: trans.__('Leave it alone'),
    choices: [{ value: 'adopt', label: trans.__('Adopt…') }],
  });
  if (answer === null) {
    return null;
  }
  const read = readAdoption(form);
  if ('problem' in read) {
    failed(read.problem, { label: trans.__('Try again'), run: again });
    return null;
  }
  return read;
}

function readAdoption({
  way,
  file,
  cap,
  hours,
}: Pick<AdoptForm, 'way' | 'file' | 'cap' | 'hours'>): AdoptionWanted | { readonly problem: string } {
  const setUp = setUpOf(way, file);
  const many = hours === '' ? null : Number(hours);
  if (many !== null && !(many > 0 && many <= 24 * 365)) {
    return { problem: `“${hours}” is no number of hours.` };
  }
  try {
    return {
      capMicroUsd: formatMicroUsd(parseDollars(cap)),
      stopAfterMs: many === null ? null : Math.round(many * HOUR_MS),
      ...(setUp === undefined ? {} : { setUp }),
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
