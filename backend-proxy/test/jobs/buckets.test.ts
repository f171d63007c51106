/**
 * Checkpoints in a bucket: addresses that an S3 server takes, and what comes back through them. The server looks for the key and
 * does not reckon the signature anew, so that this is held against Amazon’s own example.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUCKET_KEY, BUCKET_KEY_ID, HitchError } from '@hitch/contract';
import { AwsV4Signer } from 'aws4fetch';
import { Bucket, bucketKeys, tryBucket } from '../../src/jobs/rented/bucket/bucket.ts';
import {
  fetchKept,
  keptIn,
  manifestKey,
  pieceKey,
  problemIn,
  problemKey,
} from '../../src/jobs/rented/bucket/manifest.ts';

/** Of the server, as its own manual has them. */
const KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const KEEP = new URL('../../python/hitch_bucket/keep.py', import.meta.url).pathname;
const signal = new AbortController().signal;

describe('Checkpoints in a bucket', function () {
  this.timeout(120_000);
  const place = mkdtempSync(join(tmpdir(), 'hitch-bucket-'));
  const programs: ChildProcess[] = [];
  let endpoint: string;

  before(async () => {
    const program = createRequire(import.meta.url).resolve('s3rver/bin/s3rver.js');
    const server = spawn(
      process.execPath,
      [
        ...[program, '--directory', join(place, 's3'), '--address', '127.0.0.1', '--port', '0'],
        ...['--configure-bucket', 'kept'],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    programs.push(server);
    const port = await spoken(server, /listening on \S*?:(\d+)/);
    endpoint = `http://127.0.0.1:${port}`;
  });
  after(async () => {
    for (const program of programs) {
      const runs = program.exitCode === null && program.signalCode === null;
      const ended = runs ? once(program, 'exit') : null;
      program.kill();
      await ended;
    }
    rmSync(place, { recursive: true, force: true });
  });

  /** Waits until a program has said that. @returns what its first group is. */
  function spoken(program: ChildProcess, pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      let said = '';
      program.stdout?.on('data', (bytes: Buffer) => {
        said += bytes.toString();
        const found = pattern.exec(said);
        if (found !== null) {
          resolve(found[1] ?? '');
        }
      });
      program.once('exit', () => reject(new Error(`It ended, and had said: ${said}`)));
    });
  }

  const bucket = (keys = KEYS, url = 's3://kept/team'): Bucket =>
    new Bucket({ url, endpoint, region: 'us-east-1' }, keys);

  /** The program that runs beside a job, until it says that. */
  async function keeperSays(folder: string, base: string, pattern: RegExp, pieceBytes = 7): Promise<void> {
    const here = bucket();
    const put = (key: string): Promise<string> => here.address('PUT', key, 600);
    const file = join(place, `${base.replaceAll('/', '-')}.json`);
    const places = ['a', 'b'].map(async each => ({
      manifest: await put(manifestKey(base, each)),
      pieces: await Promise.all([0, 1, 2, 3].map(number => put(pieceKey(base, each, number)))),
    }));
    writeFileSync(
      file,
      JSON.stringify({
        ...{ folder, pieceBytes, places: await Promise.all(places) },
        problem: await put(problemKey(base)),
      }),
    );
    const keeper = spawn('python3', [KEEP, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    programs.push(keeper);
    await spoken(keeper, pattern);
    keeper.kill();
  }

  it('are signed as Amazon’s own example is, and as boto3 signs', async () => {
    // “Authenticating Requests: Using Query Parameters”, Amazon S3 API reference; `generate_presigned_url` of boto3.
    for (const { expect, ...signed } of [
      {
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        method: 'GET',
        url: 'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Expires=86400',
        region: 'us-east-1',
        datetime: '20130524T000000Z',
        expect: 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
      },
      {
        accessKeyId: 'AK',
        secretAccessKey: 'se/cret+x',
        method: 'PUT',
        url: 'http://127.0.0.1:9000/kept/team%20a/job_1/0/a/0001?X-Amz-Expires=604800',
        region: 'eu-central-1',
        datetime: '20261201T113755Z',
        expect: '80ff70501828a6ccf79d398360a605d446221c1c77c49f17d2246222ba738e45',
      },
    ]) {
      const { url } = await new AwsV4Signer({ ...signed, service: 's3', signQuery: true }).sign();
      assert.equal(url.searchParams.get('X-Amz-Signature'), expect);
    }
  });

  it('need keys that are stored here and right, and a bucket that is there', async () => {
    await tryBucket(bucket(), 'tried', signal);
    assert.equal(await bucket().get('tried', signal), null, 'nothing of the try is left');
    const refusals = [
      [bucket({ ...KEYS, accessKeyId: 'WRONG' }), /403 InvalidAccessKeyId/],
      [bucket(KEYS, 's3://none'), /404 NoSuchBucket/],
    ] as const;
    for (const [wrong, said] of refusals) {
      await assert.rejects(tryBucket(wrong, 'tried', signal), said);
    }
    await assert.rejects(
      bucketKeys(() => Promise.resolve({ [BUCKET_KEY_ID]: 'a' })),
      (error: unknown) => error instanceof HitchError && error.message.includes(BUCKET_KEY),
    );
  });

  it('come back whole, in pieces, from the place that has the newest', async () => {
    const folder = join(place, 'out');
    mkdirSync(join(folder, 'step-2', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'step-1'), 'first');
    writeFileSync(join(folder, 'step-2', 'deep', 'weights'), 'of the second one');
    writeFileSync(join(folder, 'step-2', 'empty'), '');
    await keeperSays(folder, 'job/0', /kept step-1, step-2/);
    const [kept, ...others] = await keptIn(bucket(), 'job/0', signal);
    assert.ok(kept !== undefined && others.length === 0);
    assert.equal(kept.manifest.pieces.length, 4, '22 bytes in pieces of 7');
    const to = join(place, 'back');
    mkdirSync(to);
    await fetchKept(bucket(), kept, to, signal);
    assert.equal(readFileSync(join(to, 'step-1'), 'utf8'), 'first');
    assert.equal(readFileSync(join(to, 'step-2', 'deep', 'weights'), 'utf8'), 'of the second one');
    assert.equal(readFileSync(join(to, 'step-2', 'empty'), 'utf8'), '');
    await bucket().put(pieceKey('job/0', 'a', 2), 'changed', signal);
    const bad = join(place, 'bad');
    mkdirSync(bad);
    await assert.rejects(fetchKept(bucket(), kept, bad, signal), /is not what its list says/);
  });

  it('that are too large are not kept, and that is said', async () => {
    const folder = join(place, 'large');
    mkdirSync(folder);
    writeFileSync(join(folder, 'step-1'), 'x'.repeat(100));
    await keeperSays(folder, 'job/1', /not kept: /);
    assert.deepEqual(await keptIn(bucket(), 'job/1', signal), []);
    const heard = async (): Promise<string> => problemIn(bucket(), 'job/1', signal);
    assert.match(
      await heard(),
      /^The checkpoint has 100 bytes, and no more than 28 are kept in the bucket\.$|^$/,
    );
  });

  it('that a machine lists outside of their folder are none', async () => {
    const manifest = {
      ...{ format: 'hitch-checkpoint/1', name: 'x', writtenAtMs: 1, keptAtMs: 1, pieces: [] },
      files: [{ path: '../../.ssh/authorized_keys', bytes: 0, modifiedAtMs: 1 }],
    };
    await bucket().put(manifestKey('job/2', 'a'), JSON.stringify(manifest), signal);
    await bucket().put(manifestKey('job/2', 'b'), 'no JSON', signal);
    assert.deepEqual(await keptIn(bucket(), 'job/2', signal), []);
  });
});
