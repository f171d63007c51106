/** `<hitch-job>`: one job, with its log (followed, searched), what it runs, how each run ended, and its outputs. */
import { css, nothing, type TemplateResult } from 'lit';
import {
  causeWords,
  format,
  isJobOver,
  isJobSettled,
  type Job,
  jobOutputs,
  jobStandLine,
  logLossWords,
  shownName,
  workWordsOf,
} from '@hitch/contract';
import type { SurroundingsWords } from '@hitch/contract/src/job-gather.ts';
import { HitchElement } from '../base/element.ts';
import type { HitchEventDetails } from '../events.ts';
import { html } from '../base/html.ts';
import { baseStyles } from '../base/styles.ts';
import type { JobLogFunction, JobSearchFunction } from './job-log.ts';
import type { JobMetricsFunction } from './metrics.ts';
import { ranWith } from './ran-with.ts';
import { rentalFacts } from './rental-facts.ts';

const CLOCK_MS = 1_000;

export class HitchJob extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    job: { attribute: false },
    log: { attribute: false },
    search: { attribute: false },
    metrics: { attribute: false },
    around: { attribute: false },
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

      .head {
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

      summary {
        cursor: pointer;
      }

      details dl {
        margin-top: 4px;
      }
    `,
  ];

  declare job: Job | null;
  declare log: JobLogFunction | null;
  declare search: JobSearchFunction | null;
  /** Shows its figures; null: the host has none. */
  declare metrics: JobMetricsFunction | null;
  /** What the host found out of its surroundings; null: nothing yet. */
  declare around: SurroundingsWords | null;
  #clock: ReturnType<typeof setInterval> | null = null;

  constructor() {
    super();
    this.job = null;
    this.log = null;
    this.search = null;
    this.metrics = null;
    this.around = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#clock = setInterval(() => {
      if (this.job !== null && !isJobSettled(this.job)) {
        this.requestUpdate();
      }
    }, CLOCK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#clock !== null) {
      clearInterval(this.#clock);
    }
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
    const act = (action: HitchEventDetails['hitch-job']['action']) => () =>
      this.emit('hitch-job', { action });
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
          rental?.stage === 'running' && rental.checkpointFolder !== null
            ? html`<vscode-button secondary data-action="fetchCheckpoint" @click=${act('fetchCheckpoint')}
                >${messages('Fetch checkpoints')}</vscode-button
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
      ${this.#facts(job, outputs)} ${this.#ranWith(job)}
      <hitch-metrics .messages=${messages} .ask=${this.metrics} .live=${!hasEnded}></hitch-metrics>
      <hitch-job-log
        .messages=${messages}
        .job=${job}
        .log=${this.log}
        .search=${this.search}
      ></hitch-job-log>
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

  #ranWith(job: Job): TemplateResult {
    const { messages } = this;
    return html`<details>
      <summary>${messages('What it ran with')}</summary>
      <dl>
        ${ranWith(job, this.around, messages).map(
          ([title, text]) =>
            html`<dt>${title}</dt>
              <dd>${text}</dd>`,
        )}
      </dl>
    </details>`;
  }
}
