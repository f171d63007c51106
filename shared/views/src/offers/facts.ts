/** All that is known of an offer, in words: for one that is looked at closely, and for several side by side. */
import type { Offer } from '@hitch/contract';
import { OFFER_COLUMNS, priceParts, type CellContext } from './columns.ts';

const NONE = '–';

/** Columns whose cells are short for what there is room for here. */
const SPOKEN: ReadonlySet<string> = new Set([
  'laptop',
  'trust',
  'net',
  'disk',
  'disk-price',
  'traffic',
  'term',
  'history',
]);

export interface OfferFact {
  readonly title: string;
  readonly value: string;
}

/** Every column after the first, which names the offer, and what no column has room for. */
export function offerFacts(offer: Offer, context: CellContext): readonly OfferFact[] {
  const { t, isVerified } = context;
  return [
    ...(offer.notRentable === undefined ? [] : [{ title: t('Cannot be rented'), value: offer.notRentable }]),
    ...OFFER_COLUMNS.slice(1).map(column => ({
      title: t(column.title),
      value: (SPOKEN.has(column.id) ? column.spoken : column.text)?.(offer, context) ?? '',
    })),
    { title: t('Price breakdown'), value: priceParts(offer) || NONE },
    { title: t('Region'), value: offer.region ?? NONE },
    { title: t('Supplier'), value: offer.supplier ?? NONE },
    { title: t('In stock'), value: offer.stock.toString() },
    ...(isVerified?.(offer.provider) === false
      ? [
          {
            title: t('Not yet verified live'),
            value: t('no live run has confirmed Hitch with this network here'),
          },
        ]
      : []),
  ];
}

/** Such as `1× RTX 4090, 24 GB`. */
export const offerTitle = (offer: Offer, context: CellContext): string =>
  OFFER_COLUMNS[0]?.text(offer, context) ?? '';
