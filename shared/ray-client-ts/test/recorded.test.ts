import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import {
  RayAuthError,
  RayBadRequestError,
  RayClient,
  RayConflictError,
  RayError,
  RayNotFoundError,
} from '../src/index.ts';
import { FakeHead } from './fake-head.ts';

const recordingSchema = z.object({
  request: z.string(),
  status: z.number(),
  contentType: z.string(),
  body: z.unknown().optional(),
  text: z.string().optional(),
});
type Recording = z.infer<typeof recordingSchema>;

function recording(name: string): Recording {
  return recordingSchema.parse(
    JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8')),
  );
}

describe('answers recorded from Ray 2.58.0', () => {
  let head: FakeHead;
  let client: RayClient;

  beforeEach(async () => {
    head = await FakeHead.start();
    client = new RayClient({ baseUrl: head.baseUrl });
  });

  afterEach(async () => {
    await client.close();
    await head[Symbol.asyncDispose]();
  });

  /** Plays one answer, whatever is asked, and returns what the recording was asked for. */
  function play(name: string): Recording {
    const played = recording(name);
    head.answer = (_asked, response) => {
      response.writeHead(played.status, { 'content-type': played.contentType });
      response.end(played.text ?? JSON.stringify(played.body));
    };
    return played;
  }

  /** The call asked exactly what was asked when the answer was recorded. */
  function assertAskedLike(played: Recording): void {
    const asked = head.asked.at(-1);
    assert.ok(asked);
    const [method, target] = played.request.split(' ');
    const wanted = new URL(target ?? '', 'http://ray');
    const got = new URL(asked.url, 'http://ray');
    assert.equal(asked.method, method);
    assert.equal(got.pathname, wanted.pathname);
    assert.deepEqual([...got.searchParams].sort(), [...wanted.searchParams].sort());
  }

  async function failure(call: Promise<unknown>): Promise<RayError> {
    const error: unknown = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof RayError, `expected a RayError, got ${String(error)}`);
    assert.ok(!error.message.includes('Traceback') && !error.message.includes('\n'), error.message);
    return error;
  }

  it('tells the version', async () => {
    const played = play('version');
    assert.deepEqual(await client.version(), played.body);
    assertAskedLike(played);
  });

  it('submits, and takes the submission id', async () => {
    const played = play('submit-noct');
    const request = {
      entrypoint: 'exit 3',
      submission_id: undefined,
      metadata: null,
      entrypoint_num_gpus: 0,
    };
    assert.equal(await client.jobs.submit(request), 'raysubmit_sS8ApEwPiukzf9XW');
    assertAskedLike(played);
    assert.deepEqual(JSON.parse(head.asked.at(-1)?.body ?? ''), {
      entrypoint: 'exit 3',
      entrypoint_num_gpus: 0,
    });
  });

  it('lists jobs, and reads pending, finished and running ones', async () => {
    let played = play('jobs-list');
    assert.deepEqual(
      (await client.jobs.list()).map(job => [job.submission_id, job.status, job.driver_exit_code]),
      [
        ['s1', 'SUCCEEDED', 0],
        ['raysubmit_sS8ApEwPiukzf9XW', 'FAILED', 3],
        ['s2', 'SUCCEEDED', 0],
        ['raysubmit_test1', 'SUCCEEDED', 0],
      ],
    );
    assertAskedLike(played);
    played = play('job-pending');
    assert.equal((await client.jobs.get('raysubmit_test1')).status, 'PENDING');
    assertAskedLike(played);
    played = play('job-by-jobid');
    assert.equal((await client.jobs.get('06000000')).driver_info?.pid, '23499');
    assertAskedLike(played);
  });

  it('stops and deletes, and says when there was nothing to stop', async () => {
    const played = play('stop');
    assert.equal(await client.jobs.stop('s3'), true);
    assertAskedLike(played);
    play('stop-again');
    assert.equal(await client.jobs.stop('s3'), false);
    const deleted = play('delete');
    assert.equal(await client.jobs.delete('s3'), true);
    assertAskedLike(deleted);
  });

  it('reads a log', async () => {
    const played = play('job-logs');
    assert.match(await client.jobs.logs('raysubmit_test1'), /Runtime env is setting up\.[^]*\n123\n$/);
    assertAskedLike(played);
  });

  for (const [name, call, type, message] of [
    ['token-missing', c => c.version(), RayAuthError, /401: Unauthorized: Missing authentication token$/],
    ['token-bad', c => c.version(), RayAuthError, /403: Forbidden: Invalid authentication token$/],
    [
      'job-missing',
      c => c.jobs.get('nope'),
      RayNotFoundError,
      /^GET \/api\/jobs\/nope .* 404: Job nope does not exist$/,
    ],
    ['delete-again', c => c.jobs.delete('s3'), RayNotFoundError, /Job s3 does not exist$/],
    [
      'delete-running',
      c => c.jobs.delete('s1'),
      RayConflictError,
      /500: RuntimeError: Attempted to delete job 's1', but it is in a non-terminal state PENDING\.$/,
    ],
    [
      'submit-dup',
      c => c.jobs.submit({ entrypoint: 'ls' }),
      RayConflictError,
      /ValueError: Job with submission_id raysubmit_test1 already exists\./,
    ],
    [
      'submit-badfield',
      c => c.jobs.submit({ entrypoint: 'ls' }),
      RayBadRequestError,
      /400: TypeError: .* unexpected keyword argument 'nosuch'$/,
    ],
    [
      'submit-badtype',
      c => c.jobs.submit({ entrypoint: 'ls' }),
      RayBadRequestError,
      /TypeError: metadata values must be strings, got <class 'int'>$/,
    ],
    [
      'v0-badfilter',
      c => c.state.nodes(),
      RayBadRequestError,
      /400: The given filter column nosuch is not supported/,
    ],
    [
      'v0-badlimit',
      c => c.state.nodes({ limit: 20_000 }),
      RayBadRequestError,
      /Given limit 20000 exceeds the supported limit 10000/,
    ],
  ] satisfies [string, (c: RayClient) => Promise<unknown>, typeof RayError, RegExp][]) {
    it(`turns the answer "${name}" into a ${type.name} of one line`, async () => {
      const played = play(name);
      const error = await failure(call(client));
      assert.ok(error instanceof type, error.name);
      assert.match(error.message, message);
      assert.equal(error.status, played.status);
      assert.equal(error.retryable, false);
    });
  }

  it('lists nodes with the resource names the user gave, and end_time_ms 0 as null', async () => {
    const played = play('v0-nodes');
    const list = await client.state.nodes({ detail: true, limit: 5 });
    assertAskedLike(played);
    assert.equal(list.total, 1);
    assert.deepEqual(list.warnings, []);
    assert.equal(list.items[0]?.resources_total['object_store_memory'], 200_000_000);
    assert.equal(list.items[0]?.start_time_ms, 1795345155117);
    assert.equal(list.items[0]?.end_time_ms, null);
    play('v0-nodes-nodetail');
    assert.equal((await client.state.nodes()).items[0]?.start_time_ms, undefined);
  });

  it('says why a drained node is dead', async () => {
    play('v0-nodes-drain');
    const dead = (await client.state.nodes()).items.filter(node => node.state === 'DEAD');
    assert.match(dead[0]?.state_message ?? '', /preemption: spot reclaim/);
  });

  it('filters actors, and reads counts that come as text', async () => {
    const played = play('v0-actors');
    const list = await client.state.actors({ detail: true, filters: [{ key: 'state', value: 'ALIVE' }] });
    assertAskedLike(played);
    assert.equal(list.numFiltered, 3);
    assert.equal(list.items[0]?.num_restarts, 0);
    play('actors-dead');
    const dead = await client.state.actors({ detail: true, limit: 1 });
    assert.equal(dead.numFiltered, 4);
    assert.ok(dead.items[0]?.death_cause?.['actor_died_error_context']);
  });

  it('shows waiting tasks with what they wait for', async () => {
    const played = play('tasks-pending');
    const filters = [{ key: 'state', value: 'PENDING_NODE_ASSIGNMENT' }] as const;
    const { items } = await client.state.tasks({ detail: true, limit: 2, filters });
    assertAskedLike(played);
    assert.deepEqual(items[0]?.label_selector, { gpu: 'h100' });
    assert.deepEqual(items[1]?.required_resources, { CPU: 1, GPU: 1 });
    play('v0-tasks');
    assert.equal((await client.state.tasks()).items[0]?.end_time_ms, 1795345308024);
  });

  it('reads 2^64-1 as "not set"', async () => {
    const played = play('v0-workers');
    const { items } = await client.state.workers({ detail: true, limit: 2 });
    assertAskedLike(played);
    assert.equal(items[0]?.worker_launch_time_ms, null);
    assert.equal(items[0]?.start_time_ms, 1795345197123);
  });

  it('keeps every digit of nanoseconds', async () => {
    const played = play('placement');
    const { items } = await client.state.placementGroups({ detail: true });
    assertAskedLike(played);
    assert.equal(items[0]?.stats?.creation_request_received_ns, '1795345986254820822');
    assert.equal(items[0]?.stats?.scheduling_latency_us, 1505);
    assert.deepEqual(items[0]?.bundles?.[0]?.unit_resources, { CPU: 1 });
  });

  it('lists jobs and objects, warnings included', async () => {
    play('v0-jobs');
    assert.deepEqual(
      (await client.state.jobs({ detail: true })).items.map(job => job.status),
      ['RUNNING', 'FAILED', 'SUCCEEDED', 'RUNNING'],
    );
    play('v0-objects');
    const objects = await client.state.objects({ detail: true, limit: 5 });
    assert.match(objects.warnings[0] ?? '', /Callsite is not being recorded/);
  });

  it('shows waiting demand', async () => {
    const played = play('cluster-status-demand');
    const status = await client.cluster.status();
    assertAskedLike(played);
    const report = status.clusterStatus?.loadMetricsReport;
    assert.deepEqual(report?.resourceDemand, [
      [{ GPU: 1, CPU: 1 }, 3],
      [{ CPU: 4 }, 1],
    ]);
    assert.equal(report.pgDemand?.[0]?.[0].strategy, 'STRICT_SPREAD');
    play('cluster-status');
    assert.equal((await client.cluster.status()).autoscalingError, null);
  });

  it('shows activity, versions and the authentication mode', async () => {
    let played = play('component-activities-active');
    assert.equal((await client.cluster.activities())['driver']?.is_active, 'ACTIVE');
    assertAskedLike(played);
    play('component-activities');
    assert.equal((await client.cluster.activities())['driver']?.last_activity_at, null);
    played = play('cluster-metadata');
    assert.equal((await client.cluster.metadata()).pythonVersion, '3.11.7');
    assertAskedLike(played);
    played = play('token-mode');
    assert.equal(await client.cluster.authenticationMode(), 'token');
    assertAskedLike(played);
    played = play('gcs-healthz');
    assert.equal(await client.health.gcs(), true);
    assertAskedLike(played);
  });

  it('shows the live use of nodes, dead ones included, without the padding', async () => {
    const played = play('nodes-summary');
    const { nodes, logicalResources } = await client.nodes.summary();
    assertAskedLike(played);
    assert.deepEqual(
      nodes.map(node => node.raylet.state),
      ['ALIVE', 'DEAD', 'DEAD'],
    );
    const first = nodes[0];
    assert.equal(first?.raylet.startTimeMs, 1795345731750);
    assert.equal(first?.raylet.endTimeMs, null);
    assert.equal(first?.raylet.labels?.['ray.io/market-type'], 'spot');
    assert.equal(first !== undefined && 'cmdline' in first, false);
    assert.match(logicalResources[first?.raylet.nodeId ?? ''] ?? '', /0\.0\/2\.0 my_res/);
    play('nodes-after-drain');
    assert.match((await client.nodes.summary()).nodes[1]?.raylet.stateMessage ?? '', /spot reclaim/);
  });

  it('passes on fields and enum values that a later Ray adds', async () => {
    const body = {
      ...z.record(z.string(), z.unknown()).parse(recording('job-done').body),
      status: 'HIBERNATING',
      extra: { a: 1 },
    };
    head.answer = (_asked, response) => response.end(JSON.stringify(body));
    const job = await client.jobs.get('x');
    assert.equal(job.status, 'HIBERNATING');
    assert.deepEqual(job['extra'], { a: 1 });
  });
});
