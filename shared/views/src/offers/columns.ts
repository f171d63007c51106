/** The offer table's columns: their words, widths and order. */
import { format, offerMachine, offerTerms, parseMicroUsd, showDollars, type Offer } from '@hitch/contract';
import type { Translate } from '../base/translate.ts';
import type { OfferColumn } from './column.ts';
import { MORE_COLUMNS } from './more-columns.ts';

export type { CellContext, CellTone, OfferColumn } from './column.ts';

const NONE = '–';

/** The price of one GPU for an hour, rounded up; null for a machine without one. */
export function pricePerGpu(offer: Offer): string | null {
  const count = BigInt(offer.gpuCount);
  return count === 0n ? null : showDollars((parseMicroUsd(offer.pricePerHourMicroUsd) + count - 1n) / count);
}

/** `GPU $0.38, disk $0.03, fees $0.01`. */
export function priceParts(offer: Offer): string {
  return offer.priceParts.map(part => `${part.label} ${format.dollars(part.perHourMicroUsd)}`).join(', ');
}

export const KIND_WORDS = {
  vm: 'VM',
  container: 'container',
  bare_metal: 'bare metal',
  process: 'process',
} as const;
export const MARKET_WORDS = { on_demand: 'on-demand', spot: 'spot' } as const;
export const TRUST_WORDS = {
  own: 'own',
  data_center: 'data centre',
  verified: 'verified',
  community: 'community',
} as const;

/** `98 %`, `99.95 %`: never rounded up to a promise. */
export function percent(share: number): string {
  const value = Math.floor(share * 10_000) / 100;
  return `${value} %`;
}

/** `50 GB`, or `10–500 GB` where its size can be chosen. */
function diskWords({ diskGiB, takes }: Offer): string {
  const most = takes?.disk?.maxGiB ?? 0;
  return diskGiB === 0 ? NONE : most > diskGiB ? `${diskGiB}–${most} GB` : `${diskGiB} GB`;
}

function trustWords({ trust, reliability }: Offer, t: Translate): string {
  const up =
    reliability !== null
      ? `, ${(Math.floor(reliability * 1000) / 10).toFixed(1)} %`
      : trust === 'own'
        ? ''
        : `, ${NONE}`;
  return `${t(TRUST_WORDS[trust])}${up}`;
}

const speedWords = ({ downMbps, upMbps }: Offer): string => `${downMbps ?? NONE} / ${upMbps ?? NONE}`;

const endsAfterReboot = (offer: Offer): boolean => offer.returnsAfterReboot !== false;

const laptopWords = (offer: Offer, t: Translate): string =>
  !offer.endsBillingAlone
    ? t('bills past its limits while this computer is off')
    : endsAfterReboot(offer)
      ? t('stops by itself with this computer off')
      : t('stops by itself with this computer off, but not after a reboot of the machine');

export const OFFER_COLUMNS: readonly OfferColumn[] = [
  {
    id: 'gpu',
    title: 'GPU',
    explains:
      'GPUs in the machine, and the memory of each; of how many machines, where several are rented as one',
    sort: 'gpuModel',
    widthPx: 150,
    leastPx: 96,
    grows: true,
    numeric: false,
    priority: 0,
    text: (offer, { t }) => offerMachine(offer, t),
  },
  {
    id: 'price',
    title: '$/h',
    explains: 'Price per hour: machine, disk and fees; what traffic costs stands in the details',
    sort: 'pricePerHour',
    widthPx: 68,
    grows: false,
    numeric: true,
    priority: 0,
    text: offer => format.dollars(offer.pricePerHourMicroUsd),
    spoken: offer => {
      const parts = priceParts(offer);
      return `${format.dollars(offer.pricePerHourMicroUsd)}/h${parts === '' ? '' : `: ${parts}`}`;
    },
  },
  {
    id: 'gpu-price',
    title: '$/GPU-h',
    explains: 'Price per hour for one GPU, with disk and fees',
    sort: 'pricePerGpuHour',
    widthPx: 72,
    grows: false,
    numeric: true,
    priority: 11,
    text: offer => pricePerGpu(offer) ?? NONE,
  },
  {
    id: 'network',
    title: 'Network',
    explains: 'The network that offers it, and the country',
    sort: null,
    widthPx: 104,
    grows: true,
    numeric: false,
    priority: 2,
    text: ({ provider, country }, { titleOf }) =>
      country === null ? titleOf(provider) : `${titleOf(provider)}, ${country}`,
    spoken: ({ provider, country, region, supplier }, { titleOf }) =>
      [titleOf(provider), country, region, supplier].filter(word => word !== null).join(', '),
  },
  {
    id: 'kind',
    title: 'Kind',
    explains: 'VM, container or bare metal',
    sort: null,
    widthPx: 78,
    grows: false,
    numeric: false,
    priority: 12,
    text: ({ kind }, { t }) => t(KIND_WORDS[kind]),
  },
  {
    id: 'market',
    title: 'Market',
    explains: 'On-demand stays until you stop it; the network can take spot machines back at any time',
    sort: null,
    widthPx: 92,
    grows: false,
    numeric: false,
    priority: 3,
    text: ({ market }, { t }) => t(MARKET_WORDS[market]),
    tone: ({ market }) => (market === 'spot' ? 'warning' : 'plain'),
  },
  {
    id: 'trust',
    title: 'Trust',
    explains: 'Who runs the machine, and how much of the time it was up',
    sort: 'reliability',
    widthPx: 148,
    grows: false,
    numeric: false,
    priority: 1,
    text: (offer, { t }) => trustWords(offer, t),
    spoken: (offer, { t }) =>
      offer.reliability === null && offer.trust !== 'own'
        ? `${trustWords(offer, t)} (${t('reliability not stated')})`
        : trustWords(offer, t),
    tone: ({ trust }) => (trust === 'community' ? 'warning' : 'plain'),
  },
  {
    id: 'cpu',
    title: 'CPU',
    explains: 'CPU cores',
    sort: 'cpuCores',
    widthPx: 52,
    grows: false,
    numeric: true,
    priority: 9,
    text: ({ cpuCores }) => (cpuCores === 0 ? NONE : cpuCores.toString()),
  },
  {
    id: 'ram',
    title: 'RAM',
    explains: 'Main memory',
    sort: 'ram',
    widthPx: 70,
    grows: false,
    numeric: true,
    priority: 5,
    text: ({ ramMiB }) => (ramMiB === 0 ? NONE : format.gigabytes(ramMiB)),
  },
  {
    id: 'disk',
    title: 'Disk',
    explains: 'Disk space: what it comes with, and the most that can be asked for',
    sort: 'disk',
    widthPx: 112,
    grows: false,
    numeric: true,
    priority: 6,
    text: diskWords,
    spoken: (offer, { t }) => (offer.diskGiB === 0 ? t('not stated') : diskWords(offer)),
  },
  {
    id: 'net',
    title: '↓/↑ Mbps',
    explains: 'Download and upload speed in megabits per second',
    sort: 'down',
    widthPx: 102,
    grows: false,
    numeric: true,
    priority: 7,
    text: speedWords,
    spoken: (offer, { t }) =>
      offer.downMbps === null || offer.upMbps === null
        ? `${speedWords(offer)} (${t('not stated')})`
        : speedWords(offer),
  },
  {
    id: 'cuda',
    title: 'CUDA',
    explains: 'Newest CUDA version that its driver supports',
    sort: null,
    widthPx: 56,
    grows: false,
    numeric: true,
    priority: 8,
    text: ({ cudaMax }) => cudaMax ?? NONE,
    spoken: ({ cudaMax }, { t }) => cudaMax ?? t('no CUDA'),
  },
  {
    id: 'terms',
    title: 'Terms',
    explains: 'When it is paid, what is not refunded, and other conditions',
    sort: null,
    widthPx: 150,
    grows: false,
    numeric: false,
    priority: 13,
    text: (offer, { t }) => offerTerms(offer, t).join(', ') || NONE,
  },
  {
    id: 'laptop',
    title: 'Without me',
    explains:
      'With this computer off, at its limits: ✓ it stops by itself · ⚠ it bills past them until Hitch is back, or does not stop by itself after a reboot',
    sort: null,
    widthPx: 90,
    grows: false,
    numeric: false,
    priority: 4,
    text: (offer, { t }) =>
      !offer.endsBillingAlone ? t('⚠ bills') : endsAfterReboot(offer) ? t('✓ stops') : t('⚠ reboot'),
    spoken: (offer, { t }) => laptopWords(offer, t),
    tone: offer => (offer.endsBillingAlone && endsAfterReboot(offer) ? 'good' : 'warning'),
  },
  {
    id: 'ready',
    title: 'Starts in',
    explains: 'Usual time from renting to the first cell',
    sort: 'readyIn',
    widthPx: 76,
    grows: false,
    numeric: true,
    priority: 10,
    text: ({ readyInMs }) => (readyInMs === null ? NONE : format.duration(readyInMs)),
  },
  ...MORE_COLUMNS,
];
