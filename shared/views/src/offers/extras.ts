/** What opens around the rows when a person asks for it: the form of the columns, and all of one offer. */
import { nothing, type LitElement, type TemplateResult } from 'lit';
import type { Offer } from '@hitch/contract';
import { html } from '../base/html.ts';
import type { Translate } from '../base/translate.ts';
import { columnForm } from './column-form.ts';
import type { ColumnChoice } from './column-layout.ts';
import type { CellContext, OfferColumn } from './columns.ts';
import { detailsPane } from './details.ts';

type Host = Pick<LitElement, 'requestUpdate' | 'updateComplete' | 'renderRoot'>;

export class Extras {
  readonly #host: Host;
  #choosing = false;
  #detailed = false;

  /** The way to the networks: a login, or a machine of one's own. */
  readonly connect: () => void;

  constructor(host: Host, connect: () => void) {
    this.#host = host;
    this.connect = connect;
  }

  /** @param focus a selector of what has the focus then; null: what has it now */
  async #change(change: () => void, focus: string | null): Promise<void> {
    change();
    this.#host.requestUpdate();
    await this.#host.updateComplete;
    if (focus !== null) {
      this.#host.renderRoot.querySelector<HTMLElement>(focus)?.focus();
    }
  }

  /** Who opens the pane by a key is in it then. */
  showDetails(byKey: boolean): void {
    void this.#change(() => (this.#detailed = true), byKey ? '#details' : null);
  }

  /** The active cell is in another row. */
  moved(): void {
    if (this.#detailed) {
      this.#host.requestUpdate();
    }
  }

  /** Opens the form of the columns, with the focus in it. */
  readonly showColumns = (): void => {
    void this.#change(() => (this.#choosing = true), '.columns input');
  };

  /** The buttons beside the filters. */
  tools(t: Translate): TemplateResult {
    const columns = () => void this.#change(() => (this.#choosing = !this.#choosing), null);
    const details = () => void this.#change(() => (this.#detailed = !this.#detailed), null);
    return html`<vscode-button
        slot="tools"
        id="columns"
        secondary
        tabindex="0"
        aria-expanded=${this.#choosing ? 'true' : 'false'}
        @click=${columns}
        >${t('Columns…')}</vscode-button
      ><vscode-button
        slot="tools"
        id="detail"
        secondary
        tabindex="0"
        aria-expanded=${this.#detailed ? 'true' : 'false'}
        title=${t('Everything about the selected offer: Ctrl+Enter or double-click')}
        @click=${details}
        >${t('Details')}</vscode-button
      >`;
  }

  columnForm(
    t: Translate,
    shown: readonly OfferColumn[],
    choose: (choice: ColumnChoice) => void,
  ): TemplateResult | typeof nothing {
    const close = () => void this.#change(() => (this.#choosing = false), '#columns');
    return this.#choosing ? columnForm({ t, shown, choose, close }) : nothing;
  }

  detailsPane(
    offer: Offer | null,
    context: CellContext,
    rent: (offer: Offer) => void,
  ): TemplateResult | typeof nothing {
    const close = () => void this.#change(() => (this.#detailed = false), '.scroller');
    return this.#detailed ? detailsPane(offer, context, { rent, close }) : nothing;
  }
}
