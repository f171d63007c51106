/** Offers for tests, any number, the same ones every time, and a daemon's answer made of them. */
import type { Offer, OfferFilter, OfferPage, OfferQuery, ProviderInfo } from '@hitch/contract';

const MODELS: readonly (readonly [name: string, vramGiB: number, perHourMicroUsd: number])[] = [
  ['RTX 3090', 24, 190_000],
  ['RTX 4090', 24, 360_000],
  ['RTX 5090', 32, 560_000],
  ['RTX A6000', 48, 460_000],
  ['L40S', 48, 790_000],
  ['A100 80GB', 80, 1_390_000],
  ['H100 SXM', 80, 2_690_000],
  ['RTX 4060 Ti', 16, 110_000],
];
const NETWORKS = ['vast', 'runpod', 'ionet', 'akash'] as const;
const COUNTRIES = ['DE', 'US', 'FR', 'PL', 'SE', 'JP', null] as const;
const TRUSTS = ['data_center', 'verified', 'community'] as const;
export const MOMENT_MS = Date.UTC(2026, 10, 25, 14, 2);

function of<T>(values: readonly T[], index: number): T {
  const value = values.at(index % values.length);
  if (value === undefined) {
    throw new RangeError('there is no such value');
  }
  return value;
}

export function testOffer(index: number, changes: Partial<Offer> = {}): Offer {
  const [gpuModel, vramGiB, base] = of(MODELS, index * 7);
  const gpuCount = of([1, 1, 1, 2, 4, 8], index * 5);
  const spot = index % 5 === 4;
  const gpu = Math.round(base * gpuCount * (0.8 + ((index * 3701) % 4001) / 10_000) * (spot ? 0.5 : 1));
  const provider = of(NETWORKS, index * 3 + Math.floor(index / 8));
  const trust = of(TRUSTS, index * 11);
  return {
    id: `${provider}:${index}`,
    provider,
    practice: false,
    gpuModel,
    gpuCount,
    vramMiB: vramGiB * 1024 - 12,
    pricePerHourMicroUsd: (gpu + 40_000).toString(),
    priceParts: [
      { label: 'GPU', perHourMicroUsd: gpu.toString() },
      { label: 'disk', perHourMicroUsd: '30000' },
      { label: 'fees', perHourMicroUsd: '10000' },
    ],
    nonRefundableMicroUsd: index % 13 === 0 ? '100000' : '0',
    country: of(COUNTRIES, index * 5 + 1),
    region: null,
    supplier: index % 3 === 0 ? 'Basalt Racks' : null,
    kind: of(['container', 'vm', 'bare_metal'], index),
    market: spot ? 'spot' : 'on_demand',
    trust,
    reliability: trust === 'community' ? 0.93 + ((index * 3) % 70) / 1000 : 0.985 + ((index * 7) % 15) / 1000,
    connectivity: null,
    security: index % 17 === 0 ? 'soc2' : 'standard',
    cpuCores: of([8, 16, 32, 64], index),
    ramMiB: of([32, 64, 128, 256], index * 3) * 1024,
    diskGiB: of([80, 200, 512, 2000], index * 3 + 1),
    downMbps: of([150, 600, 940, 5200], index * 7 + 1),
    upMbps: of([40, 300, 900, 5000], index * 7 + 1),
    cudaMax: of(['12.4', '12.8', '13.0'], index),
    endsBillingAlone: provider !== 'vast',
    multiNode: index % 4 === 1,
    stock: 1 + (index % 4),
    readyInMs: index % 9 === 0 ? null : 60_000 * (1 + (index % 6)),
    fetchedAtMs: MOMENT_MS,
    ...changes,
  };
}

export const testOffers = (count: number): Offer[] =>
  Array.from({ length: count }, (_, index) => testOffer(index));

function matches(offer: Offer, filter: OfferFilter): boolean {
  const text =
    `${offer.gpuModel ?? ''} ${offer.provider} ${offer.country ?? ''} ${offer.supplier ?? ''}`.toLowerCase();
  const within = <T>(value: T, wanted: readonly T[] | undefined) => wanted?.includes(value) ?? true;
  const atLeast = (value: number | null, least: number | undefined) =>
    least === undefined || (value === null ? filter.orNotStated === true : value >= least);
  return (
    (filter.text ?? '')
      .toLowerCase()
      .split(/\s+/)
      .every(word => text.includes(word)) &&
    (filter.practice === undefined || offer.practice === (filter.practice === 'only')) &&
    within(offer.market, filter.markets) &&
    within(offer.trust, filter.trusts) &&
    within(offer.kind, filter.kinds) &&
    within(offer.gpuModel ?? '', filter.gpuModels) &&
    atLeast(offer.reliability, filter.minReliability) &&
    atLeast(offer.gpuCount, filter.minGpuCount) &&
    offer.gpuCount <= (filter.maxGpuCount ?? Infinity) &&
    atLeast(offer.vramMiB, filter.minVramMiB) &&
    atLeast(offer.diskGiB, filter.minDiskGiB) &&
    atLeast(offer.downMbps, filter.minDownMbps)
  );
}

const keyOf = (offer: Offer, key: OfferQuery['sort']['key']): number | string => {
  switch (key) {
    case 'gpuModel':
      return offer.gpuModel ?? '';
    case 'reliability':
      return offer.reliability ?? 0;
    case 'ram':
      return offer.ramMiB;
    case 'disk':
      return offer.diskGiB;
    default:
      return Number(offer.pricePerHourMicroUsd);
  }
};

/** What the daemon would answer, for what the tests ask. */
export function answer(offers: readonly Offer[], { filter, sort, offset, limit }: OfferQuery): OfferPage {
  const found = offers
    .filter(offer => matches(offer, filter))
    .sort((a, b) => {
      const [left, right] = [keyOf(a, sort.key), keyOf(b, sort.key)];
      return (left < right ? -1 : left > right ? 1 : 0) * (sort.descending ? -1 : 1);
    });
  return {
    offers: found.slice(offset, offset + limit),
    matched: found.length,
    total: offers.length,
    hint: null,
    sources: NETWORKS.map((provider, index) => ({
      provider,
      count: offers.filter(offer => offer.provider === provider).length,
      fetchedAtMs: MOMENT_MS - (index === 1 ? 3 * 60_000 : 1000),
      problem: null,
    })),
  };
}

const TITLES = { vast: 'Vast.ai', runpod: 'RunPod', ionet: 'io.net', akash: 'Akash' } as const;

export const testProviders: readonly ProviderInfo[] = NETWORKS.map(id => ({
  id,
  title: TITLES[id],
  kind: 'network',
  enabled: true,
  credentials: 'present',
  verifiedLive: false,
  capabilities: {
    refVia: 'label',
    sshKeys: 'perInstance',
    bootSecret: false,
    privateNetwork: false,
    extend: false,
    account: true,
    endsBillingAlone: 'offer',
    visibilityDelayMs: 0,
  },
  offers: 100,
  fetchedAtMs: MOMENT_MS,
  problem: null,
}));
