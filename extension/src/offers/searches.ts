/** Saved searches: the presets and a person's own, and the cheapest offer of each GPU they find. */
import type { Offer, OfferFilter, OfferPage, Preset } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { presetPriceWords } from '@hitch/contract/src/preset-words.ts';
import { offerWords } from '../rent/offer-words.ts';
import type { Row } from '../tree/row.ts';

export interface Search {
  readonly id: string;
  readonly label: string;
  readonly nodes: number;
  readonly filter: OfferFilter;
  /** A person's own, which can be removed. */
  readonly own?: boolean;
}

export const givenSearches = (presets: readonly Preset[]): readonly Search[] =>
  presets.map(({ id, label, nodes, filter }) => ({ id, label, nodes, filter }));

/** The cheapest offer of each GPU, cheapest first; `offers` come sorted by price. */
export function cheapestPerGpu(offers: readonly Offer[]): readonly Offer[] {
  const seen = new Map<string, Offer>();
  for (const offer of offers) {
    const key = `${offer.gpuCount}× ${offer.gpuModel ?? 'no GPU'} ${offer.practice ? 'practice' : ''}`;
    if (!seen.has(key)) {
      seen.set(key, offer);
    }
  }
  return [...seen.values()];
}

export type SearchResult = { readonly page: OfferPage } | { readonly problem: string } | null;

export function searchRow(search: Search, result: SearchResult): Row {
  const description =
    result === null ? '…' : 'problem' in result ? result.problem : presetPriceWords(search, result.page);
  return {
    id: `search:${search.id}`,
    label: search.label,
    description,
    icon: { name: search.id === 'practice' ? 'beaker' : 'search' },
    contextValue: `search;${search.own === true ? 'own' : 'given'}`,
    collapsible: 'collapsed',
    spoken: `Search ${search.label}: ${description}`,
    tooltip: () => [search.label, description],
  };
}

export function offerRow(
  search: Search,
  offer: Offer,
  titleOf: (provider: string) => string,
  nowMs: number,
  isVerified?: (provider: string) => boolean,
): Row {
  const words = offerWords(offer, titleOf, isVerified);
  const isShownOnly = offer.notRentable !== undefined;
  const perGpu = offer.gpuCount > 1 ? `, ${perGpuPrice(offer)}/GPU-h` : '';
  const practice = offer.practice ? ', practice' : '';
  return {
    id: `offer:${search.id}:${offer.id}`,
    label: words.title,
    description: `${words.price}${perGpu}, ${titleOf(offer.provider)}${offer.country === null ? '' : ` ${offer.country}`}${practice}${isShownOnly ? ', only shown' : ''}`,
    icon: { name: isShownOnly ? 'circle-slash' : 'chip' },
    contextValue: `${isShownOnly ? 'shown' : 'offer'};${offer.practice ? 'practice' : 'real'}`,
    collapsible: 'none',
    spoken: `Offer ${words.title}, ${words.price}${practice}${isShownOnly ? ', cannot be rented' : ''}`,
    tooltip: () => [
      `${words.title}, ${words.price}`,
      ...words.detail.split(' · '),
      `Read from ${titleOf(offer.provider)} ${format.duration(Math.max(1_000, nowMs - offer.fetchedAtMs))} ago`,
    ],
    ...(isShownOnly
      ? {}
      : { command: { id: 'hitch.rent.fromOffer', argument: `offer:${search.id}:${offer.id}` } }),
  };
}

function perGpuPrice(offer: Offer): string {
  const count = BigInt(Math.max(1, offer.gpuCount));
  return format.dollars(((BigInt(offer.pricePerHourMicroUsd) + count - 1n) / count).toString());
}

/** Reads `offer:<search>:<offer id>`; an offer's own id holds colons. */
export function offerOfRow(rowId: string): { readonly searchId: string; readonly offerId: string } | null {
  const match = /^offer:([^:]+):(.+)$/s.exec(rowId);
  return match?.[1] === undefined || match[2] === undefined
    ? null
    : { searchId: match[1], offerId: match[2] };
}
