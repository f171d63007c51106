/** Records of a cluster that no quote was made for: its machine was found at a network. */
import { DEFAULT_LIMITS, formatMicroUsd, type Offer } from '@hitch/contract';
import { HITCHS_OWN } from '../ledger/kinds/cluster.ts';
import type { ClusterRecord, RefRecord } from '../ledger/records.ts';
import type { Provider } from '../providers/provider.ts';
import { conditionsAtFirst } from './commands.ts';
import type { Parts } from './parts.ts';

/** It is to end, and nothing of it is to be saved; what is otherwise says who makes it. */
export function clusterWithoutOrder(
  { ids, leaseEpoch, nowMs }: Pick<Parts, 'ids'> & { leaseEpoch: number; nowMs: number },
  { kind }: Provider,
  name: string,
): ClusterRecord {
  return {
    id: ids.next('clu'),
    owner: 'local',
    project: 'default',
    leaseEpoch,
    name,
    practice: kind === 'practice',
    desired: 'stopped',
    stopCause: 'user',
    // What was to be saved was, or was given up, before it was called gone.
    skipSave: true,
    phase: 'stopping',
    phaseSinceMs: nowMs,
    message: '',
    conditions: conditionsAtFirst(nowMs),
    engine: 'single',
    template: 'notebook',
    quoteId: ids.next('quo'),
    order: null,
    // Nothing is bought for it; they are what a person finds who starts it again.
    caps: {
      totalMicroUsd: formatMicroUsd(DEFAULT_LIMITS.capMicroUsd),
      stopAtMs: null,
      idleMs: DEFAULT_LIMITS.idleMs,
    },
    capFromMs: nowMs,
    save: { paths: [], toFolder: null },
    saved: [],
    saveDone: true,
    secrets: [],
    environment: HITCHS_OWN,
    engineToken: ids.secret(),
    createdAtMs: nowMs,
    startedAtMs: nowMs,
    endedAtMs: null,
    removedAtMs: null,
    lastEventSeq: 0,
  };
}

/** What is known of an offer that no list has. */
export type KnownOfOffer = Pick<
  RefRecord,
  | 'gpuModel'
  | 'gpuCount'
  | 'vramMiB'
  | 'cpuCores'
  | 'offerId'
  | 'boughtAtMs'
  | 'pricePerHourMicroUsd'
  | 'nonRefundableMicroUsd'
  | 'floorMicroUsd'
>;

/** The offer as far as it was kept. */
export function offerAsKept({ id, kind }: Provider, ref: KnownOfOffer): Offer {
  const { gpuModel, gpuCount, vramMiB, cpuCores, offerId, boughtAtMs } = ref;
  return {
    id: offerId,
    provider: id,
    practice: kind === 'practice',
    gpuModel,
    gpuCount,
    vramMiB,
    cpuCores,
    pricePerHourMicroUsd: ref.pricePerHourMicroUsd.toString(),
    priceParts: [],
    nonRefundableMicroUsd: ref.nonRefundableMicroUsd.toString(),
    floorMicroUsd: ref.floorMicroUsd.toString(),
    country: null,
    region: null,
    supplier: null,
    kind: kind === 'network' ? 'vm' : 'process',
    market: 'on_demand',
    trust: kind === 'own' ? 'own' : 'community',
    reliability: null,
    connectivity: null,
    security: 'standard',
    ramMiB: 0,
    diskGiB: 0,
    downMbps: null,
    upMbps: null,
    cudaMax: null,
    endsBillingAlone: false,
    multiNode: false,
    stock: 0,
    readyInMs: null,
    fetchedAtMs: boughtAtMs,
  };
}
