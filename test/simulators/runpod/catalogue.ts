/** What the simulated RunPod has, and its catalogue by `listGpuTypes` of its OpenAPI 2.0.0. */
import type { SimAnswer } from '../frame/simulator.ts';

export interface RunpodGpu {
  readonly id: string;
  readonly name: string;
  readonly memory: number;
  /** Dollars of one GPU an hour; null: not in that cloud. */
  readonly secure: number | null;
  readonly community: number | null;
  readonly max: number;
  readonly availability: 'NONE' | 'LOW' | 'MEDIUM' | 'HIGH';
  readonly cudaVersions: readonly string[];
  /** Whether clusters are made of them. */
  readonly inClusters: boolean;
}

export const RUNPOD_GPUS: readonly RunpodGpu[] = [
  {
    id: 'NVIDIA GeForce RTX 4090',
    name: 'RTX 4090',
    memory: 24,
    secure: 0.59,
    community: 0.34,
    max: 8,
    availability: 'HIGH',
    cudaVersions: ['12.8', '12.11', '12.4'],
    inClusters: false,
  },
  {
    id: 'NVIDIA A40',
    name: 'A40',
    memory: 48,
    secure: 0.4,
    community: null,
    max: 4,
    availability: 'LOW',
    cudaVersions: [],
    inClusters: false,
  },
  {
    id: 'NVIDIA H100 80GB HBM3',
    name: 'H100 SXM',
    memory: 80,
    secure: 2.69,
    community: null,
    max: 8,
    availability: 'HIGH',
    cudaVersions: ['12.8'],
    inClusters: true,
  },
  {
    id: 'AMD Instinct MI300X OAM',
    name: 'MI300X',
    memory: 192,
    secure: 2.5,
    community: null,
    max: 8,
    availability: 'NONE',
    cudaVersions: [],
    inClusters: false,
  },
];

/** RFC 9457, as all its refusals are written. */
export const problem = (status: number, title: string, detail: string): SimAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: { title, status, detail },
});

export const NOT_FOUND = problem(404, 'Not Found', 'resource not found');
export const NO_CAPACITY_WORDS =
  'There are no longer any instances available with the requested specifications. Please refresh and try again.';
export const NO_CAPACITY = problem(400, 'Bad Request', NO_CAPACITY_WORDS);

/** `listGpuTypes`: availability is said only with `include=AVAILABILITY`, which needs a product. */
export function catalogueOf(gpus: readonly RunpodGpu[], query: URLSearchParams): SimAnswer {
  const isAvailability = query.get('include') === 'AVAILABILITY';
  const product = query.get('product');
  if (isAvailability !== (product !== null)) {
    return problem(400, 'Bad Request', 'include=AVAILABILITY requires product, and the other way round');
  }
  const cloud = query.get('cloud') ?? 'SECURE';
  const count = Number(query.get('count') ?? '1');
  const availability = (gpu: RunpodGpu) =>
    (cloud === 'SECURE' ? gpu.secure : gpu.community) === null ||
    count > gpu.max ||
    (product === 'CLUSTER' && !gpu.inClusters)
      ? 'NONE'
      : gpu.availability;
  return {
    status: 200,
    body: {
      gpus: gpus.map(gpu => ({
        id: gpu.id,
        name: gpu.name,
        pool: null,
        manufacturer: 'NVIDIA',
        memory: gpu.memory,
        secure: gpu.secure !== null,
        community: gpu.community !== null,
        price: { secure: gpu.secure ?? 0, community: gpu.community ?? 0 },
        maxCount: {
          secure: gpu.secure === null ? 0 : gpu.max,
          community: gpu.community === null ? 0 : gpu.max,
        },
        ...(isAvailability
          ? {
              availability: availability(gpu),
              cudaVersions: gpu.cudaVersions.map(version => ({ version, available: true })),
            }
          : {}),
      })),
    },
  };
}
