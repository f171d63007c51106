import assert from 'node:assert/strict';
import { RayAuthError, RayClient, RayConnectionError, isTerminal } from '../src/index.ts';
import { FakeHead, jobIn, json, text } from './fake-head.ts';

const VERSION = { version: '4', ray_version: '2.58.0', ray_commit: 'c', session_name: 's' };

describe('waiting', () => {
  let head: FakeHead;
  let client: RayClient;
  let slept: number[];

  beforeEach(async () => {
    head = await FakeHead.start();
    slept = [];
    client = new RayClient({
      baseUrl: head.baseUrl,
      sleep: (ms, signal) => {
        signal?.throwIfAborted();
        slept.push(ms);
        return Promise.resolve();
      },
    });
  });

  afterEach(async () => {
    await client.close();
    await head[Symbol.asyncDispose]();
  });

  it('for a job ends with its last state, over failures that pass', async () => {
    const script = ['PENDING', 'reset', 'error', 'RUNNING', 'FAILED'];
    const seen: string[] = [];
    head.answer = (_asked, response) => {
      const next = script.shift() ?? 'FAILED';
      if (next === 'reset') response.destroy();
      else if (next === 'error') text(response, 503, 'busy');
      else json(response, jobIn(next));
    };
    const job = await client.jobs.waitFor('j1', {
      pollIntervalMs: 40,
      retryDelayMs: 5,
      onPoll: ({ status }) => seen.push(status),
    });
    assert.equal(job.status, 'FAILED');
    assert.ok(isTerminal(job.status));
    assert.deepEqual(seen, ['PENDING', 'RUNNING', 'FAILED']);
    assert.deepEqual(slept, [40, 5, 10, 40]);
  });

  it('for a job ends with the signal', async () => {
    const controller = new AbortController();
    head.answer = (_asked, response) => {
      json(response, jobIn('RUNNING'));
    };
    const onPoll = () => {
      controller.abort(new Error('enough'));
    };
    await assert.rejects(client.jobs.waitFor('j1', { signal: controller.signal, onPoll }), /enough/);
  });

  it('for a cluster ends when enough nodes are alive and the version is known', async () => {
    const aliveOverTime = [0, 1, 1, 2];
    const told: number[] = [];
    let health = 0;
    head.answer = (asked, response) => {
      if (asked.url === '/api/gcs_healthz') {
        health += 1;
        if (health === 1) response.destroy();
        else if (health === 2) text(response, 503, 'not yet');
        else text(response, 200, 'success');
      } else if (asked.url === '/api/version') json(response, VERSION);
      else json(response, nodesReply(aliveOverTime.shift() ?? 2));
    };
    const ready = await client.health.ready({ nodes: 2, onNodes: alive => told.push(alive) });
    assert.equal(ready.version.ray_version, '2.58.0');
    assert.equal(ready.nodes.length, 2);
    assert.deepEqual(told, [0, 0, 1, 1, 2]);
    assert.ok(slept.every(ms => ms <= 1000));
    const nodesCall = head.asked.find(asked => asked.url.startsWith('/api/v0/nodes'));
    assert.match(nodesCall?.url ?? '', /filter_keys=state&filter_predicates=%3D&filter_values=ALIVE/);
  });

  it('for a cluster ends at once for a wrong token, and after the failures it was allowed', async () => {
    head.answer = (asked, response) => {
      if (asked.url === '/api/gcs_healthz') text(response, 200, 'success');
      else text(response, 403, 'Forbidden: Invalid authentication token');
    };
    await assert.rejects(client.health.ready(), RayAuthError);
    head.answer = (_asked, response) => response.destroy();
    await assert.rejects(client.health.ready({ maxFailures: 2 }), RayConnectionError);
  });

  it('tells an unhealthy control store from a silent one', async () => {
    head.answer = (_asked, response) => {
      text(response, 503, 'GCS is dead');
    };
    assert.equal(await client.health.gcs(), false);
    head.answer = (_asked, response) => response.destroy();
    await assert.rejects(client.health.gcs(), RayConnectionError);
  });
});

function nodesReply(alive: number): unknown {
  const result = Array.from({ length: alive }, (_, i) => ({
    node_id: `n${String(i)}`,
    node_ip: '192.0.2.2',
    is_head_node: i === 0,
    state: 'ALIVE',
    state_message: null,
    node_name: 'n',
    resources_total: { CPU: 2 },
    labels: {},
  }));
  const counts = { total: alive, num_after_truncation: alive, num_filtered: alive };
  return {
    result: true,
    msg: '',
    data: { result: { ...counts, result, partial_failure_warning: '', warnings: null } },
  };
}
