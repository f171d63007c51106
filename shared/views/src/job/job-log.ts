/** `<hitch-job-log>`: what a job printed, followed as it comes, searched, and shown from any place. */
import { css, nothing, type PropertyValues, type TemplateResult } from 'lit';
import {
  isJobOver,
  type Job,
  type JobFinds,
  type JobLogBytesQuery,
  type JobLogPart,
  outputText,
} from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import { html } from '../base/html.ts';
import { baseStyles } from '../base/styles.ts';
import { LogTail } from './log-tail.ts';

/** Asks for a part of the log; rejects with a sentence. */
export type JobLogFunction = (query: JobLogBytesQuery, signal: AbortSignal) => Promise<JobLogPart>;
export type JobSearchFunction = (text: string, run: number, from: number) => Promise<JobFinds>;

/** Scrolled this close to the end, the view follows it. */
const NEAR_END_PX = 40;
const AGAIN_MS = 2_000;
/** What Python's and most other programs' errors begin with, the surest first. */
const ERRORS = ['Traceback (most recent call last)', 'Error:', 'error'];
/** Answers that a search for an error reads at most, some 32 MB of log or 200 lines each. */
const MOST_ANSWERS = 50;

/** As a function, so that the compiler does not take what was false before an await for false after it. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class HitchJobLog extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    job: { attribute: false },
    log: { attribute: false },
    search: { attribute: false },
    _found: { state: true },
    _said: { state: true },
    _problem: { state: true },
    _follows: { state: true },
  };

  static override styles = [
    baseStyles,
    css`
      :host {
        display: flex;
        flex: 1 1 240px;
        flex-direction: column;
        gap: 10px;
        min-height: 240px;
      }

      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 12px;
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

      p {
        margin: 0;
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
        flex: 0 1 220px;
        min-width: 120px;
      }
    `,
  ];

  declare job: Job | null;
  declare log: JobLogFunction | null;
  declare search: JobSearchFunction | null;
  declare _found: JobFinds | null;
  /** A sentence about what was looked for last; null: there is none. */
  declare _said: string | null;
  /** Why nothing more comes now; null: it does. */
  declare _problem: string | null;
  /** The end of the log is shown as it grows. */
  declare _follows: boolean;
  readonly #tail = new LogTail();
  #asking: AbortController | null = null;

  constructor() {
    super();
    this.job = null;
    this.log = null;
    this.search = null;
    this._found = null;
    this._said = null;
    this._problem = null;
    this._follows = true;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#listen();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#asking?.abort();
    this.#asking = null;
  }

  protected override updated(changed: PropertyValues<this>): void {
    super.updated(changed);
    if (changed.has('log')) {
      this.#listen();
    }
  }

  #listen(): void {
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
        const part = await ask({ from, waitMs: 10_000, ...(run === null ? {} : { run }) }, signal);
        this._problem = null;
        this.#show(part);
        const isRead = part.isOver && part.next >= part.endByte;
        if (isRead && (this.job === null || isJobOver(this.job.state))) {
          return;
        }
        if (isRead) {
          await this.#pause(signal);
          this.#nextRun(part.run);
        }
      } catch (error) {
        if (!isOver(signal)) {
          this._problem = sentenceOf(error);
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

  #show(part: JobLogPart): void {
    if (this.#tail.add(part)) {
      this.requestUpdate();
      if (this._follows) {
        void this.#toEnd();
      }
    }
  }

  async #toEnd(): Promise<void> {
    await this.updateComplete;
    const view = this.renderRoot.querySelector('pre');
    view?.scrollTo({ top: view.scrollHeight });
  }

  /** Who scrolls away from the end reads; who comes back to it follows again. */
  readonly #scrolled = ({ target }: Event): void => {
    if (target instanceof HTMLElement) {
      this._follows = target.scrollHeight - target.scrollTop - target.clientHeight < NEAR_END_PX;
    }
  };

  get #lastRun(): number {
    return this.job?.runs.at(-1)?.number ?? 1;
  }

  async #find(text: string): Promise<void> {
    if (text.trim() === '' || this.search === null) {
      this._found = null;
      return;
    }
    try {
      this._found = await this.search(text, this.#lastRun, 0);
      this._said = null;
    } catch (error) {
      this._said = sentenceOf(error);
    }
  }

  /** Shows the last error that the run printed. */
  async #findError(): Promise<void> {
    const { messages } = this;
    this._said = messages('Looking for an error…');
    let whole = true;
    try {
      for (const text of ERRORS) {
        const { last, isWhole } = await this.#lastFind(text);
        whole &&= isWhole;
        if (last !== null) {
          this._said = isWhole
            ? null
            : messages('This log is long: it was looked through from its beginning, not to its end.');
          this.#goTo(last, this.#lastRun);
          return;
        }
      }
      this._said = whole
        ? messages('No line of this log speaks of an error.')
        : messages('This log is long: no line of the part that was looked through speaks of an error.');
    } catch (error) {
      this._said = sentenceOf(error);
    }
  }

  /** @returns the place of the last line that has it, and whether all of the log was read. */
  async #lastFind(text: string): Promise<{ readonly last: number | null; readonly isWhole: boolean }> {
    let last: number | null = null;
    let from: number | null = 0;
    for (let answers = 0; from !== null && this.search !== null && answers < MOST_ANSWERS; answers++) {
      const { lines, next }: JobFinds = await this.search(text, this.#lastRun, from);
      last = lines.at(-1)?.at ?? last;
      from = next;
    }
    return { last, isWhole: from === null };
  }

  /** Shows the log from a line on, and goes on from there. */
  #goTo(at: number, run: number): void {
    this.#asking?.abort();
    this.#asking = null;
    // The line itself is wanted, at the top.
    this._follows = false;
    this.#tail.begin(run, at);
    this.#listen();
    this.requestUpdate();
    this.renderRoot.querySelector('pre')?.scrollTo({ top: 0 });
  }

  protected override render(): TemplateResult {
    const { job, messages } = this;
    return html`${this.#bar()} ${this.#finds()}
      <p role="status" ?hidden=${this._said === null}>${this._said}</p>
      ${this._problem === null ? nothing : html`<p class="note warning" role="status">${this._problem}</p>`}
      <pre
        tabindex="0"
        role="region"
        aria-label=${messages('Log of %1', job?.name ?? '')}
        .textContent=${this.#words()}
        @scroll=${this.#scrolled}
      ></pre>`;
  }

  #bar(): TemplateResult {
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
      <vscode-button secondary data-action="error" @click=${() => void this.#findError()}
        >${messages('Go to the error')}</vscode-button
      >
      <vscode-button secondary data-action="beginning" @click=${() => this.#goTo(0, this.#lastRun)}
        >${messages('From the beginning')}</vscode-button
      >
      <vscode-button
        secondary
        data-action="follow"
        ?disabled=${this._follows}
        @click=${() => {
          this._follows = true;
          void this.#toEnd();
        }}
        >${this._follows ? messages('Follows the end') : messages('Follow the end')}</vscode-button
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
  #words(): string {
    const { text, note } = this.#tail;
    if (text === '' && note === '') {
      return this.job !== null && isJobOver(this.job.state)
        ? this.messages('It printed nothing.')
        : this.messages('Nothing printed so far.');
    }
    return note + outputText(text, false);
  }
}
