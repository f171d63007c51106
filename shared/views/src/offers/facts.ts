/** All that is known of an offer, in words: for one that is looked at closely, and for several side by side. */
import { format, type Offer, parseMicroUsd, showDollars } from '@hitch/contract';
import type { Translate } from '../base/translate.ts';
import { OFFER_COLUMNS, priceParts, type CellContext } from './columns.ts';

const NONE = '–';

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
      value: (column.id === 'laptop' ? column.spoken : column.text)?.(offer, context) ?? '',
    })),
    { title: t('Price breakdown'), value: priceParts(offer) || NONE },
    { title: t('Region'), value: offer.region ?? NONE },
    { title: t('Supplier'), value: offer.supplier ?? NONE },
    { title: t('In stock'), value: offer.stock.toString() },
    ...moreFacts(offer, t),
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

/** What only some networks say; a dash where one does not, so that several stand side by side. */
function moreFacts(offer: Offer, t: Translate): readonly OfferFact[] {
  const { hostId, driver, nvlink, arch, takes, traffic, termMs, wayIn } = offer;
  const disk = takes?.disk;
  return [
    { title: t('Host'), value: hostId ?? NONE },
    { title: t('Driver'), value: driver ?? NONE },
    { title: t('NVLink'), value: nvlink === undefined ? NONE : nvlink ? t('yes') : t('no') },
    { title: t('Architecture'), value: arch ?? NONE },
    {
      title: t('More disk'),
      value:
        disk === undefined
          ? NONE
          : t(
              '%1 per GB and month, up to %2 GB',
              showDollars(parseMicroUsd(disk.perGiBHourMicroUsd) * HOURS_A_MONTH),
              disk.maxGiB,
            ),
    },
    {
      title: t('Traffic'),
      value:
        traffic === undefined
          ? NONE
          : t(
              '↓ %1, ↑ %2 per GB',
              format.dollars(traffic.downPerGBMicroUsd),
              format.dollars(traffic.upPerGBMicroUsd),
            ),
    },
    { title: t('Sold for'), value: termMs === undefined ? t('what is used') : format.duration(termMs) },
    { title: t('Way in'), value: wayIn ?? NONE },
  ];
}

const HOURS_A_MONTH = 720n;

/** Such as `1× RTX 4090, 24 GB`. */
export const offerTitle = (offer: Offer, context: CellContext): string =>
  OFFER_COLUMNS[0]?.text(offer, context) ?? '';
