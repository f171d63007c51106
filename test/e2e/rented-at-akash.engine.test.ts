/**
 * A machine that is rented at Akash, simulated with real machines: an order, bids, a lease whose manifest is lost once, and
 * daemons that die between these; then a cell on it, nothing on it that opens anything, and the chain's bill beside what was
 * counted.
 */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Cluster, parseMicroUsd } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { AKASH_KEY, AkashSimulator } from '../simulators/akash/akash-simulator.ts';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../simulators/frame/server.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { gpuTools } from '../support/gpu-tools.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { privateKeysOf, secretsOn } from '../support/secrets-on.ts';
import { until } from '../support/waiting.ts';

const UNMARKED = 'a-secret-that-no-cluster-was-given';
/** Room to kill a daemon in before there is a bid, on a busy machine. */
const BIDS_AFTER_MS = 15_000;

describe('a machine rented at Akash, simulated', function () {
  this.timeout(900_000);
  let network: { readonly simulator: AkashSimulator; readonly machines: SshdMachines } | null = null;
  let server: SimulatorServer | null = null;
  let home: DaemonHome;
  let begun: DaemonHome | null = null;
  let cluster: Cluster;
  let page: NotebookPage | null = null;
  let tools = '';

  before(async function () {
    needsOpenssh(this);
    needsRealNodes(this);
    if (process.getuid?.() !== 0) {
      skip(this, 'its machines are reached as root, which nobody is here');
    }
    // An order names its disk: 50 GB.
    tools = gpuTools({ name: 'NVIDIA GeForce RTX 4090', memoryMiB: 24_576, freeDiskGiB: 60 });
    const programs = [process.execPath, process.env['HITCH_PYTHON'] ?? process.execPath];
    const machines = new SshdMachines([tools, ...programs.map(program => dirname(program))]);
    const simulator = new AkashSimulator({
      clock: systemClock,
      machines,
      lies: { bidsAfterMs: BIDS_AFTER_MS, undelivered: 1 },
    });
    network = { simulator, machines };
    server = await serveSimulator(simulator, { clock: systemClock, faults: new Faults([], () => 1) });
    home = new DaemonHome({ HITCH_PROVIDERS: 'akash', HITCH_AKASH_URL: server.url });
    begun = home;
    await home.start();
    await home.api.networks.login({ provider: 'akash', values: { apiKey: AKASH_KEY } });
    await home.api.secrets.set({ name: 'UNMARKED_TOKEN', value: UNMARKED });
  });

  after(async () => {
    page?.leave();
    await begun?.api.networks.logout({ provider: 'akash' }).catch(() => undefined);
    await begun?.api.secrets.remove({ name: 'UNMARKED_TOKEN' }).catch(() => undefined);
    await begun?.dispose();
    await server?.[Symbol.asyncDispose]();
    await network?.simulator.close();
    if (tools !== '') {
      rmSync(tools, { recursive: true, force: true });
    }
  });

  const there = () => network ?? assert.fail('it was not opened');
  const attempt = () => cluster.nodes[0]?.attempts[0] ?? assert.fail('nothing was bought');
  const asked = (method: string, path: string): number =>
    there().simulator.asked.filter(request => request.method === method && request.path === path).length;
  const dieAndComeBack = async (): Promise<void> => {
    await home.kill();
    await home.start();
  };

  it('is ordered once, though the daemon dies before there is a bid, and is expected to cost the same', async () => {
    const { id } = await home.rent(
      { filter: { providers: ['akash'], gpuModels: ['RTX 4090'] }, engine: 'single', idleMs: 0 },
      'akash',
    );
    cluster = await home.untilCluster(id, 'it is ordered', ({ nodes: [node] }) =>
      Boolean(node?.attempts[0]?.instanceId),
    );
    const expected = attempt().pricePerHourMicroUsd;
    assert.ok(parseMicroUsd(expected) > 0n);
    await dieAndComeBack();
    assert.equal(asked('POST', '/v1/leases'), 0, 'there is no lease yet');
    cluster = await home.untilCluster(id, 'it is known again', ({ nodes: [node] }) => node !== undefined);
    assert.equal(attempt().pricePerHourMicroUsd, expected);
    assert.equal(cluster.usage.ratePerHourMicroUsd, '0', 'an order costs nothing');
  });

  it('is leased once, though its manifest is lost and the daemon dies again, and runs a cell', async () => {
    await until('it is leased', () => asked('POST', '/v1/leases') > 0);
    await dieAndComeBack();
    cluster = await home.untilCluster(cluster.id, 'it is ready', ({ phase }) => phase === 'ready', 420_000);
    const { simulator } = there();
    assert.equal(asked('POST', '/v1/deployments'), 1);
    assert.ok(asked('POST', '/v1/leases') >= 2, 'the manifest was sent again');
    assert.deepEqual(
      simulator.rentals().map(({ id, endedAtMs }) => [id, endedAtMs]),
      [[attempt().instanceId, null]],
    );
    assert.ok(!cluster.nodes[0]?.machine?.warnings.includes('host key not proved'));
    page = await NotebookPage.open(home, cluster, await startKernel(home, cluster));
    assert.equal(await page.result('print(40 + 2)'), '42\n');
  });

  it('holds no login of its network, no secret that was not given to it, and nothing that opens anything', async () => {
    const { token } = home.place();
    const opens = [AKASH_KEY, UNMARKED, token, ...privateKeysOf(homeAt(home.root))];
    const id = attempt().instanceId ?? '';
    const { machines } = there();
    const machine = { home: machines.folderOf(id), processes: () => machines.processesOn(id) };
    assert.ok(machine.processes().length > 1, 'its sshd, and what the cluster runs there');
    assert.deepEqual(await secretsOn(machine, opens), []);
    assert.notDeepEqual(await secretsOn(machine, [cluster.id]), [], 'what is there is found');
  });

  it('is ended, counted as the chain bills it, its deposit is back, and nothing of it is left', async () => {
    page?.leave();
    const over = await home.stopCluster(cluster.id);
    assert.equal(over.conditions.cleanup.status, 'yes', over.message);
    const { simulator, machines } = there();
    assert.ok(simulator.rentals().every(({ endedAtMs }) => endedAtMs !== null));
    assert.deepEqual(simulator.complaints, []);
    const billed = simulator.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n);
    assert.ok(billed > 0n);
    // It is paid by the block, and a moment of the chain may be up to one ahead of this computer's.
    await until('it is counted as it is billed', async () => {
      const { usage } = await home.api.clusters.get({ clusterId: cluster.id });
      const difference = parseMicroUsd(usage.accruedMicroUsd) - billed;
      // A price of an hour is rounded up once.
      return difference >= 0n && difference <= 10n;
    });
    assert.equal(over.usage.comesBackMicroUsd, undefined, 'nothing of the deposit is left there');
    const id = attempt().instanceId ?? '';
    await until('nothing of it is left', () => home.leftovers([over]).length === 0);
    await until('nothing runs there', () => machines.processesOn(id).length === 0);
    await until('nothing lies there', () => !existsSync(machines.folderOf(id)));
  });
});
