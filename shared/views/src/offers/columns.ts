/** The offer table's columns: their words, widths, order, and which of them go first when there is no room. */
import { floorOf, format, parseMicroUsd, showDollars, type Offer, type OfferSortKey } from '@hitch/contract';
import type { Translate } from '../base/translate.ts';

/** What a cell's words need besides the offer. */
export interface CellContext {
  readonly t: Translate;
  /** A network's name as people know it. */
  readonly titleOf: (provider: string) => string;
  /** Whether a live run has confirmed a network; left out: not asked. */
  readonly isVerified?: (provider: string) => boolean;
}

export type CellTone = 'plain' | 'good' | 'warning' | 'quiet';

export interface OfferColumn {
  readonly id: string;
  readonly title: string;
  /** What the column means, where its title is short. */
  readonly explains: string;
  readonly sort: OfferSortKey | null;
  readonly widthPx: number;
  /** What it shrinks to where even the columns that always stay have no room; else it never does. */
  readonly leastPx?: number;
  /** Takes a share of the width that is left. */
  readonly grows: boolean;
  readonly numeric: boolean;
  /** The lower, the longer it stays when the table is narrow. */
  readonly priority: number;
  readonly text: (offer: Offer, context: CellContext) => string;
  /** What a screen reader says where the text is a sign; what a pointer sees as a tip. */
  readonly spoken?: (offer: Offer, context: CellContext) => string;
  readonly tone?: (offer: Offer) => CellTone;
}

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

function terms(offer: Offer, t: Translate): string {
  const floor = floorOf(offer);
  const words = [
    ...(floor === 0n ? [] : [t('at least %1', showDollars(floor))]),
    ...(offer.nonRefundableMicroUsd === '0'
      ? []
      : [t('%1 non-refundable', format.dollars(offer.nonRefundableMicroUsd))]),
    ...(offer.basis === 'estimate' ? [t('estimate')] : offer.basis === 'most' ? [t('at most')] : []),
    ...(offer.market === 'spot' ? [t('can be taken back')] : []),
    ...(offer.security === 'standard' ? [] : [offer.security === 'soc2' ? 'SOC 2' : t('confidential')]),
    ...(offer.multiNode ? [t('multi-node')] : []),
  ];
  return words.join(', ') || NONE;
}

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
    explains: 'GPUs in the machine, and the memory of each',
    sort: 'gpuModel',
    widthPx: 168,
    leastPx: 96,
    grows: true,
    numeric: false,
    priority: 0,
    text: format.machineTitle,
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
    text: ({ trust, reliability }, { t }) =>
      reliability === null
        ? t(TRUST_WORDS[trust])
        : `${t(TRUST_WORDS[trust])}, ${(Math.floor(reliability * 1000) / 10).toFixed(1)} %`,
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
    explains: 'Disk space',
    sort: 'disk',
    widthPx: 74,
    grows: false,
    numeric: true,
    priority: 6,
    text: ({ diskGiB }) => (diskGiB === 0 ? NONE : `${diskGiB} GB`),
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
    text: ({ downMbps, upMbps }) => `${downMbps ?? NONE} / ${upMbps ?? NONE}`,
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
    explains: 'What is not refunded, and other conditions',
    sort: null,
    widthPx: 150,
    grows: false,
    numeric: false,
    priority: 13,
    text: (offer, { t }) => terms(offer, t),
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
];

/** Beside the columns: the box that chooses for comparison, and *Rent…*. */
export const SELECT_WIDTH_PX = 34;
export const RENT_WIDTH_PX = 78;

/** What a person wants to see, by the columns' ids; null: as many as there is room for. */
export type ColumnChoice = readonly string[] | null;

/** Those that no choice takes away. */
export const isAlwaysShown = ({ priority }: OfferColumn): boolean => priority === 0;

/**
 * The columns that fit into `widthPx`, in their order; those of priority 0 always stay. The first that does not fit ends
 * it: a narrow column of little importance never takes the room of one that matters more.
 */
export function visibleColumns(
  widthPx: number,
  columns: readonly OfferColumn[] = OFFER_COLUMNS,
): readonly OfferColumn[] {
  let left = widthPx - SELECT_WIDTH_PX - RENT_WIDTH_PX;
  const kept = new Set<OfferColumn>();
  for (const column of columns.toSorted((a, b) => a.priority - b.priority)) {
    left -= column.widthPx;
    if (left < 0 && !isAlwaysShown(column)) {
      break;
    }
    kept.add(column);
  }
  return columns.filter(column => kept.has(column));
}

/** What is shown: the chosen ones, whether or not they fit, or those that do. */
export const shownColumns = (choice: ColumnChoice, widthPx: number): readonly OfferColumn[] =>
  choice === null
    ? visibleColumns(widthPx)
    : OFFER_COLUMNS.filter(column => isAlwaysShown(column) || choice.includes(column.id));

/**
 * For `grid-template-columns`: whole pixels, which cost a browser less in every row than shares do. Columns that grow
 * take four times as much of the room that is left as the others.
 */
export function columnTracks(columns: readonly OfferColumn[], widthPx: number): string {
  const spare = widthPx - fullWidth(columns);
  const shares = columns.map(column =>
    spare < 0 ? column.widthPx - (column.leastPx ?? column.widthPx) : column.widthPx * (column.grows ? 4 : 1),
  );
  const all = Math.max(
    1,
    shares.reduce((sum, share) => sum + share, 0),
  );
  const widths = columns.map((column, index) =>
    Math.floor(
      Math.max(column.leastPx ?? column.widthPx, column.widthPx + (spare * (shares[index] ?? 0)) / all),
    ),
  );
  return [SELECT_WIDTH_PX, ...widths, RENT_WIDTH_PX].map(width => `${width}px`).join(' ');
}

const widthOf = (columns: readonly OfferColumn[], one: (column: OfferColumn) => number): number =>
  columns.reduce((sum, column) => sum + one(column), SELECT_WIDTH_PX + RENT_WIDTH_PX);

/** The width under which words are cut off. */
export const fullWidth = (columns: readonly OfferColumn[]): number =>
  widthOf(columns, ({ widthPx }) => widthPx);

/** The width under which the table scrolls sideways. */
export const leastWidth = (columns: readonly OfferColumn[]): number =>
  widthOf(columns, ({ widthPx, leastPx }) => leastPx ?? widthPx);

/**
 * Gives the grid its columns' widths. Columns that a person chose keep theirs, and the grid scrolls sideways where they do
 * not fit; the few that always stay shrink before it does.
 */
export function layColumns(
  grid: HTMLElement,
  {
    columns,
    chosen,
    widthPx,
  }: {
    readonly columns: readonly OfferColumn[];
    readonly chosen: boolean;
    readonly widthPx: number;
  },
): void {
  const leastPx = chosen ? fullWidth(columns) : leastWidth(columns);
  grid.style.setProperty('--tracks', columnTracks(columns, chosen ? Math.max(widthPx, leastPx) : widthPx));
  grid.style.setProperty('--least', `${leastPx}px`);
  grid.classList.toggle('tight', !chosen && widthPx < fullWidth(columns));
  grid.classList.toggle('sideways', widthPx < leastPx);
}

export const sameColumns = (some: readonly OfferColumn[], others: readonly OfferColumn[]): boolean =>
  some.length === others.length && some.every((column, at) => column === others[at]);
