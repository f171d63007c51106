/** RunPod's pods and clusters as instances. Ids of clusters begin with `clusters/`, so that one call knows which it is. */
import type { Got, Instance, InstanceStatus, Member, Rate } from '../provider.ts';
import { shortGpuName } from '../../machines/gpu-name.ts';
import { DISK_PER_GIB_HOUR } from './offers.ts';
import type { Cluster, Pod } from './shapes.ts';

const CLUSTERS = 'clusters/';

export const clusterInstanceId = (id: string): string => CLUSTERS + id;
/** Null where it is a pod. */
export const clusterIdOf = (instanceId: string): string | null =>
  instanceId.startsWith(CLUSTERS) ? instanceId.slice(CLUSTERS.length) : null;

/** Names of GPU types by their ids, as the catalogue says them. */
export type GpuNames = ReadonlyMap<string, string>;

/** `RUNNING` is said while the image is being fetched; what runs has a `runtime`. */
function statusOf({ status, runtime }: Pod): InstanceStatus {
  switch (status.toUpperCase()) {
    case 'PROVISIONING':
    case 'STARTING':
      return 'booting';
    case 'RUNNING':
      return runtime === null ? 'booting' : 'running';
    case 'EXITED':
    case 'ERROR':
      return 'stopped';
    case 'TERMINATED':
      return 'gone';
    default:
      return 'unknown';
  }
}

export const isOver = (pod: Pod): boolean => statusOf(pod) === 'gone';

export function instanceOfPod(pod: Pod, names: GpuNames): Instance {
  const status = statusOf(pod);
  return {
    id: pod.id,
    mark: pod.name ?? null,
    status,
    members: status === 'gone' ? [] : [memberOf(pod, 0)],
    rates: status === 'gone' ? [] : ratesOf([pod], pod.createdAt ?? null),
    ...gotOf(pod, names),
    message: messageOf(pod, status),
  };
}

/** @param pods its members, as far as they are there @param name null where the answer does not carry it */
export function instanceOfCluster(
  cluster: Pick<Cluster, 'id' | 'createdAt'>,
  name: string | null,
  pods: readonly Pod[],
  names: GpuNames,
): Instance {
  const statuses = pods.map(statusOf);
  const status: InstanceStatus = statuses.includes('running')
    ? 'running'
    : statuses.length > 0 && statuses.every(each => each === 'stopped' || each === 'gone')
      ? 'stopped'
      : statuses.length > 0 && statuses.every(each => each === 'unknown')
        ? 'unknown'
        : 'booting';
  const ranked = pods.flatMap(pod => {
    const rank = pod.cluster?.rank ?? null;
    return rank === null ? [] : [memberOf(pod, rank)];
  });
  const [first] = pods;
  const createdAtMs = cluster.createdAt ?? first?.createdAt ?? null;
  return {
    id: clusterInstanceId(cluster.id),
    mark: name,
    status,
    members: ranked.toSorted((a, b) => a.rank - b.rank),
    rates: ratesOf(pods, createdAtMs),
    ...(first === undefined ? {} : gotOf(first, names)),
    message: `RunPod says of the ${pods.length.toString()} pods: ${pods.map(({ status: said }) => said).join(', ') || 'not there yet'}.`,
  };
}

function memberOf(pod: Pod, rank: number): Member {
  const status = statusOf(pod);
  const direct = pod.ssh?.direct ?? null;
  return {
    id: pod.id,
    rank,
    status,
    // A stopped pod keeps its old ports for a while: they lead to somebody else's.
    ssh:
      status === 'running' && direct !== null
        ? { kind: 'rented', host: direct.host, port: direct.port, user: direct.username, hostKeys: null }
        : null,
    privateAddress: pod.cluster?.ip ?? null,
  };
}

/** `cost` is of the GPUs; the disk of the container costs beside it for as long as the pod is there. */
function ratesOf(pods: readonly Pod[], fromMs: number | null): readonly Rate[] {
  const costs = pods.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  if (costs.length === 0) {
    return [];
  }
  const disk = pods.reduce((sum, pod) => sum + DISK_PER_GIB_HOUR * BigInt(Math.ceil(pod.disk ?? 0)), 0n);
  return [
    { label: 'GPU', perHourMicroUsd: costs.reduce((sum, cost) => sum + cost, 0n), fromMs },
    ...(disk === 0n ? [] : [{ label: 'Disk', perHourMicroUsd: disk, fromMs }]),
  ];
}

/** Its name is the catalogue's: while that was not read, nothing is said of what was rented. */
function gotOf({ gpu, cloud }: Pod, names: GpuNames): { got?: Got } {
  const name = gpu === null ? undefined : names.get(gpu.id);
  return gpu === null || name === undefined || cloud === null
    ? {}
    : {
        got: {
          gpuModel: shortGpuName(name),
          gpuCount: gpu.count,
          market: 'on_demand',
          trust: cloud.toUpperCase() === 'SECURE' ? 'data_center' : 'community',
        },
      };
}

function messageOf({ status, runtime, ssh }: Pod, is: InstanceStatus): string {
  const more =
    status.toUpperCase() === 'RUNNING' && runtime === null
      ? ', and is still fetching the image'
      : is === 'running' && (ssh?.direct ?? null) === null
        ? ', and gave it no public port for ssh'
        : '';
  return `RunPod says: ${status}${more}.`;
}
