/** RunPod's catalogue as offers: pods of one machine, and clusters of several that reach each other, rented as one. */
import { formatMicroUsd, type MicroUsd, type Offer } from '@hitch/contract';
import { shortGpuName } from '../../machines/gpu-name.ts';
import { microUsdOf } from '../http/dollars.ts';
import type { CreateRequest } from '../provider.ts';
import type { GpuType } from './shapes.ts';

export const ID = 'runpod';

/** What of its catalogue is asked for: stock differs by each of these. */
export interface Shelf {
  readonly product: 'POD' | 'CLUSTER';
  readonly cloud: 'SECURE' | 'COMMUNITY';
  /** GPUs of one machine. */
  readonly count: number;
}

/** Clusters are in its secure cloud alone, and worth their price with whole machines. */
export const SHELVES: readonly Shelf[] = [
  ...(['SECURE', 'COMMUNITY'] as const).flatMap(cloud =>
    [1, 2, 4, 8].map(count => ({ product: 'POD', cloud, count }) as const),
  ),
  { product: 'CLUSTER', cloud: 'SECURE', count: 8 },
];

/** Container disk: $0.10 a GB and month, by its pricing page. */
export const DISK_PER_GIB_HOUR: MicroUsd = microUsdOf(0.1 / 720);
const PLAIN_DISK_GIB = 50;
/** `podCount` of its clusters, by `ClusterCompute` of its OpenAPI. */
const FEWEST_PODS = 2;
const MOST_PODS = 250;

/** It says how much there is in words alone: no more is relied on than any of them promises. */
const MACHINES: Readonly<Record<string, number>> = { LOW: 1, MEDIUM: 2, HIGH: 4 };
const CLUSTER_MACHINES: Readonly<Record<string, number>> = { LOW: 2, MEDIUM: 4, HIGH: 8 };

/** What an offer's id stands for. */
export interface OfferKey extends Shelf {
  readonly gpuId: string;
}

/** Such as `runpod:pod.secure.1.NVIDIA+H100+PCIe`. */
export const offerId = ({ product, cloud, count, gpuId }: OfferKey): string =>
  `${ID}:${product.toLowerCase()}.${cloud.toLowerCase()}.${count.toString()}.${encodeURIComponent(gpuId).replaceAll('%20', '+')}`;

export function offersOf(shelf: Shelf, types: readonly GpuType[], nowMs: number): readonly Offer[] {
  return types.flatMap(type => {
    const offer = offerOf(shelf, type, nowMs);
    return offer === null ? [] : [offer];
  });
}

function offerOf(shelf: Shelf, type: GpuType, nowMs: number): Offer | null {
  const { product, cloud, count } = shelf;
  const key = cloud === 'SECURE' ? 'secure' : 'community';
  const each = type.price[key] ?? 0;
  const isCluster = product === 'CLUSTER';
  const stock = (isCluster ? CLUSTER_MACHINES : MACHINES)[type.availability ?? ''] ?? 0;
  if (!type[key] || each <= 0 || (type.maxCount[key] ?? 0) < count || stock === 0) {
    return null;
  }
  const parts = [
    { label: 'GPU', perHourMicroUsd: formatMicroUsd(microUsdOf(each) * BigInt(count)) },
    { label: 'disk', perHourMicroUsd: formatMicroUsd(DISK_PER_GIB_HOUR * BigInt(PLAIN_DISK_GIB)) },
  ];
  return {
    id: offerId({ ...shelf, gpuId: type.id }),
    provider: ID,
    practice: false,
    gpuModel: shortGpuName(type.name),
    gpuCount: count,
    vramMiB: Math.round(type.memory * 1024),
    pricePerHourMicroUsd: formatMicroUsd(
      microUsdOf(each) * BigInt(count) + DISK_PER_GIB_HOUR * BigInt(PLAIN_DISK_GIB),
    ),
    priceParts: parts,
    nonRefundableMicroUsd: '0',
    // Its list prices are not what an account with a discount, or a cluster, pays in the end.
    basis: 'estimate',
    takes: {
      image: true,
      disk: { minGiB: 10, maxGiB: 2000, perGiBHourMicroUsd: formatMicroUsd(DISK_PER_GIB_HOUR) },
    },
    country: null,
    region: null,
    supplier: null,
    kind: 'container',
    market: 'on_demand',
    trust: cloud === 'SECURE' ? 'data_center' : 'community',
    reliability: null,
    connectivity: null,
    security: 'standard',
    // Its catalogue says nothing of processors and memory.
    cpuCores: 0,
    ramMiB: 0,
    diskGiB: PLAIN_DISK_GIB,
    downMbps: null,
    upMbps: null,
    // Its machines differ, and a pod may get any of them: only the oldest is a promise.
    cudaMax: oldest(type.cudaVersions?.map(({ version }) => version ?? '') ?? []),
    endsBillingAlone: false,
    multiNode: isCluster,
    ...(isCluster ? { together: { min: FEWEST_PODS, max: MOST_PODS, replaceOne: false } } : {}),
    stock,
    readyInMs: null,
    fetchedAtMs: nowMs,
  };
}

/** As numbers: 12.2 is older than 12.11. */
function oldest(versions: readonly string[]): string | null {
  const numbers = versions.flatMap(version => {
    const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? [];
    return major === undefined || minor === undefined ? [] : [[Number(major), Number(minor)] as const];
  });
  const [first] = numbers.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
  return first === undefined ? null : first.map(String).join('.');
}

/** @returns null for an id that this adapter did not make. */
export function keyOf(id: string): OfferKey | null {
  const [, product = '', cloud = '', count = '', gpuId = ''] =
    /^runpod:(pod|cluster)\.(secure|community)\.(\d+)\.(.+)$/.exec(id) ?? [];
  return gpuId === ''
    ? null
    : {
        product: product === 'cluster' ? 'CLUSTER' : 'POD',
        cloud: cloud === 'secure' ? 'SECURE' : 'COMMUNITY',
        count: Number(count),
        gpuId: decodeURIComponent(gpuId.replaceAll('+', '%20')),
      };
}

/** The official image honours `PUBLIC_KEY`, and carries torch. */
const PLAIN_IMAGE = 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404';

/** What a pod and the pods of a cluster are made of alike. */
export function containerOf({ ref, terms, letIn }: CreateRequest): Record<string, unknown> {
  return {
    name: ref,
    image: terms.image ?? PLAIN_IMAGE,
    disk: terms.diskGiB,
    ports: ['22/tcp'],
    env: {
      ...(letIn === null ? {} : { PUBLIC_KEY: letIn.publicKey }),
      ...(letIn === null || letIn.proof === null ? {} : { HITCH_PROOF: letIn.proof }),
    },
    startSsh: true,
  };
}
