/** Records as the daemon sends them, for tests of what is shown. */
import {
  type Cluster,
  clusterIdSchema,
  type Copy,
  copyIdSchema,
  type Kernel,
  type Node,
  nodeIdSchema,
  type Offer,
  type ProviderInfo,
} from '@hitch/contract';
import { INITIAL, type State } from '../src/daemon/state.ts';

/** 22 November 2026 on this computer's clock, so that the words read the same in any time zone. */
export const at = (hours: number, minutes: number, seconds = 0): number =>
  new Date(2026, 10, 22, hours, minutes, seconds).getTime();
export const NOW = at(14, 5);

const ulid = '01KAABCDEFGHJKMNPQRSTVWXYZ';
export const CLUSTER_ID = clusterIdSchema.parse(`clu_${ulid}`);
export const clusterId = (index: number) =>
  clusterIdSchema.parse(`clu_${ulid.slice(0, 20)}${index.toString().padStart(6, '0')}`);

const condition = (status: 'yes' | 'no' | 'unknown') => ({
  status,
  reason: 'test',
  message: '',
  sinceMs: NOW,
});

export function node(change: Partial<Node> = {}): Node {
  return {
    id: nodeIdSchema.parse(`nod_${ulid}`),
    clusterId: CLUSTER_ID,
    index: 0,
    phase: 'ready',
    message: '',
    phaseSinceMs: NOW,
    title: '1× RTX 4090, 24 GB',
    provider: 'vast',
    signals: null,
    attempts: [],
    ...change,
  };
}

export function cluster(
  change: Partial<Cluster> = {},
  over: { kernel?: boolean; clean?: boolean } = {},
): Cluster {
  return {
    id: CLUSTER_ID,
    name: 'llm-dev',
    practice: false,
    phase: 'ready',
    phaseSinceMs: NOW,
    message: '',
    conditions: {
      kernel: condition(over.kernel === false ? 'no' : 'yes'),
      engine: condition('yes'),
      billing: condition('yes'),
      cleanup: condition(over.clean === true ? 'yes' : 'no'),
    },
    engine: 'single',
    template: 'notebook',
    nodes: [node()],
    caps: { totalMicroUsd: '2000000', stopAtMs: at(18, 10), idleMs: 1_800_000 },
    save: { paths: [], toFolder: null },
    saved: [],
    saving: null,
    createdAtMs: NOW,
    endedAtMs: null,
    usage: {
      ratePerHourMicroUsd: '420000',
      accruedMicroUsd: '1130000',
      spentBeforeMicroUsd: '0',
      committedMicroUsd: '1200000',
      paidAheadMicroUsd: '0',
      capMicroUsd: '2000000',
      capReachedAtMs: null,
      parts: [],
    },
    jupyterPath: `/clusters/${CLUSTER_ID}/jupyter`,
    lastEventSeq: 1,
    ...change,
  };
}

export const copyOf = (change: Partial<Copy> = {}): Copy => ({
  id: copyIdSchema.parse(`cop_${ulid}`),
  clusterId: CLUSTER_ID,
  kind: 'send',
  state: 'done',
  sources: ['/home/ada/data'],
  target: 'in',
  files: 3,
  bytes: 15,
  inTheWay: { count: 0, names: [] },
  doneFiles: 3,
  doneBytes: 15,
  startedAtMs: NOW,
  endedAtMs: NOW,
  account: { copiedFiles: 3, copiedBytes: 15, sameFiles: 0, outcomes: {} },
  problem: null,
  ...change,
});

export const kernel = (change: Partial<Kernel> = {}): Kernel => ({
  id: 'k1',
  name: 'python3',
  state: 'idle',
  lastActivityMs: NOW,
  path: 'train-jvsc-0b5d2d1e-7f2c-4f5e-9a9b-0c2f6d6f7a11.ipynb',
  clients: 1,
  ...change,
});

export function offer(change: Partial<Offer> = {}): Offer {
  return {
    id: 'vast:1',
    provider: 'vast',
    practice: false,
    gpuModel: 'RTX 4090',
    gpuCount: 1,
    vramMiB: 24_564,
    pricePerHourMicroUsd: '420000',
    priceParts: [],
    nonRefundableMicroUsd: '0',
    country: 'DE',
    region: null,
    supplier: null,
    kind: 'container',
    market: 'on_demand',
    trust: 'verified',
    reliability: 0.99,
    connectivity: null,
    security: 'standard',
    cpuCores: 8,
    ramMiB: 65_536,
    diskGiB: 100,
    downMbps: 500,
    upMbps: 200,
    cudaMax: '12.8',
    endsBillingAlone: false,
    multiNode: false,
    stock: 1,
    readyInMs: 180_000,
    fetchedAtMs: NOW,
    ...change,
  };
}

export const provider = (change: Partial<ProviderInfo> = {}): ProviderInfo => ({
  id: 'vast',
  title: 'Vast.ai',
  kind: 'network',
  enabled: true,
  credentials: 'present',
  verifiedLive: false,
  capabilities: {
    refVia: 'label',
    sshKeys: 'perInstance',
    bootSecret: false,
    privateNetwork: false,
    extend: true,
    account: true,
    endsBillingAlone: 'never',
    visibilityDelayMs: 0,
  },
  offers: 1,
  fetchedAtMs: NOW,
  problem: null,
  ...change,
});

export const stateOf = (clusters: readonly Cluster[] | null): State => ({
  ...INITIAL,
  connection: clusters === null ? 'starting' : 'live',
  clusters,
});
