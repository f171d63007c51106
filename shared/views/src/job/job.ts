/** `<hitch-job>`: one job, with its log (followed, searched), what it runs, how each run ended, and its outputs. */
import { css, nothing, type PropertyValues, type TemplateResult } from 'lit';
import {
  causeWords,
  format,
  isJobOver,
  isJobSettled,
  type Job,
  type JobFinds,
  type JobLogBytesQuery,
  type JobLogPart,
  jobOutputs,
  jobStandLine,
  logLossWords,
  outputText,
  shownName,
  workWordsOf,
} from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import { html } from '../base/html.ts';
import { baseStyles } from '../base/styles.ts';
import { LogTail } from './log-tail.ts';
import type { JobMetricsFunction } from './metrics.ts';
import { rentalFacts } from './rental-facts.ts';

/** Asks for a part of the log; rejects with a sentence. */
export type JobLogFunction = (query: JobLogBytesQuery, signal: AbortSignal) => Promise<JobLogPart>;
export type JobSearchFunction = (text: string, run: number, from: number) => Promise<JobFinds>;

/** Scrolled this close to the end, the view follows it. */
const NEAR_END_PX = 40;
const AGAIN_MS = 2_000;
const CLOCK_MS = 1_000;

/** As a function, so that the compiler does not take what was false before an await for false after it. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

export class HitchJob extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    job: { attribute: false },
    log: { attribute: false },
    search: { attribute: false },
    metrics: { attribute: false },
    _found: { state: true },
    _problem: { state: true },
  };

  static override styles = [
    baseStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        gap: 10px;
        height: 100%;
        min-height: 0;
      }

      .head,
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 12px;
      }

      h1 {
        margin: 0;
        font-size: 1.3em;
        font-weight: 600;
      }

      .state {
        flex: 1 1 200px;
      }

      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 2px 12px;
        margin: 0;
      }

      dt {
        font-weight: 600;
      }

      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }

      pre {
        flex: 1 1 120px;
        min-height: 120px;
        margin: 0;
        padding: 8px;
        overflow: auto;
        border: 1px solid var(--hitch-border);
        background: var(--hitch-background);
        font-family: var(--vscode-editor-font-family, monospace);
        font-size: 12px;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }

      .found {
        max-height: 30%;
        margin: 0;
        padding: 0 0 0 4px;
        overflow: auto;
        list-style: none;
      }

      .found button {
        text-align: start;
        overflow-wrap: anywhere;
      }

      vscode-textfield {
        width: 220px;
      }
    `,
  ];

  declare job: Job | null;
  declare log: JobLogFunction | null;
  declare search: JobSearchFunction | null;
  /** Shows its figures; null: the host has none. */
  declare metrics: JobMetricsFunction | null;
  declare _found: JobFinds | null;
  declare _problem: string | null;
  readonly #tail = new LogTail();
  #asking: AbortController | null = null;
  #clock: ReturnType<typeof setInterval> | null = null;

  constructor() {
    super();
    this.job = null;
    this.log = null;
    this.search = null;
    this.metrics = null;
    this._found = null;
    this._problem = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#clock = setInterval(() => {
      if (this.job !== null && !isJobSettled(this.job)) {
        this.requestUpdate();
      }
    }, CLOCK_MS);
    this.#follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#clock !== null) {
      clearInterval(this.#clock);
    }
    this.#asking?.abort();
    this.#asking = null;
  }

  protected override updated(changed: PropertyValues<this>): void {
    super.updated(changed);
    if (changed.has('log')) {
      this.#follow();
    }
  }

  #follow(): void {
    if (this.log !== null && this.#asking === null && this.isConnected) {
      this.#asking = new AbortController();
      void this.#read(this.log, this.#asking.signal);
    }
  }

  /** From where it is to where it ends, and on while the job runs. */
  async #read(ask: JobLogFunction, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { run, from } = this.#tail;
        const page = await ask({ from, waitMs: 10_000, ...(run === null ? {} : { run }) }, signal);
        this._problem = null;
        this.#show(page);
        if (page.isOver && page.next >= page.endByte && (this.job === null || isJobOver(this.job.state))) {
          return;
        }
        if (page.isOver && page.next >= page.endByte) {
          await this.#pause(signal);
          this.#nextRun(page.run);
        }
      } catch (error) {
        if (!isOver(signal)) {
          this._problem = error instanceof Error ? error.message : String(error);
          await this.#pause(signal);
        }
      }
    }
  }

  /** A job that failed may be tried again: the log of the next run follows. */
  #nextRun(run: number): void {
    const next = this.job?.runs.find(({ number }) => number > run);
    if (next !== undefined) {
      this.#tail.begin(next.number);
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, AGAIN_MS);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #show(page: JobLogPart): void {
    const view = this.renderRoot.querySelector('pre');
    const follows = view === null || view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_END_PX;
    if (this.#tail.add(page)) {
      this.requestUpdate();
      if (follows) {
        void this.updateComplete.then(() => {
          const now = this.renderRoot.querySelector('pre');
          now?.scrollTo({ top: now.scrollHeight });
        });
      }
    }
  }

  async #find(text: string): Promise<void> {
    const run = this.job?.runs.at(-1)?.number ?? 1;
    if (text.trim() === '' || this.search === null) {
      this._found = null;
      return;
    }
    try {
      this._found = await this.search(text, run, 0);
      this._problem = null;
    } catch (error) {
      this._problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** Shows the log from a line on, and goes on from there. */
  #goTo(at: number, run: number): void {
    this.#asking?.abort();
    this.#asking = null;
    this.#tail.begin(run, at);
    this.#follow();
    this.requestUpdate();
  }

  protected override render(): TemplateResult {
    const { job, messages } = this;
    if (job === null) {
      return html`<p role="status">${messages('Loading…')}</p>`;
    }
    const nowMs = this.now();
    const hasEnded = isJobOver(job.state);
    const outputs = jobOutputs(job);
    const { rental } = job;
    // Of its own machine all is fetched when it ends, and that is gone then.
    const canFetch = outputs.length > 0 && (rental === undefined || rental.stage === 'running');
    const act = (action: 'stop' | 'again' | 'fetch') => () => this.emit('hitch-job', { action });
    return html`
      <div class="head">
        <h1>${job.name}</h1>
        <span class="state ${job.state === 'failed' ? 'error' : ''}" role="status"
          >${jobStandLine(job, nowMs)}</span
        >
        ${
          canFetch
            ? html`<vscode-button secondary data-action="fetch" @click=${act('fetch')}
                >${messages('Fetch outputs')}</vscode-button
              >`
            : nothing
        }
        ${
          hasEnded
            ? // Another run of one that rents is another purchase, which its template's form asks for.
              rental !== undefined
              ? nothing
              : html`<vscode-button data-action="again" @click=${act('again')}
                  >${messages('Run again')}</vscode-button
                >`
            : html`<vscode-button
                secondary
                data-action="stop"
                ?disabled=${job.state === 'stopping'}
                @click=${act('stop')}
                >${messages('Stop job')}</vscode-button
              >`
        }
      </div>
      ${this.#facts(job, outputs)}
      <hitch-metrics .messages=${messages} .ask=${this.metrics} .live=${!hasEnded}></hitch-metrics>
      ${this.#searchBar()} ${this.#finds()}
      ${this._problem === null ? nothing : html`<p class="note warning" role="status">${this._problem}</p>`}
      <pre tabindex="0" aria-label=${messages('Log of %1', job.name)} .textContent=${this.#words(job)}></pre>
    `;
  }

  #facts(job: Job, outputs: readonly string[]): TemplateResult {
    const { messages } = this;
    const fact = (title: string, text: string): TemplateResult =>
      html`<dt>${title}</dt>
        <dd>${text}</dd>`;
    const ended = job.runs.filter(({ cause }) => cause !== null);
    const loss = logLossWords(job, true);
    return html`<dl>
      ${fact(messages('Runs'), workWordsOf(job.spec))}
      ${fact(messages('Where'), `${job.clusterName}: ~/work/${job.spec.folder}`)}
      ${job.costMicroUsd === null ? nothing : fact(job.rental === undefined ? messages('Cost while it ran') : messages('Cost'), format.dollars(job.costMicroUsd))}
      ${job.rental === undefined ? nothing : rentalFacts(job.rental, this.now(), messages).map(([title, text]) => fact(title, text))}
      ${ended.map(run =>
        fact(
          messages('Run %1', run.number),
          `${causeWords(run)}${run.peakBytes === null ? '' : `, ${format.bytes(run.peakBytes)} of memory at most`}`,
        ),
      )}
      ${outputs.length === 0 ? nothing : fact(messages('Outputs'), outputs.map(shownName).join(', '))}
      ${loss === null ? nothing : fact(messages('Log'), loss)}
    </dl>`;
  }

  #searchBar(): TemplateResult {
    const { messages } = this;
    return html`<div class="bar">
      <vscode-textfield
        type="search"
        label=${messages('Search the log')}
        placeholder=${messages('Search the log')}
        @change=${(event: Event) => {
          const { target } = event;
          void this.#find(target !== null && 'value' in target ? String(target.value) : '');
        }}
      ></vscode-textfield>
      <vscode-button
        secondary
        data-action="end"
        @click=${() => this.#goTo(0, this.job?.runs.at(-1)?.number ?? 1)}
        >${messages('From the beginning')}</vscode-button
      >
    </div>`;
  }

  #finds(): TemplateResult | typeof nothing {
    const { messages } = this;
    const found = this._found;
    if (found === null) {
      return nothing;
    }
    if (found.lines.length === 0) {
      return html`<p role="status">${messages('Nothing found.')}</p>`;
    }
    return html`<ul class="found" aria-label=${messages('Found in the log')}>
      ${found.lines.map(
        line =>
          html`<li>
            <button type="button" class="link" @click=${() => this.#goTo(line.at, found.run)}>
              ${line.text}
            </button>
          </li>`,
      )}
      ${found.next === null ? nothing : html`<li class="quiet">${messages('There are more; narrow the search.')}</li>`}
    </ul>`;
  }

  /** As a property: a log may be longer than a text is shown, and its own words are made plain here. */
  #words(job: Job): string {
    const { text, note } = this.#tail;
    if (text === '' && note === '') {
      return isJobOver(job.state)
        ? this.messages('It printed nothing.')
        : this.messages('Nothing printed so far.');
    }
    return note + outputText(text, false);
  }
}
