/** RunPod's own MCP server on our simulator, alone and beside Hitch: pods and clusters, by REST v2. */
import assert from 'node:assert/strict';
import { type Cluster, isOver } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { DISK_PER_GIB_HOUR } from '../../../backend-proxy/src/providers/runpod/offers.ts';
import { DaemonHome } from '../../support/daemon-home.ts';
import { until } from '../../support/waiting.ts';
import { Faults } from '../frame/faults.ts';
import { serveSimulator, type SimulatorServer } from '../frame/server.ts';
import { RUNPOD_KEY, RunpodSimulator } from '../runpod/runpod-simulator.ts';
import { Mcp, needsMcp } from './mcp.ts';

const SERVER = '@runpod/mcp-server/dist/stdio.mjs';
const podSchema = z.looseObject({ id: z.string(), name: z.string(), status: z.string(), cost: z.number() });
const podsSchema = z.looseObject({ pods: z.array(podSchema) });
const clusterSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  pods: z.looseObject({ total: z.number() }),
});
const gpusSchema = z.looseObject({ gpus: z.array(z.looseObject({ id: z.string() })) });
const billSchema = z.looseObject({ records: z.array(z.looseObject({ podId: z.string() })) });

/** Longer than these tests: what is rented here stays on its way, and nobody dials an address that is not there. */
const NEVER_MS = 24 * 3_600_000;
const A40 = { id: 'NVIDIA A40', count: 1 };

class Bench {
  readonly simulator = new RunpodSimulator({ clock: systemClock, pullMs: NEVER_MS });
  /** What Hitch asked to end. */
  readonly hitchDestroyed: string[] = [];
  /** What Hitch sent to buy a pod. */
  readonly hitchBought: unknown[] = [];
  #server: SimulatorServer | null = null;
  #mcp: Mcp | null = null;

  get url(): string {
    return this.#server?.url ?? '';
  }

  get mcp(): Mcp {
    return this.#mcp ?? assert.fail('it is not open');
  }

  async open(): Promise<void> {
    this.#server = await serveSimulator(this.simulator, {
      clock: systemClock,
      faults: new Faults([], () => 1),
      heard: ({ method, path, headers, body }) => {
        if (headers['user-agent'] !== 'hitch') {
          return;
        }
        if (method === 'DELETE') {
          this.hitchDestroyed.push(path.split('/').at(-1) ?? path);
        } else if (`${method} ${path}` === 'POST /v2/pods') {
          this.hitchBought.push(body);
        }
      },
    });
    this.#mcp = new Mcp(SERVER, { RUNPOD_API_BASE_URL: this.url, RUNPOD_API_KEY: RUNPOD_KEY });
    await this.#mcp.open();
  }

  async close(): Promise<void> {
    this.#mcp?.[Symbol.dispose]();
    await this.#server?.[Symbol.asyncDispose]();
    await this.simulator.close();
    assert.deepEqual(this.simulator.complaints, []);
  }

  async pods() {
    return (await this.mcp.read(podsSchema, 'list-pods')).pods;
  }
}

describe('judge: RunPod’s MCP server, on its own', function () {
  this.timeout(300_000);
  const bench = new Bench();
  let id = '';

  before(async function () {
    needsMcp(this, SERVER);
    await bench.open();
  });
  after(() => bench.close());

  it('reads the catalogue, and what can be had', async () => {
    const filter = { include: ['AVAILABILITY'], product: ['POD'] };
    const { gpus } = await bench.mcp.read(gpusSchema, 'list-gpu-types', filter);
    assert.ok(gpus.some(({ id: gpu }) => gpu === A40.id));
    assert.ok(
      (await bench.mcp.call('list-gpu-types', { include: ['AVAILABILITY'] })).isError,
      'of which product?',
    );
  });

  it('rents a pod, shows it, and what it is billed', async () => {
    const body = { name: 'a-name', image: 'nginx', gpu: A40, cloud: 'SECURE' };
    id = (await bench.mcp.read(podSchema, 'create-pod', { body })).id;
    assert.deepEqual(
      (await bench.pods()).map(pod => [pod.id, pod.name, pod.cost]),
      [[id, 'a-name', 0.4]],
    );
    assert.equal((await bench.mcp.read(podSchema, 'get-pod', { id })).name, 'a-name');
    const { records } = await bench.mcp.read(billSchema, 'list-pod-billing');
    assert.deepEqual(
      records.map(({ podId }) => podId),
      [id],
    );
  });

  it('is told that there is none left, and that a cluster of one is none', async () => {
    const gone = { name: 'x', image: 'nginx', gpu: { id: 'AMD Instinct MI300X OAM', count: 1 } };
    assert.match(
      (await bench.mcp.call('create-pod', { body: gone })).text,
      /no longer any instances available/,
    );
  });

  it('rents a cluster, shows its pods apart from the others, and ends it with all of them', async () => {
    const compute = { gpuTypeId: 'NVIDIA H100 80GB HBM3', gpuCountPerPod: 8, podCount: 2 };
    const body = { name: 'both', image: 'nginx', type: 'APPLICATION', compute };
    const cluster = await bench.mcp.read(clusterSchema, 'create-cluster', { body });
    assert.equal(cluster.pods.total, 2);
    const { pods } = await bench.mcp.read(podsSchema, 'list-cluster-pods', { id: cluster.id });
    assert.equal(pods.length, 2);
    assert.equal((await bench.pods()).length, 1);
    assert.ok(!(await bench.mcp.call('delete-cluster', { id: cluster.id })).isError);
    assert.ok((await bench.mcp.call('get-cluster', { id: cluster.id })).isError);
  });

  it('ends it, and hears of a second time that it is not there', async () => {
    assert.ok(!(await bench.mcp.call('delete-pod', { id })).isError);
    assert.deepEqual(await bench.pods(), []);
    const again = await bench.mcp.call('delete-pod', { id });
    assert.deepEqual([again.isError, /resource not found/.test(again.text)], [true, true]);
  });
});

describe('judge: RunPod’s MCP server, beside Hitch', function () {
  this.timeout(600_000);
  const bench = new Bench();
  let begun: DaemonHome | null = null;
  let home: DaemonHome;
  let cluster: Cluster;
  let theirs = '';

  before(async function () {
    needsMcp(this, SERVER);
    await bench.open();
    home = new DaemonHome({
      HITCH_PROVIDERS: 'runpod',
      HITCH_RUNPOD_URL: bench.url,
      RUNPOD_API_KEY: RUNPOD_KEY,
    });
    begun = home;
    await home.start();
    const { code, stderr } = await home.cli(['networks', 'login', 'runpod', '--from-env']);
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    await begun?.dispose();
    await bench.close();
  });

  const attempt = ({ nodes }: Cluster) => nodes[0]?.attempts[0] ?? assert.fail('nothing was bought');

  it('sees what Hitch rents, under its mark and for its price', async () => {
    const quote = await home.quote({ engine: 'single', filter: { providers: ['runpod'] } });
    const { id } = await home.api.clusters.create({ quoteId: quote.id, name: 'judged' });
    cluster = await home.untilCluster(id, 'it is bought', ({ nodes }) =>
      Boolean(nodes[0]?.attempts[0]?.instanceId),
    );
    const bought = attempt(cluster);
    const [listed, ...more] = await bench.pods();
    assert.deepEqual(more, []);
    assert.deepEqual([listed?.name, listed?.id], [bought.ref, bought.instanceId]);
    const offer = quote.candidates.find(({ offerId }) => offerId === bought.offerId);
    // Its price is of the GPUs; the disk is billed beside it.
    const disk = Number(DISK_PER_GIB_HOUR) * 50;
    assert.equal(Math.round((listed?.cost ?? 0) * 1e6) + disk, Number(offer?.pricePerHourMicroUsd));
  });

  it('takes what Hitch sent to buy it for a request of its own', async () => {
    const [body] = bench.hitchBought;
    const again = { ...z.looseObject({}).parse(body), name: 'theirs' };
    const { isError, text } = await bench.mcp.call('create-pod', { body: again });
    assert.ok(!isError, text);
    theirs = podSchema.parse(JSON.parse(text)).id;
  });

  it('has what it rented for itself shown as not ours', async () => {
    const [shown] = await until(
      'Hitch shows it',
      async () => {
        const network = (await home.api.networks.list()).find(({ id }) => id === 'runpod');
        return network?.notOurs.length === 1 ? network.notOurs : null;
      },
      240_000,
    );
    assert.deepEqual([shown?.id, shown?.mark], [theirs, 'theirs']);
  });

  it('ends what Hitch rented, and Hitch says that it is gone, and not by its doing', async () => {
    const { instanceId } = attempt(cluster);
    assert.ok(!(await bench.mcp.call('delete-pod', { id: instanceId })).isError);
    const now = await home.untilCluster(
      cluster.id,
      'Hitch knows that it is gone',
      other => attempt(other).state === 'gone',
      240_000,
    );
    assert.equal(attempt(now).message, 'RunPod ended the machine.');
    assert.deepEqual(bench.hitchDestroyed, [], 'nobody asked for that');
  });

  it('still has what it rented for itself when nothing of Hitch’s is left', async () => {
    const now = await home.cluster(cluster.id);
    const over = isOver(now) ? now : await home.stopCluster(cluster.id);
    assert.equal(over.conditions.cleanup.status, 'yes', over.message);
    assert.deepEqual(
      (await bench.pods()).map(({ id }) => id),
      [theirs],
    );
    assert.ok(!bench.hitchDestroyed.includes(theirs));
  });
});
