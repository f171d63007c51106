/**
 * Templates in a tab: the list, and the form whose values the daemon judges. One with a command is run as a job from here;
 * for the others a machine is chosen in New cluster.
 */
import '@hitch/views/define';
import { HitchError, type JobId, type TemplateInfo } from '@hitch/contract';
import {
  adoptJupyterTheme,
  JUPYTER_THEME_CLASS,
  type FormProblem,
  type HitchEvent,
  type TemplateChoice,
  type TemplateShowFunction,
} from '@hitch/views';
import { html } from '@hitch/views/html';
import type { Message } from '@lumino/messaging';
import { nothing, type TemplateResult } from 'lit/html.js';
import type { Deps } from '../actions/deps.ts';
import { attempt, sentenceOf } from '../actions/report.ts';
import { LitWidget } from '../ui/lit-widget.ts';
import { pulse } from '../ui/pulse.ts';
import { viewWords } from '../ui/view-words.ts';
import { ownRunLimits, problemOf, runTemplate } from './run.ts';

export interface TemplatesOptions {
  readonly deps: Deps;
  /** Lets a person choose a folder of the Jupyter server; null where there is nothing to choose with. */
  readonly chooseFolder: (() => Promise<string | null>) | null;
  readonly rent: (choice: TemplateChoice) => void;
  /** Shows a job that was begun. */
  readonly showJob: (jobId: JobId) => Promise<void>;
}

/** Files of templates are written while the tab is open. */
const AGAIN_MS = 5_000;
/** The folder that the file browser shows first. */
const OWN_FOLDER = '.';

export class TemplatesView extends LitWidget {
  readonly #options: TemplatesOptions;
  readonly #end = new AbortController();
  readonly #pulse;
  #templates: readonly TemplateInfo[] | null = null;
  #problem: string | null = null;
  #choice: TemplateChoice | null = null;
  #listed = '';
  /** The quote that is asked for; null: none is. */
  #running: AbortController | null = null;
  #refused: FormProblem | null = null;

  constructor(options: TemplatesOptions) {
    super();
    adoptJupyterTheme(document);
    this.#options = options;
    this.addClass('jp-Hitch-templates');
    this.addClass(JUPYTER_THEME_CLASS);
    options.deps.hitch.changed.connect(this.#changed, this);
    this.#pulse = pulse({
      name: 'templates',
      everyMs: AGAIN_MS,
      widget: this,
      when: () => true,
      act: () => this.#list(),
    });
    void this.#list();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#end.abort();
      this.#running?.abort();
      this.#pulse.dispose();
      super.dispose();
    }
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.querySelector<HTMLElement>('hitch-templates')?.focus();
  }

  #changed(): void {
    this.update();
  }

  readonly #show: TemplateShowFunction = async ({ template, preset, values }, signal) => {
    try {
      return await this.#options.deps.hitch.client.api.templates.show(
        { template, values: { ...values }, ...(preset === null ? {} : { preset }) },
        { signal: AbortSignal.any([signal, this.#end.signal]) },
      );
    } catch (error) {
      throw new Error(sentenceOf(error), { cause: error });
    }
  };

  async #list(): Promise<void> {
    const { hitch, preferences } = this.#options.deps;
    const { templates } = hitch.client.api;
    const folders = [...new Set([OWN_FOLDER, ...preferences.present.templateFolders])];
    const call = { signal: this.#end.signal };
    try {
      const listed = await templates.list({ folders }, call).catch(async (error: unknown) => {
        if (error instanceof HitchError && error.code === 'BAD_INPUT') {
          // A folder that cannot be looked into hides no others; which it is, and why, is said.
          this.#problem = sentenceOf(error);
          return templates.list({ folders: [] }, call);
        }
        throw error;
      });
      const text = JSON.stringify(listed);
      if (text !== this.#listed) {
        this.#listed = text;
        this.#templates = listed;
      }
    } catch (error) {
      if (this.isDisposed) {
        return;
      }
      this.#problem = sentenceOf(error);
    }
    this.update();
  }

  async #run({ detail }: HitchEvent<'hitch-template-run'>): Promise<void> {
    if (this.#running !== null) {
      return;
    }
    const { deps, showJob } = this.#options;
    const running = (this.#running = new AbortController());
    this.#refused = null;
    this.update();
    try {
      const jobId = await runTemplate(deps, detail, running.signal);
      if (jobId !== null) {
        await deps.hitch.refresh();
        await showJob(jobId);
      }
    } catch (error) {
      if (!running.signal.aborted) {
        this.#refused = problemOf(error);
      }
    }
    this.#running = null;
    if (!this.isDisposed) {
      this.update();
    }
  }

  async #addFolder(): Promise<void> {
    const { deps, chooseFolder } = this.#options;
    const folder = (await chooseFolder?.()) ?? null;
    if (folder !== null) {
      const folders = [...new Set([...deps.preferences.present.templateFolders, folder])];
      await attempt(
        deps,
        () => deps.preferences.keep('templateFolders', folders),
        () => void this.#addFolder(),
      );
      this.#problem = null;
      await this.#list();
    }
  }

  protected override content(): TemplateResult {
    const { deps, chooseFolder, rent } = this.#options;
    const { link } = deps.hitch;
    const offline = link.state === 'down' ? link.sentence : null;
    return html`
      ${
        this.#problem === null || offline !== null
          ? nothing
          : html`<p class="jp-Hitch-banner jp-mod-warn" role="status">${this.#problem}</p>`
      }
      <hitch-templates
        .messages=${viewWords(deps.trans)}
        .templates=${this.#templates}
        .choice=${this.#choice}
        .show=${this.#show}
        .offline=${offline}
        .canAddFolder=${chooseFolder !== null}
        .own=${ownRunLimits(deps.preferences.present, deps.hitch)}
        .busy=${this.#running !== null}
        .refused=${this.#refused}
        @hitch-template-choice=${({ detail }: HitchEvent<'hitch-template-choice'>) => {
          this.#choice = detail;
        }}
        @hitch-template-rent=${({ detail }: HitchEvent<'hitch-template-rent'>) => rent(detail.choice)}
        @hitch-template-run=${(event: HitchEvent<'hitch-template-run'>) => void this.#run(event)}
        @hitch-template-leave=${() => this.#running?.abort()}
        @hitch-template-folder=${() => void this.#addFolder()}
      ></hitch-templates>
    `;
  }
}
