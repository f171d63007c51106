/** `<hitch-templates>`: the templates that there are, and the form of the one that is chosen. */
import {
  DEFAULT_LIMITS,
  formatMicroUsd,
  type FormField,
  type TemplateDetails,
  type TemplateInfo,
} from '@hitch/contract';
import { firstRunLimits, type RunLimits } from '@hitch/contract/src/templates/run-wish.ts';
import { nothing, type PropertyValues, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { HitchElement } from '../base/element.ts';
import { button } from '../base/form.ts';
import { formStyles } from '../base/form-styles.ts';
import { baseStyles } from '../base/styles.ts';
import type { FormProblem } from '../rent/rent-form.ts';
import { headPart, needsPart, problemList, readmePart } from './about.ts';
import { fieldId, templateFields, type ParameterTexts } from './fields.ts';
import { templateList } from './list.ts';
import {
  CAP_ID,
  runCapProblem,
  runFieldOf,
  runLimitFields,
  runLimits,
  type RunLimitChanges,
} from './run-limits.ts';
import { templateStyles } from './template-styles.ts';

/** What a person has chosen so far; hosts keep it over a reload. */
export interface TemplateChoice {
  readonly template: string;
  /** Null: the defaults. */
  readonly preset: string | null;
  /** Only what was typed. */
  readonly values: ParameterTexts;
  /** Of one with a command, only what was changed. */
  readonly limits?: RunLimitChanges | undefined;
}

/** The daemon's verdict on a choice. @throws Error with a sentence */
export type TemplateShowFunction = (choice: TemplateChoice, signal: AbortSignal) => Promise<TemplateDetails>;

/** Keys that follow each other so closely are judged as one. */
const TYPING_MS = 150;

const USUAL: RunLimits = {
  capMicroUsd: formatMicroUsd(DEFAULT_LIMITS.capMicroUsd),
  timeMs: DEFAULT_LIMITS.stopAfterMs,
  practice: false,
};

/**
 * @fires hitch-template-choice another template, preset or value, for hosts that keep it
 * @fires hitch-template-rent the form is filled in and a machine is to be chosen
 * @fires hitch-template-run the form of one with a command is filled in and its quote is wanted
 * @fires hitch-template-leave the quote is not waited for any more
 * @fires hitch-template-folder a folder with templates is to be added
 */
export class HitchTemplates extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    templates: { attribute: false },
    choice: { attribute: false },
    show: { attribute: false },
    offline: { attribute: false },
    canAddFolder: { attribute: false },
    own: { attribute: false },
    busy: { type: Boolean },
    refused: { attribute: false },
    details: { state: true },
    problem: { state: true },
    saysMissing: { state: true },
    search: { state: true },
  };

  static override styles = [baseStyles, formStyles, templateStyles];

  /** Null while they are not known. */
  declare templates: readonly TemplateInfo[] | null;
  declare choice: TemplateChoice | null;
  declare show: TemplateShowFunction | null;
  /** Why the daemon cannot be asked; null while it can. */
  declare offline: string | null;
  declare canAddFolder: boolean;
  /** A person's own limits; a template's are taken where they are lower. */
  declare own: RunLimits;
  /** The quote of a job is being asked for, or shown. */
  declare busy: boolean;
  /** What the daemon said against the last request for one. */
  declare refused: FormProblem | null;
  declare protected details: TemplateDetails | null;
  /** Why the daemon's verdict is not known. */
  declare protected problem: string | null;
  declare protected saysMissing: boolean;
  declare protected search: string;
  #asking = new AbortController();
  /** The choice that `details` is the answer to. */
  #answered: TemplateChoice | null = null;

  constructor() {
    super();
    this.templates = null;
    this.choice = null;
    this.show = null;
    this.offline = null;
    this.canAddFolder = false;
    this.own = USUAL;
    this.busy = false;
    this.refused = null;
    this.details = null;
    this.problem = null;
    this.saysMissing = false;
    this.search = '';
  }

  /** The chosen template's button, else the first. */
  override focus(): void {
    const list = this.renderRoot.querySelectorAll<HTMLElement>('button.template');
    ([...list].find(each => each.ariaCurrent === 'true') ?? list[0])?.focus();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#asking.abort();
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    const before = changes.get('choice');
    if (changes.has('choice') && this.choice?.template !== before?.template) {
      this.details = null;
      this.saysMissing = false;
    }
    if (changes.has('choice') && before !== undefined) {
      // It was about what was asked for then.
      this.refused = null;
    }
    if (changes.has('choice') || changes.has('show')) {
      void this.#judge(this.choice?.template === before?.template ? TYPING_MS : 0);
    }
  }

  /** The control that it was pressed on is another one while it is busy. */
  protected override updated(changes: PropertyValues<this>): void {
    const before = changes.get('busy');
    if (before === undefined || before === this.busy || !document.hasFocus()) {
      return;
    }
    const { activeElement } = document;
    if (activeElement === null || activeElement === document.body || activeElement === this) {
      const field = this.refused === null ? null : runFieldOf(this.refused);
      this.renderRoot.querySelector<HTMLElement>(`#${this.busy ? 'leave' : (field ?? 'rent')}`)?.focus();
    }
  }

  /** Asks the daemon what it says of the choice; only the latest answer counts. */
  async #judge(afterMs: number): Promise<void> {
    this.#asking.abort();
    const { choice, show } = this;
    const asking = (this.#asking = new AbortController());
    if (choice === null || show === null) {
      return;
    }
    await new Promise(resolve => setTimeout(resolve, afterMs));
    const isLatest = (): boolean => !asking.signal.aborted;
    if (!isLatest()) {
      return;
    }
    try {
      const details = await show(choice, asking.signal);
      if (isLatest()) {
        this.details = details;
        this.#answered = choice;
        this.problem = null;
      }
    } catch (error) {
      if (isLatest()) {
        this.problem = error instanceof Error ? error.message : String(error);
      }
    }
  }

  #choose(change: Partial<TemplateChoice>): void {
    const template = change.template ?? this.choice?.template;
    if (template !== undefined) {
      // Another template has other limits too.
      const before =
        change.template === undefined && this.choice !== null ? this.choice : { preset: null, values: {} };
      this.choice = { ...before, template, ...change };
      this.emit('hitch-template-choice', this.choice);
    }
  }

  get #wrong(): FormField | undefined {
    return this.details?.form?.fields.find(({ problem }) => problem !== null);
  }

  /** What a job of it may cost and how long it may take at first; null: it has no command, or mistakes. */
  #firstLimits({ info, rent }: TemplateDetails): RunLimits | null {
    return info.runs && rent !== null ? firstRunLimits(this.own, rent) : null;
  }

  async #rent(): Promise<void> {
    // What was typed last counts too: a press takes it first.
    await this.updateComplete;
    if (this.#answered !== this.choice) {
      await this.#judge(0);
    }
    const { choice, details } = this;
    const form = details?.form ?? null;
    if (
      choice === null ||
      details === null ||
      form === null ||
      this.problem !== null ||
      this.#answered !== choice
    ) {
      return;
    }
    const wrong = this.#wrong;
    const first = this.#firstLimits(details);
    const limits = choice.limits ?? {};
    const isWrongCap = first !== null && runCapProblem(limits, first, this.messages) !== null;
    if (wrong === undefined && form.problems.length === 0 && !isWrongCap) {
      if (first === null) {
        this.emit('hitch-template-rent', { choice, details });
      } else {
        this.refused = null;
        this.emit('hitch-template-run', { choice, details, limits: runLimits(limits, first) });
      }
      return;
    }
    this.saysMissing = true;
    await this.updateComplete;
    if (wrong === undefined && isWrongCap) {
      this.renderRoot.querySelector<HTMLElement>(`#${CAP_ID}`)?.focus();
    }
    if (wrong !== undefined) {
      // Opened by hand: the details' own attribute changes with the next drawing.
      this.renderRoot
        .querySelector(`details:has(#${CSS.escape(fieldId(wrong.name))})`)
        ?.setAttribute('open', '');
      this.renderRoot.querySelector<HTMLElement>(`#${CSS.escape(fieldId(wrong.name))}`)?.focus();
    }
  }

  protected override render(): TemplateResult {
    const t = this.messages;
    const { templates, offline, choice } = this;
    return html`
      ${offline === null ? nothing : html`<p class="note warning" role="status">${offline}</p>`}
      ${
        templates === null
          ? html`<p role="status" aria-busy=${offline === null}>
              ${offline === null ? t('Loading templates…') : ''}
            </p>`
          : html`<div class="columns">
              <div class="side">
                ${
                  templates.length === 0
                    ? html`<p>${t('No templates yet. “hitch template init” writes one.')}</p>`
                    : templateList({
                        t,
                        templates,
                        current: choice?.template ?? null,
                        search: this.search,
                        searched: text => (this.search = text),
                        choose: id => this.#choose({ template: id, preset: null, values: {} }),
                      })
                }
                ${
                  this.canAddFolder
                    ? button(t('Add a folder…'), () => this.emit('hitch-template-folder', null), {
                        secondary: true,
                        id: 'add-folder',
                      })
                    : nothing
                }
              </div>
              <div class="chosen">${choice === null ? this.#none() : this.#chosen()}</div>
            </div>`
      }
    `;
  }

  #none(): TemplateResult {
    return html`<p class="quiet">
      ${this.messages('Choose a template to see what it needs and its settings.')}
    </p>`;
  }

  #trouble(): TemplateResult | typeof nothing {
    const t = this.messages;
    return this.problem === null
      ? nothing
      : html`<div class="note error" role="alert">
          <span>${this.problem}</span>
          ${button(t('Try again'), () => void this.#judge(0), { secondary: true })}
        </div>`;
  }

  #chosen(): TemplateResult {
    const t = this.messages;
    const { details, choice } = this;
    if (details === null) {
      return html`${this.#trouble()}
        <p role="status" aria-busy=${this.problem === null}>
          ${this.problem === null ? t('Loading…') : ''}
        </p>`;
    }
    const { check, refusal, form } = details;
    const first = this.#firstLimits(details);
    return html`
      <form
        novalidate
        aria-label=${details.info.title}
        @submit=${(event: Event) => {
          event.preventDefault();
        }}
      >
        ${headPart(details, t)} ${this.#trouble()}
        ${
          check.problems.length === 0
            ? nothing
            : html`<div class="note error">
                <span>${t('This template cannot be used until this is corrected:')}</span>
                ${problemList(check.problems, t('Mistakes'))}
              </div>`
        }
        ${check.notes.length === 0 ? nothing : problemList(check.notes, t('Notes'))}
        ${
          refusal === null || first !== null || check.problems.length > 0
            ? nothing
            : html`<p class="note warning" id="refusal">${refusal.message} ${refusal.next}</p>`
        }
        ${
          form === null
            ? nothing
            : templateFields({
                t,
                form,
                typed: choice?.values ?? {},
                saysMissing: this.saysMissing,
                changed: (name, value) => this.#choose({ values: { ...this.choice?.values, [name]: value } }),
                choosePreset: preset => this.#choose({ preset, values: {} }),
              })
        }
        ${
          first === null
            ? nothing
            : runLimitFields({
                t,
                first,
                changes: choice?.limits ?? {},
                refused: this.refused,
                changed: limits => this.#choose({ limits }),
              })
        }
        ${needsPart(details, t)} ${this.#buttons(details, first)} ${readmePart(details, t)}
      </form>
    `;
  }

  #buttons({ form, refusal, info }: TemplateDetails, first: RunLimits | null): TemplateResult {
    const t = this.messages;
    const { refused, busy, offline } = this;
    const isRefused = first === null && refusal !== null;
    return html`
      ${
        refused === null || (first !== null && runFieldOf(refused) !== null)
          ? nothing
          : html`<p class="note error" role="alert" id="refused">${refused.sentence}</p>`
      }
      <div class="buttons">
        ${button(
          busy ? t('Getting the price…') : info.runs ? t('Run…') : t('Rent…'),
          () => void this.#rent(),
          { id: 'rent', disabled: form === null || isRefused || offline !== null || busy },
        )}
        ${
          busy
            ? button(t('Cancel'), () => this.emit('hitch-template-leave', null), {
                secondary: true,
                id: 'leave',
              })
            : nothing
        }
      </div>
    `;
  }
}
