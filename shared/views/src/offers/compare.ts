/** Offers side by side: one column each, and what differs stands out. */
import { css, nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import type { Offer } from '@hitch/contract';
import { button } from '../base/form.ts';
import type { CellContext } from './columns.ts';
import { offerFacts, offerTitle } from './facts.ts';

export const compareStyles = css`
  .compare {
    display: flex;
    flex: 1 1 auto;
    flex-direction: column;
    gap: 8px;
    min-height: 0;
  }

  .compare .table {
    overflow: auto;
  }

  .compare header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 8px;
  }

  .compare table {
    border-collapse: collapse;
    min-width: 100%;
  }

  .compare th,
  .compare td {
    min-width: 130px;
    padding: 4px 12px 4px 0;
    border-bottom: 1px solid var(--hitch-border);
    text-align: start;
    font-weight: normal;
    vertical-align: top;
  }

  .compare thead th {
    font-weight: 600;
  }

  .compare tbody th {
    position: sticky;
    inset-inline-start: 0;
    background: var(--hitch-background);
    color: var(--hitch-quiet);
    white-space: nowrap;
  }

  .compare tr.differs td {
    font-weight: 600;
  }
`;

interface CompareActions {
  readonly rent: (offer: Offer) => void;
  readonly drop: (offer: Offer) => void;
  readonly close: () => void;
}

export function compareView(
  offers: readonly Offer[],
  context: CellContext,
  { rent, drop, close }: CompareActions,
): TemplateResult {
  const { t } = context;
  const factsOf = offers.map(offer => offerFacts(offer, context));
  const facts = (factsOf[0] ?? []).map(({ title }, row) => ({
    title,
    values: factsOf.map(each => each[row]?.value ?? ''),
  }));
  return html`<section
    class="compare"
    aria-label=${t('Comparison')}
    @keydown=${(event: KeyboardEvent) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close();
      }
    }}
  >
    <header>
      <h2 tabindex="-1" id="compare-title">${t('%1 offers side by side', offers.length)}</h2>
      ${button(t('Back to the list'), close, { secondary: true })}
    </header>
    <div class="table" tabindex="0" role="region" aria-label=${t('Comparison')}>
      <table>
        <thead>
          <tr>
            <td></td>
            ${offers.map(offer => html`<th scope="col">${offerTitle(offer, context)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${facts.map(
            ({ title, values }) =>
              html`<tr class=${new Set(values).size > 1 ? 'differs' : nothing}>
                <th scope="row">${title}</th>
                ${values.map(value => html`<td>${value}</td>`)}
              </tr>`,
          )}
          <tr>
            <th scope="row"><span class="spoken">${t('Actions')}</span></th>
            ${offers.map(
              offer =>
                html`<td>
                  <div class="buttons">
                    ${offer.notRentable === undefined ? button(t('Rent…'), () => rent(offer)) : nothing}
                    ${button(t('Remove'), () => drop(offer), { secondary: true })}
                  </div>
                </td>`,
            )}
          </tr>
        </tbody>
      </table>
    </div>
  </section>`;
}
