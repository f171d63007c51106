/** What a web page of a cluster's program keeps of the speed of the way by ssh that leads to it. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Cluster, jobSpecSchema } from '@hitch/contract';
import { withoutOpenssh } from '../../support/openssh.ts';
import { until } from '../../support/waiting.ts';
import { FAR_NAME, type FarUnderTest, startFar } from '../far-under-test.ts';
import { type Benchmark, figure, median, pairs, timed } from '../figure.ts';

const BYTES = 100_000_000;
const STREAM_PAIRS = 5;
const FILE = 'hundred-megabytes';
const run = promisify(execFile);

export const ports: Benchmark = {
  names: ['port_stream_ratio'],
  run: async report => {
    const missing = withoutOpenssh();
    if (missing !== null) {
      report(`skipped: ${missing}`);
      return [];
    }
    report('setting a far machine up');
    const far = await startFar();
    try {
      const { id } = await far.rent();
      const cluster = await far.daemon.until(id, ({ phase }) => phase === 'ready');
      report('100 MB streams');
      const { ours, theirs } = await streamed(far, cluster);
      const speed = (ms: number): string => (BYTES / 1000 / ms).toFixed(0);
      return [
        figure({
          name: 'port_stream_ratio',
          value: theirs / ours,
          unit: 'of ssh -L',
          baseline: 1,
          target: { atLeast: 0.8 },
          note: `100 MB of python -m http.server on its own origin: ${speed(ours)} MB/s; over ssh -L: ${speed(theirs)} MB/s`,
        }),
      ];
    } finally {
      await far.end();
    }
  },
};

const serves = (port: number): readonly string[] => [
  ...['python', '-m', 'http.server', port.toString()],
  ...['--bind', '127.0.0.1'],
];

async function streamed(far: FarUnderTest, cluster: Cluster): Promise<{ ours: number; theirs: number }> {
  const { api } = far.daemon.client;
  writeFileSync(join(far.folderOf(cluster), 'work', FILE), randomBytes(BYTES), { mode: 0o644 });
  const [port, forwarded] = [await freePort(), await freePort()];
  await api.jobs.start({
    clusterId: cluster.id,
    spec: jobSpecSchema.parse({ work: { kind: 'command', command: serves(port) } }),
  });
  const link = await until('it is served', () =>
    api.ports.link({ clusterId: cluster.id, port }).catch(() => null),
  );
  const { host, pathname } = new URL(link.url);
  const daemonPort = Number(new URL(link.url).port);
  const { cookie } = await get(daemonPort, pathname, { host });
  const master = join(far.machine.folder, 'plain');
  const plain = ['-F', far.machine.config, '-S', master];
  const forward = `${forwarded.toString()}:127.0.0.1:${port.toString()}`;
  await run('ssh', [...plain, '-f', '-N', '-o', 'ControlMaster=yes', '-L', forward, FAR_NAME]);
  const whole = async (at: number, headers: Record<string, string>): Promise<void> => {
    const { bytes } = await get(at, `/${FILE}`, headers);
    if (bytes !== BYTES) {
      throw new Error(`${bytes.toString()} of ${BYTES.toString()} bytes arrived`);
    }
  };
  try {
    const times = await pairs(
      STREAM_PAIRS,
      () => timed(() => whole(daemonPort, { host, cookie })),
      () => timed(() => whole(forwarded, {})),
    );
    return { ours: median(times.ours), theirs: median(times.theirs) };
  } finally {
    await run('ssh', [...plain, '-O', 'exit', FAR_NAME]);
  }
}

function get(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<{ bytes: number; cookie: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, answer => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.once('error', reject);
      answer.once('end', () =>
        resolve({ bytes, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' }),
      );
    });
    asked.once('error', reject);
    asked.end();
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
