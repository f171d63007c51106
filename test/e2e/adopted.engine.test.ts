/**
 * Machines that somebody rented at Vast.ai by hand, simulated with real ones, and a person adopts: set up by a key that the
 * network lets in, or by the person's own, used once. What was on them stays until they are ended.
 */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Cluster, parseMicroUsd } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import * as z from 'zod';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../simulators/frame/server.ts';
import { SshdMachines } from '../simulators/frame/sshd-machines.ts';
import { VAST_KEY, VastSimulator } from '../simulators/vast/vast-simulator.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes, skip } from '../support/processes.ts';
import { rentByHand } from '../support/rented-by-hand.ts';
import { secretsOn } from '../support/secrets-on.ts';
import { until } from '../support/waiting.ts';

const HOUR_MS = 3_600_000;
const adoptedLine = z.object({ cluster: z.object({ id: z.string(), name: z.string() }) });

describe('a machine that was rented by hand, adopted and set up', function () {
  this.timeout(900_000);
  let network: { readonly simulator: VastSimulator; readonly machines: SshdMachines } | null = null;
  let server: SimulatorServer | null = null;
  let home: DaemonHome;
  let begun: DaemonHome | null = null;
  let keys = '';
  const owner = generateOpensshKey('owner@laptop');
  const stranger = generateOpensshKey('stranger@laptop');

  before(async function () {
    needsOpenssh(this);
    needsRealNodes(this);
    if (process.getuid?.() !== 0) {
      skip(this, 'its machines are reached as root, which nobody is here');
    }
    keys = mkdtempSync(join(tmpdir(), 'hitch-keys-'));
    writeFileSync(join(keys, 'owner'), owner.privateKey, { mode: 0o600 });
    writeFileSync(join(keys, 'stranger'), stranger.privateKey, { mode: 0o600 });
    const programs = [process.execPath, process.env['HITCH_PYTHON'] ?? process.execPath];
    const machines = new SshdMachines(programs.map(program => dirname(program)));
    const simulator = new VastSimulator({ clock: systemClock, machines, keysRewrittenAfterMs: 24 * HOUR_MS });
    network = { simulator, machines };
    server = await serveSimulator(simulator, { clock: systemClock, faults: new Faults([], () => 1) });
    home = new DaemonHome({ HITCH_PROVIDERS: 'vast', HITCH_VAST_URL: server.url });
    begun = home;
    await home.start();
    await home.api.networks.login({ provider: 'vast', values: { apiKey: VAST_KEY } });
  });

  after(async () => {
    await begun?.dispose();
    await server?.[Symbol.asyncDispose]();
    await network?.simulator.close();
    rmSync(keys, { recursive: true, force: true });
  });

  const there = () => network ?? assert.fail('it was not opened');

  /** By hand, as the owner's own key opens it; until it runs and something of theirs lies on it. */
  async function rentedByHand(label: string): Promise<string> {
    const id = await rentByHand(server?.url ?? '', label, owner.publicKey);
    await until(
      `the networks' list shows ${label}`,
      async () => {
        await home.cli(['doctor']);
        const networks = await home.api.networks.list();
        return networks[0]?.notOurs.find(each => each.id === id)?.canBeSetUp === 'by_network';
      },
      180_000,
    );
    await until('its machine is there', () => existsSync(join(there().machines.folderOf(id), 'home')));
    mkdirSync(join(there().machines.folderOf(id), 'home', 'theirs'));
    writeFileSync(join(there().machines.folderOf(id), 'home', 'theirs', 'model.pt'), 'of a week');
    return id;
  }

  const stillTheirs = (id: string): string =>
    readFileSync(join(there().machines.folderOf(id), 'home', 'theirs', 'model.pt'), 'utf8');

  async function works(
    id: string,
    said: { readonly stdout: string; readonly stderr: string },
  ): Promise<Cluster> {
    const line: unknown = JSON.parse(said.stdout.trim() || assert.fail(said.stderr));
    const adopted = adoptedLine.parse(line).cluster;
    const cluster = await home.untilCluster(
      adopted.id as Cluster['id'],
      'it is ready',
      ({ phase }) => phase === 'ready',
      420_000,
    );
    const page = await NotebookPage.open(home, cluster, await startKernel(home, cluster));
    try {
      assert.equal(await page.result('import os; print(os.path.exists(os.path.expanduser("~")))'), 'True\n');
    } finally {
      page.leave();
    }
    assert.equal(stillTheirs(id), 'of a week');
    return cluster;
  }

  async function ends(id: string, cluster: Cluster): Promise<void> {
    const over = await home.stopCluster(cluster.id);
    assert.equal(over.conditions.cleanup.status, 'yes', over.message);
    const { simulator, machines } = there();
    assert.ok(simulator.rentals().find(({ id: each }) => each === id)?.endedAtMs !== null);
    assert.deepEqual(simulator.complaints, []);
    await until('nothing of it is left', () => home.leftovers([over]).length === 0);
    await until('nothing lies there', () => !existsSync(machines.folderOf(id)));
  }

  it('is a cluster of one machine by the key that its network lets in, at its price and inside its cap', async () => {
    const id = await rentedByHand('by-hand');
    const unasked = await home.cli(['adopt', 'vast', id, '--set-up']);
    assert.equal(unasked.code, 6);
    assert.match(unasked.stdout, /Vast\.ai is asked to let a key of this cluster in\./);
    assert.deepEqual(await home.api.clusters.list(), []);
    const said = await home.cli(['adopt', 'vast', id, '--set-up', '--cap', '5', '--yes', '--json']);
    const cluster = await works(id, said);
    assert.equal(cluster.caps.totalMicroUsd, '5000000');
    assert.ok(parseMicroUsd(cluster.usage.ratePerHourMicroUsd) > 0n);
    assert.equal(cluster.nodes[0]?.attempts[0]?.adopted, 'set_up');
    assert.equal(there().simulator.ways.attached(Number(id)).length, 1);
    assert.ok(cluster.nodes[0].machine?.warnings.includes('host key not proved'));
    await ends(id, cluster);
  });

  it('is set up by the person’s own key, which is used once and found nowhere afterwards', async () => {
    const id = await rentedByHand('by-hand-too');
    const wrong = await home.cli(['adopt', 'vast', id, '--identity', join(keys, 'stranger'), '--yes']);
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.stderr, /answers, but does not let your key .*stranger in\..* It was not adopted\./);
    const none = await home.cli(['adopt', 'vast', id, '--identity', join(keys, 'nobody'), '--yes']);
    assert.match(none.stderr, /There is no key that Hitch can read at .*nobody\./);
    assert.ok(
      (await home.api.clusters.list()).every(({ conditions }) => conditions.cleanup.status === 'yes'),
    );
    const identity = join(keys, 'owner');
    const said = await home.cli(['adopt', 'vast', id, '--identity', identity, '--yes', '--json']);
    const cluster = await works(id, said);
    // Its network is told the key too: it would take one that it does not know out after hours.
    await until('its network knows the key', () => there().simulator.ways.attached(Number(id)).length === 1);
    const machine = there().machines.folderOf(id);
    const lines = readFileSync(join(machine, 'home', '.ssh', 'authorized_keys'), 'utf8')
      .trim()
      .split('\n');
    assert.equal(lines.length, 1, 'the cluster’s own key, once');
    const secret = owner.privateKey.split('\n')[2] ?? assert.fail();
    const processes = () => there().machines.processesOn(id);
    assert.deepEqual(await secretsOn({ home: machine, processes }, [secret]), []);
    const kept = readdirSync(home.root, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .filter(entry => readFileSync(join(entry.parentPath, entry.name)).includes(secret));
    assert.deepEqual(
      kept.map(({ name }) => name),
      [],
    );
    await ends(id, cluster);
  });
});
