/** A job from the command line to its first line, against `ray job submit` on the same Ray; and how fast a log is read again. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { jobSpecSchema, readJobLog } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { HITCH_PROGRAM } from '../../support/daemon-home.ts';
import { type DaemonUnderTest, startDaemon } from '../daemon-under-test.ts';
import { type Benchmark, figure, median, pairs, timed } from '../figure.ts';

const PAIRS = 5;
const LINE = 'the-first-line';
const SAYS = ['python', '-c', `print('${LINE}', flush=True)`];
const WITHIN_MS = 180_000;
const LOG_BYTES = 48 * 1024 * 1024;
const REPLAYS = 5;
const COPY = 'as-a-file.bin';
/** Lines of all lengths, as a training that says too much. */
const PRINTS = `
import os
line = b'step 1234567 loss 0.123456 ' * 40
left = ${LOG_BYTES.toString()}
open('${COPY}', 'wb').truncate(left)
while left > 0:
    data = line[: 1 + left % len(line)] + b'\\n'
    data = data[:left]
    os.write(1, data * max(1, min(64, left // len(data))))
    left -= len(data) * max(1, min(64, left // len(data)))
`;

/** From the start of a command to the line that its program prints. @throws Error where it ends without. */
function firstLine(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return timed(
    () =>
      new Promise<void>((resolve, reject) => {
        const child = spawn(program, [...args], {
          env,
          cwd: '/',
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: WITHIN_MS,
        });
        let said = '';
        const hear = (bytes: Buffer): void => {
          said += bytes.toString();
          // The command itself may stand in what is said before.
          if (said.split('\n').some(line => line.trim() === LINE)) {
            resolve();
          }
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        child.once('error', reject);
        child.once('close', () => reject(new Error(`${program} ended without the line: ${said}`)));
      }),
  );
}

export const jobFirstLine: Benchmark = {
  names: ['job_first_line_ratio'],
  async run(report) {
    const daemon = await startDaemon();
    try {
      report('starting Ray');
      const { id } = await daemon.rent({ nodes: 1, engine: 'ray', filter: { providers: ['local'] } });
      const cluster = await daemon.until(id, ({ conditions }) => conditions.engine.status === 'yes');
      const ref = cluster.nodes[0]?.attempts.at(-1)?.ref ?? '';
      // What a shell on the machine begins with: its Python, Ray's address and token.
      const session = join(daemon.home.machines, ref, 'state', 'shells', 'session.sh');
      const submit = `. '${session}' && exec ray job submit -- ${SAYS.map(word => `"${word}"`).join(' ')}`;
      const ours = (): Promise<number> =>
        firstLine(process.execPath, [HITCH_PROGRAM, 'job', 'run', cluster.name, '--no-send', '--', ...SAYS], {
          ...process.env,
          HITCH_HOME: daemon.home.root,
          NODE_NO_WARNINGS: '1',
        });
      const theirs = (): Promise<number> => firstLine('/bin/sh', ['-c', submit], process.env);
      report(`first lines, ${PAIRS.toString()} pairs`);
      await ours();
      await theirs();
      const spans = await pairs(PAIRS, ours, theirs);
      return [
        figure({
          name: 'job_first_line_ratio',
          value: median(spans.ours) / 1000,
          unit: 's',
          baseline: median(spans.theirs) / 1000,
          target: { atMost: 0.5 },
          of: 'ratio',
          note: 'hitch job run to the first line on the screen; baseline: ray job submit on the same Ray, in a shell of its machine',
        }),
      ];
    } finally {
      await daemon.end();
    }
  },
};

export const logReplay: Benchmark = {
  names: ['log_replay_mb_s'],
  async run(report) {
    const daemon = await startDaemon();
    try {
      const { id: clusterId } = await daemon.rent({ nodes: 1, filter: { providers: ['local'] } });
      await daemon.until(clusterId, ({ conditions }) => conditions.kernel.status === 'yes');
      report('a job prints 50 MB');
      const spec = jobSpecSchema.parse({ work: { kind: 'command', command: ['python', '-c', PRINTS] } });
      const { id } = await daemon.client.api.jobs.start({ clusterId, spec });
      while ((await daemon.client.api.jobs.get({ jobId: id })).state !== 'succeeded') {
        await systemClock.sleep(200);
      }
      report(`reading it again, and a file of the same size, ${REPLAYS.toString()} pairs`);
      const spans = await pairs(
        REPLAYS,
        () => timed(() => readWhole(daemon, id)),
        () => timed(() => copyWhole(daemon, clusterId)),
      );
      const mbPerS = (ms: number): number => LOG_BYTES / 1e6 / (ms / 1000);
      return [
        figure({
          name: 'log_replay_mb_s',
          value: mbPerS(median(spans.ours)),
          unit: 'MB/s',
          baseline: mbPerS(median(spans.theirs)),
          target: { atLeast: 5 },
          note: `a log of ${(LOG_BYTES / 1e6).toFixed(0)} MB from the machine through the daemon, every byte counted; baseline: a file of the same size over the same way`,
        }),
      ];
    } finally {
      await daemon.end();
    }
  },
};

type JobId = Awaited<ReturnType<DaemonUnderTest['client']['api']['jobs']['start']>>['id'];

async function readWhole({ client }: DaemonUnderTest, jobId: JobId): Promise<void> {
  let bytes = 0;
  for (;;) {
    const part = await readJobLog(client, jobId, { run: 1, from: bytes });
    if (part.bytes.length === 0) {
      break;
    }
    if (part.from !== bytes) {
      throw new Error(`${(part.from - bytes).toString()} bytes of the log are missing`);
    }
    bytes = part.next;
  }
  if (bytes !== LOG_BYTES) {
    throw new Error(`the log has ${bytes.toString()} bytes, not ${LOG_BYTES.toString()}`);
  }
}

/** The same bytes as a file of the machine, over the same way. */
async function copyWhole({ client }: DaemonUnderTest, clusterId: string): Promise<void> {
  const answer = await client.raw(`/clusters/${clusterId}/raw-files?path=${COPY}`);
  const { byteLength } = await answer.arrayBuffer();
  if (byteLength !== LOG_BYTES) {
    throw new Error(`the file has ${byteLength.toString()} bytes, not ${LOG_BYTES.toString()}`);
  }
}
