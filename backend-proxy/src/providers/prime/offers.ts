/** What Prime Intellect says is available, as offers. It sells other clouds' machines, each as that cloud has it. */
import { cutText, formatMicroUsd, type MicroUsd, type Offer } from '@hitch/contract';
import { microUsdOf } from '../http/dollars.ts';
import { type CreateRequest, ProviderError } from '../provider.ts';
import { type Availability, availabilitySchema, type Resource } from './shapes.ts';

export const ID = 'prime';
const HOUR_MS = 3_600_000n;
/** A system with CUDA's driver and nothing installed that is not asked for. */
const PLAIN_IMAGE = 'ubuntu_22_cuda_12';
/** Neither is a system by itself. */
const NO_SYSTEM = /^(custom_template|stable_diffusion|axolotl|bittensor|vllm|prime_rl|llama|flux)/;

/** It says how much there is in words alone: no more is relied on than any of them promises. */
const MACHINES: Readonly<Record<string, number>> = { low: 1, medium: 2, high: 4, available: 4 };

/** `ip` and `sshConnection` of a pod are lists with one for each machine (`api/pods.py`, `Pod`); there is no other address in it. */
const TOGETHER =
  'Of several machines in one purchase Prime Intellect says where each is on the internet, and nothing of a network between them, so Hitch cannot make a cluster of them.';

/** What of an offer is sent back to buy it; all of it has to come from one row (`commands/pods.py`, `create`). */
const KEY = [
  'provider',
  'gpuType',
  'socket',
  'gpuCount',
  'dataCenter',
  'cloudId',
  'security',
  'market',
  'vcpus',
  'memory',
  'image',
] as const;
type OfferKey = Readonly<Record<(typeof KEY)[number], string>>;

/** Each offer once, the cheapest of those that are sent back alike. */
export function readOffers(
  rows: { readonly single: readonly unknown[]; readonly together: readonly unknown[] },
  nowMs: number,
): { readonly offers: readonly Offer[]; readonly leftOut: string | null } {
  const offers = new Map<string, Offer>();
  const odd = new Set<string>();
  for (const [kind, row] of [
    ...rows.single.map(each => ['one', each] as const),
    ...rows.together.map(each => ['several', each] as const),
  ]) {
    const read = availabilitySchema.safeParse(row);
    const offer = read.success ? offerOf(read.data, kind, nowMs) : null;
    if (!read.success) {
      odd.add(nameOf(row));
    } else if (offer !== null) {
      const before = offers.get(offer.id);
      const isCheaper =
        before === undefined || BigInt(offer.pricePerHourMicroUsd) < BigInt(before.pricePerHourMicroUsd);
      if (isCheaper) {
        offers.set(offer.id, offer);
      }
    }
  }
  return {
    offers: [...offers.values()],
    leftOut:
      odd.size === 0
        ? null
        : `Offers of Prime Intellect are left out, since what it says of them is not understood: ${[...odd].slice(0, 5).join(', ')}${odd.size > 5 ? ` and ${(odd.size - 5).toString()} others` : ''}.`,
  };
}

function nameOf(row: unknown): string {
  const named = availabilitySchema.pick({ cloudId: true }).safeParse(row);
  return named.success ? cutText(named.data.cloudId, 60) : 'one without a name';
}

function offerOf(row: Availability, kind: 'one' | 'several', nowMs: number): Offer | null {
  const price = row.prices.communityPrice ?? row.prices.onDemand;
  const stock = MACHINES[row.stockStatus.toLowerCase()] ?? 0;
  const { currency } = row.prices;
  if (price === null || price <= 0 || stock === 0 || (currency !== null && currency !== 'USD')) {
    return null;
  }
  const parts = partsOf(row, price);
  const all = parts.reduce((sum, { perHour }) => sum + perHour, 0n);
  const floor = (all * BigInt(Math.round((row.prepaidTime ?? 0) * 3600)) * 1000n) / HOUR_MS;
  const { vcpu, memory, disk, country } = row;
  return {
    id: idOf(row, kind),
    provider: ID,
    practice: false,
    gpuModel: row.gpuCount === 0 || row.gpuType === 'CPU_NODE' ? null : gpuName(row.gpuType),
    gpuCount: row.gpuType === 'CPU_NODE' ? 0 : row.gpuCount,
    vramMiB: Math.round(row.gpuMemory * 1024),
    pricePerHourMicroUsd: formatMicroUsd(all),
    priceParts: parts.map(({ label, perHour }) => ({ label, perHourMicroUsd: formatMicroUsd(perHour) })),
    nonRefundableMicroUsd: '0',
    ...(floor === 0n ? {} : { floorMicroUsd: formatMicroUsd(floor), dueNowMicroUsd: formatMicroUsd(floor) }),
    // What a machine costs, it says once it is there.
    basis: 'estimate',
    ...takesOf(disk),
    country: country !== null && /^[A-Z]{2}$/.test(country) ? country : null,
    region: row.dataCenter ?? row.region,
    supplier: row.provider,
    // Some of the clouds behind it rent containers, some virtual machines; it does not say which.
    kind: 'container',
    market: row.isSpot === true ? 'spot' : 'on_demand',
    trust: row.security === 'community_cloud' ? 'community' : 'data_center',
    reliability: null,
    connectivity: null,
    security: 'standard',
    cpuCores: vcpu.defaultCount ?? 0,
    ramMiB: Math.round((memory.defaultCount ?? 0) * 1024),
    diskGiB: Math.floor(sizeOf(disk)),
    downMbps: row.internetSpeed === null ? null : Math.round(row.internetSpeed),
    upMbps: null,
    cudaMax: null,
    wayIn: 'ssh',
    endsBillingAlone: false,
    multiNode: false,
    ...(kind === 'several' ? { notRentable: TOGETHER } : {}),
    stock,
    readyInMs: null,
    fetchedAtMs: nowMs,
  };
}

const sizeOf = ({ defaultCount, minCount }: Resource): number => defaultCount ?? minCount ?? 0;

/** The machine, and what is charged beside it of each that comes along. */
function partsOf({ disk, vcpu, memory }: Availability, price: number) {
  const beside = [
    { label: 'Disk', of: disk },
    { label: 'CPU', of: vcpu },
    { label: 'Memory', of: memory },
  ].flatMap(({ label, of }) => {
    const { pricePerUnit, defaultIncludedInPrice } = of;
    const perHour = pricePerUnit === null ? 0n : timesOf(pricePerUnit, Math.floor(sizeOf(of)));
    return defaultIncludedInPrice === true || perHour === 0n ? [] : [{ label, perHour }];
  });
  return [{ label: 'GPU', perHour: microUsdOf(price) }, ...beside];
}

const timesOf = (each: number, count: number): MicroUsd =>
  microUsdOf(each, { times: BigInt(count), over: 1n });

/** Another disk, where it names sizes and a price for them. */
function takesOf(disk: Resource): Pick<Offer, 'takes'> {
  const { minCount, maxCount, pricePerUnit, step, defaultIncludedInPrice } = disk;
  const plain = Math.floor(sizeOf(disk));
  // What is in the price is there whatever smaller size is asked for.
  const minGiB = defaultIncludedInPrice === true ? plain : Math.ceil(minCount ?? plain);
  const maxGiB = Math.floor(maxCount ?? 0);
  return minGiB < 1 || maxGiB <= minGiB || pricePerUnit === null || (step !== null && step !== 1)
    ? {}
    : { takes: { disk: { minGiB, maxGiB, perGiBHourMicroUsd: formatMicroUsd(microUsdOf(pricePerUnit)) } } };
}

/** `A100_80GB` is an A100, `RTX4090_24GB` an RTX 4090. */
/** As people call it. */
export function gpuName(type: string): string {
  return type
    .replace(/_\d+GB$/, '')
    .replaceAll('_', ' ')
    .replace(/^(RTX|GTX)(?=\d)/, '$1 ');
}

/** Such as `prime:one/runpod/A100_80GB/PCIe/1/US-KS-2/NVIDIA+A100+80GB+PCIe/secure_cloud/on_demand/14/125/ubuntu_22_cuda_12`. */
function idOf(row: Availability, kind: 'one' | 'several'): string {
  const { provider, gpuType, socket, gpuCount, dataCenter, cloudId, security, vcpu, memory } = row;
  const key: OfferKey = {
    provider: provider ?? '',
    gpuType,
    socket: socket ?? '',
    gpuCount: gpuCount.toString(),
    dataCenter: dataCenter ?? '',
    cloudId,
    security: security ?? '',
    market: row.isSpot === true ? 'spot' : 'on_demand',
    vcpus: vcpu.defaultCount?.toString() ?? '',
    memory: memory.defaultCount?.toString() ?? '',
    image: imageOf(row.images ?? []) ?? '',
  };
  const words = KEY.map(name => encodeURIComponent(key[name]).replaceAll('%20', '+'));
  return `${ID}:${[kind, ...words].join('/')}`;
}

/** The plain one, else the first that is a system; null: it names none, and takes its own. */
const imageOf = (images: readonly string[]): string | null =>
  images.includes(PLAIN_IMAGE) ? PLAIN_IMAGE : (images.find(image => !NO_SYSTEM.test(image)) ?? null);

/**
 * The body of `POST /pods`, as `prime` 0.18.0 makes it (`commands/pods.py`, `create`).
 * @throws ProviderError `permanent` for an offer that is none of Prime Intellect's.
 */
export function orderOf({ ref, offer, terms }: CreateRequest): object {
  const [kind, ...words] = offer.id.slice(ID.length + 1).split('/');
  const [provider, gpuType, socket, gpuCount, dataCenter, cloudId, , , vcpus, memory, image] = words.map(
    word => decodeURIComponent(word.replaceAll('+', '%20')),
  );
  if (!offer.id.startsWith(`${ID}:`) || kind !== 'one' || words.length !== KEY.length) {
    throw new ProviderError('permanent', `${cutText(offer.id, 80)} is nothing that Prime Intellect rents.`);
  }
  const orNull = (text: string | undefined): string | null =>
    text === undefined || text === '' ? null : text;
  const numberOf = (text: string | undefined): number | null => (orNull(text) === null ? null : Number(text));
  return {
    pod: {
      name: ref,
      cloudId,
      gpuType,
      socket: orNull(socket),
      gpuCount: Number(gpuCount),
      diskSize: terms.diskGiB === 0 ? null : terms.diskGiB,
      vcpus: numberOf(vcpus),
      memory: numberOf(memory),
      image: orNull(image),
      dataCenterId: orNull(dataCenter),
      maxPrice: null,
      country: null,
      security: null,
      jupyterPassword: null,
      autoRestart: false,
      customTemplateId: null,
      // Some of the clouds behind it take none (`create` leaves those out), so nothing can prove a host key.
      envVars: [],
    },
    provider: orNull(provider) === null ? {} : { type: provider },
    disks: null,
    team: null,
  };
}
