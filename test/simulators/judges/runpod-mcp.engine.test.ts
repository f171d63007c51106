/** RunPod's own MCP server on our simulator, alone and beside Hitch: pods and clusters, by REST v2. */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { DISK_PER_GIB_HOUR } from '../../../backend-proxy/src/providers/runpod/offers.ts';
import { RUNPOD_KEY, RunpodSimulator } from '../runpod/runpod-simulator.ts';
import { Bench, NEVER_MS } from './bench.ts';
import { besideHitch, type OwnClient } from './beside-hitch.ts';
import { needsModule } from './judge.ts';
import { Mcp } from './mcp.ts';

const SERVER = '@runpod/mcp-server/dist/stdio.mjs';
const podSchema = z.looseObject({ id: z.string(), name: z.string(), cost: z.number(), disk: z.number() });
const podsSchema = z.looseObject({ pods: z.array(podSchema) });
const clusterSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  pods: z.looseObject({ total: z.number() }),
});
const gpusSchema = z.looseObject({ gpus: z.array(z.looseObject({ id: z.string() })) });
const billSchema = z.looseObject({ records: z.array(z.looseObject({ podId: z.string() })) });

const A40 = { id: 'NVIDIA A40', count: 1 };

const NETWORK = {
  id: 'runpod',
  title: 'RunPod',
  login: { RUNPOD_API_KEY: RUNPOD_KEY },
  build: () => new RunpodSimulator({ clock: systemClock, pullMs: NEVER_MS }),
};

class OwnMcp implements OwnClient {
  readonly mcp: Mcp;
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.#bench = bench;
    this.mcp = new Mcp(SERVER, { RUNPOD_API_BASE_URL: bench.url, RUNPOD_API_KEY: RUNPOD_KEY });
  }

  async open(): Promise<this> {
    await this.mcp.open();
    return this;
  }

  async pods() {
    return (await this.mcp.read(podsSchema, 'list-pods')).pods;
  }

  /** A price is of the GPUs; the disk is billed beside it. */
  async list() {
    return (await this.pods()).map(({ id, name, cost, disk }) => ({
      id,
      mark: name,
      perHourMicroUsd: BigInt(Math.round(cost * 1e6)) + DISK_PER_GIB_HOUR * BigInt(disk),
    }));
  }

  /** Takes what Hitch sent to buy a pod for a request of its own. */
  async create(mark: string): Promise<string> {
    const sent = this.#bench.hitchAsked.find(({ method, path }) => method === 'POST' && path === '/v2/pods');
    const body = { ...z.looseObject({}).parse(sent?.body), name: mark };
    return (await this.mcp.read(podSchema, 'create-pod', { body })).id;
  }

  async destroy(id: string): Promise<void> {
    const { isError, text } = await this.mcp.call('delete-pod', { id });
    assert.ok(!isError, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mcp[Symbol.asyncDispose]();
  }
}

function onItsOwn(): void {
  const bench = new Bench(NETWORK.build());
  const close = new AsyncDisposableStack();
  let own: OwnMcp;
  let id = '';

  before(async function () {
    needsModule(this, SERVER);
    close.defer(() => bench.close());
    await bench.open();
    own = close.use(new OwnMcp(bench));
    await own.open();
  });
  after(() => close.disposeAsync());

  it('reads the catalogue, and what can be had', async () => {
    const filter = { include: ['AVAILABILITY'], product: ['POD'] };
    const { gpus } = await own.mcp.read(gpusSchema, 'list-gpu-types', filter);
    assert.ok(gpus.some(({ id: gpu }) => gpu === A40.id));
    assert.ok(
      (await own.mcp.call('list-gpu-types', { include: ['AVAILABILITY'] })).isError,
      'of which product?',
    );
  });

  it('rents a pod, shows it, and what it is billed', async () => {
    const body = { name: 'a-name', image: 'nginx', gpu: A40, cloud: 'SECURE' };
    id = (await own.mcp.read(podSchema, 'create-pod', { body })).id;
    assert.deepEqual(
      (await own.pods()).map(pod => [pod.id, pod.name, pod.cost]),
      [[id, 'a-name', 0.4]],
    );
    assert.equal((await own.mcp.read(podSchema, 'get-pod', { id })).name, 'a-name');
    const { records } = await own.mcp.read(billSchema, 'list-pod-billing');
    assert.deepEqual(
      records.map(({ podId }) => podId),
      [id],
    );
  });

  it('is told that there is none left, and that a cluster of one is none', async () => {
    const gone = { name: 'x', image: 'nginx', gpu: { id: 'AMD Instinct MI300X OAM', count: 1 } };
    assert.match(
      (await own.mcp.call('create-pod', { body: gone })).text,
      /no longer any instances available/,
    );
  });

  it('rents a cluster, shows its pods apart from the others, and ends it with all of them', async () => {
    const compute = { gpuTypeId: 'NVIDIA H100 80GB HBM3', gpuCountPerPod: 8, podCount: 2 };
    const body = { name: 'both', image: 'nginx', type: 'APPLICATION', compute };
    const cluster = await own.mcp.read(clusterSchema, 'create-cluster', { body });
    assert.equal(cluster.pods.total, 2);
    const { pods } = await own.mcp.read(podsSchema, 'list-cluster-pods', { id: cluster.id });
    assert.equal(pods.length, 2);
    assert.equal((await own.pods()).length, 1);
    assert.ok(!(await own.mcp.call('delete-cluster', { id: cluster.id })).isError);
    assert.ok((await own.mcp.call('get-cluster', { id: cluster.id })).isError);
  });

  it('ends it, and hears of a second time that it is not there', async () => {
    assert.ok(!(await own.mcp.call('delete-pod', { id })).isError);
    assert.deepEqual(await own.pods(), []);
    const again = await own.mcp.call('delete-pod', { id });
    assert.deepEqual([again.isError, /resource not found/.test(again.text)], [true, true]);
  });
}

besideHitch(NETWORK, {
  name: 'RunPod’s MCP server',
  onItsOwn,
  needs: test => {
    needsModule(test, SERVER);
  },
  lead: bench => new OwnMcp(bench).open(),
});
