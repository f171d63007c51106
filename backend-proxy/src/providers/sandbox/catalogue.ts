/** What the practice market sells: several hundred offers made from a seed, the same ones every time. */
import type { Offer } from '@hitch/contract';
import { type Random, pick, randomInt, seededRandom } from '@hitch/platform/src/random.ts';

interface GpuModel {
  readonly name: string;
  readonly vramMiB: number;
  /** Middle price of one for an hour, micro-USD. */
  readonly perHour: number;
  readonly counts: readonly number[];
  readonly dataCenterOnly: boolean;
  readonly cuda: boolean;
}

const gpu = (
  name: string,
  vramGiB: number,
  perHour: number,
  counts: readonly number[],
  options: { dataCenterOnly?: boolean; cuda?: boolean } = {},
): GpuModel => ({
  name,
  vramMiB: vramGiB * 1024,
  perHour,
  counts,
  dataCenterOnly: options.dataCenterOnly ?? false,
  cuda: options.cuda ?? true,
});

const SMALL = [1, 1, 1, 1, 2, 2, 4] as const;
const LARGE = [1, 1, 2, 4, 8, 8] as const;

const MODELS: readonly GpuModel[] = [
  gpu('RTX 3060', 12, 70_000, SMALL),
  gpu('RTX 3070', 8, 80_000, SMALL),
  gpu('RTX 3080', 10, 110_000, SMALL),
  gpu('RTX 3090', 24, 190_000, [1, 1, 1, 2, 4, 8]),
  gpu('RTX 4060 Ti', 16, 110_000, SMALL),
  gpu('RTX 4070', 12, 130_000, SMALL),
  gpu('RTX 4080', 16, 220_000, SMALL),
  gpu('RTX 4090', 24, 360_000, [1, 1, 1, 2, 4, 8]),
  gpu('RTX 5080', 16, 300_000, SMALL),
  gpu('RTX 5090', 32, 560_000, [1, 1, 2, 4, 8]),
  gpu('RTX A4000', 16, 120_000, SMALL),
  gpu('RTX A5000', 24, 230_000, SMALL),
  gpu('RTX A6000', 48, 460_000, [1, 1, 2, 4, 8]),
  gpu('L4', 24, 420_000, SMALL, { dataCenterOnly: true }),
  gpu('L40S', 48, 790_000, LARGE, { dataCenterOnly: true }),
  gpu('A100 40GB', 40, 1_050_000, LARGE, { dataCenterOnly: true }),
  gpu('A100 80GB', 80, 1_390_000, LARGE, { dataCenterOnly: true }),
  gpu('H100 PCIe', 80, 2_190_000, LARGE, { dataCenterOnly: true }),
  gpu('H100 SXM', 80, 2_690_000, [1, 2, 4, 8, 8], { dataCenterOnly: true }),
  gpu('H200', 141, 3_390_000, [1, 2, 4, 8, 8], { dataCenterOnly: true }),
  gpu('B200', 180, 5_490_000, [1, 4, 8, 8], { dataCenterOnly: true }),
  gpu('MI300X', 192, 2_290_000, [1, 2, 8, 8], { dataCenterOnly: true, cuda: false }),
];

const PLACES: readonly (readonly [country: string, region: string])[] = [
  ['US', 'us-east'],
  ['US', 'us-west'],
  ['US', 'us-central'],
  ['CA', 'ca-east'],
  ['MX', 'mx-central'],
  ['BR', 'sa-east'],
  ['CL', 'sa-west'],
  ['GB', 'eu-west'],
  ['IE', 'eu-west'],
  ['FR', 'eu-west'],
  ['ES', 'eu-south'],
  ['PT', 'eu-south'],
  ['IT', 'eu-south'],
  ['DE', 'eu-central'],
  ['NL', 'eu-central'],
  ['CH', 'eu-central'],
  ['AT', 'eu-central'],
  ['CZ', 'eu-east'],
  ['PL', 'eu-east'],
  ['RO', 'eu-east'],
  ['BG', 'eu-east'],
  ['SE', 'eu-north'],
  ['NO', 'eu-north'],
  ['FI', 'eu-north'],
  ['IS', 'eu-north'],
  ['IN', 'ap-south'],
  ['SG', 'ap-southeast'],
  ['JP', 'ap-northeast'],
  ['KR', 'ap-northeast'],
  ['AU', 'ap-southeast'],
  ['ZA', 'af-south'],
];

const DATA_CENTERS = ['Aurora Halls', 'Basalt Racks', 'Cirrus Yard', 'Delta Foundry', 'Ember Grid'] as const;
const HOSTS = [
  'anvil',
  'birch',
  'cobalt',
  'dune',
  'elm',
  'fjord',
  'garnet',
  'harbor',
  'iris',
  'juniper',
] as const;

/** One thing on the shelf: what never changes about it. Price and stock are functions of it and the minute. */
export interface CatalogueEntry {
  /** The market's own id, such as `rtx-4090-017`. */
  readonly id: string;
  /** Place in the catalogue; seeds the entry's price and stock walks. */
  readonly index: number;
  readonly gpuMicroUsd: number;
  readonly diskMicroUsd: number;
  readonly feeBasisPoints: number;
  readonly fullStock: number;
  /** For so long it costs in any case. */
  readonly minimumMs: number;
  readonly fixed: Omit<
    Offer,
    | 'id'
    | 'pricePerHourMicroUsd'
    | 'priceParts'
    | 'stock'
    | 'fetchedAtMs'
    | 'nonRefundableMicroUsd'
    | 'floorMicroUsd'
  >;
}

const slug = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

/** The offers of seed `seed`: `perModel` of each GPU model and as many again without a GPU. */
export function buildCatalogue(seed: number, perModel = 20): readonly CatalogueEntry[] {
  const random = seededRandom(seed);
  const entries: CatalogueEntry[] = [];
  for (const model of [...MODELS, null]) {
    for (let number = 1; number <= perModel; number++) {
      const name = model === null ? 'cpu' : slug(model.name);
      entries.push(entry(random, model, `${name}-${number.toString().padStart(3, '0')}`, entries.length));
    }
  }
  return entries;
}

/** Where the machine stands and who stands behind it. */
function supply(random: Random, dataCenterOnly: boolean) {
  const dataCenter = dataCenterOnly || random.next() < 0.35;
  const trust = dataCenter ? 'data_center' : random.next() < 0.6 ? 'verified' : 'community';
  const kindDraw = random.next();
  const kind = dataCenter
    ? kindDraw < 0.55
      ? 'vm'
      : kindDraw < 0.85
        ? 'container'
        : 'bare_metal'
    : kindDraw < 0.25
      ? 'vm'
      : 'container';
  const securityDraw = random.next();
  const security = !dataCenter
    ? 'standard'
    : securityDraw < 0.5
      ? 'soc2'
      : securityDraw < 0.65
        ? 'confidential'
        : 'standard';
  const [country, region] = pick(random, PLACES);
  const supplier = dataCenter
    ? pick(random, DATA_CENTERS)
    : `${pick(random, HOSTS)}-${randomInt(random, 10, 99).toString()}`;
  const reliability = trust === 'community' ? 0.9 + random.next() * 0.095 : 0.97 + random.next() * 0.0299;
  return { dataCenter, trust, kind, security, country, region, supplier, reliability } as const;
}

/** Some data centres sell their GPUs by the first hour: it is paid whatever becomes of it. */
function minimumOf(
  model: GpuModel | null,
  { dataCenter, kind }: ReturnType<typeof supply>,
  index: number,
): number {
  return model !== null && dataCenter && kind === 'vm' && index % 2 === 0 ? 3_600_000 : 0;
}

/** A GiB of disk for an hour. */
const DISK_GIB_MICRO_USD = 45;

/** A container's disk and image are chosen when it is made; who sells what may be taken back lets people bid for it. */
function takesOf(
  kind: string,
  isSpot: boolean,
  { diskGiB, gpuMicroUsd }: { readonly diskGiB: number; readonly gpuMicroUsd: number },
): Pick<Offer, 'takes'> {
  const disk = { minGiB: 10, maxGiB: 4 * diskGiB, perGiBHourMicroUsd: DISK_GIB_MICRO_USD.toString() };
  const takes = {
    ...(kind === 'container' ? { disk, image: true } : {}),
    ...(isSpot ? { bid: { leastPerHourMicroUsd: Math.round(gpuMicroUsd / 2).toString() } } : {}),
  };
  return kind === 'container' || isSpot ? { takes } : {};
}

function entry(random: Random, model: GpuModel | null, id: string, index: number): CatalogueEntry {
  const count = model === null ? 0 : pick(random, model.counts);
  const place = supply(random, model?.dataCenterOnly ?? false);
  const spot = random.next() < 0.3;
  const cpuCores = model === null ? pick(random, [2, 4, 8, 16, 32]) : count * pick(random, [4, 8, 12, 16]);
  const ramMiB = cpuCores * pick(random, [2, 4, 8]) * 1024;
  const diskGiB = pick(random, [50, 100, 200, 500, 1000, 2000]);
  const downMbps = pick(random, place.dataCenter ? [1000, 2500, 10_000, 25_000] : [100, 300, 500, 900, 1000]);
  const spread = (place.dataCenter ? 1.1 : 0.8) + random.next() * 0.3;
  const machine = model === null ? cpuCores * 9_000 : model.perHour * count;
  const gpuMicroUsd = Math.max(1_000, Math.round(machine * spread * (spot ? 0.55 : 1)));
  return {
    id,
    index,
    gpuMicroUsd,
    diskMicroUsd: diskGiB * DISK_GIB_MICRO_USD,
    feeBasisPoints: pick(random, [0, 300, 500, 1000]),
    fullStock: randomInt(random, 1, place.dataCenter ? 12 : 3),
    minimumMs: minimumOf(model, place, index),
    fixed: {
      provider: 'sandbox',
      practice: true,
      gpuModel: model?.name ?? null,
      gpuCount: count,
      vramMiB: model?.vramMiB ?? 0,
      country: place.country,
      region: place.region,
      supplier: place.supplier,
      kind: place.kind,
      market: spot ? 'spot' : 'on_demand',
      trust: place.trust,
      reliability: Math.round(place.reliability * 10_000) / 10_000,
      connectivity:
        downMbps >= 10_000 ? 'ultra_high' : downMbps >= 1000 ? 'high' : downMbps >= 300 ? 'medium' : 'low',
      security: place.security,
      cpuCores,
      ramMiB,
      diskGiB,
      downMbps,
      upMbps: Math.round(downMbps * pick(random, [0.3, 0.5, 1])),
      cudaMax: model?.cuda === true ? pick(random, ['12.4', '12.6', '12.8', '13.0']) : null,
      endsBillingAlone: random.next() < 0.5,
      multiNode: place.kind !== 'container',
      ...takesOf(place.kind, spot, { diskGiB, gpuMicroUsd }),
      readyInMs: (place.kind === 'container' ? 10 : 20) * 1000 + randomInt(random, 0, 20) * 1000,
    },
  };
}
