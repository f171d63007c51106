import assert from 'node:assert/strict';
import {
  actionLabel,
  type Cluster,
  CLUSTER_PHASES,
  clusterActions,
  clusterIdSchema,
  clusterLine,
  clusterTooltip,
  format,
  type Node,
  nodeIdSchema,
  type Offer,
  PHASE_WORDS,
  type Quote,
  quoteIdSchema,
  quoteLines,
  statusBar,
  stopsSoonMessage,
  unreachableMessage,
  yesLabel,
} from '../src/index.ts';

/** 22 November 2026 on this computer's clock, so that the words read the same in any time zone. */
const at = (hours: number, minutes: number, seconds = 0) =>
  new Date(2026, 10, 22, hours, minutes, seconds).getTime();

const NOW = at(14, 5);
const condition = (status: 'yes' | 'no' | 'unknown', message = '') => ({
  status,
  reason: 'test',
  message,
  sinceMs: NOW,
});
const ulid = '01KAABCDEFGHJKMNPQRSTVWXYZ';

function node(change: Partial<Node> = {}): Node {
  return {
    id: nodeIdSchema.parse(`nod_${ulid}`),
    clusterId: clusterIdSchema.parse(`clu_${ulid}`),
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

const signals = (utilizationPercent: number | null): Node['signals'] => ({
  atMs: NOW,
  cpuPercent: 1,
  cpuCores: 8,
  memoryUsedMiB: 1,
  memoryTotalMiB: 1,
  diskUsedMiB: 1,
  diskTotalMiB: 1,
  gpus: [{ index: 0, name: 'RTX 4090', utilizationPercent, vramUsedMiB: 19_456, vramTotalMiB: 24_576 }],
});

function cluster(change: Partial<Cluster> = {}): Cluster {
  return {
    id: clusterIdSchema.parse(`clu_${ulid}`),
    name: 'llm-dev',
    practice: false,
    phase: 'ready',
    phaseSinceMs: at(14, 2),
    message: '',
    conditions: {
      kernel: condition('yes'),
      engine: condition('yes'),
      billing: condition('yes'),
      cleanup: condition('no'),
    },
    engine: 'single',
    template: 'notebook',
    nodes: [node({ signals: signals(87) })],
    caps: { totalMicroUsd: '2000000', stopAtMs: at(18, 10), idleMs: null },
    save: { paths: [], toFolder: null },
    saved: [],
    createdAtMs: NOW,
    endedAtMs: null,
    usage: {
      ratePerHourMicroUsd: '420000',
      accruedMicroUsd: '1130000',
      committedMicroUsd: '1130000',
      capMicroUsd: '2000000',
      capReachedAtMs: null,
      parts: [],
    },
    jupyterPath: '/clusters/x/jupyter',
    lastEventSeq: 1,
    ...change,
  };
}

const gone = { ...cluster().conditions, billing: condition('no'), cleanup: condition('yes') };
const titleOf = (provider: string) => ({ vast: 'Vast' })[provider] ?? provider;
const attempt = {} as Node['attempts'][number];
const spent = { ...cluster().usage, accruedMicroUsd: '1980000' };

const ROWS: { name: string; cluster: Cluster; nowMs?: number; line: string; actions: string[] }[] = [
  {
    name: 'buying the second offer',
    cluster: cluster({
      phase: 'purchasing',
      phaseSinceMs: NOW - 14_000,
      nodes: [node({ attempts: [attempt, attempt] })],
    }),
    line: 'Renting, offer 2 of 5, 0:14',
    actions: ['Cancel'],
  },
  {
    name: 'asked for a moment ago',
    cluster: cluster({ phase: 'requested', phaseSinceMs: NOW, nodes: [node()] }),
    line: 'Renting, offer 1 of 5, 0:00',
    actions: ['Cancel'],
  },
  {
    name: 'installing',
    cluster: cluster({
      phase: 'bootstrapping',
      phaseSinceMs: NOW - 130_000,
      message: 'Installing packages.',
    }),
    line: 'Installing packages, 2:10 (usually 4 min), billing',
    actions: ['Logs', 'Cancel'],
  },
  {
    name: 'with a notebook while Ray joins',
    cluster: cluster({ phase: 'starting', engine: 'ray', nodes: [node(), node({ phase: 'starting' })] }),
    line: 'Notebook ready, Ray 1/2',
    actions: ['Run on…', 'Logs', 'Stop'],
  },
  {
    name: 'ready',
    cluster: cluster(),
    line: 'GPU 87 %, $1.13/$2.00, stops 18:10',
    actions: ['Run on…', 'Terminal', 'Files', 'Extend…', 'Stop'],
  },
  {
    name: 'ready without a GPU or a stop time',
    cluster: cluster({ nodes: [node()], caps: { totalMicroUsd: '2000000', stopAtMs: null, idleMs: null } }),
    line: 'Ready, $1.13/$2.00',
    actions: ['Run on…', 'Terminal', 'Files', 'Extend…', 'Stop'],
  },
  {
    name: 'degraded',
    cluster: cluster({
      phase: 'degraded',
      phaseSinceMs: at(13, 2),
      nodes: [node(), node({ phase: 'failed' })],
    }),
    line: '1 of 2 nodes lost 13:02',
    actions: ['Replace…', 'Run on…', 'Logs', 'Stop'],
  },
  {
    name: 'unreachable',
    cluster: cluster({ phase: 'unreachable' }),
    line: 'No answer since 14:02, assume $0.42/h',
    actions: ['Retry', 'Stop'],
  },
  {
    name: 'stopping',
    cluster: cluster({ phase: 'stopping', phaseSinceMs: NOW - 40_000 }),
    line: 'Billing until Vast confirms, 0:40',
    actions: ['Open Vast'],
  },
  {
    name: 'paused',
    cluster: cluster({ phase: 'paused', usage: { ...spent, ratePerHourMicroUsd: '20000' } }),
    line: 'Disk $0.02/h, GPU may be taken',
    actions: ['Resume…', 'Stop'],
  },
  {
    name: 'stopped',
    cluster: cluster({ phase: 'stopped', endedAtMs: at(18, 12), conditions: gone, usage: spent }),
    nowMs: at(19, 0),
    line: 'Gone, confirmed 18:12, $1.98 total',
    actions: ['Start again…', 'Remove from list'],
  },
  {
    name: 'expired',
    cluster: cluster({ phase: 'expired', endedAtMs: at(18, 12), conditions: gone, usage: spent }),
    nowMs: at(19, 0),
    line: 'Gone, confirmed 18:12, $1.98 total',
    actions: ['Start again…', 'Remove from list'],
  },
  {
    name: 'failed and gone',
    cluster: cluster({
      phase: 'failed',
      message: 'No GPU visible.',
      conditions: gone,
      usage: { ...spent, accruedMicroUsd: '30000' },
    }),
    line: 'No GPU visible; gone, $0.03 total',
    actions: ['Next offer…', 'Logs', 'Remove from list'],
  },
  {
    name: 'failed and perhaps still billing',
    cluster: cluster({ phase: 'failed', message: 'No GPU visible.', usage: spent }),
    line: 'No GPU visible; not confirmed gone by Vast, may still bill, $1.98 total',
    actions: ['Open Vast', 'Logs', 'Stop'],
  },
];

describe('the words for a cluster', () => {
  for (const { name, cluster: one, nowMs = NOW, line, actions } of ROWS) {
    it(`say of one that is ${name}: ${line}`, () => {
      assert.equal(clusterLine(one, nowMs, { titleOf, candidates: 5, usuallyMs: 240_000 }), line);
      assert.deepEqual(
        clusterActions(one).map(action => actionLabel(action, one, titleOf)),
        actions,
      );
    });
  }

  it('cover every phase', () => {
    assert.deepEqual(
      CLUSTER_PHASES.filter(phase => !ROWS.some(({ cluster: one }) => one.phase === phase)),
      [],
    );
    for (const phase of CLUSTER_PHASES) {
      assert.ok(PHASE_WORDS[phase].length > 0);
    }
  });

  it('never call gone what is not confirmed gone', () => {
    for (const phase of ['stopped', 'expired', 'failed'] as const) {
      assert.match(clusterLine(cluster({ phase }), NOW), /not confirmed gone|may still bill/i);
    }
  });

  it('never let a person remove or start again what may still bill', () => {
    for (const phase of CLUSTER_PHASES) {
      const actions = clusterActions(cluster({ phase }));
      assert.ok(!actions.includes('remove') && !actions.includes('startAgain'), phase);
    }
  });

  it('make the tooltip', () => {
    assert.deepEqual(clusterTooltip(cluster(), titleOf), [
      'llm-dev, 1× RTX 4090, 24 GB, Vast, ready',
      '$1.13 of $2.00, GPU 87 %, 19/24 GB',
    ]);
  });

  it('say the two hard messages', () => {
    const lost = cluster({ phase: 'unreachable' });
    assert.equal(
      unreachableMessage(lost, 'running', NOW, titleOf),
      'llm-dev has not answered since 14:02. Vast says it is running ($0.42/h). Work may continue; your stop limits still apply.',
    );
    assert.match(unreachableMessage(lost, null, NOW, titleOf), /Vast is not answering either\./);
    assert.equal(
      unreachableMessage(lost, undefined, NOW, titleOf),
      'llm-dev has not answered since 14:02; assume $0.42/h. Work may continue; your stop limits still apply.',
    );
    assert.equal(
      stopsSoonMessage(
        cluster({ usage: { ...spent, accruedMicroUsd: '1930000' } }),
        {
          interrupts: ['cell 12'],
          saves: [{ path: '~/work', sizeBytes: 1_200_000_000, takesMs: 180_000 }],
          notSaved: [{ path: '~/.cache', sizeBytes: 14_000_000_000 }],
        },
        at(18, 0),
      ),
      'llm-dev stops in 10 min ($1.93 of $2.00). We interrupt cell 12, save ~/work (1.2 GB, 3 min), then destroy. Not saved: ~/.cache (14 GB).',
    );
  });
});

describe('the status bar', () => {
  const over = cluster({ phase: 'stopped', conditions: gone });
  for (const [name, clusters, nowMs, line] of [
    ['one GPU', [cluster()], NOW, '1 GPU, $0.42/h, stops 18:10'],
    ['two clusters and one that is over', [cluster(), cluster(), over], NOW, '2 GPUs, $0.84/h, stops 18:10'],
    ['the last ten minutes', [cluster()], at(18, 1), '⚠ 1 GPU, $0.42/h, stops 18:10'],
    ['no answer', [cluster({ phase: 'unreachable' })], NOW, '⚠ unreachable, $0.42/h'],
    ['practice', [cluster({ practice: true, nodes: [node(), node()] })], NOW, 'Practice, 2 nodes'],
    ['practice beside real', [cluster({ practice: true }), cluster()], NOW, '1 GPU, $0.42/h, stops 18:10'],
    [
      'machines without GPUs',
      [cluster({ nodes: [node({ title: '8 CPU cores' })] })],
      NOW,
      '1 node, $0.42/h, stops 18:10',
    ],
    ['failed but billing', [cluster({ phase: 'failed' })], NOW, '1 GPU, $0.42/h, stops 18:10'],
    ['nothing that runs', [over], NOW, null],
    ['nothing at all', [], NOW, null],
  ] as const) {
    it(`shows ${name} as ${line ?? 'nothing'}`, () => {
      assert.equal(statusBar(clusters, nowMs), line);
    });
  }
});

describe('the confirm dialog', () => {
  const offer = {
    provider: 'vast',
    gpuModel: 'RTX 4090',
    gpuCount: 1,
    vramMiB: 24_576,
    cpuCores: 8,
    trust: 'community',
  } as Offer;
  const quote: Omit<Quote, 'lines' | 'yes'> = {
    id: quoteIdSchema.parse(`quo_${ulid}`),
    createdAtMs: NOW,
    expiresAtMs: NOW + 1,
    practice: false,
    template: 'notebook',
    engine: 'single',
    nodes: 1,
    candidates: [],
    ratePerHourMicroUsd: '420000',
    highestRatePerHourMicroUsd: '460000',
    parts: [
      { label: 'GPU', perHourMicroUsd: '380000' },
      { label: 'disk', perHourMicroUsd: '30000' },
      { label: 'fees', perHourMicroUsd: '10000' },
    ],
    nonRefundableMicroUsd: '0',
    savingReserveMicroUsd: '0',
    caps: { totalMicroUsd: '2000000', stopAtMs: at(18, 10), idleMs: 1_800_000 },
    save: { paths: [''], toFolder: null },
    secrets: [],
    endsBillingAlone: true,
  };
  const networkOf = () => ({ title: 'Vast.ai', verifiedLive: true });

  it('has the lines of UX.md', () => {
    assert.deepEqual(quoteLines(quote, [offer, offer, offer, offer, offer], networkOf), [
      'Rent 1× RTX 4090 on Vast.ai?',
      '$0.42/h: GPU 0.38, disk 0.03, fees 0.01. Non-refundable: $0.00',
      'Stops at $2.00, 18:10 or 30 min idle, whichever is first',
      'Then: save ~/work here, destroy. Saving is inside the $2.00',
      'Laptop off: ends itself at 18:10',
      'Community host: its owner can read your data',
      'If taken: up to 4 others, at most $0.46/h',
    ]);
    assert.equal(yesLabel(quote), 'Rent for up to $0.46/h');
  });

  it('says what is different: no saving, no stop time, a laptop that has to wake, practice, a new network', () => {
    const lines = quoteLines(
      {
        ...quote,
        nodes: 2,
        caps: { totalMicroUsd: '2000000', stopAtMs: null, idleMs: null },
        save: { paths: [], toFolder: null },
        endsBillingAlone: false,
        secrets: ['HF_TOKEN'],
      },
      [{ ...offer, trust: 'verified' }, offer].map(one => ({ ...one, trust: 'verified' as const })),
      () => ({ title: 'Vast.ai', verifiedLive: false }),
    );
    assert.deepEqual(
      [lines[0], ...lines.slice(2)],
      [
        'Rent 2 nodes, each 1× RTX 4090, on Vast.ai?',
        'Stops at $2.00',
        'Then: destroy. Nothing is saved',
        'Laptop off: ⚠ bills until this computer wakes',
        'Vast.ai: not yet verified live',
        'Gets the secrets HF_TOKEN',
      ],
    );
    const practice = quoteLines({ ...quote, practice: true }, [offer], networkOf);
    assert.ok(
      practice.includes('Practice: nothing is paid; these are processes on this computer, without CUDA'),
    );
  });
});

describe('amounts, times and sizes', () => {
  it('read as people write them', () => {
    assert.deepEqual([0, 14_000, 725_000, 3_723_000, -5].map(format.elapsed), [
      '0:00',
      '0:14',
      '12:05',
      '1:02:03',
      '0:00',
    ]);
    assert.deepEqual([900, 45_000, 1_800_000, 14_400_000, 9_000_000].map(format.duration), [
      '1 s',
      '45 s',
      '30 min',
      '4 h',
      '2.5 h',
    ]);
    assert.deepEqual([7, 12_000, 340_000_000, 1_230_000_000].map(format.bytes), [
      '7 bytes',
      '12 kB',
      '340 MB',
      '1.2 GB',
    ]);
    assert.equal(format.clock(at(9, 5)), '09:05');
    assert.equal(format.clock(at(23, 50), at(0, 10)), '23:50');
    assert.equal(format.clock(at(20, 0) + 10 * 3_600_000, at(20, 0)), '06:00');
    assert.equal(format.clock(at(20, 0) + 23 * 3_600_000, at(20, 0)), '2026-11-23 19:00');
    assert.equal(format.clock(at(9, 5) + 48 * 3_600_000, at(9, 5)), '2026-11-24 09:05');
    assert.equal(
      format.machineTitle({ gpuModel: null, gpuCount: 0, vramMiB: 0, cpuCores: 8 }),
      '8 CPU cores',
    );
  });
});
