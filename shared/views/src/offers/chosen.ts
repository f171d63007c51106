/** The offers that are ticked: to compare them, or to make a cluster of several. */
import { nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { format, type Offer } from '@hitch/contract';
import { button, valueOf } from '../base/form.ts';
import type { Translate } from '../base/translate.ts';
import { nodesProblem } from './words.ts';

/** More do not fit side by side. */
const MOST = 8;
const MOST_NODES = 100;

export class Chosen {
  readonly #offers = new Map<string, Offer>();
  /** How many nodes the cluster is to have, as typed. */
  nodes = '1';

  get size(): number {
    return this.#offers.size;
  }

  has(id: string): boolean {
    return this.#offers.has(id);
  }

  offers(newest: (id: string) => Offer | null): readonly Offer[] {
    return [...this.#offers].map(([id, offer]) => newest(id) ?? offer);
  }

  /** @returns what to tell a screen reader */
  toggle(offer: Offer, t: Translate): string {
    const title = format.machineTitle(offer);
    if (offer.notRentable !== undefined && !this.has(offer.id)) {
      return offer.notRentable;
    }
    if (this.#offers.delete(offer.id)) {
      return t('%1 deselected. %2 selected.', title, this.size);
    }
    if (this.size >= MOST) {
      return t('At most %1 offers can be selected: deselect one first.', MOST);
    }
    this.#offers.set(offer.id, offer);
    return t('%1 selected. %2 selected in all.', title, this.size);
  }

  clear(): void {
    this.#offers.clear();
    this.nodes = '1';
  }
}

export function chosenBar(parts: {
  readonly chosen: Chosen;
  readonly offers: readonly Offer[];
  readonly t: Translate;
  readonly comparing: boolean;
  readonly changed: () => void;
  readonly compare: () => void;
  readonly rent: (offers: readonly Offer[], nodes: number) => void;
}): TemplateResult | typeof nothing {
  const { chosen, offers, t, comparing, changed, compare, rent } = parts;
  if (chosen.size === 0) {
    return nothing;
  }
  const nodes = /^[1-9]\d{0,2}$/.test(chosen.nodes) ? Number(chosen.nodes) : Number.NaN;
  const problem =
    nodes >= 1 && nodes <= MOST_NODES
      ? nodesProblem(offers, nodes, t)
      : t('Nodes: enter a whole number from 1 to %1.', MOST_NODES);
  return html`<div class="chosen" role="group" aria-label=${t('Selected offers')}>
    <span>${chosen.size === 1 ? t('1 selected') : t('%1 selected', chosen.size)}</span>
    ${comparing || chosen.size < 2 ? nothing : button(t('Compare'), compare, { secondary: true, id: 'compare' })}
    <label
      >${t('Nodes')}
      <vscode-textfield
        id="nodes"
        type="number"
        min="1"
        max=${MOST_NODES}
        .label=${t('Nodes')}
        .value=${chosen.nodes}
        @input=${(event: Event) => {
          chosen.nodes = valueOf(event).trim();
          changed();
        }}
      ></vscode-textfield
    ></label>
    ${button(
      nodes > 1 ? t('Rent %1 nodes…', nodes) : t('Rent…'),
      () => {
        rent(offers, nodes);
      },
      { disabled: problem !== null, id: 'rent-chosen' },
    )}
    ${button(
      t('Clear selection'),
      () => {
        chosen.clear();
        changed();
      },
      { secondary: true },
    )}
    ${problem === null ? nothing : html`<span class="warning" role="alert">${problem}</span>`}
  </div>`;
}
