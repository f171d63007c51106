/**
 * Nosana's own client on our simulator, alone and beside Hitch, which shows the markets and what stands on the account, and
 * changes nothing there.
 */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { NOSANA_KEY, NosanaSimulator } from '../nosana/simulator.ts';
import { Bench } from './bench.ts';
import { HitchBeside } from './hitch-beside.ts';
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

describe('judge: @nosana/api, on its own', function () {
  this.timeout(300_000);
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

  it('is told what it spent, and of a wrong market, a wrong key and an id that nobody knows', async () => {
    const { assignedCredits, settledCredits } = await client.read(balanceSchema, 'balance');
    assert.ok(assignedCredits === 100 && settledCredits > 0);
    await assert.rejects(client.ask('create', { order: order('x', 'nowhere') }), /Market not found/);
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
    assert.equal(status, 400);
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
});

describe('judge: @nosana/api, beside Hitch', function () {
  this.timeout(600_000);
  const bench = new Bench(new NosanaSimulator({ clock: systemClock, startMs: 0, stopMs: 0 }));
  const close = new AsyncDisposableStack();
  let client: JsonRpc;
  let hitch: HitchBeside;
  let theirs = '';

  before(async function () {
    needsModule(this, CLIENT);
    close.defer(() => bench.close());
    await bench.open();
    client = close.use(clientOf(bench.url));
    hitch = new HitchBeside({ id: 'nosana', login: { NOSANA_API_KEY: NOSANA_KEY } }, bench.url);
    close.defer(() => hitch.home.dispose());
  });
  after(() => close.disposeAsync());

  it('reads the same markets, for the same price with the network’s fee', async () => {
    await hitch.startDaemon();
    const markets = await client.read(marketsSchema, 'markets');
    const wanted = markets.flatMap(({ address, usd_reward_per_hour: reward, gpu_types: gpus, ...market }) =>
      reward === null || gpus === null
        ? []
        : [
            [
              `nosana:${address}`,
              Math.ceil(Math.round(reward * 1e6 * (100 + market.network_fee_percentage)) / 100).toString(),
            ],
          ],
    );
    const shown = (await hitch.offers()).map(({ id, pricePerHourMicroUsd }) => [id, pricePerHourMicroUsd]);
    assert.ok(wanted.length > 1);
    assert.deepEqual(shown.toSorted(), wanted.toSorted());
  });

  it('has what stands on the account shown as not ours when Hitch is given its key', async () => {
    const [market] = await client.read(marketsSchema, 'markets');
    ({ id: theirs } = await client.read(deploymentSchema, 'create', {
      order: order('somebody-elses', market?.address ?? ''),
    }));
    await client.ask('start', { id: theirs });
    await hitch.login();
    const [shown] = await hitch.notOurs(1);
    // Two replicas at $0.218175 and 10 %, rounded up once each.
    assert.deepEqual(
      [shown?.id, shown?.mark, shown?.status, shown?.pricePerHourMicroUsd],
      [theirs, 'somebody-elses', 'running', '479986'],
    );
    const { stdout } = await hitch.home.cli(['networks', 'ls']);
    assert.match(stdout, /Not ours, never touched: somebody-elses/);
  });

  it('still has it when Hitch forgot it with the key, having sent nothing but questions', async () => {
    const { code, stderr } = await hitch.home.cli(['networks', 'logout', 'nosana']);
    assert.equal(code, 0, stderr);
    await hitch.notOurs(0);
    assert.equal((await client.read(deploymentSchema, 'get', { id: theirs })).status, 'RUNNING');
    assert.deepEqual(
      bench.hitchAsked.filter(({ method }) => method !== 'GET'),
      [],
    );
  });
});
