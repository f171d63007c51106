/** Two machines of one's own that reach each other, each with a network of its own, as one Ray cluster; and no secret on either. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, isGone } from '@hitch/contract';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { canHaveUsers, FarMachine } from '../support/far-machine.ts';
import { FarNetwork, type FarPlace, withoutNetworks, withoutNftables } from '../support/far-network.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { privateKeysOf, secretsOn } from '../support/secrets-on.ts';
import { until } from '../support/waiting.ts';

const NAMES = ['box-one', 'box-two'];
/** What a machine's owner has there, which is none of ours. */
const OWNERS =
  'table inet owners { chain input { type filter hook input priority filter; policy accept; tcp dport 9 drop; }; }';
const UNMARKED = 'a-secret-that-no-cluster-was-given';
/** Where each node is, and where two actors run that must not be on one machine. */
const SPREAD = `
import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy
ray.init(log_to_driver=False)
group = placement_group([{'CPU': 1}] * 2, strategy='STRICT_SPREAD')
assert group.wait(timeout_seconds=120)
@ray.remote(num_cpus=1)
class Actor:
    def where(self):
        return ray.util.get_node_ip_address()
actors = [
    Actor.options(
        scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=index)
    ).remote()
    for index in range(2)
]
print('nodes', *sorted(node['NodeManagerAddress'] for node in ray.nodes() if node['Alive']))
print('actors', *sorted(ray.get([actor.where.remote() for actor in actors])))
`;

/** Whose the account on the machines is: root's closes ports, another's cannot. */
for (const account of ['a user', 'root'] as const) {
  describe(`two machines of one’s own that reach each other, as ${account}`, function suite() {
    this.timeout(900_000);
    const asRoot = account === 'root';
    let network: FarNetwork;
    let home: DaemonHome;
    const machines: FarMachine[] = [];
    const places: FarPlace[] = [];
    const rulesets = new Map<FarPlace, string>();
    let cluster: Cluster;

    before(async function prepare() {
      needsOpenssh(this);
      needsRealNodes(this);
      const reason = asRoot
        ? canHaveUsers()
          ? withoutNftables()
          : 'there can be no users'
        : withoutNetworks();
      if (reason !== null) {
        skip(this, reason);
      }
      network = await FarNetwork.make();
      for (const name of ['one', 'two']) {
        const place = network.join(name);
        places.push(place);
        machines.push(await FarMachine.start({ place, asRoot }));
        if (asRoot) {
          network.addRules(place, OWNERS);
          rulesets.set(place, network.ruleset(place));
        }
      }
      const [first] = machines;
      assert.ok(first !== undefined);
      const config = join(first.folder, 'both');
      writeFileSync(
        config,
        machines
          .map(({ config: file }, index) =>
            readFileSync(file, 'utf8').replace('Host gpu-box', `Host ${NAMES[index] ?? ''}`),
          )
          .join('\n'),
      );
      home = new DaemonHome({ HITCH_PROVIDERS: 'ssh', HITCH_SSH_CONFIG: config });
      await home.start();
    });

    after(async () => {
      await home?.api.secrets.remove({ name: 'UNMARKED_TOKEN' }).catch(() => undefined);
      await home?.dispose();
      for (const machine of machines) {
        await machine.dispose();
      }
      await network?.dispose();
    });

    it('are found to reach each other before anything is rented', async () => {
      for (const name of NAMES) {
        const added = await home.cli(['networks', 'add', 'ssh', name]);
        assert.equal(added.code, 0, added.stderr);
      }
      await until(
        'both are offered for clusters',
        async () => {
          const { offers } = await home.api.offers.query({ filter: { multiNode: true }, limit: 10 });
          return (
            offers
              .map(({ supplier }) => supplier)
              .toSorted()
              .join() === NAMES.join()
          );
        },
        180_000,
      );
    });

    it('are one Ray cluster, with work on both', async () => {
      await home.api.secrets.set({ name: 'UNMARKED_TOKEN', value: UNMARKED });
      cluster = await home.rent(
        { nodes: 2, engine: 'ray', offerIds: NAMES.map(name => `ssh:${name}:cpu`) },
        'both',
      );
      cluster = await home.untilCluster(
        cluster.id,
        'Ray is complete',
        ({ conditions }) => conditions.engine.status === 'yes',
        600_000,
      );
      const page = await NotebookPage.open(home, cluster, await startKernel(home, cluster));
      const cell = page.run(SPREAD, 'cell');
      await until('the cell has run', () => cell.status, 240_000);
      const addresses = places.map(({ address }) => address).toSorted();
      // Ray says of itself, on standard error, where it connects to.
      const said = cell.text.split('\n').filter(line => /^(?:nodes|actors) /.test(line));
      assert.deepEqual(said, [`nodes ${addresses.join(' ')}`, `actors ${addresses.join(' ')}`], cell.error);
      page.leave();
    });

    it('show a neighbour no port of the cluster’s where they can, and say it where they cannot', async () => {
      const { nodes } = await home.cluster(cluster.id);
      const warnings = nodes.flatMap(({ machine }) => machine?.warnings ?? []);
      const saysOpen = warnings.filter(warning => warning.includes('reaches the ports of Ray'));
      assert.equal(saysOpen.length, asRoot ? 0 : 2, warnings.join('\n'));
      for (const place of places) {
        const open = await network.openPorts(place);
        assert.equal(open.length > 1, !asRoot, open.join());
        assert.ok(open.includes(22));
      }
    });

    it('hold nothing that opens anything that they were not given', async () => {
      const { token } = home.place();
      const secrets = [token, UNMARKED, ...privateKeysOf(homeAt(home.root))];
      for (const machine of machines) {
        assert.deepEqual(await secretsOn(machine, secrets), []);
      }
    });

    it('are left as they were', async () => {
      await home.api.secrets.remove({ name: 'UNMARKED_TOKEN' });
      await home.api.clusters.stop({ clusterId: cluster.id, skipSave: true });
      await home.untilCluster(cluster.id, 'it is gone', isGone);
      await home.stop();
      await until('nothing runs there', () => machines.every(machine => machine.processes().length === 0));
      for (const [index, machine] of machines.entries()) {
        const cleaned = await home.cli(['networks', 'clean', 'ssh', NAMES[index] ?? '']);
        assert.equal(cleaned.code, 0, cleaned.stderr);
        assert.deepEqual(readdirSync(machine.home), []);
      }
      if (asRoot) {
        // What the owner made stays.
        places.forEach(place => assert.equal(network.ruleset(place), rulesets.get(place)));
      }
    });
  });
}
