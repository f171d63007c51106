/**
 * `<hitch-confirm>`: what waits for a person's yes, in words, and where that yes is given. Nothing here spends: a page's
 * script can press every button of the page, so the yes is said in the daemon's own window or in a terminal.
 */
import { css, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { format, quoteLineTone, type Quote } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import { button } from '../base/form.ts';
import { formStyles } from '../base/form-styles.ts';
import { baseStyles } from '../base/styles.ts';

/** As much of a quote or an approval as is shown. */
export type AskedFor = Pick<Quote, 'lines' | 'expiresAtMs'>;

/**
 * @fires hitch-confirm the person wants the window in which the yes is said
 * @fires hitch-cancel no; also Escape
 * @fires hitch-quote-again it is too old, or was refused: the same request again
 */
export class HitchConfirm extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    quote: { attribute: false },
    where: { attribute: false },
    command: { attribute: false },
    canOpen: { type: Boolean },
    problem: { attribute: false },
    busy: { type: Boolean },
    modal: { type: Boolean },
  };

  static override styles = [
    baseStyles,
    formStyles,
    css`
      dialog {
        max-width: min(560px, 92vw);
        padding: 16px;
        border: 1px solid var(--hitch-border);
        border-radius: 6px;
        color: inherit;
        background: var(--hitch-raised);
        box-shadow: 0 4px 16px var(--vscode-widget-shadow, rgba(0, 0, 0, 0.3));
      }

      dialog::backdrop {
        background: rgba(0, 0, 0, 0.4);
      }

      .quote {
        display: flex;
        flex-direction: column;
        gap: 10px;
        max-width: 560px;
        outline: none;
      }

      h2 {
        font-size: 1.15em;
      }

      ul {
        display: flex;
        flex-direction: column;
        gap: 6px;
        margin: 0;
        padding: 0;
        list-style: none;
      }

      li.warning,
      li.practice {
        padding: 4px 8px;
        border-inline-start: 3px solid var(--hitch-warning);
        color: inherit;
        background: color-mix(in srgb, var(--hitch-warning) 12%, transparent);
      }

      li.practice {
        border-color: var(--hitch-accent);
        background: color-mix(in srgb, var(--hitch-accent) 12%, transparent);
      }

      .buttons {
        justify-content: flex-end;
        margin-top: 4px;
      }

      @media (forced-colors: active) {
        li.warning,
        li.practice {
          border: 1px solid CanvasText;
        }
      }
    `,
  ];

  declare quote: AskedFor | null;
  /** Where the yes is said, a sentence. */
  declare where: string;
  /** What asks for the yes in a terminal. */
  declare command: string;
  /** The window can be opened from here. */
  declare canOpen: boolean;
  /** Why it was refused, a sentence; null: it was not. */
  declare problem: string | null;
  /** It is being asked for, or done. */
  declare busy: boolean;
  /** Over everything else on the page; without it the host has a dialog of its own. */
  declare modal: boolean;

  #ticking: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.quote = null;
    this.where = '';
    this.command = '';
    this.canOpen = false;
    this.problem = null;
    this.busy = false;
    this.modal = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ticking = setInterval(() => {
      this.requestUpdate();
    }, 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#ticking);
  }

  get #expired(): boolean {
    return this.quote !== null && this.now() >= this.quote.expiresAtMs;
  }

  protected override updated(changes: PropertyValues<this>): void {
    const dialog = this.renderRoot.querySelector('dialog');
    if (dialog !== null && !dialog.open) {
      dialog.showModal();
    }
    // No key that was pressed for something else may spend money.
    if (changes.has('quote') && this.quote !== null) {
      this.focus();
    }
  }

  /** Puts the focus on Cancel. */
  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('#cancel')?.focus();
  }

  #cancel(): void {
    this.emit('hitch-cancel', null);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { quote } = this;
    if (quote === null) {
      return nothing;
    }
    return this.modal
      ? html`<dialog
          aria-labelledby="title"
          aria-describedby="lines"
          @cancel=${(event: Event) => {
            event.preventDefault();
            this.#cancel();
          }}
        >
          ${this.#content(quote, nothing)}
        </dialog>`
      : this.#content(quote, 'alertdialog');
  }

  #content(quote: AskedFor, role: string | typeof nothing): TemplateResult {
    const t = this.messages;
    const [title = '', ...lines] = quote.lines;
    return html`<section
      class="quote"
      role=${role}
      aria-labelledby=${role === nothing ? nothing : 'title'}
      aria-describedby=${role === nothing ? nothing : 'lines'}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Escape' && !this.modal) {
          event.stopPropagation();
          this.#cancel();
        }
      }}
    >
      <h2 id="title">${title}</h2>
      <ul id="lines">
        ${lines.map(line => html`<li class=${quoteLineTone(line)}>${line}</li>`)}
      </ul>
      ${this.problem === null ? this.#whereTo(quote) : html`<p class="note error" role="alert">${this.problem}</p>`}
      <div class="buttons">
        ${button(
          t('Cancel'),
          () => {
            this.#cancel();
          },
          { secondary: true, id: 'cancel' },
        )}
        ${this.#next()}
      </div>
    </section>`;
  }

  #whereTo(quote: AskedFor): TemplateResult {
    const t = this.messages;
    if (this.#expired) {
      return html`<p class="warning" role="alert">${t('This request has expired. Ask again.')}</p>`;
    }
    return html`<p class="note" role="status">${this.where}</p>
      <p class="quiet">
        ${t('Or approve it in a terminal where Jupyter runs:')} <code>${this.command}</code>
      </p>
      <p class="quiet">
        ${t('Waiting for your approval; valid for %1', format.elapsed(quote.expiresAtMs - this.now()))}
      </p>`;
  }

  #next(): TemplateResult | typeof nothing {
    const t = this.messages;
    if (this.#expired || this.problem !== null) {
      const again = () => {
        this.emit('hitch-quote-again', null);
      };
      return button(t('Ask again'), again, { disabled: this.busy, id: 'again' });
    }
    const open = () => {
      this.emit('hitch-confirm', null);
    };
    return this.canOpen
      ? button(t('Open the approval window'), open, { disabled: this.busy, id: 'open' })
      : nothing;
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    // Another quote, or a refusal: the button stands for something else now.
    if (changes.has('quote') || (changes.has('problem') && this.problem !== null)) {
      this.busy = false;
    }
  }
}
