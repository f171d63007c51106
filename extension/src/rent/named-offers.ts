/** The offers behind a quote, as the offer book has them now: they say in which steps their time is sold. */
import type { HitchApi, Offer, Quote } from '@hitch/contract';

const PAGE = 1000;

/** Those that are still there; nothing is asked where none of their time is sold ahead. */
export async function offersOf(
  { offers: book }: Pick<HitchApi, 'offers'>,
  { candidates }: Pick<Quote, 'candidates'>,
): Promise<readonly Offer[]> {
  const wanted = new Set(
    candidates.flatMap(({ offerId, termMs }) => (termMs === undefined ? [] : [offerId])),
  );
  const providers = [...new Set(candidates.map(({ provider }) => provider))];
  const found: Offer[] = [];
  for (let offset = 0; wanted.size > found.length; offset += PAGE) {
    const { offers } = await book.query({
      filter: { providers },
      sort: { key: 'pricePerHour', descending: false },
      offset,
      limit: PAGE,
    });
    found.push(...offers.filter(({ id }) => wanted.has(id)));
    if (offers.length < PAGE) {
      break;
    }
  }
  return found;
}
