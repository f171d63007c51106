/** The form in which a person says which columns the offer table has. */
import { css, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { boxes, button } from '../base/form.ts';
import type { Translate } from '../base/translate.ts';
import { isAlwaysShown, type ColumnChoice } from './column-layout.ts';
import { OFFER_COLUMNS, type OfferColumn } from './columns.ts';

export const columnFormStyles = css`
  .columns {
    display: flex;
    flex-direction: column;
    gap: 10px;
    padding: 10px 12px;
    border: 1px solid var(--hitch-border);
    border-radius: 4px;
    background: var(--hitch-raised);
  }
`;

export function columnForm(parts: {
  readonly t: Translate;
  readonly shown: readonly OfferColumn[];
  readonly choose: (choice: ColumnChoice) => void;
  readonly close: () => void;
}): TemplateResult {
  const { t, shown, choose, close } = parts;
  const free = OFFER_COLUMNS.filter(column => !isAlwaysShown(column));
  // Those that always stay are part of a choice, so that none of the others is a choice as well.
  const always = OFFER_COLUMNS.filter(isAlwaysShown).map(({ id }) => id);
  const chosen = (ids: readonly string[]) => {
    choose([...always, ...ids]);
  };
  return html`<form
    class="columns"
    aria-label=${t('Columns')}
    @submit=${(event: Event) => {
      event.preventDefault();
    }}
    @keydown=${(event: KeyboardEvent) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close();
      }
    }}
  >
    ${boxes(
      t('Columns to show beside the GPU and its price'),
      free.map(({ id, title }) => ({ value: id, words: t(title) })),
      shown.filter(column => !isAlwaysShown(column)).map(({ id }) => id),
      chosen,
    )}
    <div class="buttons">
      ${button(t('Close'), close)}
      ${button(t('All columns'), () => chosen(free.map(({ id }) => id)), { secondary: true })}
      ${button(t('As many as fit'), () => choose(null), { secondary: true })}
    </div>
  </form>`;
}
