/**
 * A machine that is rented at Vast.ai, simulated with real machines, from its offers to nothing left: its way in by the key
 * that was attached, a cell on it, and the network's bill beside what was counted.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Cluster, parseMicroUsd } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../simulators/frame/server.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import { VAST_KEY, VastSimulator } from '../simulators/vast/vast-simulator.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { privateKeysOf, secretsOn } from '../support/secrets-on.ts';
import { until } from '../support/waiting.ts';

const UNMARKED = 'a-secret-that-no-cluster-was-given';
/** What the driver of each machine says: it has the GPU that was rented. */
const ONE_GPU = `<?xml version="1.0" ?>
<nvidia_smi_log>
  <driver_version>570.86.10</driver_version>
  <cuda_version>12.8</cuda_version>
  <gpu id="00000000:01:00.0">
    <product_name>NVIDIA GeForce RTX 3060</product_name>
    <uuid>GPU-of-the-test</uuid>
    <fb_memory_usage><total>12288 MiB</total><used>1 MiB</used></fb_memory_usage>
    <processes></processes>
  </gpu>
</nvidia_smi_log>
`;

describe('a machine rented at Vast.ai, simulated', function () {
  this.timeout(900_000);
  let network: { readonly simulator: VastSimulator; readonly machines: SshdMachines } | null = null;
  let server: SimulatorServer | null = null;
  let home: DaemonHome;
  let begun: DaemonHome | null = null;
  let cluster: Cluster;
  let page: NotebookPage | null = null;
  let kernelId = '';
  let tools = '';
  const faults = new Faults([], () => 1);

  before(async function () {
    needsOpenssh(this);
    needsRealNodes(this);
    if (process.getuid?.() !== 0) {
      skip(this, 'its machines are reached as root, which nobody is here');
    }
    tools = mkdtempSync(join(tmpdir(), 'hitch-gpu-'));
    writeFileSync(join(tools, 'nvidia-smi'), `#!/bin/sh\ncat <<'END'\n${ONE_GPU}END\n`, { mode: 0o755 });
    const programs = [process.execPath, process.env['HITCH_PYTHON'] ?? process.execPath];
    const machines = new SshdMachines([tools, ...programs.map(program => dirname(program))]);
    // What its start-up let in is taken out at once: it is the key that is attached which opens it.
    const simulator = new VastSimulator({ clock: systemClock, machines, keysRewrittenAfterMs: 0 });
    network = { simulator, machines };
    server = await serveSimulator(simulator, { clock: systemClock, faults });
    home = new DaemonHome({
      HITCH_PROVIDERS: 'vast',
      HITCH_VAST_URL: server.url,
      HITCH_MACHINE_HANDSHAKE_MS: '1000',
    });
    begun = home;
    await home.start();
    await home.api.networks.login({ provider: 'vast', values: { apiKey: VAST_KEY } });
    await home.api.secrets.set({ name: 'UNMARKED_TOKEN', value: UNMARKED });
  });

  after(async () => {
    page?.leave();
    await begun?.api.networks.logout({ provider: 'vast' }).catch(() => undefined);
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

  it('is of a network of which it is said that nobody has rented there for real yet', async () => {
    const { stdout } = await home.cli(['networks', 'ls']);
    assert.match(stdout, /^Vast\.ai \(vast\): .*\n {2}This network is not yet verified live\n/);
  });

  it('is set up by the key that was attached to it, with a host key that it proved, and runs a cell', async () => {
    const { id } = await home.rent({ filter: { providers: ['vast'] }, engine: 'single', idleMs: 0 }, 'vast');
    cluster = await home.untilCluster(id, 'it is ready', ({ phase }) => phase === 'ready', 420_000);
    assert.equal(there().simulator.rentals()[0]?.mark, attempt().ref);
    const number = Number(attempt().instanceId);
    assert.equal(there().simulator.ways.attached(number).length, 1);
    assert.equal(lines(), there().simulator.ways.attached(number)[0]?.publicKey);
    assert.ok(!cluster.nodes[0]?.machine?.warnings.includes('host key not proved'));
    kernelId = await startKernel(home, cluster);
    page = await NotebookPage.open(home, cluster, kernelId);
    assert.equal(await page.result('print(40 + 2)'), '42\n');
  });

  const warnings = async (): Promise<readonly string[]> =>
    (await home.api.clusters.events({ clusterId: cluster.id, limit: 1000 }))
      .filter(({ value }) => value === 'key_refused')
      .map(({ message }) => message);
  /** Every key that opens it is taken out, as the network does after hours; what is connected stays. */
  const takeKeysOut = async (): Promise<void> => {
    const { simulator } = there();
    const contract = simulator.market.contract(Number(attempt().instanceId)) ?? assert.fail();
    for (const { id } of simulator.ways.attached(contract.id)) {
      await simulator.ways.detach(contract, id);
    }
  };
  const lines = (): string =>
    readFileSync(
      join(there().machines.folderOf(attempt().instanceId ?? ''), 'authorized_keys'),
      'utf8',
    ).trim();

  it('is let in again once its key was taken out while the connection works on', async () => {
    await takeKeysOut();
    await until('the key is there again', () => lines() !== '');
    assert.deepEqual(await warnings(), []);
    assert.equal(await page?.result('print(43)'), '43\n');
  });

  it('warns where the network does not let it in again, and runs on; the next daemon is let in', async () => {
    faults.add({
      route: /^POST \/api\/v0\/instances\/[0-9]+\/ssh\//,
      fault: { does: 'answer', answer: { status: 500, body: 'no' } },
    });
    await takeKeysOut();
    await until('it is said', async () => (await warnings()).length > 0);
    assert.match(
      (await warnings())[0] ?? '',
      /does not let the cluster’s key in any more\. .*Save what you need now\.$/,
    );
    assert.equal(await page?.result('print(44)'), '44\n');
    faults.clear();
    page?.leave();
    await home.kill();
    await home.start();
    page = await until(
      'its page is open again',
      () => NotebookPage.open(home, cluster, kernelId).catch(() => null),
      240_000,
    );
    assert.equal(await page.result('print(45)'), '45\n');
    assert.notEqual(lines(), '');
  });

  it('holds no login of its network, no secret that was not given to it, and nothing that opens anything', async () => {
    const { token } = home.place();
    const opens = [VAST_KEY, UNMARKED, token, ...privateKeysOf(homeAt(home.root))];
    const id = attempt().instanceId ?? '';
    const machine = {
      home: there().machines.folderOf(id),
      processes: () => there().machines.processesOn(id),
    };
    assert.ok(machine.processes().length > 1, 'its sshd, and what the cluster runs there');
    assert.deepEqual(await secretsOn(machine, opens), []);
  });

  it('is ended, counted as it is billed, and nothing of it is left', async () => {
    page?.leave();
    const over = await home.stopCluster(cluster.id);
    assert.equal(over.conditions.cleanup.status, 'yes', over.message);
    const { simulator } = there();
    const id = attempt().instanceId ?? '';
    assert.ok(simulator.rentals().every(({ endedAtMs }) => endedAtMs !== null));
    assert.deepEqual(simulator.complaints, []);
    const billed = simulator.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n);
    const counted = parseMicroUsd(over.usage.accruedMicroUsd);
    // The network charges its GPU from the moment in which it runs, which is seen a look later.
    const difference = counted > billed ? counted - billed : billed - counted;
    assert.ok(
      billed > 0n && difference < 10_000n,
      `${counted.toString()} counted, ${billed.toString()} billed`,
    );
    const parts = new Set(over.usage.parts.map(({ label }) => label));
    assert.ok(parts.has('Disk') && parts.has('GPU'), [...parts].join(', '));
    // The network says that it is gone while it still ends what ran there.
    await until('nothing of it is left', () => home.leftovers([over]).length === 0);
    await until('nothing runs there', () => there().machines.processesOn(id).length === 0);
    await until('nothing lies there', () => !existsSync(there().machines.folderOf(id)));
  });
});
