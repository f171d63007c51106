/** What a template is and needs, beside its form: machines, packages, secrets, limits, and what runs. */
import type { TemplateDetails, TemplateProblem } from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import type { Translate } from '../base/translate.ts';
import { deprecatedWords, sourceWords } from './list.ts';

const placeOf = ({ file, line, column }: TemplateProblem): string =>
  [file, line, column].filter(part => part !== null && part !== '').join(':');

export const problemList = (problems: readonly TemplateProblem[], label: string): TemplateResult =>
  html`<ul class="problems" aria-label=${label}>
    ${problems.map(problem => html`<li><code>${placeOf(problem)}</code> ${problem.sentence}</li>`)}
  </ul>`;

function fact(words: string, what: readonly string[]): TemplateResult | typeof nothing {
  return what.length === 0
    ? nothing
    : html`<div class="fact">
        <dt>${words}</dt>
        ${what.map(each => html`<dd>${each}</dd>`)}
      </div>`;
}

export function headPart({ info }: TemplateDetails, t: Translate): TemplateResult {
  return html`<div class="head">
    <h2>${info.title}</h2>
    <p class="quiet">${[info.version, sourceWords(info, t)].filter(Boolean).join(', ')}</p>
    <p>${info.problems > 0 ? '' : info.description}</p>
    ${
      info.deprecated === undefined
        ? nothing
        : html`<p class="note warning" id="deprecated">${deprecatedWords(info, t)}</p>`
    }
  </div>`;
}

export function needsPart(details: TemplateDetails, t: Translate): TemplateResult {
  const { machines, locks, secrets, limits, outputs, rent, command, notebook } = details;
  return html`<dl class="facts">
    ${fact(
      t('Machine'),
      machines.map(({ words }, at) => (at === 0 ? words : t('else %1', words))),
    )}
    ${fact(t('Nodes'), rent === null || rent.nodes === 1 ? [] : [rent.nodes.toString()])}
    ${fact(
      t('Packages'),
      locks.map(({ accelerator, file, packages, needs }) =>
        [t('%1: %2 packages for %3', file, packages, accelerator), ...(needs === '' ? [] : [needs])].join(
          ', ',
        ),
      ),
    )}
    ${fact(
      t('Secrets'),
      secrets.map(({ name, why, required }) =>
        required ? t('%1, %2', name, why) : t('%1, %2 (may be left out)', name, why),
      ),
    )}
    ${fact(
      t('Limits that it proposes'),
      [
        limits.total === null ? null : t('%1 in total', limits.total),
        limits.perHour === null ? null : t('%1 an hour', limits.perHour),
        limits.time === null ? null : t('%1 of time', limits.time),
        limits.idle === null ? null : t('%1 idle', limits.idle),
      ].filter(each => each !== null),
    )}
    ${fact(
      t('Saved before it ends'),
      outputs.map(({ name, path }) => t('%1 (%2)', path, name)),
    )}
    ${fact(t('Notebook'), notebook === null ? [] : [notebook])}
    ${
      command === null
        ? nothing
        : html`<div class="fact">
            <dt>${t('Runs')}</dt>
            <dd><pre tabindex="0" aria-label=${t('What runs')}>${command}</pre></dd>
          </div>`
    }
  </dl>`;
}

export const readmePart = ({ readme }: TemplateDetails, t: Translate): TemplateResult | typeof nothing =>
  readme === null
    ? nothing
    : html`<details>
        <summary>${t('Read me')}</summary>
        <pre class="readme" tabindex="0" aria-label=${t('Read me')}>${readme}</pre>
      </details>`;
