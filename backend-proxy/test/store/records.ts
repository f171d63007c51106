/** Records for the store's tests: small, complete, distinct. */
import type { Offer, Quote } from '@hitch/contract';
import { HITCHS_OWN } from '../../src/ledger/kinds/cluster.ts';
import type {
  AttemptRecord,
  ClusterRecord,
  EventRecord,
  NodeRecord,
  QuoteRecord,
  SegmentRecord,
} from '../../src/ledger/records.ts';
import { plainTerms } from '../../src/ledger/terms.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { createIds, seededRandom } from '@hitch/platform/src/random.ts';

export const START_MS = 1_800_000_000_000;
export const ids = createIds(new VirtualClock(START_MS), seededRandom(7));

export const offer: Offer = {
  id: 'sandbox:1',
  provider: 'sandbox',
  practice: true,
  gpuModel: 'RTX 4090',
  gpuCount: 1,
  vramMiB: 24_576,
  pricePerHourMicroUsd: '420000',
  priceParts: [{ label: 'GPU', perHourMicroUsd: '420000' }],
  nonRefundableMicroUsd: '0',
  country: 'NO',
  region: null,
  supplier: null,
  kind: 'process',
  market: 'on_demand',
  trust: 'verified',
  reliability: 0.99,
  connectivity: 'high',
  security: 'standard',
  cpuCores: 8,
  ramMiB: 32_768,
  diskGiB: 100,
  downMbps: 1000,
  upMbps: 500,
  cudaMax: null,
  endsBillingAlone: true,
  multiNode: true,
  stock: 3,
  readyInMs: 30_000,
  fetchedAtMs: START_MS,
};

const caps = { totalMicroUsd: '2000000', stopAtMs: null, idleMs: 1_800_000 };
const condition = { status: 'no', reason: 'new', message: '', sinceMs: START_MS } as const;

export function cluster(change: Partial<ClusterRecord> = {}): ClusterRecord {
  return {
    id: ids.next('clu'),
    owner: 'me',
    project: 'default',
    leaseEpoch: 1,
    name: 'llm-dev',
    practice: true,
    desired: 'up',
    stopCause: null,
    skipSave: false,
    phase: 'requested',
    phaseSinceMs: START_MS,
    message: '',
    conditions: { kernel: condition, engine: condition, billing: condition, cleanup: condition },
    engine: 'single',
    template: 'notebook',
    quoteId: ids.next('quo'),
    order: null,
    caps,
    capFromMs: START_MS,
    save: { paths: ['out/é'], toFolder: null },
    saved: [],
    startedAtMs: START_MS,
    saveDone: false,
    secrets: ['HF_TOKEN'],
    environment: HITCHS_OWN,
    engineToken: 'token',
    createdAtMs: START_MS,
    endedAtMs: null,
    removedAtMs: null,
    lastEventSeq: 0,
    ...change,
  };
}

export function node(of: ClusterRecord, change: Partial<NodeRecord> = {}): NodeRecord {
  return {
    id: ids.next('nod'),
    clusterId: of.id,
    quoteId: of.quoteId,
    index: 0,
    phase: 'requested',
    phaseSinceMs: START_MS,
    deadlineMs: null,
    message: '',
    wasUp: false,
    attemptId: null,
    agentToken: 'secret',
    ...change,
  };
}

export function attempt(of: NodeRecord, change: Partial<AttemptRecord> = {}): AttemptRecord {
  const ref = change.ref ?? ids.ref();
  return {
    id: ids.next('att'),
    nodeId: of.id,
    clusterId: of.clusterId,
    ref,
    mark: ref,
    provider: 'sandbox',
    offer,
    terms: plainTerms(offer),
    state: 'intended',
    mayRetry: false,
    adopted: null,
    isOfAccount: false,
    secondsOver: [],
    instanceId: null,
    members: [{ nodeId: of.id, address: null }],
    proof: null,
    toldEndAtMs: null,
    accountKey: null,
    letInAtMs: null,
    seconds: [],
    endsAtMs: null,
    moreTime: [],
    aheadPerHourMicroUsd: 0n,
    paidMicroUsd: null,
    hostSaid: null,
    notUp: null,
    message: '',
    createdAtMs: START_MS,
    visibleByMs: null,
    absentSightings: 0,
    endedAtMs: null,
    ...change,
  };
}

export function segment(of: AttemptRecord, change: Partial<SegmentRecord> = {}): SegmentRecord {
  return {
    attemptId: of.id,
    nodeId: of.nodeId,
    clusterId: of.clusterId,
    index: 0,
    kind: 'rate',
    amountMicroUsd: 420_000n,
    label: 'GPU',
    startMs: START_MS,
    endMs: null,
    ...change,
  };
}

export function quote(change: Partial<Quote> = {}, usedBy: QuoteRecord['usedBy'] = null): QuoteRecord {
  const id = change.id ?? ids.next('quo');
  return {
    id,
    quote: {
      id,
      createdAtMs: START_MS,
      expiresAtMs: START_MS + 300_000,
      practice: true,
      template: 'notebook',
      engine: 'single',
      nodes: 1,
      candidates: [],
      ratePerHourMicroUsd: '420000',
      highestRatePerHourMicroUsd: '462000',
      parts: [],
      nonRefundableMicroUsd: '0',
      floorMicroUsd: '0',
      savingReserveMicroUsd: '0',
      caps,
      save: { paths: [], toFolder: null },
      secrets: [],
      send: [],
      endsBillingAlone: true,
      again: null,
      lines: ['Rent 1× RTX 4090?'],
      yes: 'Rent for up to $0.46/h',
      ...change,
    },
    order: null,
    keepsCaps: false,
    forCluster: null,
    offers: [offer],
    terms: { [offer.id]: plainTerms(offer) },
    maxNodePricePerHourMicroUsd: 462_000n,
    usedBy,
  };
}

export function event(of: ClusterRecord, position: number, change: Partial<EventRecord> = {}): EventRecord {
  return {
    position,
    clusterId: of.id,
    seq: position,
    atMs: START_MS + position,
    kind: 'phase',
    nodeId: null,
    attemptId: null,
    value: 'requested',
    message: 'Asked for.',
    ...change,
  };
}
