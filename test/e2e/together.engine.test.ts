/** Two machines that are sold as one purchase: real agents, one Ray over both, and nothing of either once it is over. */
import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, nodeProcesses } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

/** Which machines are alive for Ray, and on which of them a task runs that is sent to each. */
const EVERYWHERE = `
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On
ray.init(log_to_driver=False, ignore_reinit_error=True)
@ray.remote(num_cpus=0)
def where():
    import os
    return os.environ['HITCH_NODE']
alive = [node['NodeID'] for node in ray.nodes() if node['Alive']]
print('alive', len(alive))
print('tasks', *sorted(ray.get([where.options(scheduling_strategy=On(id, soft=False)).remote() for id in alive])))
`;

describe('two machines in one purchase', function () {
  this.timeout(900_000);
  const home = new DaemonHome({
    HITCH_PROVIDERS: 'sandbox',
    HITCH_SANDBOX_FAULTS: JSON.stringify({ rules: [{ fault: 'sold_together' }] }),
  });
  let cluster: Cluster | undefined;
  let machines: readonly string[] = [];

  before(async function () {
    needsRealNodes(this);
    await home.start();
  });

  after(() => home.dispose());

  const rented = (): Cluster => {
    assert.ok(cluster !== undefined);
    return cluster;
  };

  it('are bought once, and live each as a node of its own', async () => {
    const request = { filter: { practice: 'only', multiNode: true }, nodes: 2, engine: 'ray' } as const;
    const quote = await home.quote(request);
    assert.match(quote.lines.join('\n'), /^Rented together: /m);
    const { id } = await home.api.clusters.create({ quoteId: quote.id, name: 'both' });
    cluster = await home.untilCluster(
      id,
      'Ray is complete',
      ({ conditions }) => conditions.engine.status === 'yes',
      600_000,
    );
    assert.deepEqual(
      cluster.nodes.map(({ attempts }) => attempts.length),
      [1, 0],
    );
    assert.deepEqual(
      home.ledger().map(({ members, endedAtMs }) => [members, endedAtMs]),
      [[2, null]],
    );
    machines = home.machines();
    assert.equal(machines.length, 2, machines.join(' '));
    for (const ref of machines) {
      assert.ok(nodeProcesses(ref).length > 0, ref);
    }
  });

  it('are one Ray, with work on both', async () => {
    const ran = await home.cli(['run', rented().name, '-c', EVERYWHERE]);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /^alive 2$/m);
    assert.match(ran.stdout, new RegExp(`^tasks ${machines.toSorted().join(' ')}$`, 'm'));
  });

  it('end as one, and nothing of either is left', async () => {
    const over = await home.stopCluster(rented().id);
    assert.equal(over.conditions.cleanup.status, 'yes', over.message);
    assert.deepEqual(
      home.ledger().map(({ endedAtMs }) => endedAtMs === null),
      [false],
    );
    await until('nothing runs there', () => machines.flatMap(nodeProcesses).length === 0);
    assert.deepEqual(home.machines(), []);
    assert.deepEqual(home.leftovers([over]), []);
  });
});
