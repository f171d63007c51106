/** `<hitch-offer-table>`: what the networks would rent right now, any number of offers, smooth and by keyboard. */
import { nothing, type PropertyValues, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import type { Offer, OfferFilter, OfferPage, OfferQuery, ProviderInfo } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import { formStyles } from '../base/form-styles.ts';
import { baseStyles } from '../base/styles.ts';
import type { OfferSort } from '../events.ts';
import { compareStyles, compareView } from './compare.ts';
import { Chosen, chosenBar } from './chosen.ts';
import { columnFormStyles } from './column-form.ts';
import { layColumns, sameColumns, shownColumns, type ColumnChoice } from './column-layout.ts';
import { OFFER_COLUMNS, type CellContext, type OfferColumn } from './columns.ts';
import { detailsStyles } from './details.ts';
import { Extras } from './extras.ts';
import { defaultFilter } from './filter-chips.ts';
import { withPractice } from './filter-fields.ts';
import { OfferGrid } from './grid.ts';
import { header } from './header.ts';
import { PageCache } from './page-cache.ts';
import { tableBanners, tableFooter, tableMessage } from './surroundings.ts';
import { Suggester, type Suggestion } from './suggestion.ts';
import { tableStyles } from './table-styles.ts';
import { cellContext, sortedBy } from './table-order.ts';
import { resultWords } from './words.ts';

/** Where offers come from: the daemon's `offers.query`, which filters, sorts and pages. */
export type OfferQueryFunction = (query: OfferQuery, signal: AbortSignal) => Promise<OfferPage>;

/** Rows that stand for what is on its way. */
const GHOST_ROWS = 30;
/** The footer says how old the offers are, in minutes. */
const AGE_EVERY_MS = 20_000;

/**
 * @fires hitch-rent a person chose what to rent
 * @fires hitch-filter-change filter or order changed
 * @fires hitch-columns-change other columns are wanted
 * @fires hitch-compare offers stand side by side
 * @fires hitch-refresh the networks are to be asked again
 */
export class HitchOfferTable extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    query: { attribute: false },
    providers: { attribute: false },
    filter: { attribute: false },
    sort: { attribute: false },
    columnChoice: { attribute: false },
    offline: { attribute: false },
    columns: { state: true },
    comparing: { state: true },
    suggestion: { state: true },
    announced: { state: true },
  };

  static override styles = [
    baseStyles,
    formStyles,
    tableStyles,
    compareStyles,
    columnFormStyles,
    detailsStyles,
  ];

  /** Set by the host; null until it can be asked. */
  declare query: OfferQueryFunction | null;
  /** For names, for whether a real network is on, and for the filter's choices; null while not known. */
  declare providers: readonly ProviderInfo[] | null;
  /** Null: the default filter of a first visit. */
  declare filter: OfferFilter | null;
  declare sort: OfferSort;
  /** Null: as many columns as fit. */
  declare columnChoice: ColumnChoice;
  /** Why the daemon cannot be asked, a sentence; null while it can. Offers seen before stay. */
  declare offline: string | null;
  declare protected columns: readonly OfferColumn[];
  declare protected comparing: boolean;
  declare protected suggestion: Suggestion | null;
  declare protected announced: string;

  readonly #cache = new PageCache(() => {
    this.#answered();
  });
  readonly #chosen = new Chosen();
  readonly #extras = new Extras(this, () => this.emit('hitch-connect', null));
  #grid: OfferGrid | null = null;
  #widthPx = 0;
  #asked = '';
  /** A result that a person waits for is said aloud; a refresh is not. */
  #say = false;
  readonly #suggester = new Suggester();
  #ageing: ReturnType<typeof setInterval> | undefined;
  #context: CellContext = { t: text => text, titleOf: provider => provider };

  constructor() {
    super();
    this.query = null;
    this.providers = null;
    this.filter = null;
    this.sort = { key: 'best', descending: false };
    this.columnChoice = null;
    this.offline = null;
    this.columns = OFFER_COLUMNS;
    this.comparing = false;
    this.suggestion = null;
    this.announced = '';
  }

  /** Asks again for what is shown; rows, selection and place stay. */
  refresh(): void {
    this.#cache.refresh();
    this.requestUpdate();
  }

  /** The offers that are ticked, in the order they were, with the newest price that is known. */
  get selected(): readonly Offer[] {
    return this.#chosen.offers(id => this.#newest(id));
  }

  override focus(): void {
    this.#grid?.focus();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ageing = setInterval(() => {
      this.requestUpdate();
    }, AGE_EVERY_MS);
    if (this.hasUpdated) {
      this.#start();
      this.refresh();
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#ageing);
    this.#cache.stop();
    this.#suggester.stop();
    this.#grid?.dispose();
    this.#grid = null;
  }

  get #filter(): OfferFilter {
    return this.filter ?? defaultFilter(this.providers);
  }

  #newest(id: string): Offer | null {
    const row = this.#cache.indexOf(id);
    return row === null ? null : this.#cache.row(row);
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (changes.has('messages') || changes.has('providers')) {
      this.#context = cellContext(this.messages, this.providers);
    }
    if (changes.has('columnChoice')) {
      this.#layColumns();
    }
    const question = JSON.stringify([this.#filter, this.sort]);
    if (changes.has('query') || question !== this.#asked) {
      this.#asked = question;
      this.#say = this.hasUpdated;
      this.suggestion = null;
      this.#suggester.stop();
      this.#cache.ask(this.query, { filter: this.#filter, sort: this.sort });
      this.#grid?.toTop();
    }
    if (changes.has('offline') && changes.get('offline') !== undefined && this.offline === null) {
      this.#cache.refresh();
    }
  }

  protected override firstUpdated(): void {
    this.#start();
  }

  protected override updated(): void {
    this.#grid?.update(this.#rowCount, this.columns, this.#context);
  }

  #start(): void {
    const scroller = this.renderRoot.querySelector<HTMLElement>('.scroller');
    const body = this.renderRoot.querySelector<HTMLElement>('.body');
    if (this.#grid !== null || scroller === null || body === null) {
      return;
    }
    this.#grid = new OfferGrid(scroller, body, {
      offerAt: row => this.#cache.row(row),
      isSelected: id => this.#chosen.has(id),
      wanted: (first, end) => {
        this.#cache.want(first, end);
      },
      toggle: this.#toggle,
      rent: this.#rent,
      sortBy: column => {
        this.#sortBy(column);
      },
      details: byKey => {
        this.#extras.showDetails(byKey);
      },
      moved: () => {
        this.#extras.moved();
      },
      resized: widthPx => {
        this.#widthPx = widthPx;
        this.#layColumns();
      },
    });
  }

  #layColumns(): void {
    const scroller = this.renderRoot.querySelector<HTMLElement>('.scroller');
    if (this.#widthPx > 0 && scroller !== null) {
      const columns = shownColumns(this.columnChoice, this.#widthPx);
      layColumns(scroller, { columns, chosen: this.columnChoice !== null, widthPx: this.#widthPx });
      this.columns = sameColumns(columns, this.columns) ? this.columns : columns;
    }
  }

  get #rowCount(): number {
    const { facts, loading } = this.#cache;
    return facts?.matched ?? (loading || this.query === null ? GHOST_ROWS : 0);
  }

  #answered(): void {
    const { facts, problem } = this.#cache;
    const activeId = this.#grid?.activeId ?? null;
    const row = activeId === null ? null : this.#cache.indexOf(activeId);
    if (row !== null) {
      this.#grid?.follow(row);
    }
    if (facts !== null && problem === null) {
      if (this.#say) {
        this.announced = resultWords(facts.matched, this.messages);
        this.#say = false;
      }
      if (facts.matched === 0 && facts.total > 0) {
        this.#suggest();
      }
    }
    this.requestUpdate();
  }

  #suggest(): void {
    if (this.query !== null && this.suggestion === null) {
      const question = { filter: this.#filter, sort: this.sort, context: this.#context };
      this.#suggester.ask(this.query, question, suggestion => {
        this.suggestion = suggestion;
      });
    }
  }

  #change(filter: OfferFilter, sort: OfferSort): void {
    this.filter = filter;
    this.sort = sort;
    this.emit('hitch-filter-change', { filter, sort });
  }

  #sortBy(column: number): void {
    const key = this.columns[column]?.sort ?? null;
    if (key !== null) {
      this.#change(this.#filter, sortedBy(this.sort, key));
    }
  }

  readonly #rent = (offer: Offer): void => {
    if (offer.notRentable !== undefined) {
      this.announced = offer.notRentable;
      this.#extras.showDetails(false);
      return;
    }
    this.emit('hitch-rent', { offers: [offer], nodes: 1, filter: this.#filter });
  };

  readonly #toggle = (offer: Offer): void => {
    this.announced = this.#chosen.toggle(offer, this.messages);
    this.requestUpdate();
  };

  async #compare(open: boolean): Promise<void> {
    this.comparing = open;
    this.emit('hitch-compare', { offers: open ? this.selected : [] });
    await this.updateComplete;
    if (open) {
      this.renderRoot.querySelector<HTMLElement>('#compare-title')?.focus();
    } else {
      this.#grid?.focus();
    }
  }

  #chooseColumns(choice: ColumnChoice): void {
    this.columnChoice = choice;
    this.emit('hitch-columns-change', { columns: choice });
  }

  #askNetworks(): void {
    this.emit('hitch-refresh', null);
    this.refresh();
  }

  protected override render(): TemplateResult {
    const t = this.messages;
    const filter = this.#filter;
    const { titleOf } = this.#context;
    const { facts, problem, outdated, loading } = this.#cache;
    const again = () => {
      this.#askNetworks();
    };
    const around = { t, titleOf, facts, problem, offline: this.offline, filter, providers: this.providers };
    const message = tableMessage({
      ...around,
      suggestion: this.suggestion,
      again,
      connect: this.#extras.connect,
      change: changed => {
        this.#change(changed, this.sort);
      },
    });
    const comparing = this.comparing && this.#chosen.size > 0;
    return html`
      <hitch-filter-bar
        .messages=${t}
        .filter=${filter}
        .sort=${this.sort}
        .providers=${this.providers}
        .titleOf=${titleOf}
        .changed=${(changed: OfferFilter, sort: OfferSort) => {
          this.#change(changed, sort);
        }}
        >${this.#extras.tools(t)}</hitch-filter-bar
      >
      ${this.#extras.columnForm(t, this.columns, choice => {
        this.#chooseColumns(choice);
      })}
      ${tableBanners({
        ...around,
        again,
        connect: this.#extras.connect,
        showReal: () => {
          this.#change(withPractice(filter, 'exclude'), this.sort);
        },
      })}
      ${
        comparing
          ? compareView(this.selected, this.#context, {
              rent: this.#rent,
              drop: this.#toggle,
              close: () => void this.#compare(false),
            })
          : nothing
      }
      <div class="main ${message === nothing ? '' : 'covered'}" ?hidden=${comparing}>
        <div
          class="scroller"
          role="grid"
          tabindex="0"
          aria-label=${t('Offers')}
          aria-multiselectable="true"
          aria-keyshortcuts="Control+Enter"
          aria-rowcount=${this.#rowCount + 1}
          aria-colcount=${this.columns.length + 2}
          aria-busy=${loading && outdated ? 'true' : 'false'}
        >
          ${header(this.columns, this.sort, t)}
          <div class="body ${outdated && facts !== null ? 'outdated' : ''}" role="rowgroup"></div>
        </div>
        ${message}
      </div>
      ${comparing ? nothing : this.#extras.detailsPane(this.#grid?.activeOffer ?? null, this.#context, this.#rent)}
      ${chosenBar({
        chosen: this.#chosen,
        offers: this.selected,
        t,
        comparing,
        changed: () => {
          this.requestUpdate();
        },
        compare: () => void this.#compare(true),
        rent: (offers, nodes) => {
          this.emit('hitch-rent', { offers, nodes, filter: this.#filter });
        },
      })}
      ${tableFooter({
        ...around,
        nowMs: this.now(),
        hidden: OFFER_COLUMNS.length - this.columns.length,
        again,
        showColumns: this.#extras.showColumns,
      })}
      <div class="spoken" role="status" aria-live="polite">${this.announced}</div>
    `;
  }
}
