/** The offer table of all clients, as text. */
import {
  floorOf,
  format,
  parseMicroUsd,
  showDollars,
  type Offer,
  type OfferPage,
  type ProviderInfo,
} from '@hitch/contract';
import type { Column } from './table.ts';

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

/** How sure a price is that is no firm one. */
const BASIS = { estimate: 'estimate', most: 'at most' } as const;

function terms(offer: Offer): string {
  const fixed = parseMicroUsd(offer.nonRefundableMicroUsd);
  const floor = floorOf(offer);
  const parts = [
    ...(floor > 0n ? [`at least ${showDollars(floor)}`] : []),
    ...(fixed > 0n ? [`${showDollars(fixed)} non-refundable`] : []),
    ...(offer.basis === undefined || offer.basis === 'firm' ? [] : [BASIS[offer.basis]]),
    ...(offer.security === 'standard' ? [] : [offer.security === 'soc2' ? 'SOC 2' : 'confidential']),
  ];
  return parts.length === 0 ? DASH : parts.join(', ');
}

const perGB = ({ traffic }: Offer): string =>
  traffic === undefined
    ? DASH
    : [traffic.downPerGBMicroUsd, traffic.upPerGBMicroUsd]
        .map(amount => showDollars(parseMicroUsd(amount)))
        .join('/');

const yesOrNo = (value: boolean | undefined): string => (value === undefined ? DASH : value ? 'yes' : 'no');

/** What helps to choose and only some networks say: shown where it is asked for. */
const MORE: readonly Column<Offer>[] = [
  { title: 'Host', priority: 11, cell: ({ hostId, supplier }) => hostId ?? supplier ?? DASH },
  { title: 'Region', priority: 13, cell: ({ region }) => region ?? DASH },
  { title: 'Driver', priority: 12, cell: ({ driver }) => driver ?? DASH },
  { title: 'NVLink', priority: 12, cell: ({ nvlink }) => yesOrNo(nvlink) },
  { title: 'Arch', priority: 13, cell: ({ arch }) => arch ?? DASH },
  {
    title: 'Disk $/GB-month',
    priority: 12,
    align: 'right',
    cell: ({ takes }) =>
      takes?.disk === undefined
        ? DASH
        : showDollars(parseMicroUsd(takes.disk.perGiBHourMicroUsd) * HOURS_A_MONTH),
  },
  { title: '↓/↑ $/GB', priority: 12, align: 'right', cell: perGB },
  {
    title: 'Sold for',
    priority: 12,
    cell: ({ termMs }) => (termMs === undefined ? 'use' : format.duration(termMs)),
  },
  { title: 'Way in', priority: 12, cell: ({ wayIn }) => wayIn ?? DASH },
];
const HOURS_A_MONTH = 720n;

/** Those that are seen by everybody; with `more`, all there are. */
export function offerColumns(providers: readonly ProviderInfo[], more = false): Column<Offer>[] {
  return more ? [...usualColumns(providers), ...MORE] : usualColumns(providers);
}

function usualColumns(providers: readonly ProviderInfo[]): Column<Offer>[] {
  const titleOf = new Map(providers.map(({ id, title }) => [id, title]));
  return [
    { title: 'GPU', priority: 1, cell: format.machineTitle },
    {
      title: '$/h all-in',
      priority: 1,
      align: 'right',
      cell: offer => showDollars(parseMicroUsd(offer.pricePerHourMicroUsd)),
    },
    { title: '$/GPU-h', priority: 4, align: 'right', cell: perGpuHour },
    {
      title: 'Network',
      priority: 3,
      cell: offer => {
        const title = titleOf.get(offer.provider) ?? offer.provider;
        return `${title}${offer.notRentable === undefined ? '' : '*'} ${offer.country ?? ''}`.trim();
      },
    },
    { title: 'Machine', priority: 7, cell: offer => KIND[offer.kind] },
    { title: 'Market', priority: 5, cell: offer => (offer.market === 'spot' ? 'spot' : 'on-demand') },
    { title: 'Trust', priority: 4, cell: trust },
    {
      title: 'CPU/RAM/disk',
      priority: 6,
      align: 'right',
      cell: ({ cpuCores, ramMiB, diskGiB }) =>
        [cpuCores, Math.round(ramMiB / 1024), diskGiB].map(many => (many === 0 ? DASH : many)).join('/'),
    },
    {
      title: '↓/↑ Mbps',
      priority: 8,
      align: 'right',
      cell: offer => `${offer.downMbps?.toString() ?? DASH}/${offer.upMbps?.toString() ?? DASH}`,
    },
    { title: 'CUDA', priority: 9, cell: offer => offer.cudaMax ?? DASH },
    { title: 'Terms', priority: 10, cell: terms },
    { title: 'Without me', priority: 8, cell: withoutMe },
    {
      title: 'Starts in',
      priority: 7,
      align: 'right',
      cell: offer => (offer.readyInMs === null ? DASH : format.duration(offer.readyInMs)),
    },
    { title: 'Offer', priority: 2, cell: offer => offer.id },
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
  const problems = page.sources.flatMap(({ provider, problem }) =>
    problem === null ? [] : [`${titleOf.get(provider) ?? provider}: ${problem}`],
  );
  return [
    first.join('; '),
    ...[...reasons].map(reason => `* ${reason}`),
    ...(unverified.length === 0
      ? []
      : [
          `Not yet verified live, no live run has confirmed Hitch there: ${unverified.map(({ title }) => title).join(', ')}.`,
        ]),
    ...problems,
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
