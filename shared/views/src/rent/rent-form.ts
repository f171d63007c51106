/** `<hitch-rent-form>`: what is chosen between the offer table and the confirm dialog. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { format, type Offer, type ProviderInfo, type QuoteRequest, type TemplateInfo } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import { boxes, button, selectInput, textInput } from '../base/form.ts';
import { formStyles } from '../base/form-styles.ts';
import { baseStyles } from '../base/styles.ts';
import { pathList } from './path-list.ts';
import {
  firstChoices,
  localTime,
  quoteRequest,
  rentProblems,
  stopAtMs,
  type RentChoices,
  type RentContext,
  type RentProblems,
  type StopChoice,
} from './rent-choices.ts';

/** A refusal of the daemon, beside the field it is about. */
export interface FormProblem {
  /** As in the error envelope, such as `capMicroUsd`; null: about the whole. */
  readonly field: string | null;
  readonly sentence: string;
}

const STOPS: readonly StopChoice[] = ['1', '2', '4', '8', '24', 'at', 'none'];
const FIELDS = ['name', 'nodes', 'engine', 'template', 'capMicroUsd', 'stopAtMs', 'idleMs', 'save'] as const;
const isField = (field: string): field is (typeof FIELDS)[number] => FIELDS.some(name => name === field);

/**
 * @fires hitch-quote-request everything is valid and a price is asked for
 * @fires hitch-cancel back to the table
 * @fires hitch-choose-files the host's own picker is wanted
 * @fires hitch-add-secret a secret is to be stored first
 */
export class HitchRentForm extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    offers: { attribute: false },
    nodes: { attribute: false },
    providers: { attribute: false },
    templates: { attribute: false },
    secretNames: { attribute: false },
    takenNames: { attribute: false },
    defaults: { attribute: false },
    send: { attribute: false },
    canChooseFiles: { attribute: false },
    problem: { attribute: false },
    busy: { type: Boolean },
    choices: { state: true },
    problems: { state: true },
  };

  static override styles = [
    baseStyles,
    formStyles,
    css`
      form {
        display: flex;
        flex-direction: column;
        gap: 14px;
        max-width: 760px;
      }

      h2 {
        font-size: 1.15em;
      }

      .offers {
        margin: 2px 0 0;
        padding: 0;
        list-style: none;
      }

      .paths {
        display: flex;
        flex-direction: column;
        gap: 6px;
        min-width: 0;
      }

      .paths ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }

      .paths li {
        display: flex;
        gap: 8px;
        justify-content: space-between;
      }

      .paths code {
        overflow: hidden;
        font-family: var(--vscode-editor-font-family, monospace);
        text-overflow: ellipsis;
      }

      .wide {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(240px, 1fr));
        gap: 10px 16px;
      }
    `,
  ];

  /** Chosen in the table, the first one first. */
  declare offers: readonly Offer[];
  declare nodes: number;
  declare providers: readonly ProviderInfo[];
  declare templates: readonly TemplateInfo[];
  /** Secrets that are stored and may be given. */
  declare secretNames: readonly string[];
  /** Names of clusters that are there already. */
  declare takenNames: readonly string[];
  /** What the form begins with where it is not the usual. */
  declare defaults: Partial<QuoteRequest> & { readonly name?: string };
  /** Paths on this computer to send once the notebook is ready; a host's picker adds to them. */
  declare send: readonly string[];
  /** Whether the host has a picker: shows *Choose…*. */
  declare canChooseFiles: boolean;
  /** What the daemon said against the last request. */
  declare problem: FormProblem | null;
  /** A quote is being asked for. */
  declare busy: boolean;
  declare protected choices: RentChoices;
  declare protected problems: RentProblems;

  constructor() {
    super();
    this.offers = [];
    this.nodes = 1;
    this.providers = [];
    this.templates = [];
    this.secretNames = [];
    this.takenNames = [];
    this.defaults = {};
    this.send = [];
    this.canChooseFiles = false;
    this.problem = null;
    this.busy = false;
    this.choices = firstChoices({}, 1);
    this.problems = {};
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (changes.has('defaults') || changes.has('nodes')) {
      this.choices = firstChoices(this.defaults, this.nodes);
    }
    if (changes.has('problem') && this.problem !== null) {
      const { field, sentence } = this.problem;
      // The daemon names inner fields too, such as `save.toFolder`.
      const name = field?.split('.')[0] ?? '';
      this.problems = isField(name) ? { ...this.problems, [name]: sentence } : this.problems;
    }
  }

  get #context(): RentContext {
    return {
      offers: this.offers,
      takenNames: this.takenNames,
      templates: this.templates,
      nowMs: this.now(),
      t: this.messages,
    };
  }

  /** A field that was wrong is looked at again at once; the others when a price is asked for. */
  #set(changes: Partial<RentChoices>): void {
    this.choices = { ...this.choices, ...changes };
    const now = rentProblems(this.choices, this.#context);
    this.problems = Object.fromEntries(
      Object.entries(now).filter(
        ([field]) => Object.hasOwn(this.problems, field) || Object.hasOwn(changes, field),
      ),
    );
  }

  async #ask(): Promise<void> {
    const context = this.#context;
    this.problems = rentProblems(this.choices, context);
    if (Object.keys(this.problems).length === 0) {
      const { name } = this.choices;
      this.emit('hitch-quote-request', {
        request: quoteRequest(this.choices, context),
        name: name === '' ? null : name,
        send: this.send,
      });
      return;
    }
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('vscode-textfield[invalid]')?.focus();
  }

  protected override render(): TemplateResult {
    const t = this.messages;
    const { problem } = this;
    const general =
      problem !== null && !isField(problem.field?.split('.')[0] ?? '') ? problem.sentence : null;
    return html`<form
      novalidate
      aria-label=${t('Rent')}
      @submit=${(event: Event) => {
        event.preventDefault();
      }}
    >
      ${this.#chosen()} ${this.#machines()} ${this.#limits()} ${this.#files()} ${this.#secrets()}
      ${general === null ? nothing : html`<p class="note error" role="alert">${general}</p>`}
      <div class="buttons">
        ${button(this.busy ? t('Asking for the price…') : t('See the price…'), () => void this.#ask(), {
          disabled: this.busy,
          id: 'ask',
        })}
        ${button(
          t('Back'),
          () => {
            this.emit('hitch-cancel', null);
          },
          { secondary: true },
        )}
      </div>
    </form>`;
  }

  #chosen(): TemplateResult {
    const t = this.messages;
    const titles = new Map(this.providers.map(({ id, title }) => [id, title]));
    return html`<div>
      <h2>${this.offers.length === 0 ? t('Rent the cheapest that fits') : t('Rent')}</h2>
      <ul class="offers">
        ${this.offers.map(
          offer =>
            html`<li>
              ${format.machineTitle(offer)},
              ${[titles.get(offer.provider) ?? offer.provider, offer.country].filter(Boolean).join(', ')},
              ${format.dollars(offer.pricePerHourMicroUsd)}/h
            </li>`,
        )}
      </ul>
    </div>`;
  }

  #machines(): TemplateResult {
    const t = this.messages;
    const { choices, problems } = this;
    const template = this.templates.find(({ id }) => id === choices.template);
    return html`<div class="fields">
      ${textInput({
        id: 'name',
        label: t('Cluster name'),
        value: choices.name,
        hint: t('chosen for you'),
        problem: problems.name ?? null,
        changed: name => {
          this.#set({ name: name.trim() });
        },
      })}
      ${textInput({
        id: 'nodes',
        label: t('Nodes'),
        type: 'number',
        value: choices.nodes,
        problem: problems.nodes ?? null,
        changed: nodes => {
          this.#set({ nodes, ...(Number(nodes) > 1 ? { engine: 'ray' } : {}) });
        },
      })}
      ${selectInput({
        id: 'engine',
        label: t('Engine'),
        value: choices.engine,
        options: [
          { value: 'single', words: t('single machine') },
          { value: 'ray', words: t('Ray') },
        ],
        problem: problems.engine ?? null,
        changed: engine => {
          this.#set({ engine: engine === 'ray' ? 'ray' : 'single' });
        },
      })}
      ${
        this.templates.length === 0
          ? nothing
          : selectInput({
              id: 'template',
              label: t('Template'),
              value: choices.template,
              options: [
                { value: '', words: t('what fits the engine') },
                ...this.templates.map(({ id, title }) => ({ value: id, words: title })),
              ],
              help: template?.description ?? '',
              problem: problems.template ?? null,
              changed: id => {
                const chosen = this.templates.find(other => other.id === id);
                this.#set({ template: id, ...(chosen === undefined ? {} : { engine: chosen.engine }) });
              },
            })
      }
    </div>`;
  }

  #limits(): TemplateResult {
    const t = this.messages;
    const { choices, problems } = this;
    const nowMs = this.now();
    const stop = stopAtMs(choices, nowMs);
    const words = (choice: StopChoice): string =>
      choice === 'none' ? t('no time limit') : choice === 'at' ? t('at a time…') : t('after %1 h', choice);
    return html`<div class="fields">
      ${textInput({
        id: 'cap',
        label: t('May cost at most, $'),
        value: choices.cap,
        help: t('All of it: also saving at the end'),
        problem: problems.capMicroUsd ?? null,
        changed: cap => {
          this.#set({ cap });
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
            : t('at %1 by this computer’s clock', format.clock(stop, nowMs)),
        changed: value => {
          const chosen = STOPS.find(choice => choice === value) ?? 'none';
          this.#set({
            stop: chosen,
            ...(chosen === 'at' && choices.stopAt === '' ? { stopAt: localTime(nowMs + 4 * 3_600_000) } : {}),
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
                this.#set({ stopAt: time, stop: 'at' });
              },
            })
          : nothing
      }
      ${textInput({
        id: 'idle',
        label: t('Stop when idle, minutes'),
        type: 'number',
        value: choices.idle,
        help: t('0: never'),
        problem: problems.idleMs ?? null,
        changed: idle => {
          this.#set({ idle });
        },
      })}
    </div>`;
  }

  #files(): TemplateResult {
    const t = this.messages;
    return html`<div class="wide">
      ${pathList({
        id: 'send',
        label: t('Send to the cluster'),
        hint: t('a file or folder of this computer'),
        help: t('Sent once the notebook is ready'),
        problem: null,
        paths: this.send,
        t,
        choose: this.canChooseFiles
          ? () => {
              this.emit('hitch-choose-files', null);
            }
          : null,
        changed: paths => {
          this.send = paths;
        },
      })}
      ${pathList({
        id: 'save',
        label: t('Save here before it ends'),
        hint: t('such as results'),
        help: t('Inside the cluster’s ~/work; what is not named is lost'),
        problem: this.problems.save ?? null,
        paths: this.choices.save,
        t,
        choose: null,
        changed: save => {
          this.#set({ save });
        },
      })}
    </div>`;
  }

  #secrets(): TemplateResult {
    const t = this.messages;
    const add = html`<button
      class="link"
      type="button"
      id="add-secret"
      @click=${() => {
        this.emit('hitch-add-secret', null);
      }}
    >
      ${t('Store a secret…')}
    </button>`;
    if (this.secretNames.length === 0) {
      return html`<p class="quiet">${t('No secrets are stored, and the cluster gets none.')} ${add}</p>`;
    }
    return html`<div>
      ${boxes(
        t('Secrets this cluster may read'),
        this.secretNames.map(name => ({ value: name, words: name })),
        this.choices.secrets,
        secrets => {
          this.#set({ secrets });
        },
      )}
      <p class="help quiet">${t('Its host can read what you give it.')} ${add}</p>
    </div>`;
  }
}
