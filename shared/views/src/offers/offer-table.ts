/** `<hitch-offer-table>`: what the networks would rent right now, any number of offers, smooth and by keyboard. */
import { html } from 'lit';
import type { Offer, OfferFilter, OfferPage, OfferQuery, ProviderInfo } from '@hitch/contract';
import { HitchElement } from '../base/element.ts';
import type { OfferSort } from '../events.ts';

/** Where offers come from: the daemon's `offers.query`, which filters, sorts and pages. */
export type OfferQueryFunction = (query: OfferQuery, signal: AbortSignal) => Promise<OfferPage>;

/**
 * @fires hitch-rent a person chose what to rent
 * @fires hitch-filter-change filter or order changed
 * @fires hitch-compare offers stand side by side
 * @fires hitch-refresh the networks are to be asked again
 * @fires hitch-connect-network no network is connected
 */
export class HitchOfferTable extends HitchElement {
  static override properties = {
    ...HitchElement.properties,
    query: { attribute: false },
    providers: { attribute: false },
    filter: { attribute: false },
    sort: { attribute: false },
    offline: { attribute: false },
  };

  /** Set by the host; null until it can be asked. */
  declare query: OfferQueryFunction | null;
  /** For names, for whether a real network is on, and for the filter's choices; null while not known. */
  declare providers: readonly ProviderInfo[] | null;
  /** Null: the default filter of a first visit. */
  declare filter: OfferFilter | null;
  declare sort: OfferSort;
  /** Why the daemon cannot be asked, a sentence; null while it can. Offers seen before stay. */
  declare offline: string | null;

  constructor() {
    super();
    this.query = null;
    this.providers = null;
    this.filter = null;
    this.sort = { key: 'pricePerHour', descending: false };
    this.offline = null;
  }

  /** Asks again for what is shown; rows, selection and place stay. */
  refresh(): void {
    this.requestUpdate();
  }

  /** The offers that are ticked, in the order they were. */
  get selected(): readonly Offer[] {
    return [];
  }

  protected override render() {
    return html``;
  }
}
