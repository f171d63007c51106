/** Where nothing matches: which one filter stands most in the way. */
import type { OfferFilter } from '@hitch/contract';
import type { OfferSort } from '../events.ts';
import type { OfferQueryFunction } from './offer-table.ts';
import type { Chip } from './filter-chips.ts';

export interface Suggestion {
  readonly label: string;
  /** How many offers match without it. */
  readonly count: number;
  readonly without: OfferFilter;
}

/** Tries the filter without each of `chips`; null where taking one away does not help. */
export async function suggest(
  query: OfferQueryFunction,
  chips: readonly Chip[],
  sort: OfferSort,
  signal: AbortSignal,
): Promise<Suggestion | null> {
  const tried = await Promise.all(
    chips.map(async ({ label, without }) => {
      const { matched } = await query({ filter: without, sort, offset: 0, limit: 1 }, signal);
      return { label, count: matched, without };
    }),
  );
  const [best] = tried.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return best ?? null;
}
