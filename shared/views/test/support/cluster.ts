/** A cluster on its second attempt, its events and a quote, for tests. */
import {
  attemptIdSchema,
  clusterIdSchema,
  clusterSchema,
  nodeIdSchema,
  quoteIdSchema,
  yesLabel,
  type Cluster,
  type ClusterEvent,
  type Condition,
  type Quote,
} from '@hitch/contract';
import { MOMENT_MS } from './offers.ts';

const minutes = (count: number): number => count * 60_000;
const START_MS = MOMENT_MS - minutes(58);
const clusterId = clusterIdSchema.parse('clu_01JBCDEFGHJKMNPQRSTVWXYZ01');
const nodeId = nodeIdSchema.parse('nod_01JBCDEFGHJKMNPQRSTVWXYZ01');
const first = attemptIdSchema.parse('att_01JBCDEFGHJKMNPQRSTVWXYZ01');
const second = attemptIdSchema.parse('att_01JBCDEFGHJKMNPQRSTVWXYZ02');

const condition = (status: Condition['status']): Condition => ({
  status,
  reason: 'ready',
  message: '',
  sinceMs: START_MS,
});

export function testCluster(changes: Partial<Cluster> = {}): Cluster {
  const attempt = {
    nodeId,
    ref: 'hitch-1',
    provider: 'vast',
    pricePerHourMicroUsd: '420000',
    message: '',
  };
  return clusterSchema.parse({
    id: clusterId,
    name: 'llm-dev',
    practice: false,
    phase: 'ready',
    phaseSinceMs: START_MS + minutes(6),
    message: '',
    conditions: {
      kernel: condition('yes'),
      engine: condition('yes'),
      billing: condition('yes'),
      cleanup: condition('no'),
    },
    engine: 'single',
    template: 'notebook',
    nodes: [
      {
        id: nodeId,
        clusterId,
        index: 0,
        phase: 'ready',
        message: '',
        phaseSinceMs: START_MS + minutes(6),
        title: '1× RTX 4090, 24 GB',
        provider: 'vast',
        signals: null,
        attempts: [
          {
            ...attempt,
            id: first,
            offerId: 'vast:7',
            offerTitle: '1× RTX 4090, 24 GB, Vast.ai, DE',
            state: 'refused',
            instanceId: null,
            costMicroUsd: '0',
            createdAtMs: START_MS,
            endedAtMs: START_MS + minutes(1),
          },
          {
            ...attempt,
            id: second,
            offerId: 'vast:9',
            offerTitle: '',
            state: 'owned',
            instanceId: '9',
            costMicroUsd: '499000',
            createdAtMs: START_MS + minutes(1),
            endedAtMs: null,
          },
        ],
      },
    ],
    caps: { totalMicroUsd: '2000000', stopAtMs: MOMENT_MS + minutes(120), idleMs: minutes(30) },
    save: { paths: ['results'], toFolder: null },
    saved: [],
    saving: null,
    createdAtMs: START_MS,
    endedAtMs: null,
    usage: {
      ratePerHourMicroUsd: '420000',
      accruedMicroUsd: '499000',
      spentBeforeMicroUsd: '0',
      committedMicroUsd: '520000',
      capMicroUsd: '2000000',
      capReachedAtMs: MOMENT_MS + minutes(214),
      parts: [
        {
          nodeId,
          attemptId: second,
          label: 'start fee',
          ratePerHourMicroUsd: '0',
          startMs: START_MS + minutes(1),
          endMs: START_MS + minutes(1),
          costMicroUsd: '100000',
        },
        {
          nodeId,
          attemptId: second,
          label: 'machine',
          ratePerHourMicroUsd: '420000',
          startMs: START_MS + minutes(1),
          endMs: null,
          costMicroUsd: '399000',
        },
      ],
    },
    jupyterPath: `/clusters/${clusterId}/jupyter`,
    lastEventSeq: 12,
    ...changes,
  });
}

export function testEvents(): ClusterEvent[] {
  type Row = readonly [number, ClusterEvent['kind'], string, string, 'cluster' | 'node' | 'first' | 'second'];
  const rows: readonly Row[] = [
    [0, 'phase', 'requested', '', 'cluster'],
    [0, 'node', 'requested', '', 'node'],
    [0.1, 'phase', 'purchasing', '', 'cluster'],
    [0.1, 'node', 'purchasing', '', 'node'],
    [0.1, 'attempt', 'intended', '', 'first'],
    [1, 'attempt', 'refused', 'Vast.ai: somebody else took this offer.', 'first'],
    [1, 'attempt', 'intended', '', 'second'],
    [1.5, 'attempt', 'owned', '', 'second'],
    [1.6, 'node', 'booting', '', 'node'],
    [3, 'phase', 'bootstrapping', 'Installing packages.', 'cluster'],
    [3, 'node', 'bootstrapping', 'Installing packages.', 'node'],
    [5.5, 'phase', 'starting', '', 'cluster'],
    [5.5, 'node', 'starting', '', 'node'],
    [6, 'phase', 'ready', '', 'cluster'],
    [6, 'node', 'ready', '', 'node'],
    [31, 'warning', 'disk_filling', 'The disk is 90 % full: delete something or fetch it.', 'node'],
    [42, 'saved', 'results', 'Saved results (1.2 GB).', 'cluster'],
  ];
  return rows.map(([afterMinutes, kind, value, message, about], index) => ({
    clusterId,
    seq: index + 1,
    atMs: START_MS + minutes(afterMinutes),
    kind,
    nodeId: about === 'cluster' ? null : nodeId,
    attemptId: about === 'first' ? first : about === 'second' ? second : null,
    value,
    message,
  }));
}

export function testQuote(changes: Partial<Quote> = {}): Quote {
  const highestRatePerHourMicroUsd = '460000';
  return {
    id: quoteIdSchema.parse('quo_01JBCDEFGHJKMNPQRSTVWXYZ01'),
    createdAtMs: MOMENT_MS,
    expiresAtMs: MOMENT_MS + minutes(10),
    practice: false,
    template: 'notebook',
    engine: 'single',
    nodes: 1,
    candidates: [],
    ratePerHourMicroUsd: '420000',
    highestRatePerHourMicroUsd,
    parts: [],
    nonRefundableMicroUsd: '0',
    floorMicroUsd: '0',
    savingReserveMicroUsd: '20000',
    caps: { totalMicroUsd: '2000000', stopAtMs: MOMENT_MS + minutes(248), idleMs: minutes(30) },
    save: { paths: ['results'], toFolder: null },
    secrets: [],
    send: [],
    endsBillingAlone: false,
    again: null,
    lines: [
      'Rent 1× RTX 4090, 24 GB (on demand, community, DE) from Vast.ai?',
      '$0.42/h: GPU 0.38, disk 0.03, fees 0.01',
      'Runs until 18:10 (4.1 h), $2.00 is spent or it is idle for 30 min, whichever comes first',
      'At $0.42/h that is at most $1.74 until 18:10',
      'When it stops: ~/work/results is copied to this computer first (paid from the $2.00), then the machine is deleted with everything on it',
      '⚠ If this computer sleeps or is off, the machine keeps running and billing past its limits until Hitch is back',
      'Community host: its owner can read your data',
      'Vast.ai: support for it is not yet verified live',
      'If this offer is gone, Hitch tries up to 4 similar ones, at most $0.46/h',
    ],
    yes: yesLabel({ highestRatePerHourMicroUsd }),
    ...changes,
  };
}
