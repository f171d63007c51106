/** Two jobs beside each other, in a tab. */
import '@hitch/views/define';
import type { JobId } from '@hitch/contract';
import { type ComparedJobs, gatherTwo } from '@hitch/contract/src/job-gather.ts';
import { adoptJupyterTheme, JUPYTER_THEME_CLASS } from '@hitch/views';
import { html } from '@hitch/views/html';
import type { TemplateResult } from 'lit/html.js';
import type { Deps } from '../actions/deps.ts';
import { sentenceOf } from '../actions/report.ts';
import { LitWidget } from '../ui/lit-widget.ts';
import { setTitle } from '../ui/text.ts';
import { viewWords } from '../ui/view-words.ts';

export class CompareView extends LitWidget {
  readonly #deps: Deps;
  readonly #ids: readonly [JobId, JobId];
  #jobs: ComparedJobs | null = null;
  #problem: string | null = null;

  constructor(deps: Deps, ids: readonly [JobId, JobId]) {
    super();
    this.#deps = deps;
    this.#ids = ids;
    adoptJupyterTheme(document);
    this.addClass('jp-Hitch-compareTab');
    this.addClass(JUPYTER_THEME_CLASS);
    void this.refresh();
  }

  async refresh(): Promise<void> {
    const { hitch, now, trans } = this.#deps;
    try {
      this.#jobs = await gatherTwo(hitch.client.api, this.#ids, now());
      this.#problem = null;
      if (this.parent !== null) {
        setTitle(this.parent.title, trans.__('%1 and %2', ...this.#jobs.names));
      }
    } catch (error) {
      this.#problem = sentenceOf(error);
    }
    if (!this.isDisposed) {
      this.update();
    }
  }

  protected override content(): TemplateResult {
    return this.#problem === null
      ? html`<hitch-job-compare
          .messages=${viewWords(this.#deps.trans)}
          .jobs=${this.#jobs}
        ></hitch-job-compare>`
      : html`<p class="jp-Hitch-empty" role="status">${this.#problem}</p>`;
  }
}
