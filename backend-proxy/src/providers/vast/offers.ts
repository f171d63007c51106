/** What Vast.ai offers, in Hitch's words. */
import type { Offer } from '@hitch/contract';
import { microUsdOf } from '../http/dollars.ts';
import { type OfferRow, offerRowSchema } from './shapes.ts';

/** Of every offer, where nobody asks for another. */
const DISK_GIB = 50;
/** Vast.ai rents none that is smaller. Source: `x-input-validation` of `PUT /api/v0/asks/{id}/` in its API reference. */
const LEAST_DISK_GIB = 8;
/** What is offered for less is over before anything was done. */
const SHORTEST_S = 3600;
/** More than there are; gpuhunt asks for as many (`providers/vastai.py`, `make_filters`). */
const MOST_OFFERS = 3000;
const HOURS_A_MONTH = 30n * 24n;

export const SEARCH = {
  rentable: { eq: true },
  rented: { eq: false },
  external: { eq: false },
  duration: { gte: SHORTEST_S },
  disk_space: { gte: LEAST_DISK_GIB },
  order: [['dph_total', 'asc']],
  type: 'on-demand',
  allocated_storage: DISK_GIB,
  limit: MOST_OFFERS,
};

interface ReadOffers {
  readonly offers: readonly Offer[];
  /** What was left out, and why, a sentence; null: nothing. */
  readonly leftOut: string | null;
}

/** Every row is an offer on demand, and where it takes bids one of these too. */
export function readOffers(rows: readonly unknown[], nowMs: number): ReadOffers {
  const offers = new Map<string, Offer>();
  const left = new Map<string, number>();
  for (const raw of rows) {
    const read = offerRowSchema.safeParse(raw);
    const why = read.success ? whyNot(read.data) : 'were not understood';
    if (!read.success || why !== null) {
      left.set(why ?? '', (left.get(why ?? '') ?? 0) + 1);
      continue;
    }
    for (const offer of offersOf(read.data, nowMs)) {
      offers.set(offer.id, offer);
    }
  }
  return { offers: [...offers.values()], leftOut: leftOutSentence(left, rows.length) };
}

/** Why a row is no offer; null: it is one. Filters of a search are not always kept to, so that they are looked at again. */
function whyNot(row: OfferRow): string | null {
  const { rentable, rented, external, duration, disk_space: disk } = row;
  if (rentable === false || rented === true || external === true) {
    return 'cannot be rented now';
  }
  if (typeof duration === 'number' && duration < SHORTEST_S) {
    return 'end within the hour';
  }
  if (disk < LEAST_DISK_GIB) {
    return `have less than ${LEAST_DISK_GIB.toString()} GB of disk`;
  }
  return sliceOf(row) === null ? 'do not say how much of the machine’s CPU and memory comes with them' : null;
}

function leftOutSentence(left: ReadonlyMap<string, number>, rows: number): string | null {
  const parts = [
    ...[...left].map(([why, count]) => `${count.toString()} that ${why}`),
    ...(rows >= MOST_OFFERS ? [`all but the ${MOST_OFFERS.toString()} cheapest`] : []),
  ];
  return parts.length === 0 ? null : `Offers of Vast.ai are left out: ${parts.join(', ')}.`;
}

/**
 * A rented part of a machine has as much of its memory as it has of its cores; a part of a core is none. Null where that
 * comes to nothing or is not said. Source: gpuhunt `providers/vastai.py`, `VastAIProvider.get`.
 */
function sliceOf({
  cpu_cores: all,
  cpu_cores_effective: part,
  cpu_ram: ram,
}: OfferRow): { readonly cpuCores: number; readonly ramMiB: number } | null {
  const cpuCores = Math.floor(part ?? 0);
  if (typeof all !== 'number' || all <= 0 || cpuCores < 1) {
    return null;
  }
  const ramMiB = Math.floor(((ram ?? 0) * (part ?? 0)) / all);
  return ramMiB > 0 ? { cpuCores, ramMiB } : null;
}

function* offersOf(row: OfferRow, nowMs: number): Iterable<Offer> {
  const base = baseOf(row, nowMs);
  yield priced(row, { ...base, id: `vast:${row.id}`, market: 'on_demand' }, row.dph_base);
  if (row.min_bid !== null && row.min_bid !== undefined && row.min_bid > 0n) {
    yield priced(row, { ...base, id: `vast:${row.id}:bid`, market: 'spot' }, row.min_bid);
  }
}

/** The number of the network's own offer. */
export const askOf = (offerId: string): string => offerId.split(':')[1] ?? '';

type Unpriced = Omit<Offer, 'pricePerHourMicroUsd' | 'priceParts' | 'takes' | 'diskGiB'>;

/**
 * The disk is charged by the GB. A price of a GB is rounded up, and with it the price of a disk of any size, so that one
 * of another size costs what is said of it and never more.
 */
function priced(row: OfferRow, offer: Unpriced, machineMicroUsd: bigint): Offer {
  const maxGiB = Math.floor(row.disk_space);
  const diskGiB = Math.min(DISK_GIB, maxGiB);
  const perGiB = microUsdOf(row.storage_cost, { times: 1n, over: HOURS_A_MONTH });
  const disk = perGiB * BigInt(diskGiB);
  const price = (machineMicroUsd + disk).toString();
  return {
    ...offer,
    diskGiB,
    pricePerHourMicroUsd: price,
    priceParts: [
      { label: MACHINE, perHourMicroUsd: machineMicroUsd.toString() },
      { label: 'disk', perHourMicroUsd: disk.toString() },
    ],
    takes: {
      disk: { minGiB: LEAST_DISK_GIB, maxGiB, perGiBHourMicroUsd: perGiB.toString() },
      image: true,
      ...(offer.market === 'spot' ? { bid: { leastPerHourMicroUsd: price } } : {}),
    },
  };
}

export const MACHINE = 'GPU';

function baseOf(row: OfferRow, nowMs: number): Omit<Unpriced, 'id' | 'market'> {
  const { cpuCores, ramMiB } = sliceOf(row) ?? { cpuCores: 0, ramMiB: 0 };
  return {
    provider: 'vast',
    practice: false,
    gpuModel: modelOf(row),
    gpuCount: row.num_gpus,
    vramMiB: Math.max(0, Math.round(row.gpu_ram ?? 0)),
    nonRefundableMicroUsd: '0',
    ...placeOf(row.geolocation ?? ''),
    supplier: row.host_id === null || row.host_id === undefined ? null : `host ${row.host_id}`,
    kind: 'container',
    trust: trustOf(row),
    reliability: shareOf(row.reliability2 ?? row.reliability),
    connectivity: null,
    security: 'standard',
    cpuCores,
    ramMiB,
    downMbps: wholeOf(row.inet_down),
    upMbps: wholeOf(row.inet_up),
    cudaMax: cudaOf(row.cuda_max_good),
    ...moreOf(row),
    wayIn: 'ssh',
    endsBillingAlone: false,
    multiNode: false,
    ...(row.machine_id === null || row.machine_id === undefined ? {} : { hostId: row.machine_id }),
    stock: 1,
    readyInMs: null,
    fetchedAtMs: nowMs,
  };
}

/** What helps to choose, where it says so. */
function moreOf(row: OfferRow): Pick<Offer, 'driver' | 'nvlink' | 'arch' | 'traffic'> {
  const { driver_version: driver, bw_nvlink: nvlink, cpu_arch: arch } = row;
  const { inet_down_cost: down, inet_up_cost: up } = row;
  const known = ARCHES[arch ?? ''];
  return {
    ...(driver ? { driver } : {}),
    ...(nvlink === null || nvlink === undefined ? {} : { nvlink: nvlink > 0 }),
    ...(known === undefined ? {} : { arch: known }),
    ...(down === null || down === undefined || up === null || up === undefined
      ? {}
      : { traffic: { downPerGBMicroUsd: down.toString(), upPerGBMicroUsd: up.toString() } }),
  };
}

const ARCHES: Readonly<Record<string, Offer['arch']>> = {
  amd64: 'x86_64',
  x86_64: 'x86_64',
  arm64: 'arm64',
  aarch64: 'arm64',
};

export const modelOf = ({
  num_gpus: count,
  gpu_name: name,
}: {
  readonly num_gpus?: number | null | undefined;
  readonly gpu_name?: string | null | undefined;
}): string | null => (count === 0 ? null : (name?.trim() ?? null));

/**
 * `hosting_type` 1 and above is a data centre, as SkyPilot asks for it (`provision/vast/utils.py`, `launch`); it counts as
 * one once the network has verified the machine.
 */
export function trustOf({
  verification,
  hosting_type: hosting,
}: {
  readonly verification?: string | null | undefined;
  readonly hosting_type?: number | null | undefined;
}): Offer['trust'] {
  if (verification !== 'verified') {
    return 'community';
  }
  return (hosting ?? 0) >= 1 ? 'data_center' : 'verified';
}

/** Such as `Washington, US`; hosts write as much before the country as they like. */
function placeOf(said: string): Pick<Offer, 'country' | 'region'> {
  const match = /^(?:(.*?)[,\s]+)?([A-Za-z]{2})\s*$/.exec(said.trim());
  const region = (match === null ? said : (match[1] ?? '')).trim();
  return { country: match?.[2]?.toUpperCase() ?? null, region: region === '' ? null : region };
}

const shareOf = (share: number | null | undefined): number | null =>
  typeof share === 'number' ? Math.min(1, Math.max(0, share)) : null;

const wholeOf = (amount: number | null | undefined): number | null =>
  typeof amount === 'number' && amount >= 0 ? Math.floor(amount) : null;

/** `12.8`, which is written as a number, so that 12.0 comes as 12. */
function cudaOf(said: number | string | null | undefined): string | null {
  const version = Number(said ?? 0);
  return Number.isFinite(version) && version > 0 ? version.toFixed(1) : null;
}
