/** The pane below the rows: all that is known of the offer in whose row the active cell is. */
import { css, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { type Offer, whyWords } from '@hitch/contract';
import { button } from '../base/form.ts';
import type { CellContext } from './columns.ts';
import { offerFacts, offerTitle } from './facts.ts';

export const detailsStyles = css`
  .details {
    flex: 0 1 auto;
    min-height: 84px;
    max-height: 45%;
    padding: 8px 10px;
    overflow: auto;
    border: 1px solid var(--hitch-border);
    border-radius: 3px;
    background: var(--hitch-raised);
  }

  .details header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 4px 12px;
  }

  .details dl {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(190px, 1fr));
    gap: 4px 16px;
    margin: 6px 0 0;
  }

  .details dt {
    color: var(--hitch-quiet);
    font-size: 0.92em;
  }

  .details .why {
    margin-top: 8px;
  }

  .details .why summary {
    cursor: pointer;
  }

  .details .why ul {
    margin: 4px 0 0;
    padding-inline-start: 20px;
  }

  .details dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
`;

export function detailsPane(
  offer: Offer | null,
  context: CellContext,
  { rent, close }: { readonly rent: (offer: Offer) => void; readonly close: () => void },
): TemplateResult {
  const { t } = context;
  return html`<section
    class="details"
    id="details"
    tabindex="0"
    aria-label=${t('Details of the offer')}
    @keydown=${(event: KeyboardEvent) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close();
      }
    }}
  >
    <header>
      <h2>${offer === null ? t('Select an offer to see its details.') : offerTitle(offer, context)}</h2>
      <div class="buttons">
        ${offer === null || offer.notRentable !== undefined ? '' : button(t('Rent…'), () => rent(offer))}
        ${button(t('Close'), close, { secondary: true, id: 'close-details' })}
      </div>
    </header>
    <dl>
      ${(offer === null ? [] : offerFacts(offer, context)).map(
        ({ title, value }) =>
          html`<div>
            <dt>${title}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    ${
      offer === null
        ? ''
        : html`<details class="why">
            <summary>${t('Why it ranks where it does')}</summary>
            <ul>
              ${whyWords(offer).map(line => html`<li>${line}</li>`)}
            </ul>
          </details>`
    }
  </section>`;
}
