import assert from 'node:assert/strict';
import type { AgentStatus, NodeId } from '@hitch/contract';
import type { HostFacts } from '../../src/access/host.ts';
import type { Member } from '../../src/engines/engine.ts';
import { ray, rayProblem } from '../../src/engines/ray.ts';
import { single } from '../../src/engines/single.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { createIds, seededRandom } from '@hitch/platform/src/random.ts';

const ids = createIds(new VirtualClock(), seededRandom(1));
const nodeIds: readonly NodeId[] = [ids.next('nod'), ids.next('nod')];
const token = { token: 'secret' };

const facts = (index: number): HostFacts => ({
  stateFolder: '/s',
  workFolder: '/w',
  listen: '/l.sock',
  nodeAddress: `10.0.0.${(index + 1).toString()}`,
  portBase: 20_000 + index * 150,
  cpuCores: 4,
  gpuCount: 1,
  gpuModel: 'RTX 4090',
  practice: true,
});

function status(change: {
  jupyter?: AgentStatus['jupyter']['state'];
  engine?: Partial<AgentStatus['engine']>;
}): AgentStatus {
  const off = { pid: null, restarts: 0, message: '' };
  return {
    protocol: 1,
    version: 'test',
    nodeId: 'n',
    ref: 'r',
    startedAtMs: 0,
    nowMs: 0,
    jupyter: { ...off, state: change.jupyter ?? 'running' },
    engine: { ...off, state: 'off', headAddress: null, nodesAlive: null, rayVersion: null, ...change.engine },
    kernels: [],
    watchdog: { state: 'off', reason: 'none', idleSinceMs: null, activity: [], stopAtMs: null },
    signals: null,
  };
}

function member(index: number, at: AgentStatus | null, lost = false): Member {
  const nodeId = nodeIds[index];
  assert.ok(nodeId !== undefined);
  return { nodeId, index, facts: facts(index), status: at, lost };
}

describe('the engine single', () => {
  it('is complete as soon as the notebook server runs', () => {
    assert.equal(single.plan([member(0, status({ jupyter: 'starting' }))], token).engine.status, 'no');
    const plan = single.plan([member(0, status({}))], token);
    assert.equal(plan.engine.status, 'yes');
    assert.deepEqual(plan.ready, [nodeIds[0]]);
    assert.deepEqual(plan.starts, []);
  });

  it('fails its node with the reason when the notebook server gave up', () => {
    const [failure] = single.plan([member(0, status({ jupyter: 'failed' }))], token).failed;
    assert.match(failure?.sentence ?? '', /notebook server does not start/);
  });
});

describe('the engine ray', () => {
  it('starts the head first, and no worker before the head has an address', () => {
    const plan = ray.plan([member(0, status({})), member(1, status({ jupyter: 'off' }))], token);
    assert.deepEqual(
      plan.starts.map(({ nodeId, config }) => [nodeId, config.role, config.headAddress, config.portBase]),
      [[nodeIds[0], 'head', null, 20_000]],
    );
  });

  it('has workers join the head, with the cluster’s token', () => {
    const head = status({ engine: { state: 'running', headAddress: '10.0.0.1:6379', nodesAlive: 1 } });
    const plan = ray.plan([member(0, head), member(1, status({ jupyter: 'off' }))], token);
    const [start] = plan.starts;
    assert.deepEqual(
      [start?.nodeId, start?.config.role, start?.config.headAddress, start?.config.token],
      [nodeIds[1], 'worker', '10.0.0.1:6379', 'secret'],
    );
    assert.equal(plan.engine.message, 'Ray 1/2');
  });

  it('is complete when every node runs and the head counts them all', () => {
    const head = status({ engine: { state: 'running', headAddress: 'h:1', nodesAlive: 2 } });
    const worker = status({ jupyter: 'off', engine: { state: 'running' } });
    assert.equal(ray.plan([member(0, head), member(1, worker)], token).engine.status, 'yes');
    const alone = { ...head, engine: { ...head.engine, nodesAlive: 1 } };
    assert.equal(ray.plan([member(0, alone), member(1, worker)], token).engine.status, 'no');
  });

  it('does not wait for a node that is lost', () => {
    const head = status({ engine: { state: 'running', headAddress: 'h:1', nodesAlive: 1 } });
    assert.equal(ray.plan([member(0, head), member(1, null, true)], token).engine.status, 'yes');
  });

  it('says in the row which try this is and why, and more of it on the node', () => {
    const message = 'its dashboard did not start: OSError: [Errno 98] address already in use';
    const head = status({ engine: { state: 'starting', restarts: 1, message } });
    const plan = ray.plan([member(0, head), member(1, status({ jupyter: 'off' }))], token);
    assert.equal(plan.engine.message, 'Ray 0/2, try 2: its dashboard did not start');
    assert.deepEqual(plan.retries, [{ nodeId: nodeIds[0], number: 2, reason: message }]);
    const up = status({ engine: { state: 'running', restarts: 1, headAddress: 'h:1', nodesAlive: 1 } });
    assert.equal(ray.plan([member(0, up), member(1, null)], token).engine.message, 'Ray 1/2');
  });

  it('refuses a Ray that cannot be closed by a token', () => {
    assert.match(rayProblem('2.51.9') ?? '', /needs Ray 2\.52/);
    assert.match(rayProblem('1.13.0') ?? '', /2\.52/);
    assert.match(rayProblem('nonsense') ?? '', /2\.52/);
    assert.equal(rayProblem('2.52.0'), null);
    assert.equal(rayProblem('3.0.0'), null);
    const head = status({ engine: { state: 'starting', rayVersion: '2.40.0' } });
    assert.match(ray.plan([member(0, head)], token).failed[0]?.sentence ?? '', /2\.40\.0/);
  });
});
