/**
 * io.net's own client on our simulator, alone and beside Hitch: what it understands there, the real network says too, and what
 * Hitch did there, it sees.
 */
import assert from 'node:assert/strict';
import { type Cluster, isOver } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { DaemonHome } from '../../support/daemon-home.ts';
import { until } from '../../support/waiting.ts';
import { Faults } from '../frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../frame/server.ts';
import { IONET_KEY } from '../ionet/door.ts';
import { HARDWARE } from '../ionet/hardware.ts';
import { type IonetOptions, IonetSimulator } from '../ionet/ionet-simulator.ts';
import { type Judge, judge, needsJudge } from './judge.ts';

const rowSchema = z.looseObject({
  id: z.string(),
  name: z.string().nullable(),
  status: z.string(),
  compute_minutes_remaining: z.number().nullable(),
});
const listSchema = z.array(rowSchema);
const detailsSchema = rowSchema.extend({
  amount_paid: z.number(),
  total_gpus: z.number(),
  created_at: z.string(),
  ssh_keys: z.record(z.string(), z.string()),
});
const dryRunSchema = z.looseObject({ quote: z.looseObject({ total_cost_usdc: z.number() }) });
const waySchema = z.looseObject({ ssh_access: z.string() });

/** Longer than these tests: what Hitch rents here stays on its way, and nobody dials an address that is not there. */
const NEVER_MS = 24 * 3_600_000;

/** What is rented by hand. */
const ORDER = ['--gpu', '1RTX4090.16V', '--location', 'US', '--hours', '2'];
const ORDER_DOLLARS = 0.900002;

/** The client and what it is led to. */
class Bench {
  readonly simulator: IonetSimulator;
  /** What Hitch asked to end. */
  readonly hitchDestroyed: string[] = [];
  #server: SimulatorServer | null = null;
  #client: Judge | null = null;

  constructor(options: Partial<IonetOptions> = {}) {
    this.simulator = new IonetSimulator({ clock: systemClock, ...options });
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  async open(): Promise<void> {
    this.#server = await serveSimulator(this.simulator, {
      clock: systemClock,
      faults: new Faults([], () => 1),
      heard: ({ method, path, headers }) => {
        if (method === 'DELETE' && headers['user-agent'] === 'hitch') {
          this.hitchDestroyed.push(path.split('/').at(-1) ?? path);
        }
      },
    });
    this.#client = judge('iocloud', {
      IOCLOUD_BASE_URL: this.url,
      IOCLOUD_API_KEY: IONET_KEY,
      IOCLOUD_DISABLE_KEYRING: '1',
    });
  }

  async close(): Promise<void> {
    this.#client?.[Symbol.dispose]();
    await this.#server?.[Symbol.asyncDispose]();
    await this.simulator.close();
    assert.deepEqual(this.simulator.complaints, []);
  }

  run(...args: readonly string[]) {
    return this.#client?.run('vm', ...args) ?? assert.fail('it is not open');
  }

  /** What it says as JSON. */
  async json<Schema extends z.ZodType>(
    schema: Schema,
    ...args: readonly string[]
  ): Promise<z.output<Schema>> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    assert.equal(code, 0, `${stdout}${stderr}`);
    return schema.parse(JSON.parse(stdout));
  }

  /** What is not over. */
  async list() {
    const listed = await this.json(listSchema, 'list');
    return listed.filter(({ status }) => status !== 'destroyed' && status !== 'completed');
  }
}

describe('judge: iocloud, on its own', function () {
  this.timeout(300_000);
  // More than fit on a page of its list.
  const hardware = HARDWARE.map(row => ({ ...row, free: 100 }));
  const bench = new Bench({ bootMs: 0, endMs: 0, hardware });
  let id = '';

  before(async function () {
    needsJudge(this, 'iocloud');
    await bench.open();
  });
  after(() => bench.close());

  it('is told what a machine would cost, and nothing is bought', async () => {
    const { quote } = await bench.json(dryRunSchema, 'deploy', '--name', 'asked', ...ORDER, '--dry-run');
    assert.equal(quote.total_cost_usdc, ORDER_DOLLARS);
    assert.deepEqual(await bench.list(), []);
  });

  it('rents one, waits until it runs, and reads all of it: the price by the detail, the name by the list', async () => {
    const key = 'laptop=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMnow';
    const bought = await bench.json(
      detailsSchema,
      ...['deploy', '--name', 'a-name', ...ORDER, '--ssh-key', key, '--poll', '0.1'],
    );
    ({ id } = bought);
    assert.deepEqual([bought.status, bought.amount_paid, bought.total_gpus], ['running', ORDER_DOLLARS, 1]);
    assert.deepEqual(Object.keys(bought.ssh_keys), ['laptop']);
    const [listed, ...more] = await bench.list();
    assert.deepEqual(
      [listed?.id, listed?.name, listed?.compute_minutes_remaining, more],
      [id, 'a-name', 120, []],
    );
    assert.equal((await bench.json(detailsSchema, 'get', id)).name, null);
  });

  it('is told where ssh leads, and buys more time', async () => {
    const { ssh_access } = await bench.json(waySchema, 'ssh', id);
    assert.equal(ssh_access, 'ssh -p 22022 ubuntu@192.0.2.7');
    const longer = await bench.json(detailsSchema, 'extend', id, '--hours', '1', '--yes');
    assert.deepEqual([longer.compute_minutes_remaining, longer.amount_paid], [180, 1.350003]);
  });

  it('destroys it, and is told of a second time that it is not there', async () => {
    assert.equal((await bench.run('delete', id, '--yes')).code, 0);
    assert.deepEqual(await bench.list(), []);
    const again = await bench.run('delete', id, '--yes');
    assert.notEqual(again.code, 0);
    assert.match(again.stderr, /Deployment not found/);
  });

  it('walks a list of several pages to its end', async () => {
    const names = Array.from({ length: 60 }, (_, number) => `many-${number.toString()}`);
    for (const name of names) {
      const { status } = await fetch(`${bench.url}/enterprise/v1/io-cloud/vmaas/deploy`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': IONET_KEY },
        body: JSON.stringify({
          resource_private_name: name,
          duration_hours: 1,
          gpus_per_vm: 1,
          hardware_id: '1RTX4090.16V',
        }),
      });
      assert.equal(status, 200);
    }
    const listed = await bench.list();
    assert.deepEqual(listed.map(({ name }) => name).toSorted(), names.toSorted());
  });
});

describe('judge: iocloud, beside Hitch', function () {
  this.timeout(600_000);
  const bench = new Bench({ bootMs: NEVER_MS, endMs: 0, lies: { emptyDeploy: true } });
  let begun: DaemonHome | null = null;
  let home: DaemonHome;
  let cluster: Cluster;
  let theirs: readonly string[] = [];

  before(async function () {
    needsJudge(this, 'iocloud');
    await bench.open();
    home = new DaemonHome({
      HITCH_PROVIDERS: 'ionet',
      HITCH_IONET_URL: bench.url,
      IOCLOUD_API_KEY: IONET_KEY,
    });
    begun = home;
    await home.start();
    const { code, stderr } = await home.cli(['networks', 'login', 'ionet', '--from-env']);
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    await begun?.dispose();
    await bench.close();
  });

  const attempt = ({ nodes }: Cluster) => nodes[0]?.attempts[0] ?? assert.fail('nothing was bought');

  it('sees what Hitch rents, under its name, for its price and with its key', async () => {
    const quote = await home.quote({ engine: 'single', filter: { providers: ['ionet'] } });
    const { id } = await home.api.clusters.create({ quoteId: quote.id, name: 'judged' });
    cluster = await home.untilCluster(id, 'it is bought', ({ nodes }) =>
      Boolean(nodes[0]?.attempts[0]?.instanceId),
    );
    const bought = attempt(cluster);
    const [listed, ...more] = await bench.list();
    assert.deepEqual(more, []);
    assert.deepEqual([listed?.id, listed?.name], [bought.instanceId, bought.ref]);
    const details = await bench.json(detailsSchema, 'get', listed?.id ?? '');
    const offer = quote.candidates.find(({ offerId }) => offerId === bought.offerId);
    assert.equal(Math.round(details.amount_paid * 1e6).toString(), offer?.pricePerHourMicroUsd);
    assert.match(details.ssh_keys['hitch'] ?? '', /^ssh-ed25519 /);
  });

  it('rents for itself, and Hitch lists that as not ours, with its price', async () => {
    // The client needs an id in the answer to an order; Hitch does not.
    bench.simulator.lies = {};
    const names = ['somebody-elses', 'hitch-anotherhitch0000'];
    const bought: string[] = [];
    for (const name of names) {
      const { id } = await bench.json(rowSchema, 'deploy', '--name', name, ...ORDER, '--detach');
      bought.push(id);
    }
    theirs = bought;
    const shown = await until(
      'Hitch shows both',
      async () => {
        const network = (await home.api.networks.list()).find(({ id }) => id === 'ionet');
        return network?.notOurs.length === 2 ? network.notOurs : null;
      },
      240_000,
    );
    for (const [index, id] of theirs.entries()) {
      const one = shown.find(other => other.id === id);
      assert.deepEqual([one?.mark, one?.pricePerHourMicroUsd], [names[index], '450001']);
    }
    const { stdout } = await home.cli(['networks', 'ls']);
    assert.match(stdout, /Not ours, never touched: somebody-elses/);
  });

  it('destroys what Hitch rented, and Hitch says that it is gone, and not by its doing', async () => {
    const { instanceId } = attempt(cluster);
    assert.equal((await bench.run('delete', instanceId ?? '', '--yes')).code, 0);
    const now = await home.untilCluster(
      cluster.id,
      'Hitch knows that it is gone',
      other => attempt(other).state === 'gone',
      240_000,
    );
    assert.equal(attempt(now).message, 'io.net ended the machine.');
    assert.deepEqual(bench.hitchDestroyed, [], 'nobody asked for that');
  });

  it('still has what it rented for itself when nothing of Hitch’s is left', async () => {
    const over = isOver(await home.cluster(cluster.id))
      ? await home.cluster(cluster.id)
      : await home.stopCluster(cluster.id);
    assert.equal(over.conditions.cleanup.status, 'yes', over.message);
    const left = (await bench.list()).map(({ id }) => id);
    assert.deepEqual(left.toSorted(), [...theirs].toSorted());
    assert.ok(theirs.every(id => !bench.hitchDestroyed.includes(id)));
  });
});
