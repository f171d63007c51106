/** Where nothing matches: which one filter stands most in the way. */
import type { OfferFilter } from '@hitch/contract';
import type { OfferSort } from '../events.ts';
import type { CellContext } from './columns.ts';
import { type Chip, filterChips } from './filter-chips.ts';
import { withText } from './filter-fields.ts';
import type { OfferQueryFunction } from './offer-table.ts';

export interface Suggestion {
  readonly label: string;
  /** What was searched for, where it is the search that stands in the way. */
  readonly text: string | null;
  /** How many offers match without it. */
  readonly count: number;
  readonly without: OfferFilter;
}

const TEXT = 'text';

/** Tries the filter without each of `chips`; null where taking one away does not help. */
async function suggest(
  query: OfferQueryFunction,
  chips: readonly Chip[],
  sort: OfferSort,
  signal: AbortSignal,
): Promise<Suggestion | null> {
  const tried = await Promise.all(
    chips.map(async ({ id, label, without }) => {
      const { matched } = await query({ filter: without, sort, offset: 0, limit: 1 }, signal);
      return { label, text: id === TEXT ? label : null, count: matched, without };
    }),
  );
  const [best] = tried.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return best ?? null;
}

/** Every filter that can be taken away, the search among them; practice is another market, not a filter. */
function removable(filter: OfferFilter, { t, titleOf }: CellContext): readonly Chip[] {
  const chips = filterChips(filter, t, titleOf).filter(({ id }) => id !== 'practice');
  const { text } = filter;
  return text === undefined ? chips : [...chips, { id: TEXT, label: text, without: withText(filter, '') }];
}

/** Looks for one suggestion at a time. */
export class Suggester {
  #trying: AbortController | null = null;

  stop(): void {
    this.#trying?.abort();
  }

  ask(
    query: OfferQueryFunction,
    question: { readonly filter: OfferFilter; readonly sort: OfferSort; readonly context: CellContext },
    found: (suggestion: Suggestion | null) => void,
  ): void {
    this.stop();
    const trying = new AbortController();
    this.#trying = trying;
    const { filter, sort, context } = question;
    suggest(query, removable(filter, context), sort, trying.signal).then(
      suggestion => {
        if (!trying.signal.aborted) {
          found(suggestion);
        }
      },
      // The list itself was answered: without the hint all filters can still be cleared.
      () => undefined,
    );
  }
}
