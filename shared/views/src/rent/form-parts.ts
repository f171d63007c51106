/** The parts of the rent form: each draws what it is about and says what a person changed. */
import { nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { format, offerMachine, offerTerms, type Offer, type TemplateInfo } from '@hitch/contract';
import { boxes, keepFocus, pressed, selectInput, textInput } from '../base/form.ts';
import type { Translate } from '../base/translate.ts';
import { hoursHelp, sellsTime, usualHours } from './hours.ts';
import { pathList } from './path-list.ts';
import {
  localTime,
  stopAtMs,
  usualTemplate,
  type RentChoices,
  type RentProblems,
  type StopChoice,
} from './rent-choices.ts';

const STOPS: readonly StopChoice[] = ['1', '2', '4', '8', '24', 'at', 'none'];
const USUAL_STOP_MS = 4 * 3_600_000;

export interface FormPart {
  readonly t: Translate;
  readonly choices: RentChoices;
  readonly problems: RentProblems;
  readonly set: (changes: Partial<RentChoices>) => void;
}

export function chosenPart(
  t: Translate,
  offers: readonly Offer[],
  titles: ReadonlyMap<string, string>,
): TemplateResult {
  return html`<div>
    <h2>${offers.length === 0 ? t('Rent the best offer that fits') : t('Rent')}</h2>
    <ul class="offers">
      ${offers.map(
        offer =>
          html`<li>
            ${offerMachine(offer, t)},
            ${[titles.get(offer.provider) ?? offer.provider, offer.country].filter(Boolean).join(', ')},
            ${format.dollars(offer.pricePerHourMicroUsd)}/h${termsOf(offer, t)}
          </li>`,
      )}
    </ul>
  </div>`;
}

/** How it is sold, where that is not just by use. */
function termsOf(offer: Offer, t: Translate): string {
  const terms = offerTerms(offer, t);
  return terms.length === 0 ? '' : ` (${terms.join(', ')})`;
}

export function machinesPart(part: FormPart, templates: readonly TemplateInfo[]): TemplateResult {
  const { t, choices, problems, set } = part;
  return html`<div class="fields">
    ${textInput({
      id: 'name',
      label: t('Cluster name'),
      value: choices.name,
      hint: t('optional, e.g. llm-dev'),
      problem: problems.name ?? null,
      changed: name => {
        set({ name: name.trim() });
      },
    })}
    ${textInput({
      id: 'nodes',
      label: t('Nodes'),
      type: 'number',
      value: choices.nodes,
      problem: problems.nodes ?? null,
      changed: nodes => {
        const needsRay = Number(nodes) > 1 && choices.engine === 'single';
        set({ nodes, ...(needsRay ? { engine: 'ray', template: '' } : {}) });
      },
    })}
    ${setUpInput(part, templates)} ${Number(choices.nodes) > 1 ? nothing : othersInput(part)}
  </div>`;
}

/** Machines that must reach each other are of one network; a single one may be of any. */
const othersInput = ({ t, choices, set }: FormPart): TemplateResult =>
  boxes(
    t('If the offer is gone'),
    [{ value: 'others', words: t('also try other networks') }],
    choices.otherNetworks ? ['others'] : [],
    chosen => {
      set({ otherNetworks: chosen.length > 0 });
    },
  );

/** What a person gets, as one choice: a template brings its engine with it. */
function setUpInput(
  { t, choices, problems, set }: FormPart,
  templates: readonly TemplateInfo[],
): TemplateResult {
  const usual = { single: usualTemplate(templates, 'single'), ray: usualTemplate(templates, 'ray') };
  // What has a command has a form of its own, from which one comes here with it; else a cluster is set up.
  const others = templates.filter(
    ({ id, engine, runs, problems: wrong }) =>
      (!runs || id === choices.template) && wrong === 0 && usual[engine]?.id !== id,
  );
  const other = others.find(({ id }) => id === choices.template);
  return selectInput({
    id: 'set-up',
    label: t('Set up'),
    value: other?.id ?? choices.engine,
    options: [
      { value: 'single', words: t('Notebook (one machine)') },
      { value: 'ray', words: t('Ray cluster') },
      ...others.map(({ id, title }) => ({ value: id, words: title })),
    ],
    help: (other ?? usual[choices.engine])?.description ?? '',
    problem: problems.engine ?? problems.template ?? null,
    changed: value => {
      const chosen = others.find(({ id }) => id === value);
      set(
        chosen === undefined
          ? { template: '', engine: value === 'ray' ? 'ray' : 'single' }
          : { template: chosen.id, engine: chosen.engine },
      );
    },
  });
}

export function limitsPart({ t, choices, problems, set }: FormPart, nowMs: number): TemplateResult {
  const stop = stopAtMs(choices, nowMs);
  const words = (choice: StopChoice): string =>
    choice === 'none' ? t('no time limit') : choice === 'at' ? t('at a time…') : t('after %1 h', choice);
  return html`<div class="fields">
    ${textInput({
      id: 'cap',
      label: t('Spending limit, $'),
      value: choices.cap,
      help: t('Includes saving at the end'),
      problem: problems.capMicroUsd ?? null,
      changed: cap => {
        set({ cap });
      },
    })}
    ${selectInput({
      id: 'stop',
      label: t('Stop'),
      value: choices.stop,
      options: STOPS.map(value => ({ value, words: words(value) })),
      help:
        stop === null || choices.stop === 'at'
          ? ''
          : t('at %1, this computer’s time', format.clock(stop, nowMs)),
      changed: value => {
        const chosen = STOPS.find(choice => choice === value) ?? 'none';
        set({
          stop: chosen,
          ...(chosen === 'at' && choices.stopAt === '' ? { stopAt: localTime(nowMs + USUAL_STOP_MS) } : {}),
        });
      },
    })}
    ${
      choices.stop === 'at'
        ? textInput({
            id: 'stop-at',
            label: t('Stop at'),
            type: 'datetime-local',
            value: choices.stopAt,
            problem: problems.stopAtMs ?? null,
            changed: time => {
              set({ stopAt: time, stop: 'at' });
            },
          })
        : nothing
    }
    ${textInput({
      id: 'idle',
      label: t('Stop when idle for … minutes'),
      type: 'number',
      value: choices.idle,
      help: t('0 = never'),
      problem: problems.idleMs ?? null,
      changed: idle => {
        set({ idle });
      },
    })}
  </div>`;
}

/** Nothing where no chosen offer is sold by terms. */
export function hoursPart(
  { t, choices, problems, set }: FormPart,
  offers: readonly Offer[],
  nowMs: number,
): TemplateResult | typeof nothing {
  const context = { offers, nowMs, t };
  return sellsTime(offers)
    ? html`<div class="fields">
        ${textInput({
          id: 'hours',
          label: t('Hours paid ahead'),
          value: choices.hours,
          hint: usualHours(choices, context),
          help: hoursHelp(choices, context),
          saysHelp: true,
          problem: problems.termMs ?? null,
          changed: hours => {
            set({ hours: hours.trim() });
          },
        })}
      </div>`
    : nothing;
}

export function filesPart(
  { t, choices, problems, set }: FormPart,
  choose: (() => void) | null,
): TemplateResult {
  return html`<div class="wide">
    ${pathList({
      id: 'send',
      label: t('Send to the cluster'),
      hint: t('a file or folder on this computer'),
      help: t('Copied as soon as the cluster is ready'),
      problem: null,
      paths: choices.send,
      t,
      choose,
      changed: send => {
        set({ send });
      },
    })}
    ${pathList({
      id: 'save',
      label: t('Copy back before it ends'),
      hint: t('e.g. results'),
      help: t('Paths in ~/work. Everything else of the cluster is deleted'),
      problem: problems.save ?? null,
      paths: choices.save,
      t,
      choose: null,
      changed: save => {
        set({ save });
      },
    })}
  </div>`;
}

export function secretsPart(
  { t, choices, set }: FormPart,
  names: readonly string[],
  store: () => void,
): TemplateResult {
  const add = html`<button
    class="link"
    type="button"
    id="add-secret"
    @mousedown=${keepFocus}
    @click=${pressed(store)}
  >
    ${t('Add a secret…')}
  </button>`;
  if (names.length === 0) {
    return html`<p class="quiet">${t('Secrets (tokens such as HF_TOKEN): none.')} ${add}</p>`;
  }
  return html`<div>
    ${boxes(
      t('Secrets that this cluster gets'),
      names.map(name => ({ value: name, words: name })),
      choices.secrets,
      secrets => {
        set({ secrets });
      },
    )}
    <p class="help quiet">${t('The machine’s host can read them.')} ${add}</p>
  </div>`;
}
