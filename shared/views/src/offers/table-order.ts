/** What the table's cells are written with, and the order that a press on a column's head gives. */
import type { OfferSortKey, ProviderInfo } from '@hitch/contract';
import type { Translate } from '../base/translate.ts';
import type { OfferSort } from '../events.ts';
import type { CellContext } from './columns.ts';
import { isUnverified } from './words.ts';

/** @param providers null while not known: then networks are called by their ids. */
export function cellContext(t: Translate, providers: readonly ProviderInfo[] | null): CellContext {
  const titles = new Map(providers?.map(({ id, title }) => [id, title]));
  const unverified = new Set(providers?.filter(isUnverified).map(({ id }) => id));
  return {
    t,
    titleOf: provider => titles.get(provider) ?? provider,
    isVerified: provider => !unverified.has(provider),
  };
}

/** What is good comes first: a low price, but much memory. A second press turns the order round. */
export function sortedBy(now: OfferSort, key: OfferSortKey): OfferSort {
  const lowFirst = key.startsWith('price') || key === 'readyIn' || key === 'gpuModel';
  return { key, descending: now.key === key ? !now.descending : !lowFirst };
}
