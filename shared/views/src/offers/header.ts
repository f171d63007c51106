/** The table's header row: what each column means, and which one sorts. */
import { nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import type { Translate } from '../base/translate.ts';
import type { OfferSort } from '../events.ts';
import type { OfferColumn } from './columns.ts';

export function header(columns: readonly OfferColumn[], sort: OfferSort, t: Translate): TemplateResult {
  const cells = columns.map((column, index) => {
    const sorted = column.sort === sort.key;
    const direction = sort.descending ? 'descending' : 'ascending';
    return html`<div
      class="cell ${column.numeric ? 'numeric' : 'word'} ${column.sort === null ? '' : 'sortable'}"
      id="h-${index + 1}"
      role="columnheader"
      aria-colindex=${index + 2}
      aria-sort=${column.sort === null ? nothing : sorted ? direction : 'none'}
      title=${t(column.explains)}
    >
      <span>${t(column.title)}</span>${sorted ? (sort.descending ? down : up) : nothing}
    </div>`;
  });
  return html`<div class="head" role="rowgroup">
    <div class="head-row" role="row" aria-rowindex="1">
      <div class="cell select" id="h-0" role="columnheader" aria-colindex="1">
        <span class="spoken">${t('Compare')}</span>
      </div>
      ${cells}
      <div
        class="cell rent"
        id="h-${columns.length + 1}"
        role="columnheader"
        aria-colindex=${columns.length + 2}
      >
        <span class="spoken">${t('Rent')}</span>
      </div>
    </div>
  </div>`;
}

const up = html`<svg viewBox="0 0 8 8" aria-hidden="true"><path d="M4 1l4 6H0z" fill="currentColor" /></svg>`;
const down = html`<svg viewBox="0 0 8 8" aria-hidden="true">
  <path d="M4 7L0 1h8z" fill="currentColor" />
</svg>`;
