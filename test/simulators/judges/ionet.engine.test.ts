/**
 * io.net's own client on our simulator, alone and beside Hitch: what it understands there, the real network says too, and what
 * Hitch did there, it sees.
 */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { IONET_KEY } from '../ionet/door.ts';
import { HARDWARE } from '../ionet/hardware.ts';
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
  created_at: z.string(),
  ssh_keys: z.record(z.string(), z.string()),
});
const dryRunSchema = z.looseObject({ quote: z.looseObject({ total_cost_usdc: z.number() }) });
const waySchema = z.looseObject({ ssh_access: z.string() });

/** What is rented by hand. */
const ORDER = ['--gpu', '1RTX4090.16V', '--location', 'US', '--hours', '2'];
const ORDER_DOLLARS = 0.900002;

class Iocloud implements OwnClient {
  readonly #judge: Judge;
  readonly #simulator: IonetSimulator;

  constructor({ url, simulator }: Bench<IonetSimulator>) {
    this.#simulator = simulator;
    this.#judge = judge('iocloud_cli.py', {
      IOCLOUD_BASE_URL: url,
      IOCLOUD_API_KEY: IONET_KEY,
      IOCLOUD_DISABLE_KEYRING: '1',
    });
  }

  run(...args: readonly string[]) {
    return this.#judge.run('vm', ...args);
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
    const listed = await this.json(listSchema, 'list');
    return listed.filter(({ status }) => status !== 'destroyed' && status !== 'completed');
  }

  /** What was paid stands in the details, for all of the time that was bought. */
  async list() {
    const listed: Listed[] = [];
    for (const { id, name, compute_minutes_remaining: minutes } of await this.deployments()) {
      const { amount_paid } = await this.json(detailsSchema, 'get', id);
      const perHourMicroUsd = BigInt(Math.round((amount_paid * 1e6 * 60) / (minutes ?? 0)));
      listed.push({ id, mark: name, perHourMicroUsd });
    }
    return listed;
  }

  async create(mark: string): Promise<string> {
    // The client needs an id in the answer to an order; Hitch does not.
    this.#simulator.lies = {};
    return (await this.json(rowSchema, 'deploy', '--name', mark, ...ORDER, '--detach')).id;
  }

  async destroy(id: string): Promise<void> {
    const { code, stderr } = await this.run('delete', id, '--yes');
    assert.equal(code, 0, stderr);
  }

  async looksAtOurs(id: string): Promise<void> {
    const { ssh_keys } = await this.json(detailsSchema, 'get', id);
    assert.match(ssh_keys['hitch'] ?? '', /^ssh-ed25519 /);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#judge[Symbol.asyncDispose]();
  }
}

function onItsOwn(): void {
  // More than fit on a page of its list.
  const hardware = HARDWARE.map(row => ({ ...row, free: 100 }));
  const bench = new Bench(new IonetSimulator({ clock: systemClock, bootMs: 0, endMs: 0, hardware }));
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

  it('is told what a machine would cost, and nothing is bought', async () => {
    const { quote } = await iocloud.json(dryRunSchema, 'deploy', '--name', 'asked', ...ORDER, '--dry-run');
    assert.equal(quote.total_cost_usdc, ORDER_DOLLARS);
    assert.deepEqual(await iocloud.deployments(), []);
  });

  it('rents one, waits until it runs, and reads all of it: the price by the detail, the name by the list', async () => {
    const key = 'laptop=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMnow';
    const bought = await iocloud.json(
      detailsSchema,
      ...['deploy', '--name', 'a-name', ...ORDER, '--ssh-key', key, '--poll', '0.1'],
    );
    ({ id } = bought);
    assert.deepEqual([bought.status, bought.amount_paid, bought.total_gpus], ['running', ORDER_DOLLARS, 1]);
    assert.deepEqual(Object.keys(bought.ssh_keys), ['laptop']);
    const [listed, ...more] = await iocloud.deployments();
    assert.deepEqual(
      [listed?.id, listed?.name, listed?.compute_minutes_remaining, more],
      [id, 'a-name', 120, []],
    );
    assert.equal((await iocloud.json(detailsSchema, 'get', id)).name, null);
  });

  it('is told where ssh leads, and buys more time', async () => {
    const { ssh_access } = await iocloud.json(waySchema, 'ssh', id);
    assert.equal(ssh_access, 'ssh -p 22022 ubuntu@192.0.2.7');
    const longer = await iocloud.json(detailsSchema, 'extend', id, '--hours', '1', '--yes');
    assert.deepEqual([longer.compute_minutes_remaining, longer.amount_paid], [180, 1.350003]);
  });

  it('destroys it, and is told of a second time that it is not there', async () => {
    assert.equal((await iocloud.run('delete', id, '--yes')).code, 0);
    assert.deepEqual(await iocloud.deployments(), []);
    const again = await iocloud.run('delete', id, '--yes');
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
    const listed = await iocloud.deployments();
    assert.deepEqual(listed.map(({ name }) => name).toSorted(), names.toSorted());
  });
}

besideHitch(
  {
    id: 'ionet',
    title: 'io.net',
    login: { IOCLOUD_API_KEY: IONET_KEY },
    build: () =>
      new IonetSimulator({
        clock: systemClock,
        bootMs: NEVER_MS,
        endMs: 0,
        lies: { emptyDeploy: true },
        containerHardware: [],
      }),
  },
  {
    name: 'iocloud',
    onItsOwn,
    needs: test => {
      needsJudge(test, 'iocloud');
    },
    lead: bench => new Iocloud(bench),
  },
);
