/** `<hitch-filter-bar>`: search, chips, and the form that adds filters. A part of the offer table. */
import { css, nothing, type PropertyValues } from 'lit';
import { html } from '../base/html.ts';
import type { OfferFilter, OfferSortKey, ProviderInfo } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import { formStyles } from '../base/form-styles.ts';
import { boxes, button, selectInput, textInput, valueOf } from '../base/form.ts';
import { baseStyles } from '../base/styles.ts';
import type { OfferSort } from '../events.ts';
import { defaultFilter, defaultPractice, filterChips } from './filter-chips.ts';
import { choiceFields, TEXT_FIELDS, withPractice, withText } from './filter-fields.ts';

const SEARCH_DELAY_MS = 150;

const SORT_WORDS: Readonly<Record<OfferSortKey, string>> = {
  best: 'Best: all in, per GPU-hour of use',
  pricePerHour: 'Price per hour',
  pricePerGpuHour: 'Price per GPU-hour',
  gpuModel: 'GPU model',
  gpuCount: 'Number of GPUs',
  vram: 'GPU memory',
  reliability: 'Reliability',
  cpuCores: 'CPU cores',
  ram: 'RAM',
  disk: 'Disk',
  down: 'Download',
  readyIn: 'Starts in',
};
const isSortKey = (key: string): key is OfferSortKey => Object.hasOwn(SORT_WORDS, key);

export class HitchFilterBar extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    filter: { attribute: false },
    sort: { attribute: false },
    providers: { attribute: false },
    titleOf: { attribute: false },
    changed: { attribute: false },
    open: { state: true },
    problems: { state: true },
  };

  static override styles = [
    baseStyles,
    formStyles,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px;
      }

      .bar vscode-textfield {
        flex: 1 1 170px;
        width: auto;
        max-width: 300px;
      }

      ul {
        display: contents;
        list-style: none;
      }

      .chip {
        display: inline-flex;
        align-items: center;
        gap: 5px;
        height: 24px;
        padding: 0 4px 0 9px;
        border: 1px solid var(--hitch-border);
        border-radius: 12px;
        background: var(--vscode-badge-background, transparent);
        color: var(--vscode-badge-foreground, inherit);
        font: inherit;
        font-size: 0.92em;
        white-space: nowrap;
        cursor: pointer;
      }

      .chip svg {
        width: 14px;
        height: 14px;
        padding: 3px;
        border-radius: 50%;
      }

      .chip:hover svg {
        background: rgba(128, 128, 128, 0.35);
      }

      form {
        display: flex;
        flex-direction: column;
        gap: 12px;
        margin-top: 8px;
        padding: 12px;
        border: 1px solid var(--hitch-border);
        border-radius: 4px;
        background: var(--hitch-raised);
        max-height: min(60vh, 460px);
        overflow: auto;
      }
    `,
  ];

  declare filter: OfferFilter;
  declare sort: OfferSort;
  declare providers: readonly ProviderInfo[] | null;
  declare titleOf: (provider: string) => string;
  declare changed: (filter: OfferFilter, sort: OfferSort) => void;
  declare protected open: boolean;
  declare protected problems: Readonly<Record<string, string>>;
  #searching: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.filter = {};
    this.sort = { key: 'best', descending: false };
    this.providers = null;
    this.titleOf = provider => provider;
    this.changed = () => undefined;
    this.open = false;
    this.problems = {};
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#searching);
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (changes.has('filter')) {
      this.problems = {};
    }
  }

  #set(filter: OfferFilter, sort: OfferSort = this.sort): void {
    clearTimeout(this.#searching);
    this.changed(filter, sort);
  }

  #search(text: string): void {
    clearTimeout(this.#searching);
    this.#searching = setTimeout(() => {
      this.#set(withText(this.filter, text));
    }, SEARCH_DELAY_MS);
  }

  /** The chip is gone after this; the focus goes to the one in its place, or to the search. */
  async #remove(index: number, without: OfferFilter): Promise<void> {
    this.#set(without);
    await this.updateComplete;
    const chips = [...this.renderRoot.querySelectorAll<HTMLElement>('.chip')];
    (
      chips[Math.min(index, chips.length - 1)] ?? this.renderRoot.querySelector<HTMLElement>('#search')
    )?.focus();
  }

  protected override render() {
    const t = this.messages;
    const chips = filterChips(this.filter, t, this.titleOf);
    return html`
      <div class="bar" role="search" aria-label=${t('Filters')}>
        <vscode-textfield
          id="search"
          type="search"
          .label=${t('Search GPU, network, country or supplier')}
          .value=${this.filter.text ?? ''}
          placeholder=${t('Search, e.g. 4090 DE')}
          @input=${(event: Event) => {
            this.#search(valueOf(event));
          }}
        ></vscode-textfield>
        <ul role="list" aria-label=${t('Active filters')}>
          ${chips.map(
            ({ label, without }, index) =>
              html`<li>
                <button
                  class="chip"
                  type="button"
                  aria-label=${t('Remove filter %1', label)}
                  @click=${() => this.#remove(index, without)}
                  @keydown=${(event: KeyboardEvent) => {
                    if (event.key === 'Delete' || event.key === 'Backspace') {
                      void this.#remove(index, without);
                    }
                  }}
                >
                  ${label}${cross}
                </button>
              </li>`,
          )}
        </ul>
        <vscode-button
          id="more"
          secondary
          aria-expanded=${this.open ? 'true' : 'false'}
          @click=${() => {
            this.open = !this.open;
          }}
          >${t('Filters…')}</vscode-button
        >
        <slot name="tools"></slot>
      </div>
      ${this.open ? this.#form() : nothing}
    `;
  }

  async #close(): Promise<void> {
    this.open = false;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('#more')?.focus();
  }

  #form() {
    const t = this.messages;
    const { filter, sort } = this;
    const direction = sort.descending ? 'descending' : 'ascending';
    const isMixed = !('practice' in defaultPractice(this.providers));
    return html`<form
      aria-label=${t('Filters')}
      @submit=${(event: Event) => {
        event.preventDefault();
      }}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          void this.#close();
        }
      }}
    >
      <div class="fields">
        ${selectInput({
          id: 'sort',
          label: t('Sort by'),
          value: sort.key,
          options: Object.entries(SORT_WORDS).map(([value, words]) => ({ value, words: t(words) })),
          changed: key => {
            if (isSortKey(key)) {
              this.#set(filter, { key, descending: false });
            }
          },
        })}
        ${selectInput({
          id: 'direction',
          label: t('Order'),
          value: direction,
          options: [
            { value: 'ascending', words: t('lowest first') },
            { value: 'descending', words: t('highest first') },
          ],
          changed: order => {
            this.#set(filter, { key: sort.key, descending: order === 'descending' });
          },
        })}
        ${selectInput({
          id: 'practice',
          label: t('Offers'),
          value: filter.practice ?? (isMixed ? 'auto' : 'exclude'),
          options: [
            ...(isMixed ? [{ value: 'auto', words: t('real networks and practice') }] : []),
            { value: 'exclude', words: t('real networks') },
            { value: 'only', words: t('practice: nobody is charged') },
          ],
          changed: value => {
            this.#set(withPractice(filter, value === 'only' || value === 'exclude' ? value : undefined));
          },
        })}
        ${TEXT_FIELDS.map(field =>
          textInput({
            id: field.id,
            label: t(field.label),
            value: field.read(filter),
            hint: field.hint,
            problem: this.problems[field.id] ?? null,
            changed: text => {
              const written = field.write(filter, text, t);
              if ('problem' in written) {
                this.problems = { ...this.problems, [field.id]: written.problem };
              } else {
                this.#set(written.filter);
              }
            },
          }),
        )}
        ${choiceFields(this.providers).map(field =>
          boxes(
            t(field.label),
            field.options.map(({ value, words }) => ({ value, words: t(words) })),
            field.read(filter),
            values => {
              this.#set(field.write(filter, values));
            },
          ),
        )}
      </div>
      <div class="buttons">
        ${button(t('Close'), () => void this.#close())}
        ${button(
          t('Reset to defaults'),
          () => {
            this.#set(defaultFilter(this.providers), { key: 'best', descending: false });
          },
          { secondary: true },
        )}
        ${button(
          t('Clear all'),
          () => {
            const { practice } = filter;
            this.#set(practice === undefined ? defaultPractice(this.providers) : { practice });
          },
          { secondary: true },
        )}
      </div>
    </form>`;
  }
}

const cross = html`<svg viewBox="0 0 8 8" aria-hidden="true">
  <path d="M1 1l6 6M7 1L1 7" stroke="currentColor" stroke-width="1.2" fill="none" />
</svg>`;
