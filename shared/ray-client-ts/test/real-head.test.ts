import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  RayAuthError,
  RayBadRequestError,
  RayClient,
  RayConflictError,
  RayNotFoundError,
} from '../src/index.ts';
import { collect } from './fake-head.ts';
import { processesOf, rayPython, startHead } from './real-ray.ts';
import type { RealHead } from './real-ray.ts';

const run = promisify(execFile);

/** Prints what makes following hard: cut characters, carriage returns, long lines, silence, bursts. */
const AWKWARD = `
import sys, time
def w(b): sys.stdout.buffer.write(b); sys.stdout.buffer.flush()
w('h\\u00e9llo \\U0001f600\\n'.encode())
for i in range(4): w(b'progress %d%%\\r' % (i * 25)); time.sleep(0.7)
w(b'\\nhalf of \\xf0\\x9f'); time.sleep(1.5); w(b'\\x98\\x80\\n')
for i in range(400): w(b'line %d\\n' % i)
w(b'x' * 30000 + b'\\n'); time.sleep(1)
w(b'no line end')
`;
const NOT_UTF8 = `import sys; sys.stdout.buffer.write(b'good\\n\\xff bad\\n')`;

function python(code: string): string {
  return `python -c "import base64; exec(base64.b64decode('${Buffer.from(code).toString('base64')}'))"`;
}

describe('a real head (engine)', function () {
  this.timeout(420_000);
  let head: RealHead;
  let client: RayClient;

  before(async function () {
    const found = rayPython();
    if ('missing' in found) {
      console.log(`    skipped: ${found.missing}`);
      this.skip();
    }
    for (let attempt = 1; client === undefined; attempt += 1) {
      head = await startHead(found.python);
      const trying = new RayClient({ baseUrl: head.baseUrl, token: head.token });
      try {
        await trying.health.ready({ signal: AbortSignal.any([head.ended, AbortSignal.timeout(120_000)]) });
        client = trying;
      } catch (error) {
        await trying.close();
        await head.stop();
        if (attempt === 3) {
          throw new Error(`Ray did not start: ${head.output().slice(-4000)}`, { cause: error });
        }
      }
    }
  });

  after(async () => {
    if (client === undefined) return;
    await client.close();
    await head.stop();
    assert.deepEqual(processesOf(head.folder), []);
  });

  it('lets in who has the token, and nobody else', async () => {
    assert.match((await client.version()).ray_version, /^2\.\d+\.\d+/);
    assert.equal(await client.cluster.authenticationMode(), 'token');
    for (const token of [undefined, 'wrong']) {
      await using stranger = new RayClient({ baseUrl: head.baseUrl, token });
      await assert.rejects(stranger.version(), RayAuthError);
      await assert.rejects(stranger.jobs.tail('any').next(), RayAuthError);
      assert.equal(await stranger.health.gcs(), true);
    }
  });

  it('describes nodes, use, demand and activity', async () => {
    const { items } = await client.state.nodes({
      detail: true,
      filters: [{ key: 'is_head_node', value: true }],
    });
    const node = items[0];
    assert.ok(node);
    assert.equal(node.resources_total['my_res'], 2);
    assert.equal(node.labels?.['purpose'], 'client-test');
    assert.equal(node.end_time_ms, null);
    const none = await client.state.nodes({ filters: [{ key: 'state', predicate: '!=', value: 'ALIVE' }] });
    assert.deepEqual(none.items, []);

    const summary = (await client.nodes.summary()).nodes[0];
    assert.equal(summary?.raylet.nodeId, node.node_id);
    assert.equal(summary.raylet.resourcesTotal?.['myRes'], 2, 'the dashboard mangles this name');
    const status = await client.cluster.status();
    assert.equal(typeof status.autoscalingStatus === 'string' || status.autoscalingStatus === null, true);
    assert.ok((await client.cluster.activities())['driver']);
    assert.equal((await client.cluster.metadata()).rayVersion, (await client.version()).ray_version);
  });

  it('follows an awkward log over connections that keep breaking, equal to the whole log', async () => {
    const id = await client.jobs.submit({ entrypoint: python(AWKWARD), metadata: { kind: 'awkward' } });
    let opened = 0;
    const retries: string[] = [];
    await using broken = new RayClient({
      baseUrl: head.baseUrl,
      token: head.token,
      createConnection: () => breakingSocket(head.port, (opened += 1) * 1500),
    });
    const pieces: string[] = [];
    const options = {
      idlePollMs: 500,
      retryDelayMs: 50,
      maxRetryDelayMs: 200,
      onRetry: (error: Error) => retries.push(error.name),
    };
    for await (const piece of broken.jobs.tail(id, options)) pieces.push(piece);
    const whole = await client.jobs.logs(id);
    const [followed, read] = [pieces.join(''), whole].map(log => log.replace(/\n+/g, '\n'));
    assert.equal(followed, read, 'apart from how often a split line end counts');
    assert.match(whole, /héllo 😀\n/);
    assert.match(whole, /half of 😀\nline 0\n/);
    assert.match(whole, /line 399\nx{30000}\nno line end$/);
    assert.ok(opened > 5, `only ${String(opened)} connections were needed`);
    const job = await client.jobs.get(id);
    assert.equal(job.status, 'SUCCEEDED');
    assert.equal(job.driver_exit_code, 0);
  });

  it('follows a log that is not UTF-8 to its end', async () => {
    const id = await client.jobs.submit({ entrypoint: python(NOT_UTF8) });
    const pieces = await collect(client.jobs.tail(id, { idlePollMs: 1000 }));
    assert.match(pieces.join(''), /^good\n\ufffd bad$/m);
    assert.equal(await client.jobs.logs(id), pieces.join(''));
  });

  it('refuses what is wrong, in one line each', async () => {
    const submission_id = 'only-once';
    await client.jobs.submit({ entrypoint: 'sleep 600', submission_id });
    await assert.rejects(client.jobs.submit({ entrypoint: 'ls', submission_id }), (error: unknown) => {
      assert.ok(error instanceof RayConflictError);
      assert.match(error.message, /^POST \/api\/jobs\/ was answered with 500: ValueError: .*already exists/);
      return true;
    });
    await assert.rejects(client.jobs.delete(submission_id), RayConflictError);
    const unknown = { entrypoint: 'ls', nosuch: 1 };
    await assert.rejects(client.jobs.submit(unknown), RayBadRequestError);
    await assert.rejects(client.jobs.get('nope'), RayNotFoundError);
    await assert.rejects(client.jobs.tail('nope').next(), RayNotFoundError);
    await assert.rejects(client.state.actors({ limit: 20_000 }), RayBadRequestError);

    assert.equal(await client.jobs.stop(submission_id), true);
    const stopped = await client.jobs.waitFor(submission_id, { signal: AbortSignal.timeout(60_000) });
    assert.equal(stopped.status, 'STOPPED');
    assert.equal(await client.jobs.stop(submission_id), false);
    assert.equal(await client.jobs.delete(submission_id), true);
    await assert.rejects(client.jobs.get(submission_id), RayNotFoundError);
  });

  it('runs a job in an uploaded working directory, and reports how it failed', async () => {
    const zip = join(head.folder, 'work.zip');
    await writeFile(join(head.folder, 'hello.txt'), 'from the package\n');
    const found = rayPython();
    assert.ok('python' in found);
    await run(found.python, ['-m', 'zipfile', '-c', zip, join(head.folder, 'hello.txt')]);
    const working_dir = await client.packages.upload(await readFile(zip));
    assert.equal(await client.packages.exists(working_dir), true);
    assert.equal(await client.packages.exists('gcs://_ray_pkg_0000.zip'), false);
    const id = await client.jobs.submit({
      entrypoint: 'cat hello.txt; exit 3',
      runtime_env: { working_dir },
    });
    const job = await client.jobs.waitFor(id);
    assert.equal(job.status, 'FAILED');
    assert.equal(job.error_type, 'JOB_ENTRYPOINT_COMMAND_ERROR');
    assert.equal(job.driver_exit_code, 3);
    // Ray may write its own first line after the program's.
    assert.match(await client.jobs.logs(id), /^from the package$/m);
  });

  it('lists actors, tasks, placement groups, workers, jobs and objects in the shapes promised', async () => {
    const options = { detail: true, limit: 50 };
    const jobs = await client.state.jobs({ ...options, filters: [{ key: 'status', value: 'SUCCEEDED' }] });
    assert.ok(jobs.items.some(job => job.metadata?.['kind'] === 'awkward'));
    assert.ok((await client.jobs.list()).length >= jobs.items.length);
    const workers = await client.state.workers(options);
    assert.ok(workers.items.length > 0);
    await client.state.actors(options);
    await client.state.tasks({ ...options, excludeDriver: false });
    await client.state.placementGroups(options);
    await client.state.objects(options);
  });
});

/** A connection that breaks once so many bytes came through it. */
function breakingSocket(port: number, bytes: number): Socket {
  const socket = connect(port, '127.0.0.1');
  let seen = 0;
  socket.on('data', chunk => {
    seen += chunk.length;
    if (seen > bytes) socket.destroy();
  });
  return socket;
}
