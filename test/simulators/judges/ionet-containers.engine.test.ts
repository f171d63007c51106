/**
 * io.net's own client on our simulator's containers, alone and beside Hitch: what it understands there, the real network says too,
 * and what Hitch rented there, it sees.
 */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { WEB_DOOR_PORT } from '../../../backend-proxy/src/machines/far/web-door.ts';
import { IONET_KEY } from '../ionet/door.ts';
import { IonetSimulator } from '../ionet/ionet-simulator.ts';
import { Bench, NEVER_MS } from './bench.ts';
import { besideHitch, type Listed, type OwnClient } from './beside-hitch.ts';
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
  container_config: z.looseObject({
    image_url: z.string(),
    traffic_port: z.number(),
    entrypoint: z.array(z.string()).nullable(),
    secret_env_keys: z.array(z.string()),
  }),
});
const hardwareSchema = z.array(
  z.looseObject({ hardware_id: z.union([z.string(), z.number()]), price: z.number() }),
);
const dryRunSchema = z.looseObject({ quote: z.looseObject({ total_cost_usdc: z.number() }) });
const containersSchema = z.array(z.looseObject({ public_url: z.string().nullable() }));

/** What is rented by hand. */
const ORDER = [
  '--gpu',
  'gpu_1x_l40:1',
  '--location',
  'US',
  '--hours',
  '2',
  '--image',
  'nginx:latest',
  '--port',
  '80',
];
const ORDER_DOLLARS = 1.32;

class Iocloud implements OwnClient {
  readonly #judge: Judge;

  constructor({ url }: Bench<IonetSimulator>) {
    this.#judge = judge('iocloud_cli.py', {
      IOCLOUD_BASE_URL: url,
      IOCLOUD_API_KEY: IONET_KEY,
      IOCLOUD_DISABLE_KEYRING: '1',
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
    const { code, stdout, stderr } = await this.run(...args, '--json');
    assert.equal(code, 0, `${stdout}${stderr}`);
    return schema.parse(JSON.parse(stdout));
  }

  /** What is not over. */
  async deployments() {
    const listed = await this.json(listSchema, 'deployment', 'list');
    return listed.filter(({ status }) => status !== 'destroyed' && status !== 'completed');
  }

  /** What was paid stands in the details, for all of the time that was bought. */
  async list() {
    const listed: Listed[] = [];
    for (const { id, name, compute_minutes_remaining: minutes } of await this.deployments()) {
      const { amount_paid } = await this.json(detailsSchema, 'deployment', 'get', id);
      const perHourMicroUsd = BigInt(Math.round((amount_paid * 1e6 * 60) / (minutes ?? 0)));
      listed.push({ id, mark: name, perHourMicroUsd });
    }
    return listed;
  }

  async create(mark: string): Promise<string> {
    return (await this.json(rowSchema, 'deploy', '--name', mark, ...ORDER, '--detach')).id;
  }

  async destroy(id: string): Promise<void> {
    const { code, stderr } = await this.run('deployment', 'delete', id, '--yes');
    assert.equal(code, 0, stderr);
  }

  async looksAtOurs(id: string): Promise<void> {
    const { container_config: config } = await this.json(detailsSchema, 'deployment', 'get', id);
    assert.deepEqual(
      [config.traffic_port, config.secret_env_keys, config.entrypoint?.slice(0, 2)],
      [WEB_DOOR_PORT, ['HITCH_PROOF'], ['sh', '-c']],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#judge[Symbol.asyncDispose]();
  }
}

function onItsOwn(): void {
  const bench = new Bench(new IonetSimulator({ clock: systemClock, bootMs: 0, endMs: 0 }));
  const close = new AsyncDisposableStack();
  let iocloud: Iocloud;
  let id = '';

  before(async function () {
    needsJudge(this, 'iocloud');
    close.defer(() => bench.close());
    await bench.open();
    iocloud = close.use(new Iocloud(bench));
  });
  after(() => close.disposeAsync());

  it('reads what there is, and what it would cost, and nothing is bought', async () => {
    const hardware = await iocloud.json(hardwareSchema, 'hardware', 'list');
    assert.ok(hardware.some(({ hardware_id: each, price }) => each === 'gpu_1x_l40' && price === 0.66));
    const asked = ['deploy', '--name', 'asked', ...ORDER, '--dry-run'];
    assert.equal((await iocloud.json(dryRunSchema, ...asked)).quote.total_cost_usdc, ORDER_DOLLARS);
    assert.deepEqual(await iocloud.deployments(), []);
  });

  it('rents one, waits until it runs, and reads all of it, its web address too', async () => {
    const bought = await iocloud.json(
      detailsSchema,
      ...['deploy', '--name', 'a-name', ...ORDER, '--secret-env', 'WORD=hidden', '--poll', '0.1'],
    );
    ({ id } = bought);
    assert.deepEqual([bought.status, bought.amount_paid, bought.total_gpus], ['running', ORDER_DOLLARS, 1]);
    assert.deepEqual(bought.container_config.secret_env_keys, ['WORD']);
    const [listed, ...more] = await iocloud.deployments();
    assert.deepEqual([listed?.id, listed?.name, more], [id, 'a-name', []]);
    const [container] = await iocloud.json(containersSchema, 'deployment', 'containers', id);
    assert.match(container?.public_url ?? '', /^https:\/\//);
  });

  it('buys more time, destroys it, and is told of a second time that it is not there', async () => {
    const longer = await iocloud.json(detailsSchema, 'deployment', 'extend', id, '--hours', '1', '--yes');
    assert.deepEqual([longer.compute_minutes_remaining, longer.amount_paid], [180, 1.98]);
    assert.equal((await iocloud.run('deployment', 'delete', id, '--yes')).code, 0);
    assert.deepEqual(await iocloud.deployments(), []);
    const again = await iocloud.run('deployment', 'delete', id, '--yes');
    assert.notEqual(again.code, 0);
    assert.match(again.stderr, /Deployment not found/);
  });
}

besideHitch(
  {
    id: 'ionet',
    title: 'io.net',
    login: { IOCLOUD_API_KEY: IONET_KEY },
    build: () => new IonetSimulator({ clock: systemClock, bootMs: NEVER_MS, endMs: 0, hardware: [] }),
    ownId: id => id.replace(/^container:/, ''),
  },
  {
    name: 'iocloud, on containers',
    onItsOwn,
    needs: test => {
      needsJudge(test, 'iocloud');
    },
    lead: bench => new Iocloud(bench),
  },
);
