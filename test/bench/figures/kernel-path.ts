/** What the relay, the agent and its journal add to a kernel's round trip, and take from its streams. */
import * as z from 'zod';
import { figure, median, timed, type Benchmark } from '../figure.ts';
import { startDaemon, type DaemonUnderTest } from '../daemon-under-test.ts';
import { startJupyter } from '../jupyter-by-hand.ts';
import { KernelClient } from '../kernel-client.ts';

const WARM_UP = 50;
const ROUND_TRIPS = 600;
const BLOCK = 20;
const STREAM_BYTES = 100_000_000;
const STREAM_PAIRS = 3;
const STREAM = `import sys
line = 'x' * 9_999 + '\\n'
for _ in range(${(STREAM_BYTES / 10_000).toString()}):
    sys.stdout.write(line)
`;

export const kernelPath: Benchmark = {
  names: ['kernel_roundtrip_added_ms', 'kernel_roundtrip_against_stock', 'kernel_stream_ratio'],
  async run(report) {
    const daemon = await startDaemon();
    const tuned = await startJupyter(true);
    const stock = await startJupyter(false);
    try {
      const ours = await relayedKernel(daemon);
      const direct = await tuned.startKernel();
      const asItComes = await stock.startKernel();
      report('round trips');
      const times = await roundTrips([ours, direct, asItComes]);
      report('100 MB streams');
      const streams = await streamTimes(ours, direct);
      const [relayMs = Number.NaN, directMs = Number.NaN, stockMs = Number.NaN] = times;
      return [
        figure({
          name: 'kernel_roundtrip_added_ms',
          value: relayMs - directMs,
          unit: 'ms',
          baseline: directMs,
          target: { atMost: 1 },
          note: 'execute_request to execute_reply; baseline: a direct socket to the same tuned server',
        }),
        figure({
          name: 'kernel_roundtrip_against_stock',
          value: relayMs,
          unit: 'ms',
          baseline: stockMs,
          target: { atMost: 1 },
          of: 'ratio',
          note: 'baseline: a direct socket to a stock Jupyter Server',
        }),
        figure({
          name: 'kernel_stream_ratio',
          value: streams.direct / streams.ours,
          unit: 'of direct speed',
          baseline: 1,
          target: { atLeast: 0.8 },
          note: `100 MB printed: ${(100_000 / streams.ours).toFixed(0)} MB/s through Hitch, every byte counted`,
        }),
      ];
    } finally {
      await stock.end();
      await tuned.end();
      await daemon.end();
    }
  },
};

/** Rents a node on this computer and opens a kernel on it through the daemon. */
export async function relayedKernel(daemon: DaemonUnderTest): Promise<KernelClient> {
  const cluster = await daemon.rent({ filter: { providers: ['local'] } });
  await daemon.until(cluster.id, ({ conditions }) => conditions.kernel.status === 'yes');
  return openKernel(daemon, cluster.jupyterPath);
}

export async function openKernel(daemon: DaemonUnderTest, jupyterPath: string): Promise<KernelClient> {
  const answer = await daemon.client.raw(`${jupyterPath}/api/kernels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const { id } = z.object({ id: z.string() }).parse(await answer.json());
  const base = daemon.found.baseUrl.replace('http:', 'ws:');
  return KernelClient.open(`${base}${jupyterPath}/api/kernels/${id}/channels`, await daemon.client.headers());
}

/** Median round trip of each client, measured in interleaved blocks. */
export async function roundTrips(clients: readonly KernelClient[]): Promise<readonly number[]> {
  const times = clients.map(() => [] as number[]);
  for (const client of clients) {
    for (let round = 0; round < WARM_UP; round++) {
      await client.execute('pass');
    }
  }
  for (let block = 0; block < ROUND_TRIPS / BLOCK; block++) {
    for (const [index, client] of clients.entries()) {
      for (let round = 0; round < BLOCK; round++) {
        times[index]?.push(await timed(() => client.execute('pass', 'reply')));
      }
      await client.execute('pass');
    }
  }
  return times.map(median);
}

async function streamTimes(
  ours: KernelClient,
  direct: KernelClient,
): Promise<{ ours: number; direct: number }> {
  const stream = async (client: KernelClient): Promise<number> => {
    let bytes = 0;
    const tookMs = await timed(async () => {
      bytes = (await client.execute(STREAM)).streamBytes;
    });
    if (bytes !== STREAM_BYTES) {
      throw new Error(`${bytes.toString()} of ${STREAM_BYTES.toString()} bytes arrived`);
    }
    return tookMs;
  };
  const times: { ours: number[]; direct: number[] } = { ours: [], direct: [] };
  for (let pair = 0; pair < STREAM_PAIRS; pair++) {
    times.direct.push(await stream(direct));
    times.ours.push(await stream(ours));
  }
  return { ours: median(times.ours), direct: median(times.direct) };
}
