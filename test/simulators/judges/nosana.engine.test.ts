/** Nosana's own client on our simulator, alone and beside Hitch: what Hitch rented there, it sees, and the other way round. */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { NOSANA_KEY, NosanaSimulator } from '../nosana/simulator.ts';
import { Bench, NEVER_MS } from './bench.ts';
import { besideHitch, type Listed, type OwnClient } from './beside-hitch.ts';
import { moduleOf, needsModule, nodeJudge } from './judge.ts';
import type { JsonRpc } from './json-rpc.ts';

const CLIENT = '@nosana/api/dist/index.js';
const marketsSchema = z.array(
  z.looseObject({
    address: z.string(),
    usd_reward_per_hour: z.number().nullable(),
    network_fee_percentage: z.number(),
    gpu_types: z.array(z.string()).nullable(),
  }),
);
type Market = z.output<typeof marketsSchema>[number];
const deploymentSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  market: z.string(),
  replicas: z.number(),
});
const listSchema = z.array(deploymentSchema);
const balanceSchema = z.looseObject({ assignedCredits: z.number(), settledCredits: z.number() });

/** As `DeploymentCreateBody` of its schema has it. */
const order = (name: string, market: string) => ({
  name,
  market,
  replicas: 2,
  timeout: 60,
  strategy: 'SIMPLE',
  job_definition: {
    version: '0.1',
    type: 'container',
    meta: { trigger: 'api' },
    ops: [{ type: 'container/run', id: 'one', args: { image: 'ubuntu', cmd: ['sleep', '1'], gpu: true } }],
  },
});

const clientOf = (url: string, key = NOSANA_KEY): JsonRpc =>
  nodeJudge('nosana.mjs', { NOSANA_CLIENT: moduleOf(CLIENT), NOSANA_URL: url, NOSANA_API_KEY: key });

function onItsOwn(): void {
  const bench = new Bench(new NosanaSimulator({ clock: systemClock, startMs: 0, stopMs: 0 }));
  const close = new AsyncDisposableStack();
  let client: JsonRpc;
  let id = '';

  before(async function () {
    needsModule(this, CLIENT);
    close.defer(() => bench.close());
    await bench.open();
    client = close.use(clientOf(bench.url));
  });
  after(() => close.disposeAsync());

  const get = () => client.read(deploymentSchema, 'get', { id });

  it('creates a draft, which starts when it is told to', async () => {
    const [market] = await client.read(marketsSchema, 'markets');
    const created = await client.read(deploymentSchema, 'create', {
      order: order('a-name', market?.address ?? ''),
    });
    ({ id } = created);
    assert.deepEqual([created.name, created.status, created.replicas], ['a-name', 'DRAFT', 2]);
    await client.ask('start', { id });
    assert.equal((await get()).status, 'RUNNING');
    await assert.rejects(client.ask('start', { id }), /already running/);
  });

  it('is told what it spent, and of a wrong key and an id that nobody knows', async () => {
    const { assignedCredits, settledCredits } = await client.read(balanceSchema, 'balance');
    assert.ok(assignedCredits === 100 && settledCredits > 0);
    await assert.rejects(client.ask('get', { id: 'nobody' }), /Deployment not found/);
    await using stranger = clientOf(bench.url, 'nos_of-somebody-else');
    await assert.rejects(stranger.ask('list'), /Unauthorized/);
  });

  it('deletes what is stopped, and nothing that runs', async () => {
    await assert.rejects(client.ask('delete', { id }), /must be stopped/);
    // So says the network to whoever does not look first.
    const { status } = await fetch(`${bench.url}/api/deployments/${id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${NOSANA_KEY}` },
    });
    assert.equal(status, 500);
    await client.ask('stop', { id });
    assert.equal((await get()).status, 'STOPPED');
    await client.ask('delete', { id });
    await assert.rejects(get(), /Deployment not found/);
  });

  it('walks a list of several pages to its end', async () => {
    const [market] = await client.read(marketsSchema, 'markets');
    const names = Array.from({ length: 25 }, (_, number) => `many-${number.toString()}`);
    for (const name of names) {
      await client.ask('create', { order: order(name, market?.address ?? '') });
    }
    const listed = await client.read(listSchema, 'list');
    assert.deepEqual(
      listed.map(({ name }) => name),
      names.toReversed(),
    );
  });
}

const NETWORK = {
  id: 'nosana',
  title: 'Nosana',
  login: { NOSANA_API_KEY: NOSANA_KEY },
  build: () => new NosanaSimulator({ clock: systemClock, startMs: NEVER_MS, stopMs: 0 }),
};

class NosanaClient implements OwnClient {
  readonly #client: JsonRpc;

  constructor(url: string) {
    this.#client = clientOf(url);
  }

  async list(): Promise<readonly Listed[]> {
    const markets = await this.#client.read(marketsSchema, 'markets');
    const listed = await this.#client.read(listSchema, 'list');
    return listed
      .filter(({ status }) => status !== 'DRAFT' && status !== 'STOPPED')
      .map(({ id, name, market, replicas }) => ({
        id,
        mark: name,
        perHourMicroUsd:
          rateOf(markets.find(({ address }) => address === market) ?? assert.fail(market)) * BigInt(replicas),
      }));
  }

  async create(mark: string): Promise<string> {
    const [market] = await this.#client.read(marketsSchema, 'markets');
    const { id } = await this.#client.read(deploymentSchema, 'create', {
      order: order(mark, market?.address ?? ''),
    });
    await this.#client.ask('start', { id });
    return id;
  }

  async destroy(id: string): Promise<void> {
    await this.#client.ask('stop', { id });
    await this.#client.ask('delete', { id });
  }

  async looksAtOurs(id: string): Promise<void> {
    const { status, replicas } = await this.#client.read(deploymentSchema, 'get', { id });
    assert.deepEqual([status, replicas], ['RUNNING', 1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

/** As its dashboard adds the network's fee, rounded up. */
const rateOf = ({ usd_reward_per_hour: reward, network_fee_percentage: fee }: Market): bigint =>
  BigInt(Math.ceil(Math.round((reward ?? 0) * 1e6 * (100 + fee)) / 100));

besideHitch(NETWORK, {
  name: '@nosana/api',
  onItsOwn,
  needs: test => needsModule(test, CLIENT),
  lead: ({ url }) => new NosanaClient(url),
});
