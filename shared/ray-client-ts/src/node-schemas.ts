/**
 * Live use of each node, from `/nodes?view=summary`. Keys are camel-cased by Ray, the user's resource names
 * included (see cluster-schemas.ts); labels are not. About 15 kB a node on the wire, mostly padding of command
 * lines, so only the fields named here are kept. Ray answers from a cache of 2 seconds.
 */
import * as z from 'zod';
import { envelope, int64, openEnum, resources, stringMap, timestampMs } from './wire.ts';

const gpu = z.object({
  index: z.number(),
  name: z.string(),
  uuid: z.string(),
  /** Percent; null when the driver does not tell. */
  utilizationGpu: z.number().nullish(),
  /** MiB. */
  memoryUsed: z.number().nullish(),
  /** MiB. */
  memoryTotal: z.number().nullish(),
  /** Milliwatts. */
  powerMw: z.number().nullish(),
  temperatureC: z.number().nullish(),
});

/** Bytes; percent from 0 to 100. */
const disk = z.object({ total: z.number(), used: z.number(), free: z.number(), percent: z.number() });

const raylet = z.object({
  nodeId: z.string(),
  nodeManagerAddress: z.string().nullish(),
  isHeadNode: z.boolean().nullish(),
  state: openEnum<'ALIVE' | 'DEAD'>().nullish(),
  /** Why the node is dead, for a person. */
  stateMessage: z.string().nullish(),
  /** Names camel-cased by Ray. */
  resourcesTotal: resources.nullish(),
  labels: stringMap.nullish(),
  startTimeMs: timestampMs.nullish(),
  endTimeMs: timestampMs.nullish(),
  numWorkers: z.number().nullish(),
  /** Bytes. */
  objectStoreUsedMemory: int64.nullish(),
  /** Bytes. */
  objectStoreAvailableMemory: int64.nullish(),
  stateSnapshot: z
    .object({ state: openEnum<'IDLE' | 'ACTIVE' | 'DRAINING'>(), idleDurationMs: int64.nullish() })
    .nullish(),
});

/** One node. All but `raylet` may be missing for a node that is dead or just came. */
export const nodeSummary = z.object({
  raylet,
  hostname: z.string().nullish(),
  ip: z.string().nullish(),
  /** When this was measured. Unix seconds. */
  now: z.number().nullish(),
  /** Unix seconds. */
  bootTime: z.number().nullish(),
  /** Percent over all cores, 0 to 100. */
  cpu: z.number().nullish(),
  /** `[logical, physical]` cores. */
  cpus: z.array(z.number().nullable()).nullish(),
  /** `[total, available, percent used, used]` in bytes, of the container where there is one. */
  mem: z.array(z.number()).nullish(),
  /** Bytes of /dev/shm in use. */
  shm: z.number().nullish(),
  /** By mount point. */
  disk: z.record(z.string(), disk).nullish(),
  /** `[sent, received]` bytes since boot. */
  network: z.array(z.number()).nullish(),
  /** `[sent, received]` bytes per second. */
  networkSpeed: z.array(z.number()).nullish(),
  /** `[[1, 5, 15 minutes], [the same per core]]`. */
  loadAvg: z.array(z.array(z.number())).nullish(),
  gpus: z.array(gpu).nullish(),
});
export type NodeSummary = z.infer<typeof nodeSummary>;
export type GpuSummary = z.infer<typeof gpu>;

export const nodesSummaryReply = envelope(
  z.looseObject({
    summary: z.array(nodeSummary),
    nodeLogicalResources: stringMap.nullish(),
  }),
);
