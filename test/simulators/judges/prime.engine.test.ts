/**
 * Prime Intellect's own client on our simulator, alone and beside Hitch: what it understands there, the real network says too,
 * and what Hitch did there, it sees.
 */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { PRIME_KEY, PrimeSimulator } from '../prime/prime-simulator.ts';
import { Bench, NEVER_MS } from './bench.ts';
import { besideHitch, type Listed, type OwnClient } from './beside-hitch.ts';
import { type Judge, judge, needsJudge } from './judge.ts';

const resourcesSchema = z.looseObject({
  gpu_resources: z.array(
    z.looseObject({ cloud_id: z.string(), gpu_count: z.number(), price_value: z.number() }),
  ),
});
const podsSchema = z.looseObject({
  pods: z.array(
    z.looseObject({ id: z.string(), name: z.string().nullable(), gpu: z.string(), status: z.string() }),
  ),
  total_count: z.number(),
});
const statusSchema = z.looseObject({
  id: z.string(),
  name: z.string().nullable(),
  status: z.string(),
  cost_per_hour: z.number(),
});
const historySchema = z.looseObject({
  history: z.array(z.looseObject({ id: z.string(), name: z.string(), total_cost: z.number() })),
});

const NETWORK = {
  id: 'prime',
  title: 'Prime Intellect',
  login: { PRIME_API_KEY: PRIME_KEY },
  build: () => new PrimeSimulator({ clock: systemClock, startMs: NEVER_MS }),
};

class PrimeCli implements OwnClient {
  readonly #judge: Judge;

  readonly #simulator: PrimeSimulator;

  constructor({ url, simulator }: Bench<PrimeSimulator>, key = PRIME_KEY) {
    this.#simulator = simulator;
    this.#judge = judge('prime.py', {
      PRIME_API_BASE_URL: url,
      PRIME_API_KEY: key,
      PRIME_DISABLE_VERSION_CHECK: '1',
    });
  }

  run(...args: readonly string[]) {
    return this.#judge.run(...args);
  }

  /** What it says as JSON. */
  async json<Schema extends z.ZodType>(
    schema: Schema,
    ...args: readonly string[]
  ): Promise<z.output<Schema>> {
    const { code, stdout, stderr } = await this.run(...args, '--output', 'json');
    assert.equal(code, 0, `${stdout}${stderr}`);
    return schema.parse(JSON.parse(stdout));
  }

  async pods() {
    return (await this.json(podsSchema, 'pods', 'list')).pods;
  }

  /** A price is said of each by itself. */
  async list() {
    const listed: Listed[] = [];
    for (const { id, name } of await this.pods()) {
      const { cost_per_hour } = await this.json(statusSchema, 'pods', 'status', id);
      listed.push({ id, mark: name, perHourMicroUsd: BigInt(Math.round(cost_per_hour * 1e6)) });
    }
    return listed;
  }

  async create(mark: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(
      ...['pods', 'create', '--cloud-id', 'NVIDIA A100 80GB PCIe', '--name', mark, '--disk-size', '120'],
      ...['--vcpus', '14', '--memory', '125', '--image', 'ubuntu_22_cuda_12', '--yes'],
    );
    assert.equal(code, 0, `${stdout}${stderr}`);
    return /Successfully created pod (\S+)/.exec(stdout)?.[1] ?? assert.fail(stdout);
  }

  async destroy(id: string): Promise<void> {
    const { code, stdout, stderr } = await this.run('pods', 'terminate', id, '--yes');
    assert.equal(code, 0, `${stdout}${stderr}`);
  }

  /** Its key is on the account under the machine's own mark, beside what was there. */
  async looksAtOurs(id: string): Promise<void> {
    const { name } = await this.json(statusSchema, 'pods', 'status', id);
    assert.deepEqual(
      this.#simulator.sshKeys.map(key => key.name),
      ['laptop', name],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#judge[Symbol.asyncDispose]();
  }
}

function onItsOwn(): void {
  // Installed at once, without a machine behind it.
  const bench = new Bench(new PrimeSimulator({ clock: systemClock, startMs: 0, installMs: NEVER_MS }));
  const close = new AsyncDisposableStack();
  let prime: PrimeCli;
  let id = '';

  before(async function () {
    needsJudge(this, 'prime');
    close.defer(() => bench.close());
    await bench.open();
    prime = close.use(new PrimeCli(bench));
  });
  after(() => close.disposeAsync());

  it('reads what is available, of one machine and of several', async () => {
    const { gpu_resources: rows } = await prime.json(resourcesSchema, 'availability', 'list');
    assert.ok(rows.some(({ cloud_id, gpu_count }) => cloud_id === 'cluster_16x_h100' && gpu_count === 16));
    assert.equal(rows.find(({ cloud_id }) => cloud_id === 'gpu_1x_l40s')?.price_value, 0.95);
  });

  it('rents one, and shows that it is installed still though the network says ACTIVE', async () => {
    id = await prime.create('a-name');
    assert.deepEqual(
      (await prime.pods()).map(pod => [pod.id, pod.name, pod.gpu, pod.status]),
      [[id, 'a-name', 'A100_80GB x1', 'INSTALLING']],
    );
    const status = await prime.json(statusSchema, 'pods', 'status', id);
    assert.deepEqual([status.name, status.status, status.cost_per_hour], ['a-name', 'INSTALLING', 1.6736]);
  });

  it('is told whose key it has, and what is left', async () => {
    const { code, stdout } = await prime.run('whoami');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /user-1/);
    const wallet = await prime.run('wallet', '--output', 'json');
    assert.equal(wallet.code, 0, `${wallet.stdout}${wallet.stderr}`);
    assert.match(wallet.stdout, /balance/);
  });

  it('ends it, finds it in its history, and hears of a second time that it is not there', async () => {
    await prime.destroy(id);
    assert.deepEqual(await prime.pods(), []);
    const { history } = await prime.json(historySchema, 'pods', 'history');
    assert.deepEqual(
      history.map(past => [past.id, past.name]),
      [[id, 'a-name']],
    );
    const again = await prime.run('pods', 'terminate', id, '--yes');
    assert.equal(again.code, 1);
    assert.match(`${again.stdout}${again.stderr}`, /404/);
  });

  it('is told that its key is none', async () => {
    await using stranger = new PrimeCli(bench, 'pit_of_nobody');
    const { code, stdout, stderr } = await stranger.run('pods', 'list');
    assert.equal(code, 1);
    assert.match(`${stdout}${stderr}`, /unauthorized/i);
  });
}

besideHitch(NETWORK, {
  name: 'prime',
  onItsOwn,
  needs: test => {
    needsJudge(test, 'prime');
  },
  lead: bench => new PrimeCli(bench),
});
