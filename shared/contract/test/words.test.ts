import assert from 'node:assert/strict';
import {
  actionLabel,
  type Cluster,
  CLUSTER_PHASES,
  clusterActions,
  clusterIdSchema,
  clusterLine,
  isSilent,
  clusterTooltip,
  costInAll,
  logCutLine,
  type Node,
  nodeIdSchema,
  PHASE_WORDS,
  statusBar,
  stopsSoonMessage,
  unreachableMessage,
} from '../src/index.ts';
import { at, NOW } from './support/moment.ts';

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
    saving: null,
    createdAtMs: NOW,
    endedAtMs: null,
    usage: {
      ratePerHourMicroUsd: '420000',
      accruedMicroUsd: '1130000',
      spentBeforeMicroUsd: '0',
      committedMicroUsd: '1130000',
      paidAheadMicroUsd: '0',
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
const attemptOf = (offerId: string) => ({ offerId }) as Node['attempts'][number];
const attempt = attemptOf('vast:1');
const spent = { ...cluster().usage, accruedMicroUsd: '1980000' };

const ROWS: { name: string; cluster: Cluster; nowMs?: number; line: string; actions: string[] }[] = [
  {
    name: 'buying the second offer',
    cluster: cluster({
      phase: 'purchasing',
      phaseSinceMs: NOW - 14_000,
      nodes: [node({ attempts: [attempt, attemptOf('vast:2')] })],
    }),
    line: 'Renting, offer 2 of 5, 0:14',
    actions: ['Cancel'],
  },
  {
    name: 'bought, and the network takes its time to start it',
    cluster: cluster({
      phase: 'purchasing',
      phaseSinceMs: NOW - 194_000,
      nodes: [
        node({
          phase: 'booting',
          message: 'It fetches the image.',
          phaseSinceMs: NOW - 190_000,
          waitsUntilMs: at(14, 17),
          attempts: [attempt],
        }),
      ],
    }),
    line: 'Renting, offer 1 of 5, 3:14: It fetches the image; Hitch gives up at 14:17',
    actions: ['Cancel'],
  },
  {
    name: 'buying one of two that it has tried before',
    cluster: cluster({
      phase: 'purchasing',
      phaseSinceMs: NOW - 14_000,
      nodes: [node({ attempts: [attempt, attemptOf('vast:2'), attempt] })],
    }),
    line: 'Renting, offer 2 of 5, tried again, 0:14',
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
    line: 'GPU 87 %, $1.13 of $2.00 spent, stops 18:10',
    actions: ['Run on…', 'Terminal', 'Files', 'Extend…', 'Stop'],
  },
  {
    name: 'ready without a GPU or a stop time',
    cluster: cluster({ nodes: [node()], caps: { totalMicroUsd: '2000000', stopAtMs: null, idleMs: null } }),
    line: 'Ready, $1.13 of $2.00 spent',
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
    line: 'No answer since 14:02, may still bill $0.42/h',
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
    line: 'Disk $0.02/h, somebody else may get the GPU',
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
    actions: ['Try a similar offer…', 'Logs', 'Remove from list'],
  },
  {
    name: 'failed and never rented',
    cluster: cluster({
      phase: 'failed',
      message: 'Somebody else rented 1× RTX 4090, 24 GB in the meantime.',
      conditions: gone,
      usage: { ...spent, accruedMicroUsd: '0' },
    }),
    line: 'Somebody else rented 1× RTX 4090, 24 GB in the meantime; nothing was charged',
    actions: ['Try a similar offer…', 'Logs', 'Remove from list'],
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

  it('say no time twice where a client shows it beside them', () => {
    const beside = { titleOf, candidates: 5, usuallyMs: 240_000, hasClock: true };
    for (const { cluster: one, nowMs = NOW, line } of ROWS) {
      assert.equal(
        clusterLine(one, nowMs, beside),
        line.replace(/, \d+:\d\d(?= \(|, billing|: It fetches|$)/, ''),
      );
    }
  });

  it('says in the row of one that runs what comes back, where something does', () => {
    const usage = { ...cluster().usage, comesBackMicroUsd: '7900000' };
    assert.match(
      clusterLine(cluster({ phase: 'ready', usage }), NOW),
      /, \$7\.90 comes back if it ends now$/,
    );
    assert.doesNotMatch(clusterLine(cluster({ phase: 'ready' }), NOW), /comes back/);
  });

  it('warn of a machine that does not come back by itself after a reboot', () => {
    const machine = { says: 'Linux', warnings: [], returnsAfterReboot: false };
    const one = (phase: 'ready' | 'stopped') => cluster({ phase, nodes: [node(), { ...node(), machine }] });
    assert.match(clusterLine(one('ready'), NOW), /, ⚠ not back by itself after a reboot$/);
    assert.doesNotMatch(clusterLine(one('stopped'), NOW), /reboot/);
  });

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
      'llm-dev has not answered since 14:02. Vast says it is running ($0.42/h). Work there may continue; your stop limits still apply.',
    );
    assert.match(unreachableMessage(lost, null, NOW, titleOf), /Vast is not answering either\./);
    assert.equal(
      unreachableMessage(lost, undefined, NOW, titleOf),
      'llm-dev has not answered since 14:02; it may still bill $0.42/h. Work there may continue; your stop limits still apply.',
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
      'llm-dev stops in 10 min ($1.93 of $2.00 spent): cell 12 is interrupted, ~/work (1.2 GB, 3 min) is saved, then the machine is deleted with everything on it. Not saved: ~/.cache (14 GB).',
    );
  });
});

describe('what a cluster that is over has cost', () => {
  it('is what all its runs have cost, with the cap of the last one', () => {
    assert.equal(costInAll(spent), 'Cost $1.98 (limit $2.00)');
    assert.equal(
      costInAll({ ...spent, accruedMicroUsd: '2650000', spentBeforeMicroUsd: '1980000' }),
      'Cost $2.65 in total, $0.67 of it in the last run (limit $2.00)',
    );
  });
});

describe('a log of which the end was asked for', () => {
  it('says that it is only the end, and what shows more', () => {
    const log = { cluster: 'llm-dev', name: 'ray' };
    assert.equal(logCutLine('é'.repeat(499), 1_000, log), null);
    assert.equal(
      logCutLine('é'.repeat(500), 1_000, log),
      '… only the last 1 kB of this log; hitch logs llm-dev --name ray --bytes 1000000 shows more',
    );
    assert.match(logCutLine('x', 1, { ...log, node: 1 }) ?? '', / --name ray --node 1 --bytes /);
  });
});

describe('a machine that was adopted to be counted', () => {
  const attempts = [{ ...attempt, adopted: 'watched', state: 'owned' } as const];
  const watched = cluster({ phase: 'unreachable', nodes: [node({ phase: 'unreachable', attempts })] });

  it('is not said to be silent, and can be extended and ended', () => {
    assert.equal(clusterLine(watched, NOW), 'Only counted, $1.13 of $2.00 spent, ends 18:10');
    assert.deepEqual(clusterActions(watched), ['extend', 'stop']);
    assert.equal(isSilent(watched), false);
    assert.equal(statusBar([watched], NOW), '1 GPU, $0.42/h, stops 18:10');
    assert.equal(isSilent(cluster({ phase: 'unreachable' })), true);
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
