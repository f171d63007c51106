/**
 * What the simulated Prime Intellect has: rows as `tests/data/availability_response.json` of the client's repository shows
 * them (MIT), of which some fields are here made up, and their pages (`api/availability.py`, `_fetch_paginaged`).
 */
import type { SimAnswer } from '../frame/simulator.ts';

export interface Resource {
  readonly minCount: number | null;
  readonly defaultCount: number | null;
  readonly maxCount: number | null;
  readonly pricePerUnit: number | null;
  readonly step: number | null;
  readonly defaultIncludedInPrice: boolean | null;
  readonly additionalInfo: string | null;
}

export interface PrimeRow {
  readonly cloudId: string;
  readonly gpuType: string;
  readonly socket: string;
  readonly provider: string;
  readonly region: string;
  readonly dataCenter: string;
  readonly country: string;
  readonly gpuCount: number;
  readonly gpuMemory: number;
  readonly disk: Resource;
  readonly vcpu: Resource;
  readonly memory: Resource;
  readonly sharedDisk: Resource;
  readonly internetSpeed: number | null;
  readonly interconnect: number | null;
  readonly interconnectType: string | null;
  readonly provisioningTime: number | null;
  readonly stockStatus: string;
  readonly security: string;
  readonly prices: {
    readonly onDemand: number | null;
    readonly communityPrice: number | null;
    readonly isVariable: boolean | null;
    readonly currency: string;
  };
  readonly images: readonly string[] | null;
  readonly isSpot: boolean | null;
  readonly prepaidTime: number | null;
}

const NOTHING: Resource = {
  minCount: null,
  defaultCount: null,
  maxCount: null,
  pricePerUnit: null,
  step: null,
  defaultIncludedInPrice: null,
  additionalInfo: null,
};
const fixed = (defaultCount: number): Resource => ({ ...NOTHING, defaultCount });

const IMAGES = ['ubuntu_22_cuda_12', 'cuda_12_6_pytorch_2_7', 'vllm_llama_8b', 'custom_template'];

const ROW: PrimeRow = {
  cloudId: 'NVIDIA A100 80GB PCIe',
  gpuType: 'A100_80GB',
  socket: 'PCIe',
  provider: 'runpod',
  region: 'united_states',
  dataCenter: 'US-KS-2',
  country: 'US',
  gpuCount: 1,
  gpuMemory: 80,
  disk: {
    ...NOTHING,
    minCount: 120,
    defaultCount: 120,
    maxCount: 3000,
    pricePerUnit: 0.00014,
    step: 1,
    defaultIncludedInPrice: false,
  },
  vcpu: fixed(14),
  memory: fixed(125),
  sharedDisk: NOTHING,
  internetSpeed: null,
  interconnect: null,
  interconnectType: null,
  provisioningTime: null,
  stockStatus: 'High',
  security: 'secure_cloud',
  prices: { onDemand: 1.6567999999999998, communityPrice: null, isVariable: null, currency: 'USD' },
  images: IMAGES,
  isSpot: null,
  prepaidTime: null,
};

const pricedAt = (onDemand: number) => ({ ...ROW.prices, onDemand });

export const PRIME_ROWS: readonly PrimeRow[] = [
  ROW,
  {
    ...ROW,
    cloudId: 'NVIDIA H100 80GB HBM3',
    gpuType: 'H100_80GB',
    socket: 'SXM5',
    prices: pricedAt(2.99),
    stockStatus: 'Low',
  },
  // The disk that comes along is in the price.
  {
    ...ROW,
    cloudId: 'gpu_1x_l40s',
    gpuType: 'L40S_48GB',
    provider: 'hyperstack',
    dataCenter: 'CANADA-1',
    country: 'CA',
    gpuMemory: 48,
    disk: { ...ROW.disk, minCount: 100, defaultCount: 100, defaultIncludedInPrice: true },
    prices: pricedAt(0.95),
  },
  {
    ...ROW,
    cloudId: 'a100.spot',
    provider: 'datacrunch',
    isSpot: true,
    prices: pricedAt(0.5748),
    dataCenter: 'FIN-02',
    country: 'FI',
  },
  {
    ...ROW,
    cloudId: 'community-4090',
    gpuType: 'RTX4090_24GB',
    provider: 'dc_roan',
    gpuMemory: 24,
    security: 'community_cloud',
    // The disk is what the machine has.
    disk: fixed(250),
    prices: { ...ROW.prices, onDemand: 0.5, communityPrice: 0.31 },
    images: null,
  },
  {
    ...ROW,
    cloudId: 'h100.prepaid',
    provider: 'prime',
    gpuCount: 8,
    prices: pricedAt(15.2),
    prepaidTime: 24,
    dataCenter: 'US-1',
  },
  // Nothing of this is for sale.
  { ...ROW, cloudId: 'sold-out', stockStatus: 'Unavailable' },
];

/** Sold together, by the total of their GPUs. */
export const PRIME_TOGETHER: readonly PrimeRow[] = [
  {
    ...ROW,
    cloudId: 'cluster_16x_h100',
    gpuType: 'H100_80GB',
    socket: 'SXM5',
    provider: 'prime',
    gpuCount: 16,
    prices: pricedAt(40),
  },
];

/** `page` from 1, `page_size`. */
export function availabilityPage(rows: readonly PrimeRow[], query: URLSearchParams): SimAnswer {
  const [page, size] = [Number(query.get('page') ?? 1), Number(query.get('page_size') ?? 100)];
  const begin = (page - 1) * size;
  return { status: 200, body: { items: rows.slice(begin, begin + size), totalCount: rows.length } };
}
