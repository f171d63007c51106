/** `<hitch-confirm>`: the quote in words, and the one button that spends money. */
import { html } from 'lit';
import type { Quote } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';

/**
 * @fires hitch-confirm yes to this quote
 * @fires hitch-cancel no; also Escape
 * @fires hitch-quote-again the price is too old: the same request again
 */
export class HitchConfirm extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    quote: { attribute: false },
    problem: { attribute: false },
    busy: { type: Boolean },
    modal: { type: Boolean },
  };

  declare quote: Quote | null;
  /** Why the rental was refused, a sentence; null: it was not. */
  declare problem: string | null;
  /** The yes is on its way. */
  declare busy: boolean;
  /** Over everything else on the page; without it the host has a dialog of its own. */
  declare modal: boolean;

  constructor() {
    super();
    this.quote = null;
    this.problem = null;
    this.busy = false;
    this.modal = false;
  }

  protected override render() {
    return html``;
  }
}
