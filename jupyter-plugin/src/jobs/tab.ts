/** One job in a tab. */
import '@hitch/views/define';
import { isJobSettled, type Job, type JobId, jobOutputs, readJobLog } from '@hitch/contract';
import {
  jobSurroundings,
  type SurroundingsWords,
  surroundingsWords,
} from '@hitch/contract/src/job-gather.ts';
import { adoptJupyterTheme, JUPYTER_THEME_CLASS } from '@hitch/views';
import { html } from '@hitch/views/html';
import type { TemplateResult } from 'lit/html.js';
import type { Deps } from '../actions/deps.ts';
import { NEIGHBOURS } from '../actions/ids.ts';
import { attempt, sentenceOf } from '../actions/report.ts';
import { followCopy } from '../copies/follow.ts';
import { LitWidget } from '../ui/lit-widget.ts';
import { pulse } from '../ui/pulse.ts';
import { setTitle } from '../ui/text.ts';
import { viewWords } from '../ui/view-words.ts';

const AGAIN_MS = 1_500;

export class JobView extends LitWidget {
  readonly #deps: Deps;
  readonly #id: JobId;
  readonly #end = new AbortController();
  readonly #pulse;
  /** Where fetched outputs go: a folder of the Jupyter server. */
  readonly #folder: () => string;
  #job: Job | null = null;
  #around: SurroundingsWords | null = null;
  #lookedAt: Job['attemptId'] = null;
  #problem: string | null = null;

  constructor(deps: Deps, id: JobId, folder: () => string) {
    super();
    this.#deps = deps;
    this.#id = id;
    this.#folder = folder;
    adoptJupyterTheme(document);
    this.addClass('jp-Hitch-jobTab');
    this.addClass(JUPYTER_THEME_CLASS);
    this.#pulse = pulse({
      name: 'job',
      everyMs: AGAIN_MS,
      widget: this,
      when: () => this.#job === null || !isJobSettled(this.#job),
      act: () => this.refresh(),
    });
    void this.refresh();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#end.abort();
      this.#pulse.dispose();
      super.dispose();
    }
  }

  async refresh(): Promise<void> {
    try {
      this.#show(
        await this.#deps.hitch.client.api.jobs.get({ jobId: this.#id }, { signal: this.#end.signal }),
      );
      this.#problem = null;
      await this.#lookAround();
    } catch (error) {
      this.#problem = sentenceOf(error);
    }
    if (!this.isDisposed) {
      this.update();
    }
  }

  #show(job: Job): void {
    this.#job = job;
    setTitle(this.title, job.name);
    if (this.parent !== null) {
      setTitle(this.parent.title, job.name);
    }
  }

  /** Once for each machine that it has. */
  async #lookAround(): Promise<void> {
    const job = this.#job;
    const machine = job?.attemptId ?? null;
    if (job !== null && (this.#around === null || machine !== this.#lookedAt)) {
      const found = await jobSurroundings(this.#deps.hitch.client.api, job, this.#end.signal);
      this.#around = surroundingsWords(job, found);
      this.#lookedAt = machine;
    }
  }

  #act(action: HTMLElementEventMap['hitch-job']['detail']['action']): void {
    const { hitch, commands } = this.#deps;
    const { api } = hitch.client;
    const again = (): void => this.#act(action);
    void attempt(
      this.#deps,
      async () => {
        switch (action) {
          case 'stop':
            this.#show(await api.jobs.stop({ jobId: this.#id }));
            this.update();
            break;
          case 'again': {
            const { id } = await api.jobs.again({ jobId: this.#id });
            await commands.execute(NEIGHBOURS.openJob, { jobId: id });
            break;
          }
          case 'fetch':
            await this.#fetch(jobOutputs);
            break;
          case 'fetchCheckpoint':
            await this.#fetch(({ rental }) => [rental?.checkpointFolder ?? ''].filter(each => each !== ''));
            break;
        }
      },
      again,
    );
  }

  async #fetch(what: (job: Job) => string[]): Promise<void> {
    const job = this.#job;
    if (job === null) {
      return;
    }
    const { hitch, trans } = this.#deps;
    const { api } = hitch.client;
    await followCopy({
      trans,
      api,
      name: job.clusterName,
      doing: trans.__('Fetching from %1', job.clusterName),
      done: trans.__('Fetched from %1', job.clusterName),
      start: () =>
        api.copies.start({
          clusterId: job.clusterId,
          direction: 'fetch',
          sources: what(job),
          target: this.#folder(),
          intoFolder: true,
          conflict: 'ask',
        }),
    });
  }

  protected override content(): TemplateResult {
    if (this.#job === null && this.#problem !== null) {
      return html`<p class="jp-Hitch-empty" role="status">${this.#problem}</p>`;
    }
    const { trans, hitch } = this.#deps;
    const { api } = hitch.client;
    const jobId = this.#id;
    return html`<hitch-job
      .messages=${viewWords(trans)}
      .job=${this.#job}
      .around=${this.#around}
      .log=${(this.#log ??= (query, signal) => readJobLog(hitch.client, jobId, query, signal))}
      .search=${(this.#search ??= (text, run, from) => api.jobs.search({ jobId, text, run, from }))}
      .metrics=${(this.#metrics ??= query => api.jobs.metrics({ jobId, ...query }, { signal: this.#end.signal }))}
      @hitch-job=${({ detail }: HTMLElementEventMap['hitch-job']) => this.#act(detail.action)}
    ></hitch-job>`;
  }

  // The same functions each time: another one would have the view begin anew.
  #log: HTMLElementTagNameMap['hitch-job']['log'] = null;
  #search: HTMLElementTagNameMap['hitch-job']['search'] = null;
  #metrics: HTMLElementTagNameMap['hitch-job']['metrics'] = null;
}
