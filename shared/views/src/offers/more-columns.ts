/** Columns of what only some networks say: shown where there is room left, or where they are chosen. */
import {
  floorOf,
  format,
  historyWords,
  type Offer,
  parseMicroUsd,
  shortHistory,
  showDollars,
  termWords,
} from '@hitch/contract';
import type { CellContext, OfferColumn } from './column.ts';

const NONE = '–';
const HOURS_A_MONTH = 720n;

type Words = (offer: Offer, context: CellContext) => string;

/** The earlier in this list, the longer it stays. */
const FIRST_PRIORITY = 14;

const COLUMNS: readonly (Pick<OfferColumn, 'id' | 'title' | 'explains' | 'widthPx'> & {
  readonly text: Words;
  readonly spoken?: Words;
})[] = [
  {
    id: 'minimum',
    title: 'At least',
    explains: 'What it costs in any case, however early it ends',
    widthPx: 78,
    text: offer => {
      const least = floorOf(offer) + parseMicroUsd(offer.nonRefundableMicroUsd);
      return least === 0n ? NONE : showDollars(least);
    },
  },
  {
    id: 'term',
    title: 'Sold for',
    explains: 'The time that is paid at once; a dash: what is used',
    widthPx: 76,
    text: ({ termMs }) => (termMs === undefined ? NONE : termWords(termMs)),
    spoken: ({ termMs }, { t }) => (termMs === undefined ? t('what is used') : termWords(termMs)),
  },
  {
    id: 'disk-price',
    title: 'More disk',
    explains: 'What a GB of disk more costs a month',
    widthPx: 96,
    text: ({ takes }) =>
      takes?.disk === undefined
        ? NONE
        : `${showDollars(parseMicroUsd(takes.disk.perGiBHourMicroUsd) * HOURS_A_MONTH)}/GB`,
    spoken: ({ takes }, { t }) =>
      takes?.disk === undefined
        ? NONE
        : t(
            '%1/GB a month, up to %2 GB',
            showDollars(parseMicroUsd(takes.disk.perGiBHourMicroUsd) * HOURS_A_MONTH),
            takes.disk.maxGiB,
          ),
  },
  {
    id: 'traffic',
    title: 'Traffic ↓/↑',
    explains: 'What a GB of traffic costs, in and out; a dash: it is in the price, or not stated',
    widthPx: 118,
    text: ({ traffic }) =>
      traffic === undefined
        ? NONE
        : `${format.dollars(traffic.downPerGBMicroUsd)} / ${format.dollars(traffic.upPerGBMicroUsd)}`,
    spoken: ({ traffic }, { t }) =>
      traffic === undefined
        ? NONE
        : t(
            '%1 / %2 per GB, in and out',
            format.dollars(traffic.downPerGBMicroUsd),
            format.dollars(traffic.upPerGBMicroUsd),
          ),
  },
  {
    id: 'driver',
    title: 'Driver',
    explains: 'Version of the GPU driver',
    widthPx: 92,
    text: ({ driver }) => driver ?? NONE,
  },
  {
    id: 'nvlink',
    title: 'NVLink',
    explains: 'Whether its GPUs are joined by NVLink',
    widthPx: 66,
    text: ({ nvlink }, { t }) => (nvlink === undefined ? NONE : nvlink ? t('yes') : t('no')),
  },
  {
    id: 'arch',
    title: 'Architecture',
    explains: 'Of its processor',
    widthPx: 96,
    text: ({ arch }) => arch ?? NONE,
  },
  {
    id: 'host',
    title: 'Host',
    explains: 'The physical machine, where the network says it',
    widthPx: 96,
    text: ({ hostId, supplier }) => hostId ?? supplier ?? NONE,
  },
  {
    id: 'history',
    title: 'Your purchases',
    explains: 'What became of what you rented from this host before',
    widthPx: 130,
    text: ({ history }) => (history === undefined ? NONE : shortHistory(history)),
    spoken: ({ history }) => (history === undefined ? NONE : historyWords(history)),
  },
  {
    id: 'way-in',
    title: 'Way in',
    explains: 'How it is reached: ssh, or web addresses alone',
    widthPx: 66,
    text: ({ wayIn }) => wayIn ?? NONE,
  },
];

export const MORE_COLUMNS: readonly OfferColumn[] = COLUMNS.map((column, at) => ({
  ...column,
  sort: null,
  grows: false,
  numeric: false,
  priority: FIRST_PRIORITY + at,
}));
