/**
 * Vast.ai's own client on our simulator, alone and beside Hitch: what it understands there, the real network says too, and
 * what Hitch did there, it sees.
 */
import assert from 'node:assert/strict';
import { type Cluster, isOver } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { DaemonHome } from '../../support/daemon-home.ts';
import { until } from '../../support/waiting.ts';
import { Faults } from '../frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../frame/server.ts';
import { VAST_KEY, VastSimulator } from '../vast/vast-simulator.ts';
import { type Judge, judge, needsJudge } from './judge.ts';

const offersSchema = z.array(z.looseObject({ id: z.number(), num_gpus: z.number(), dph_total: z.number() }));
const instanceSchema = z.looseObject({
  id: z.number(),
  label: z.string().nullable(),
  dph_total: z.number(),
  actual_status: z.string().nullable(),
  extra_env: z.record(z.string(), z.string()),
});
const listSchema = z.array(instanceSchema);
const boughtSchema = z.looseObject({ success: z.boolean(), new_contract: z.number() });
const userSchema = z.looseObject({ credit: z.number(), email: z.string() });

/** Longer than these tests: what is rented here stays on its way, and nobody dials an address that is not there. */
const NEVER_MS = 24 * 3_600_000;

/** The client and what it is led to. */
class Bench {
  readonly simulator = new VastSimulator({ clock: systemClock, bootMs: NEVER_MS });
  /** What Hitch asked to end. */
  readonly hitchDestroyed: string[] = [];
  #server: SimulatorServer | null = null;
  #client: Judge | null = null;

  get url(): string {
    return this.#server?.url ?? '';
  }

  async open(): Promise<void> {
    this.#server = await serveSimulator(this.simulator, {
      clock: systemClock,
      faults: new Faults([], () => 1),
      heard: ({ method, path, headers }) => {
        if (method === 'DELETE' && headers['user-agent'] === 'hitch') {
          this.hitchDestroyed.push(/([0-9]+)\/$/.exec(path)?.[1] ?? path);
        }
      },
    });
    this.#client = judge('vastai', {
      VAST_URL: this.url,
      VAST_API_KEY: VAST_KEY,
      VASTAI_NO_UPDATE_CHECK: '1',
    });
  }

  async close(): Promise<void> {
    this.#client?.[Symbol.dispose]();
    await this.#server?.[Symbol.asyncDispose]();
    await this.simulator.close();
    assert.deepEqual(this.simulator.complaints, []);
  }

  run(...args: readonly string[]) {
    return this.#client?.run(...args) ?? assert.fail('it is not open');
  }

  /** What it says as JSON. */
  async raw<Schema extends z.ZodType>(schema: Schema, ...args: readonly string[]): Promise<z.output<Schema>> {
    const { code, stdout, stderr } = await this.run(...args, '--raw');
    assert.equal(code, 0, `${stdout}${stderr}`);
    return schema.parse(JSON.parse(stdout));
  }

  list() {
    return this.raw(listSchema, 'show', 'instances');
  }
}

describe('judge: vastai, on its own', function () {
  this.timeout(300_000);
  const bench = new Bench();
  let id = 0;

  before(async function () {
    needsJudge(this, 'vastai');
    await bench.open();
  });
  after(() => bench.close());

  it('searches, and understands each offer', async () => {
    const query = ['gpu_name=RTX_4090', 'num_gpus>=2', 'gpu_ram>=20'].join(' ');
    const offers = await bench.raw(offersSchema, 'search', 'offers', query);
    assert.ok(offers.length > 0);
    assert.ok(offers.every(({ num_gpus }) => num_gpus >= 2));
    const { code, stdout } = await bench.run('search', 'offers', query);
    assert.equal(code, 0);
    assert.match(stdout, /RTX_4090/);
  });

  it('rents with a label, shows it in a list and by itself, and its user what is left', async () => {
    const [offer] = await bench.raw(offersSchema, 'search', 'offers', 'num_gpus=1');
    assert.ok(offer !== undefined);
    const { new_contract } = await bench.raw(
      boughtSchema,
      ...['create', 'instance', offer.id.toString(), '--image', 'ubuntu:24.04', '--disk', '20'],
      ...['--label', 'a-label', '--ssh', '--direct', '--env', '-e TZ=UTC -p 8080:8080'],
    );
    id = new_contract;
    const [listed] = await bench.list();
    assert.deepEqual([listed?.id, listed?.label], [id, 'a-label']);
    assert.deepEqual(listed?.extra_env, { TZ: 'UTC', '-p 8080:8080': '1' });
    const shown = await bench.raw(instanceSchema, 'show', 'instance', id.toString());
    assert.equal(shown.dph_total, listed.dph_total);
    const { credit } = await bench.raw(userSchema, 'show', 'user');
    assert.ok(credit > 0);
  });

  it('stops, starts, labels and lets a key in', async () => {
    const name = id.toString();
    for (const args of [
      ['stop', 'instance', name],
      ['start', 'instance', name],
      ['label', 'instance', name, 'another-label'],
      ['attach', 'ssh', name, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMnow'],
    ]) {
      const { code, stdout, stderr } = await bench.run(...args);
      assert.ok(code === 0 || code === null, `${args.join(' ')}: ${stdout}${stderr}`);
    }
    assert.equal((await bench.list())[0]?.label, 'another-label');
    assert.equal(bench.simulator.ways.attached(id).length, 1);
  });

  it('destroys it, and hears of a second time that it is not there', async () => {
    const name = id.toString();
    assert.match((await bench.run('destroy', 'instance', name, '-y')).stdout, /destroying instance/);
    assert.deepEqual(await bench.list(), []);
    const { stderr } = await bench.run('destroy', 'instance', name, '-y', '--raw');
    assert.match(stderr, /"status_code": 404/);
    assert.match(stderr, new RegExp(`Instance ${name} not found`));
  });

  it('is told when a search is one too many, and until when', async () => {
    const limited = new VastSimulator({ clock: systemClock, searchesPerDay: 0 });
    await using server = await serveSimulator(limited, {
      clock: systemClock,
      faults: new Faults([], () => 1),
    });
    const { stderr } = await bench.run('search', 'offers', '--url', server.url);
    assert.match(stderr, /Daily search quota exceeded\. Resets at .* 00:00 UTC/);
  });
});

describe('judge: vastai, beside Hitch', function () {
  this.timeout(600_000);
  const bench = new Bench();
  let begun: DaemonHome | null = null;
  let home: DaemonHome;
  let cluster: Cluster;
  let theirs: readonly number[] = [];

  before(async function () {
    needsJudge(this, 'vastai');
    await bench.open();
    home = new DaemonHome({ HITCH_PROVIDERS: 'vast', HITCH_VAST_URL: bench.url, VAST_API_KEY: VAST_KEY });
    begun = home;
    await home.start();
    const { code, stderr } = await home.cli(['networks', 'login', 'vast', '--from-env']);
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    await begun?.dispose();
    await bench.close();
  });

  const attempt = ({ nodes }: Cluster) => nodes[0]?.attempts[0] ?? assert.fail('nothing was bought');
  const isThere = async (id: number) => (await bench.list()).some(listed => listed.id === id);

  it('sees what Hitch rents, under its mark and for its price', async () => {
    const quote = await home.quote({ engine: 'single', filter: { providers: ['vast'] } });
    const { id } = await home.api.clusters.create({ quoteId: quote.id, name: 'judged' });
    cluster = await home.untilCluster(id, 'it is bought', ({ nodes }) =>
      Boolean(nodes[0]?.attempts[0]?.instanceId),
    );
    const bought = attempt(cluster);
    const [listed, ...more] = await bench.list();
    assert.deepEqual(more, []);
    assert.equal(listed?.label, bought.ref);
    assert.equal(listed.id.toString(), bought.instanceId);
    const offer = quote.candidates.find(({ offerId }) => offerId === bought.offerId);
    assert.equal(Math.round(listed.dph_total * 1e6).toString(), offer?.pricePerHourMicroUsd);
  });

  it('rents for itself, and Hitch lists that as not ours', async () => {
    const labels = ['somebody-elses', 'hitch-anotherhitch0000'];
    const bought: number[] = [];
    for (const label of labels) {
      const [offer] = await bench.raw(offersSchema, 'search', 'offers', 'num_gpus=1 gpu_name=RTX_4090');
      const args = ['create', 'instance', (offer?.id ?? 0).toString(), '--image', 'ubuntu:24.04', '--ssh'];
      const { new_contract } = await bench.raw(boughtSchema, ...args, '--label', label);
      bought.push(new_contract);
    }
    theirs = bought;
    const listed = await bench.list();
    const shown = await until(
      'Hitch shows both',
      async () => {
        const network = (await home.api.networks.list()).find(({ id }) => id === 'vast');
        return network?.notOurs.length === 2 ? network.notOurs : null;
      },
      240_000,
    );
    for (const [index, id] of theirs.entries()) {
      const one = shown.find(other => other.id === id.toString());
      const price = listed.find(other => other.id === id)?.dph_total ?? 0;
      assert.equal(one?.mark, labels[index]);
      assert.equal(one?.pricePerHourMicroUsd, Math.round(price * 1e6).toString());
    }
    const { stdout } = await home.cli(['networks', 'ls']);
    assert.match(stdout, /Not ours, never touched: somebody-elses/);
  });

  it('destroys what Hitch rented, and Hitch says that it is gone, and not by its doing', async () => {
    const { instanceId } = attempt(cluster);
    const { stdout } = await bench.run('destroy', 'instance', instanceId ?? '', '-y');
    assert.match(stdout, /destroying instance/);
    const now = await home.untilCluster(
      cluster.id,
      'Hitch knows that it is gone',
      other => attempt(other).state === 'gone',
      240_000,
    );
    assert.equal(attempt(now).message, 'Vast.ai ended the machine.');
    assert.deepEqual(bench.hitchDestroyed, [], 'nobody asked for that');
  });

  it('still has what it rented for itself when nothing of Hitch’s is left', async () => {
    const over = isOver(await home.cluster(cluster.id))
      ? await home.cluster(cluster.id)
      : await home.stopCluster(cluster.id);
    assert.equal(over.conditions.cleanup.status, 'yes', over.message);
    for (const id of theirs) {
      assert.ok(await isThere(id));
      assert.ok(!bench.hitchDestroyed.includes(id.toString()));
    }
    assert.equal((await bench.list()).length, theirs.length);
  });
});
