/** The extension's half of the talk with the page of templates. Knows no editor. */
import type { HitchClient, TemplateDetails } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import type { RunLimits } from '@hitch/contract/src/templates/run-wish.ts';
import type { State } from '../daemon/state.ts';
import type { Stop } from '../emitter.ts';
import { isAbort, sentence } from '../sentence.ts';
import { type FromPage, fromPageSchema, type TemplateChoice, type ToPage } from './messages.ts';

export interface TemplateTalkDeps {
  readonly state: () => State;
  readonly client: () => HitchClient;
  readonly onChange: (listener: () => void) => Stop;
  readonly post: (message: ToPage) => void;
  /** Reads the list again; its change is told by `onChange`. */
  readonly list: () => Promise<void>;
  /** The steps that end in the price and the yes. */
  readonly rent: (details: TemplateDetails, choice: TemplateChoice) => void;
  /** The quote of its job, the yes, and the job's page; resolves when none of it is under way any more. */
  readonly run: (
    details: TemplateDetails,
    choice: TemplateChoice,
    limits: RunLimits,
    signal: AbortSignal,
  ) => Promise<void>;
  /** What the settings say of a run. */
  readonly ownLimits: () => RunLimits;
  readonly addFolder: () => void;
  readonly report: (problem: string, error: unknown) => void;
}

type Asked = Extract<FromPage, { kind: 'template-show' | 'template-rent' }>;

export class TemplateTalk {
  readonly #deps: TemplateTalkDeps;
  readonly #asking = new Map<number, AbortController>();
  readonly #stop: Stop;
  #choice: TemplateChoice | null;
  #ready = false;
  #told = '';

  constructor(deps: TemplateTalkDeps, choice: TemplateChoice | null) {
    this.#deps = deps;
    this.#choice = choice;
    this.#stop = deps.onChange(() => this.#changed());
  }

  dispose(): void {
    this.#stop();
    this.#asking.forEach(asking => asking.abort());
    this.#asking.clear();
  }

  /** Files of templates are written while the page is open. */
  refresh(): void {
    if (this.#ready && this.#deps.state().connection === 'live') {
      this.#deps
        .list()
        .catch((error: unknown) => this.#deps.report('The templates could not be listed', error));
    }
  }

  /** A template that was chosen elsewhere, with its own first values. */
  choose(template: string): void {
    this.#choice = { template, preset: null, values: {} };
    this.#told = '';
    this.#changed();
  }

  /** Whatever a page says is a stranger's until it is read. */
  take(said: unknown): void {
    const { data: message, error } = fromPageSchema.safeParse(said);
    switch (message?.kind) {
      case undefined:
        this.#deps.report('A page sent a message that is not supported', error);
        break;
      case 'ready':
        if (message.kept?.view === 'templates') {
          this.#choice = message.kept.choice;
        }
        this.#ready = true;
        this.#told = '';
        this.#changed();
        this.refresh();
        break;
      case 'keep':
        if (message.place.view === 'templates') {
          this.#choice = message.place.choice;
        }
        break;
      case 'abort':
        this.#asking.get(message.question)?.abort();
        break;
      case 'template-show':
        void this.#show(message, details =>
          this.#deps.post({ kind: 'template', question: message.question, details }),
        );
        break;
      case 'template-rent':
        // Asked again: what is rented is what the daemon says of the choice, not what a page says.
        void this.#show(message, details => this.#deps.rent(details, message.choice));
        break;
      case 'template-run':
        void this.#run(message);
        break;
      case 'template-folder':
        this.#deps.addFolder();
        break;
      default:
    }
  }

  async #show({ question, choice }: Asked, give: (details: TemplateDetails) => void): Promise<void> {
    const asking = new AbortController();
    this.#asking.set(question, asking);
    try {
      give(await this.#detailsOf(choice, asking.signal));
    } catch (error) {
      if (!isAbort(error)) {
        this.#deps.post({ kind: 'problem', question, sentence: sentence(error) });
      }
    } finally {
      this.#asking.delete(question);
    }
  }

  #detailsOf({ template, preset, values }: TemplateChoice, signal: AbortSignal): Promise<TemplateDetails> {
    const { templates } = this.#deps.client().api;
    return templates.show({ template, values, ...(preset === null ? {} : { preset }) }, { signal });
  }

  async #run({ question, choice, limits }: Extract<FromPage, { kind: 'template-run' }>): Promise<void> {
    const asking = new AbortController();
    this.#asking.set(question, asking);
    const { signal } = asking;
    let problem: Extract<ToPage, { kind: 'template-ran' }>['problem'] = null;
    try {
      // Asked again: what is run is what the daemon says of the choice, not what a page says.
      await this.#deps.run(await this.#detailsOf(choice, signal), choice, limits, signal);
    } catch (error) {
      if (!isAbort(error) && !signal.aborted) {
        const field = error instanceof HitchError ? (error.field ?? null) : null;
        problem = { field, sentence: sentence(error) };
      }
    } finally {
      this.#asking.delete(question);
    }
    this.#deps.post({ kind: 'template-ran', question, problem });
  }

  #changed(): void {
    if (!this.#ready) {
      return;
    }
    const { connection, problem, templates } = this.#deps.state();
    const down = connection === 'lost' || connection === 'failed' || connection === 'absent';
    const isKnown = templates.length > 0 || connection === 'live';
    const message: ToPage = {
      kind: 'templates',
      templates: isKnown ? [...templates] : null,
      choice: this.#choice,
      offline: down ? (problem ?? 'Hitch’s daemon does not answer.') : null,
      own: this.#deps.ownLimits(),
    };
    // The page has its own choice by now; another one is told when it was made elsewhere.
    const text = JSON.stringify({ ...message, choice: null });
    if (text !== this.#told) {
      this.#told = text;
      this.#deps.post(message);
    }
  }
}
