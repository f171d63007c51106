/** RunPod's own Python SDK on our simulator, alone and beside Hitch: pods, by GraphQL. */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { DISK_PER_GIB_HOUR } from '../../../backend-proxy/src/providers/runpod/offers.ts';
import { RUNPOD_KEY, RunpodSimulator } from '../runpod/runpod-simulator.ts';
import { Bench, NEVER_MS } from './bench.ts';
import { besideHitch, type OwnClient } from './beside-hitch.ts';
import { needsJudge, pythonJudge } from './judge.ts';
import type { JsonRpc } from './json-rpc.ts';

const podSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  costPerHr: z.number(),
  containerDiskInGb: z.number(),
  desiredStatus: z.string(),
  imageName: z.string(),
  gpuCount: z.number(),
  env: z.array(z.string()),
  ports: z.string(),
  machine: z.looseObject({ gpuDisplayName: z.string() }),
});
const podsSchema = z.array(podSchema);
const boughtSchema = z.looseObject({ id: z.string(), machine: z.looseObject({ podHostId: z.string() }) });
const gpusSchema = z.array(
  z.looseObject({ id: z.string(), displayName: z.string(), memoryInGb: z.number() }),
);
const gpuSchema = z.looseObject({
  maxGpuCount: z.number(),
  securePrice: z.number(),
  lowestPrice: z.looseObject({ uninterruptablePrice: z.number().nullable() }),
});
const userSchema = z.looseObject({ id: z.string(), networkVolumes: z.array(z.unknown()) });
const balanceSchema = z.looseObject({
  data: z.looseObject({ myself: z.looseObject({ clientBalance: z.number() }) }),
});

const A40 = 'NVIDIA A40';
const NETWORK = {
  id: 'runpod',
  title: 'RunPod',
  login: { RUNPOD_API_KEY: RUNPOD_KEY },
  build: () => new RunpodSimulator({ clock: systemClock, pullMs: NEVER_MS }),
};

class Sdk implements OwnClient {
  readonly rpc: JsonRpc;

  constructor(url: string, key = RUNPOD_KEY) {
    this.rpc = pythonJudge('runpod_sdk.py', { RUNPOD_API_BASE_URL: url, RUNPOD_API_KEY: key });
  }

  pods() {
    return this.rpc.read(podsSchema, 'get_pods');
  }

  /** A price is of the GPUs; the disk is billed beside it. */
  async list() {
    return (await this.pods()).map(({ id, name, costPerHr, containerDiskInGb }) => ({
      id,
      mark: name,
      perHourMicroUsd: BigInt(Math.round(costPerHr * 1e6)) + DISK_PER_GIB_HOUR * BigInt(containerDiskInGb),
    }));
  }

  async create(mark: string): Promise<string> {
    const order = { name: mark, image_name: 'nginx', gpu_type_id: A40, cloud_type: 'SECURE' };
    return (await this.rpc.read(boughtSchema, 'create_pod', order)).id;
  }

  async destroy(id: string): Promise<void> {
    await this.rpc.ask('terminate_pod', { pod_id: id });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rpc[Symbol.asyncDispose]();
  }
}

function onItsOwn(): void {
  const bench = new Bench(NETWORK.build());
  const close = new AsyncDisposableStack();
  let sdk: Sdk;
  let id = '';

  before(async function () {
    needsJudge(this, 'runpod');
    close.defer(() => bench.close());
    await bench.open();
    sdk = close.use(new Sdk(bench.url));
  });
  after(() => close.disposeAsync());

  it('reads the GPUs, and what some of them cost', async () => {
    const gpus = await sdk.rpc.read(gpusSchema, 'get_gpus');
    assert.ok(gpus.some(gpu => gpu.id === A40 && gpu.memoryInGb === 48));
    const two = await sdk.rpc.read(gpuSchema, 'get_gpu', { gpu_id: A40, gpu_quantity: 2 });
    assert.deepEqual([two.securePrice, two.lowestPrice.uninterruptablePrice], [0.4, 0.4]);
    const tooMany = { gpu_id: A40, gpu_quantity: two.maxGpuCount + 1 };
    const none = await sdk.rpc.read(gpuSchema, 'get_gpu', tooMany);
    assert.equal(none.lowestPrice.uninterruptablePrice, null);
  });

  it('rents a pod with what it needs, and shows it in a list and by itself', async () => {
    const order = {
      ...{ name: 'a-name', image_name: 'ubuntu:24.04', gpu_type_id: 'NVIDIA GeForce RTX 4090' },
      ...{ gpu_count: 2, container_disk_in_gb: 30, ports: '22/tcp, 8888/http', env: { TZ: 'UTC' } },
    };
    ({ id } = await sdk.rpc.read(boughtSchema, 'create_pod', order));
    const [pod, ...more] = await sdk.pods();
    assert.deepEqual(more, []);
    assert.deepEqual(
      [pod?.id, pod?.name, pod?.costPerHr, pod?.gpuCount, pod?.containerDiskInGb, pod?.imageName],
      [id, 'a-name', 0.68, 2, 30, 'ubuntu:24.04'],
    );
    assert.deepEqual(
      [pod?.ports, pod?.env, pod?.machine.gpuDisplayName],
      ['22/tcp,8888/http', ['TZ=UTC'], 'RTX 4090'],
    );
    assert.equal((await sdk.rpc.read(podSchema, 'get_pod', { pod_id: id })).name, 'a-name');
  });

  it('says who it is, and what is left', async () => {
    assert.deepEqual((await sdk.rpc.read(userSchema, 'get_user')).networkVolumes, []);
    const query = 'query { myself { clientBalance } }';
    const { data } = await sdk.rpc.read(balanceSchema, 'query', { query });
    assert.ok(data.myself.clientBalance > 99 && data.myself.clientBalance < 100);
  });

  it('is told that there is none left, that money is missing, and that a field is not there', async () => {
    const order = { name: 'x', image_name: 'nginx', gpu_type_id: 'AMD Instinct MI300X OAM' };
    await assert.rejects(sdk.rpc.ask('create_pod', order), /QueryError: There are no longer any instances/);
    await assert.rejects(sdk.rpc.ask('query', { query: '{ myself { money } }' }), /QueryError: Cannot query/);
    const poor = new Bench(new RunpodSimulator({ clock: systemClock, balance: 0.1 }));
    await poor.open();
    await using empty = new Sdk(poor.url);
    await assert.rejects(empty.create('too-much'), /QueryError: Your balance is too low/);
    await poor.close();
  });

  it('is told that its key is wrong', async () => {
    await using stranger = new Sdk(bench.url, 'not-a-key');
    await assert.rejects(stranger.pods(), /AuthenticationError: Unauthorized request/);
  });

  it('ends it, and hears of a second time that it failed', async () => {
    await sdk.destroy(id);
    assert.deepEqual(await sdk.pods(), []);
    assert.equal(await sdk.rpc.ask('get_pod', { pod_id: id }), null);
    await assert.rejects(sdk.destroy(id), /QueryError: Something went wrong/);
  });
}

besideHitch(NETWORK, {
  name: 'RunPod’s Python SDK',
  onItsOwn,
  needs: test => {
    needsJudge(test, 'runpod');
  },
  lead: ({ url }) => new Sdk(url),
});
