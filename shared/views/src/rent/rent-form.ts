/** `<hitch-rent-form>`: what is chosen between the offer table and the confirm dialog. */
import { css, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import type { FoundEnvironments, Offer, ProviderInfo, QuoteRequest, TemplateInfo } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import { button } from '../base/form.ts';
import { formStyles } from '../base/form-styles.ts';
import { baseStyles } from '../base/styles.ts';
import {
  chosenPart,
  filesPart,
  hoursPart,
  limitsPart,
  machinesPart,
  secretsPart,
  type FormPart,
} from './form-parts.ts';
import {
  isSameWanted,
  lockOf,
  packagesPart,
  platformOf,
  type PackagesLock,
  type WantedPackages,
} from './packages-part.ts';
import {
  firstChoices,
  quoteRequest,
  rentProblems,
  type RentChoices,
  type RentContext,
  type RentProblems,
} from './rent-choices.ts';

/** A refusal of the daemon, beside the field it is about. */
export interface FormProblem {
  /** As in the error envelope, such as `capMicroUsd`; null: about the whole. */
  readonly field: string | null;
  readonly sentence: string;
}

const FIELDS = [
  'name',
  'nodes',
  'engine',
  'template',
  'capMicroUsd',
  'stopAtMs',
  'idleMs',
  'save',
  'termMs',
  'environment',
] as const;
const isField = (field: string): field is (typeof FIELDS)[number] => FIELDS.some(name => name === field);

/**
 * @fires hitch-quote-request everything is valid and a price is asked for
 * @fires hitch-cancel back to the table
 * @fires hitch-choose-files the host's own picker is wanted
 * @fires hitch-add-secret a secret is to be stored first
 * @fires hitch-lock-packages the packages of a file are to be pinned for the machines that are chosen
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
    environmentFiles: { attribute: false },
    packagesLock: { attribute: false },
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

      .packages p,
      .packages pre {
        margin: 2px 0 0;
      }

      .packages pre {
        max-height: 14em;
        overflow: auto;
        font-family: var(--vscode-editor-font-family, monospace);
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
  /** Paths on this computer to copy as soon as the cluster is ready, from the host's own picker; more may be typed. */
  declare send: readonly string[];
  /** Whether the host has a picker: shows *Choose…*. */
  declare canChooseFiles: boolean;
  /** Files that packages can be taken from; null: the host looks for none. */
  declare environmentFiles: FoundEnvironments | null;
  /** What came of the last `hitch-lock-packages`. */
  declare packagesLock: PackagesLock | null;
  /** What the daemon said against the last request. */
  declare problem: FormProblem | null;
  /** A quote is being asked for. */
  declare busy: boolean;
  declare protected choices: RentChoices;
  declare protected problems: RentProblems;
  /** The control that had the focus last. */
  #last: HTMLElement | null = null;
  #lockAsked: WantedPackages | null = null;

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
    this.environmentFiles = null;
    this.packagesLock = null;
    this.problem = null;
    this.busy = false;
    this.choices = firstChoices({}, 1);
    this.problems = {};
  }

  /** Back to the control that a person has come from; the first one at first. */
  override focus(): void {
    (this.#last?.isConnected === true
      ? this.#last
      : this.renderRoot.querySelector<HTMLElement>('#name')
    )?.focus();
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (changes.has('defaults') || changes.has('nodes')) {
      this.choices = { ...firstChoices(this.defaults, this.nodes), send: this.choices.send };
    }
    if (changes.has('send')) {
      // What was typed or removed here stays so: a host gives its own list again whenever it draws.
      const before = changes.get('send') ?? [];
      const more = this.send.filter(path => !before.includes(path));
      this.choices = { ...this.choices, send: [...new Set([...this.choices.send, ...more])] };
    }
    if (changes.has('packagesLock')) {
      const { environment: _said, ...others } = this.problems;
      this.problems = others;
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
      filter: this.defaults.filter ?? {},
      maxNodePricePerHourMicroUsd: this.defaults.maxNodePricePerHourMicroUsd ?? null,
      environment: lockOf(this.#wanted, this.packagesLock)?.environment?.id ?? null,
      takenNames: this.takenNames,
      templates: this.templates,
      nowMs: this.now(),
      t: this.messages,
    };
  }

  get #wanted(): WantedPackages | null {
    const { packages: path, engine } = this.choices;
    return path === null ? null : { path, engine, platform: platformOf(this.offers) };
  }

  protected override updated(): void {
    // Another engine or another machine has other packages: asked for once.
    const wanted = this.#wanted;
    if (wanted === null) {
      this.#lockAsked = null;
    } else if (this.#lockAsked === null || !isSameWanted(wanted, this.#lockAsked)) {
      this.#lockAsked = wanted;
      this.emit('hitch-lock-packages', wanted);
    }
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
        send: this.choices.send,
      });
      return;
    }
    await this.updateComplete;
    const first = this.renderRoot.querySelector<HTMLElement>('vscode-textfield[invalid]');
    (first ?? this.renderRoot.querySelector<HTMLElement>('#packages'))?.focus();
  }

  protected override render(): TemplateResult {
    const t = this.messages;
    const { problem, choices, problems } = this;
    const part: FormPart = {
      t,
      choices,
      problems,
      set: changes => {
        this.#set(changes);
      },
    };
    const general =
      problem !== null && !isField(problem.field?.split('.')[0] ?? '') ? problem.sentence : null;
    return html`<form
      novalidate
      aria-label=${t('Rent')}
      @submit=${(event: Event) => {
        event.preventDefault();
      }}
      @focusin=${({ target }: Event) => {
        this.#last = target instanceof HTMLElement ? target : null;
      }}
    >
      ${chosenPart(t, this.offers, new Map(this.providers.map(({ id, title }) => [id, title])))}
      ${machinesPart(part, this.templates)} ${limitsPart(part, this.now())}
      ${hoursPart(part, this.offers, this.now())}
      ${filesPart(part, this.canChooseFiles ? () => this.emit('hitch-choose-files', null) : null)}
      ${packagesPart({
        t,
        found: this.environmentFiles,
        wanted: this.#wanted,
        lock: this.packagesLock,
        problem: problems.environment ?? null,
        choose: packages => {
          // A file that is chosen once more is locked once more: it may be another by now.
          this.#lockAsked = null;
          this.#set({ packages });
        },
      })}
      ${secretsPart(part, this.secretNames, () => this.emit('hitch-add-secret', null))}
      ${general === null ? nothing : html`<p class="note error" role="alert">${general}</p>`}
      <div class="buttons">
        ${button(this.busy ? t('Getting the price…') : t('Review and rent…'), () => void this.#ask(), {
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
}
