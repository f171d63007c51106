/** From the yes to the first cell, and to a complete Ray, each against the same programs started by hand. */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RayClient } from 'ray-client-ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { endProcesses } from '../../../backend-proxy/src/machines/end-processes.ts';
import { systemProcesses } from '../../../backend-proxy/src/machines/process-table.ts';
import { figure, median, pairs, timed, type Benchmark } from '../figure.ts';
import { withoutOpenssh } from '../../support/openssh.ts';
import { startDaemon, type DaemonUnderTest } from '../daemon-under-test.ts';
import { FAR_NAME, startFar } from '../far-under-test.ts';
import { benchPython, type JupyterByHand, startJupyter, startJupyterOver } from '../jupyter-by-hand.ts';
import { openKernel } from './kernel-path.ts';

const CELL_PAIRS = 5;
const RAY_PAIRS = 3;
const LOOK_AGAIN_MS = 50;

export const firstCell: Benchmark = {
  names: ['first_cell_ratio'],
  async run(report) {
    const daemon = await startDaemon();
    try {
      report(`first cells, ${CELL_PAIRS.toString()} pairs`);
      await firstCellRented(daemon, 'local');
      const cells = await pairs(
        CELL_PAIRS,
        () => firstCellRented(daemon, 'local'),
        () => firstCellByHand(() => startJupyter(true)),
      );
      return [
        figure({
          name: 'first_cell_ratio',
          value: median(cells.ours) / 1000,
          unit: 's',
          baseline: median(cells.theirs) / 1000,
          target: { atMost: 1.3 },
          of: 'ratio',
          note: 'create to the first reply; baseline: the same server and kernel by hand',
        }),
      ];
    } finally {
      await daemon.end();
    }
  },
};

export const farFirstCell: Benchmark = {
  names: ['far_first_cell_ratio'],
  async run(report) {
    const missing = withoutOpenssh();
    if (missing !== null) {
      report(`skipped: ${missing}`);
      return [];
    }
    report('setting a far machine up');
    const far = await startFar();
    const { machine, daemon } = far;
    try {
      const { id } = await far.rent();
      await daemon.stop(id);
      report(`first cells on a far machine, ${CELL_PAIRS.toString()} pairs`);
      const allow = (folder: string) => execFileSync('chown', ['-R', `--reference=${machine.home}`, folder]);
      const there = { python: far.pythonOf(), folder: machine.folder, allow };
      const ssh = ['-F', machine.config, FAR_NAME];
      const cells = await pairs(
        CELL_PAIRS,
        () => firstCellRented(daemon, 'ssh'),
        () => firstCellByHand(() => startJupyterOver(ssh, there)),
      );
      return [
        figure({
          name: 'far_first_cell_ratio',
          value: median(cells.ours) / 1000,
          unit: 's',
          baseline: median(cells.theirs) / 1000,
          target: { atMost: 1.3 },
          of: 'ratio',
          note: 'create to the first reply on a machine that was set up; baseline: the same server and kernel by hand, in one command of ssh with its port led here',
        }),
      ];
    } finally {
      await far.end();
    }
  },
};

export const rayReady: Benchmark = {
  names: ['ray_ready_added_s'],
  async run(report) {
    const daemon = await startDaemon();
    try {
      report(`two-node Rays, ${RAY_PAIRS.toString()} pairs`);
      const rays = await pairs(RAY_PAIRS, () => rayRented(daemon), rayByHand);
      const seconds = (times: readonly RayTimes[]) => median(times.map(({ rayMs }) => rayMs)) / 1000;
      const firstCellMs = median(rays.ours.map(({ cellMs }) => cellMs));
      return [
        figure({
          name: 'ray_ready_added_s',
          value: seconds(rays.ours) - seconds(rays.theirs),
          unit: 's',
          baseline: seconds(rays.theirs),
          target: { atMost: 2 },
          note: `create to two nodes alive; the first cell came after ${(firstCellMs / 1000).toFixed(1)} s; baseline: the same two ray start by hand`,
        }),
      ];
    } finally {
      await daemon.end();
    }
  },
};

async function firstCellRented(daemon: DaemonUnderTest, provider: 'local' | 'ssh'): Promise<number> {
  const quote = await daemon.client.api.quotes.create({ nodes: 1, filter: { providers: [provider] } });
  let id: Awaited<ReturnType<DaemonUnderTest['rent']>>['id'] | undefined;
  const tookMs = await timed(async () => {
    const cluster = await daemon.client.api.clusters.create({ quoteId: quote.id });
    id = cluster.id;
    await daemon.until(id, ({ conditions }) => conditions.kernel.status === 'yes');
    const kernel = await openKernel(daemon, cluster.jupyterPath);
    await kernel.execute('1 + 1', 'reply');
    kernel.close();
  });
  if (id !== undefined) {
    await daemon.stop(id);
  }
  return tookMs;
}

async function firstCellByHand(start: () => Promise<JupyterByHand>): Promise<number> {
  let end: (() => Promise<void>) | undefined;
  const tookMs = await timed(async () => {
    const jupyter = await start();
    end = () => jupyter.end();
    const kernel = await jupyter.startKernel();
    await kernel.execute('1 + 1', 'reply');
    kernel.close();
  });
  await end?.();
  return tookMs;
}

interface RayTimes {
  readonly rayMs: number;
  readonly cellMs: number;
}

async function rayRented(daemon: DaemonUnderTest): Promise<RayTimes> {
  const quote = await daemon.client.api.quotes.create({
    nodes: 2,
    engine: 'ray',
    filter: { providers: ['local'] },
  });
  const start = performance.now();
  const cluster = await daemon.client.api.clusters.create({ quoteId: quote.id });
  const firstCell = (async () => {
    await daemon.until(cluster.id, ({ conditions }) => conditions.kernel.status === 'yes');
    const kernel = await openKernel(daemon, cluster.jupyterPath);
    await kernel.execute('1 + 1', 'reply');
    kernel.close();
    return performance.now() - start;
  })();
  await daemon.until(cluster.id, ({ conditions }) => conditions.engine.status === 'yes');
  const rayMs = performance.now() - start;
  const cellMs = await firstCell;
  await daemon.stop(cluster.id);
  return { rayMs, cellMs };
}

/** The ports of one of two Ray nodes on this computer. */
function rayFlags(base: number): string[] {
  const port = (offset: number) => (base + offset).toString();
  return [
    `--node-manager-port=${port(1)}`,
    `--object-manager-port=${port(2)}`,
    `--runtime-env-agent-port=${port(3)}`,
    `--dashboard-agent-listen-port=${port(4)}`,
    `--dashboard-agent-grpc-port=${port(5)}`,
    `--metrics-export-port=${port(6)}`,
    `--min-worker-port=${port(10)}`,
    `--max-worker-port=${port(99)}`,
    '--num-cpus=1',
    '--disable-usage-stats',
    '--block',
  ];
}

async function rayByHand(): Promise<RayTimes> {
  const folder = mkdtempSync('/tmp/hr-');
  const token = randomUUID().replaceAll('-', '');
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const ref = `hitch-bench${process.pid.toString()}`;
  const ray = (args: readonly string[], metricsPort: number): void => {
    spawn(benchPython(), ['-m', 'ray.scripts.scripts', 'start', ...args], {
      stdio: 'ignore',
      env: {
        ...process.env,
        HITCH_NODE: ref,
        RAY_AUTH_MODE: 'token',
        RAY_AUTH_TOKEN_PATH: tokenFile,
        RAY_USAGE_STATS_ENABLED: '0',
        AUTOSCALER_METRIC_PORT: metricsPort.toString(),
        DASHBOARD_METRIC_PORT: (metricsPort + 1).toString(),
      },
    });
  };
  const client = new RayClient({ baseUrl: 'http://127.0.0.1:23265', token });
  try {
    const rayMs = await timed(async () => {
      const head = ['--head', '--port=23000', '--dashboard-host=127.0.0.1', '--dashboard-port=23265'];
      ray([...head, `--temp-dir=${join(folder, 'h')}`, ...rayFlags(23_100)], 23_300);
      const address = await untilAlive(client, 1);
      ray([`--address=${address}:23000`, `--temp-dir=${join(folder, 'w')}`, ...rayFlags(23_400)], 23_600);
      await untilAlive(client, 2);
    });
    return { rayMs, cellMs: Number.NaN };
  } finally {
    await client.close();
    await endProcesses({ ref, cgroup: null, roots: [] }, { clock: systemClock, table: systemProcesses });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves with the head's address once `count` nodes are alive. */
async function untilAlive(client: RayClient, count: number): Promise<string> {
  for (;;) {
    const nodes = await client.state.nodes().catch(() => null);
    const alive = (nodes?.items ?? []).filter(({ state }) => state === 'ALIVE');
    const head = alive.find(({ is_head_node }) => is_head_node);
    if (alive.length >= count && head !== undefined) {
      return head.node_ip;
    }
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
}
