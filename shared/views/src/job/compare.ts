/** `<hitch-job-compare>`: two jobs beside each other, in tables: what they were given, what they logged, what became of them. */
import { css, nothing, type TemplateResult } from 'lit';
import { shownName } from '@hitch/contract';
import { comparedSections, differs } from '@hitch/contract/src/job-compare.ts';
import type { ComparedJobs } from '@hitch/contract/src/job-gather.ts';
import { HitchElement } from '../base/element.ts';
import { html } from '../base/html.ts';
import { baseStyles } from '../base/styles.ts';

export class HitchJobCompare extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    jobs: { attribute: false },
    _all: { state: true },
  };

  static override styles = [
    baseStyles,
    css`
      :host {
        display: block;
      }

      h1 {
        margin: 0 0 8px;
        font-size: 1.3em;
        font-weight: 600;
        overflow-wrap: anywhere;
      }

      .table {
        overflow-x: auto;
      }

      table {
        width: 100%;
        margin: 12px 0;
        border-collapse: collapse;
        table-layout: fixed;
      }

      caption {
        padding: 4px 0;
        font-weight: 600;
        text-align: start;
      }

      th,
      td {
        padding: 3px 8px 3px 0;
        border-bottom: 1px solid var(--hitch-border);
        text-align: start;
        vertical-align: top;
        overflow-wrap: anywhere;
      }

      th[scope='row'] {
        font-weight: normal;
      }

      tr.differs td {
        font-weight: 600;
      }
    `,
  ];

  /** Null: they are asked for. */
  declare jobs: ComparedJobs | null;
  declare _all: boolean;

  constructor() {
    super();
    this.jobs = null;
    this._all = false;
  }

  protected override render(): TemplateResult {
    const { jobs, messages } = this;
    if (jobs === null) {
      return html`<p role="status">${messages('Loading…')}</p>`;
    }
    const [a, b] = jobs.names.map(shownName);
    return html`<h1>${messages('%1 and %2', a ?? '', b ?? '')}</h1>
      <label>
        <input
          type="checkbox"
          .checked=${this._all}
          @change=${({ target }: Event) => {
            this._all = target instanceof HTMLInputElement && target.checked;
          }}
        />
        ${messages('Parameters and packages that are the same, too')}
      </label>
      ${comparedSections(jobs.comparison, this._all).map(
        ([title, rows]) =>
          html`<div class="table">
            <table>
              <caption>
                ${messages(title)}
              </caption>
              <thead>
                <tr>
                  <th scope="col">${messages('Name')}</th>
                  <th scope="col">${a}</th>
                  <th scope="col">${b}</th>
                </tr>
              </thead>
              <tbody>
                ${rows.map(
                  row =>
                    html`<tr class=${differs(row) ? 'differs' : ''}>
                      <th scope="row">${shownName(row.name)}</th>
                      <td>${row.a === '' ? '–' : shownName(row.a)}</td>
                      <td>${row.b === '' ? '–' : shownName(row.b)}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`,
      )}
      ${jobs.comparison.metrics.length > 0 ? nothing : html`<p class="quiet">${messages('Neither logged figures.')}</p>`}
      ${jobs.notes.map(note => html`<p class="quiet">${shownName(note)}</p>`)}`;
  }
}
