/** The offer table of all clients, as text. */
import {
  format,
  leastCost,
  offerMachine,
  offerTerms,
  parseMicroUsd,
  shortHistory,
  showDollars,
  termWords,
  type Offer,
  type OfferFilter,
  type OfferPage,
  type ProviderInfo,
} from '@hitch/contract';
import type { Column } from './table.ts';

/** A column that can be asked for by its name. */
export interface OfferColumn extends Column<Offer> {
  readonly name: string;
}

const DASH = '–';

function perGpuHour(offer: Offer): string {
  const price = parseMicroUsd(offer.pricePerHourMicroUsd);
  return offer.gpuCount === 0 ? DASH : showDollars(price / BigInt(offer.gpuCount));
}

const KIND: Record<Offer['kind'], string> = {
  vm: 'VM',
  container: 'container',
  bare_metal: 'bare metal',
  process: 'processes here',
};
const TRUST: Record<Offer['trust'], string> = {
  own: 'own',
  data_center: 'data center',
  verified: 'verified',
  community: 'community',
};

function withoutMe({ endsBillingAlone, returnsAfterReboot }: Offer): string {
  return !endsBillingAlone ? '⚠ bills' : returnsAfterReboot === false ? '⚠ reboot' : '✓ stops';
}

function trust(offer: Offer): string {
  const up = offer.reliability === null ? '' : ` ${(offer.reliability * 100).toFixed(1)}%`;
  return `${TRUST[offer.trust]}${up}`;
}

const perGB = ({ traffic }: Offer): string =>
  traffic === undefined
    ? DASH
    : [traffic.downPerGBMicroUsd, traffic.upPerGBMicroUsd]
        .map(amount => showDollars(parseMicroUsd(amount)))
        .join('/');

const number = (many: number): string => (many === 0 ? DASH : many.toString());

/** `50`, or `10-500` where its size can be chosen. */
function disk({ diskGiB, takes }: Offer): string {
  const most = takes?.disk?.maxGiB ?? 0;
  return most > diskGiB && diskGiB > 0 ? `${diskGiB}-${most}` : number(diskGiB);
}

const yesOrNo = (value: boolean | undefined): string => (value === undefined ? DASH : value ? 'yes' : 'no');

/** What helps to choose and only some networks say: shown where it is asked for. */
const MORE: readonly OfferColumn[] = [
  { name: 'host', title: 'Host', priority: 11, cell: ({ hostId, supplier }) => hostId ?? supplier ?? DASH },
  {
    name: 'history',
    title: 'Your history',
    priority: 11,
    cell: ({ history }) => (history === undefined ? DASH : shortHistory(history)),
  },
  { name: 'region', title: 'Region', priority: 13, cell: ({ region }) => region ?? DASH },
  { name: 'driver', title: 'Driver', priority: 12, cell: ({ driver }) => driver ?? DASH },
  { name: 'nvlink', title: 'NVLink', priority: 12, cell: ({ nvlink }) => yesOrNo(nvlink) },
  { name: 'arch', title: 'Arch', priority: 13, cell: ({ arch }) => arch ?? DASH },
  {
    name: 'disk-price',
    title: 'Disk $/GB-month',
    priority: 12,
    align: 'right',
    cell: ({ takes }) =>
      takes?.disk === undefined
        ? DASH
        : showDollars(parseMicroUsd(takes.disk.perGiBHourMicroUsd) * HOURS_A_MONTH),
  },
  { name: 'traffic', title: '↓/↑ $/GB', priority: 12, align: 'right', cell: perGB },
  {
    name: 'at-least',
    title: 'At least',
    priority: 12,
    align: 'right',
    cell: offer => {
      const least = leastCost(offer);
      return least === 0n ? DASH : showDollars(least);
    },
  },
  {
    name: 'term',
    title: 'Sold for',
    priority: 12,
    cell: ({ termMs }) => (termMs === undefined ? 'use' : termWords(termMs)),
  },
  { name: 'way-in', title: 'Way in', priority: 12, cell: ({ wayIn }) => wayIn ?? DASH },
];
const HOURS_A_MONTH = 720n;

/** Those that are seen by everybody; with `more`, all there are. */
export function offerColumns(providers: readonly ProviderInfo[], more = false): OfferColumn[] {
  return more ? [...usualColumns(providers), ...MORE] : usualColumns(providers);
}

export const COLUMN_NAMES: readonly string[] = offerColumns([], true).map(({ name }) => name);

/** Just these, in this order. */
export const columnsNamed = (
  names: readonly string[],
  providers: readonly ProviderInfo[],
): readonly OfferColumn[] => {
  const all = offerColumns(providers, true);
  return names.flatMap(name => all.filter(column => column.name === name));
};

function usualColumns(providers: readonly ProviderInfo[]): OfferColumn[] {
  const titleOf = new Map(providers.map(({ id, title }) => [id, title]));
  return [
    { name: 'gpu', title: 'GPU', priority: 1, cell: offer => offerMachine(offer) },
    {
      name: 'price',
      title: '$/h all-in',
      priority: 1,
      align: 'right',
      cell: offer => showDollars(parseMicroUsd(offer.pricePerHourMicroUsd)),
    },
    { name: 'gpu-price', title: '$/GPU-h', priority: 4, align: 'right', cell: perGpuHour },
    {
      name: 'network',
      title: 'Network',
      priority: 3,
      cell: offer => {
        const title = titleOf.get(offer.provider) ?? offer.provider;
        return `${title}${offer.notRentable === undefined ? '' : '*'} ${offer.country ?? ''}`.trim();
      },
    },
    { name: 'machine', title: 'Machine', priority: 7, cell: offer => KIND[offer.kind] },
    {
      name: 'market',
      title: 'Market',
      priority: 5,
      cell: offer => (offer.market === 'spot' ? 'spot' : 'on-demand'),
    },
    { name: 'trust', title: 'Trust', priority: 4, cell: trust },
    {
      name: 'cpu',
      title: 'CPU/RAM/disk',
      priority: 6,
      align: 'right',
      cell: offer => [number(offer.cpuCores), number(Math.round(offer.ramMiB / 1024)), disk(offer)].join('/'),
    },
    {
      name: 'net',
      title: '↓/↑ Mbps',
      priority: 8,
      align: 'right',
      cell: offer => `${offer.downMbps?.toString() ?? DASH}/${offer.upMbps?.toString() ?? DASH}`,
    },
    { name: 'cuda', title: 'CUDA', priority: 9, cell: offer => offer.cudaMax ?? DASH },
    { name: 'terms', title: 'Terms', priority: 10, cell: offer => offerTerms(offer).join(', ') || DASH },
    { name: 'without-me', title: 'Without me', priority: 8, cell: withoutMe },
    {
      name: 'start',
      title: 'Starts in',
      priority: 7,
      align: 'right',
      cell: offer => (offer.readyInMs === null ? DASH : format.duration(offer.readyInMs)),
    },
    { name: 'offer', title: 'Offer', priority: 2, cell: offer => offer.id },
  ];
}

/** `412 of 9,880, 30 of them here (--limit and --offset show more); price includes disk and fees; RunPod 3 min old`. */
export function offerFooter(page: OfferPage, providers: readonly ProviderInfo[], nowMs: number): string[] {
  const titleOf = new Map(providers.map(({ id, title }) => [id, title]));
  const count = (value: number): string => value.toLocaleString('en-US');
  const old = page.sources.flatMap(({ provider, fetchedAtMs }) => {
    const minutes = fetchedAtMs === null ? 0 : Math.floor((nowMs - fetchedAtMs) / 60_000);
    return minutes >= 1 ? [`${titleOf.get(provider) ?? provider} ${minutes} min old`] : [];
  });
  const rows = page.offers.length;
  const cut = rows < page.matched ? `, ${count(rows)} of them here (--limit and --offset show more)` : '';
  const first = [
    `${count(page.matched)} of ${count(page.total)}${cut}`,
    'price includes disk and fees',
    ...old,
  ];
  const reasons = new Set(page.offers.flatMap(({ notRentable }) => notRentable ?? []));
  const shown = new Set(page.offers.map(({ provider }) => provider));
  const unverified = providers.filter(
    ({ id, kind, verifiedLive }) => kind === 'network' && !verifiedLive && shown.has(id),
  );
  const problems = page.sources.flatMap(({ provider, problem, note }) => [
    ...(problem === null ? [] : [`${titleOf.get(provider) ?? provider}: ${problem}`]),
    ...(note === undefined ? [] : [note]),
  ]);
  return [
    first.join('; '),
    ...[...reasons].map(reason => `* ${reason}`),
    ...(unverified.length === 0
      ? []
      : [
          `Not yet verified live, no live run has confirmed Hitch there: ${unverified.map(({ title }) => title).join(', ')}.`,
        ]),
    ...hiddenLine(page),
    ...problems,
  ];
}

/** What is typed for each condition that may hide something. */
const OPTIONS: Partial<Record<keyof OfferFilter, string>> = {
  gpuModels: '--gpu',
  minGpuCount: '--gpus',
  minVramMiB: '--vram',
  maxPricePerHourMicroUsd: '--max-price',
  providers: '--provider',
  countries: '--country',
  kinds: '--kind',
  markets: '--spot or --on-demand',
  trusts: '--trust',
  securities: '--security',
  minReliability: '--reliability',
  minConnectivity: '--connectivity',
  minCpuCores: '--cpus',
  minRamMiB: '--ram',
  minDiskGiB: '--disk',
  minDownMbps: '--down',
  multiNode: '--multi-node',
  endsBillingAlone: '--ends-alone',
  rentable: '--rentable',
  text: 'the words',
  orNotStated: 'what is not stated (--or-not-stated shows it)',
};

/** Which options hide something that all others let pass, and that practice stands aside where nobody chose it. */
function hiddenLine({ hides = [] }: OfferPage): readonly string[] {
  const words = hides
    .filter(({ field }) => field !== 'practice')
    .map(({ field, count }) => `${count.toLocaleString('en-US')} by ${OPTIONS[field] ?? field}`);
  const aside = hides.find(({ field }) => field === 'practice')?.count ?? 0;
  return [
    ...(words.length === 0 ? [] : [`Hidden by one option alone: ${words.join(', ')}.`]),
    ...(aside === 0
      ? []
      : [
          `Left out while you are logged in at a network: ${aside.toLocaleString('en-US')} for practice (--practice shows them).`,
        ]),
  ];
}

export const PRACTICE_BANNER =
  'Practice: nobody is charged; the machines are processes on this computer, without CUDA.';

/** What is said above offers some of which are practice; null: none is. */
export function practiceBanner(offers: readonly Pick<Offer, 'practice'>[]): string | null {
  if (!offers.some(({ practice }) => practice)) {
    return null;
  }
  return offers.every(({ practice }) => practice)
    ? PRACTICE_BANNER
    : 'Practice: nobody is charged for its offers; the machines are processes on this computer, without CUDA.';
}
