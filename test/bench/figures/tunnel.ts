/** What the way by ssh adds to a kernel's round trip, leaves of the speed of plain ssh, and takes to be back after a cut. */
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { randomBytes } from 'node:crypto';
import type { Cluster } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import * as z from 'zod';
import { withoutOpenssh } from '../../support/openssh.ts';
import { Wire } from '../../support/wire.ts';
import { FAR_NAME, type FarUnderTest, openShell, startFar } from '../far-under-test.ts';
import { type Benchmark, type Figure, figure, median, pairs, timed } from '../figure.ts';
import { KernelClient } from '../kernel-client.ts';
import { roundTrips } from './kernel-path.ts';

const BYTES = 100_000_000;
const STREAM_PAIRS = 5;
/** Of several lengths: what is tried now and then is tried at another moment of each. */
const CUTS_MS = [60_000, 63_000, 67_000];
const WAY_MS = 20;
const LOOK_AGAIN_MS = 20;
const ONE_LOOK_MS = 2_000;
const FILE = 'hundred-megabytes';
const run = promisify(execFile);

export const tunnel: Benchmark = {
  names: ['tunnel_roundtrip_added_ms', 'tunnel_stream_ratio'],
  run: report =>
    withFar(report, async (far, cluster) => {
      report('round trips');
      const trips = await addedByTunnel(far, cluster);
      report('100 MB streams');
      const streams = await streamed(far, cluster);
      const speed = (ms: number): string => (BYTES / 1000 / ms).toFixed(0);
      return [
        figure({
          name: 'tunnel_roundtrip_added_ms',
          value: trips.tunnelled - trips.direct,
          unit: 'ms',
          baseline: trips.direct,
          target: { atMost: 1 },
          note: 'execute_request to execute_reply of one kernel over its agent’s socket; baseline: that socket without ssh',
        }),
        figure({
          name: 'tunnel_stream_ratio',
          value: streams.theirs / streams.ours,
          unit: 'of plain ssh',
          baseline: 1,
          target: { atLeast: 0.8 },
          note: `a file of 100 MB through daemon, tunnel and agent: ${speed(streams.ours)} MB/s; ssh cat over an open connection: ${speed(streams.theirs)} MB/s`,
        }),
      ];
    }),
};

export const tunnelReopen: Benchmark = {
  names: ['tunnel_reopen_s'],
  run: report =>
    withFar(report, async (far, cluster) => {
      const times = await reopenedAfterCuts(far, cluster, report);
      const all = times.map(ms => (ms / 1000).toFixed(1)).join(', ');
      return [
        figure({
          name: 'tunnel_reopen_s',
          value: median(times) / 1000,
          unit: 's',
          target: { atMost: 2 },
          note: `from the mend of a cut of 60 to 67 s to the first answer of Jupyter through the daemon; all: ${all}`,
        }),
      ];
    }),
};

/** With a cluster on a far machine that is at rest: what else starts on this computer would be measured along. */
async function withFar(
  report: (progress: string) => void,
  measure: (far: FarUnderTest, cluster: Cluster) => Promise<Figure[]>,
): Promise<Figure[]> {
  const missing = withoutOpenssh();
  if (missing !== null) {
    report(`skipped: ${missing}`);
    return [];
  }
  report('setting a far machine up');
  const far = await startFar();
  try {
    const { id } = await far.rent();
    return await measure(far, await far.daemon.until(id, ({ phase }) => phase === 'ready'));
  } finally {
    await far.end();
  }
}

/** One kernel, one agent; the two ways differ by ssh alone. */
async function addedByTunnel(
  far: FarUnderTest,
  cluster: Cluster,
): Promise<{ direct: number; tunnelled: number }> {
  const { listen, token } = far.agentOf(cluster);
  const answer = await far.daemon.client.raw(`${cluster.jupyterPath}/api/kernels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const { id } = z.object({ id: z.string() }).parse(await answer.json());
  const shell = await openShell(far.machine);
  try {
    const way = await shell.forward(listen, { signal: shell.closed });
    if (!('socketPath' in way)) {
      throw new Error('The way leads over a port, not over a socket.');
    }
    const at = (socketPath: string): Promise<KernelClient> =>
      KernelClient.open(`ws+unix:${socketPath}:/kernels/${id}/channels`, {
        authorization: `Bearer ${token}`,
      });
    const clients = [await at(listen), await at(way.socketPath)];
    const [direct = Number.NaN, tunnelled = Number.NaN] = await roundTrips(clients);
    clients.forEach(client => client.close());
    return { direct, tunnelled };
  } finally {
    await shell.close();
  }
}

async function streamed(far: FarUnderTest, cluster: Cluster): Promise<{ ours: number; theirs: number }> {
  const file = join(far.folderOf(cluster), 'work', FILE);
  writeFileSync(file, randomBytes(BYTES), { mode: 0o644 });
  const master = join(far.machine.folder, 'plain');
  const plain = ['-F', far.machine.config, '-S', master];
  await run('ssh', [...plain, '-f', '-N', '-o', 'ControlMaster=yes', FAR_NAME]);
  try {
    const times = await pairs(
      STREAM_PAIRS,
      () =>
        timed(async () => {
          const path = `/clusters/${cluster.id}/raw-files?path=${FILE}`;
          const { body } = await far.daemon.client.raw(path);
          await counted(body ?? []);
        }),
      () =>
        timed(async () => {
          const cat = spawn('ssh', [...plain, FAR_NAME, `cat ${file}`], {
            stdio: ['ignore', 'pipe', 'ignore'],
          });
          await counted(cat.stdout);
        }),
    );
    return { ours: median(times.ours), theirs: median(times.theirs) };
  } finally {
    await run('ssh', [...plain, '-O', 'exit', FAR_NAME]);
  }
}

/** @throws Error when not all of it came. */
async function counted(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
  }
  if (bytes !== BYTES) {
    throw new Error(`${bytes.toString()} of ${BYTES.toString()} bytes arrived`);
  }
}

async function reopenedAfterCuts(
  far: FarUnderTest,
  cluster: Cluster,
  report: (progress: string) => void,
): Promise<number[]> {
  const wire = await Wire.to(far.machine.port, WAY_MS, { share: 0, random: systemRandom });
  far.machine.leadTo(wire.port);
  // Over the wire from now on.
  far.machine.cut();
  const times: number[] = [];
  try {
    for (const cutMs of CUTS_MS) {
      await answers(far, cluster);
      report(`a cut of ${(cutMs / 1000).toString()} s`);
      wire.cut();
      await systemClock.sleep(cutMs);
      wire.mend();
      times.push(await timed(() => answers(far, cluster)));
    }
    return times;
  } finally {
    await wire.close();
    far.machine.leadTo(far.machine.port);
  }
}

/** Until Jupyter on the machine answers through the daemon. */
async function answers({ daemon }: FarUnderTest, { jupyterPath }: Cluster): Promise<void> {
  for (;;) {
    const signal = AbortSignal.timeout(ONE_LOOK_MS);
    const answer = await daemon.client.raw(`${jupyterPath}/api/kernels`, { signal }).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok === true) {
      return;
    }
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
}
