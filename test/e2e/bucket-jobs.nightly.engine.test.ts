/** A job whose checkpoints go to a bucket: its machine is lost while this computer is off, and the next one goes on from there. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUCKET_KEY, BUCKET_KEY_ID, type Job } from '@hitch/contract';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

/** Waits at its twentieth step until it is told to go on, and at its fortieth for ever; begun anew it does two more. */
const TRAIN = `
import os, time
os.makedirs('out', exist_ok=True)
steps = [int(name.split('-')[1]) for name in os.listdir('out') if name.startswith('step-')]
begun = max(steps, default=0)
print('begun at', begun, flush=True)
for step in range(begun + 1, begun + 3 if begun else 41):
    if step % 20 == 0:
        with open('out/part', 'w') as part:
            part.write('weights of step %d' % step)
        os.replace('out/part', 'out/step-%d' % step)
    while step == 20 and not os.path.exists('go'):
        time.sleep(0.05)
    while step == 40:
        time.sleep(0.05)
print('done', flush=True)
`;
const PATIENT_MS = 600_000;

describe('A job with a bucket', function () {
  this.timeout(1_500_000);
  const home = new DaemonHome();
  const place = mkdtempSync(join(tmpdir(), 'hb-'));
  let server: ChildProcess | null = null;

  before(function () {
    needsRealNodes(this);
  });
  after(async () => {
    if (server !== null) {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    }
    await home.dispose();
    rmSync(place, { recursive: true, force: true });
  });

  it('goes on from what its machine kept there while this computer was off', async () => {
    const program = createRequire(import.meta.url).resolve('s3rver/bin/s3rver.js');
    const held = join(place, 's3');
    const begun = spawn(
      process.execPath,
      [
        ...[program, '--directory', held, '--address', '127.0.0.1', '--port', '0'],
        ...['--configure-bucket', 'kept'],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    server = begun;
    let said = '';
    begun.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const port = await until('the bucket is there', () =>
      Promise.resolve(/listening on \S*?:(\d+)/.exec(said)?.[1] ?? null),
    );
    const folder = join(place, 'code');
    mkdirSync(folder);
    writeFileSync(join(folder, 'train.py'), TRAIN);
    await home.start();
    await home.api.secrets.set({ name: BUCKET_KEY_ID, value: 'S3RVER' });
    await home.api.secrets.set({ name: BUCKET_KEY, value: 'S3RVER' });
    const bucket = { url: 's3://kept/team', endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1' };
    const request = {
      work: {
        kind: 'program' as const,
        spec: { work: { kind: 'command' as const, command: ['python', 'train.py'] } },
        folder,
        checkpoints: 'out',
      },
      rent: { filter: { practice: 'only' as const } },
      replacements: 3,
      bucket,
    };
    await assert.rejects(
      home.api.jobs.quote({ ...request, bucket: { ...bucket, url: 's3://none' } }),
      /NoSuchBucket/,
    );
    const quote = await home.api.jobs.quote(request);
    assert.match(quote.lines.join('\n'), /Checkpoints \(~\/work\/code\/out\) go to s3:\/\/kept\/team too/);
    const { id: jobId } = await home.api.jobs.rent({ jobId: quote.id });
    const job = (): Promise<Job> => home.api.jobs.get({ jobId });
    await until(
      'the first is in the bucket',
      async () => ((await job()).rental?.bucket?.checkpoint?.name === 'step-20' ? true : null),
      PATIENT_MS,
    );
    await home.kill();
    const machines = home.home.machines;
    const works = readdirSync(machines).map(name => join(machines, name, 'work', 'code'));
    works.filter(work => existsSync(work)).forEach(work => writeFileSync(join(work, 'go'), ''));
    const texts = (): string =>
      readdirSync(held, { recursive: true, encoding: 'utf8' })
        .filter(name => /manifest\.json.*_object$/.test(name))
        .map(name => readFileSync(join(held, name), 'utf8'))
        .join('\n');
    await until(
      'the second is in the bucket, and nobody here is awake',
      () => Promise.resolve(texts().includes('"name": "step-40"') ? true : null),
      PATIENT_MS,
    );
    home.takeMachines();
    await home.start();
    const over = await until(
      'it is over',
      async () => {
        const now = await job();
        return now.rental?.stage === 'over' ? now : null;
      },
      PATIENT_MS,
    );
    assert.equal(over.state, 'succeeded', over.rental?.message);
    assert.equal(over.runs.length, 2);
    const log = await home.api.jobs.log({ jobId, run: 2 });
    assert.match(Buffer.from(log.data, 'base64').toString(), /^begun at 40\ndone\n$/);
    assert.equal(over.rental?.machinesLeft, 0);
  });
});
