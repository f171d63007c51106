/**
 * Vast.ai's own client on our simulator, alone and beside Hitch: what it understands there, the real network says too, and
 * what Hitch did there, it sees.
 */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { Faults } from '../frame/faults.ts';
import { serveSimulator } from '../frame/server.ts';
import { VAST_KEY, VastSimulator } from '../vast/vast-simulator.ts';
import { Bench, NEVER_MS } from './bench.ts';
import { besideHitch, type OwnClient } from './beside-hitch.ts';
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

const NETWORK = {
  id: 'vast',
  title: 'Vast.ai',
  login: { VAST_API_KEY: VAST_KEY },
  build: () => new VastSimulator({ clock: systemClock, bootMs: NEVER_MS }),
};

class Vastai implements OwnClient {
  readonly #judge: Judge;

  constructor(url: string) {
    this.#judge = judge('vastai_cli.py', {
      VAST_URL: url,
      VAST_API_KEY: VAST_KEY,
      VASTAI_NO_UPDATE_CHECK: '1',
    });
  }

  run(...args: readonly string[]) {
    return this.#judge.run(...args);
  }

  /** What it says as JSON. */
  async raw<Schema extends z.ZodType>(schema: Schema, ...args: readonly string[]): Promise<z.output<Schema>> {
    const { code, stdout, stderr } = await this.run(...args, '--raw');
    assert.equal(code, 0, `${stdout}${stderr}`);
    return schema.parse(JSON.parse(stdout));
  }

  instances() {
    return this.raw(listSchema, 'show', 'instances');
  }

  async list() {
    const instances = await this.instances();
    return instances.map(({ id, label, dph_total }) => ({
      id: id.toString(),
      mark: label,
      perHourMicroUsd: BigInt(Math.round(dph_total * 1e6)),
    }));
  }

  async create(mark: string): Promise<string> {
    const [offer] = await this.raw(offersSchema, 'search', 'offers', 'num_gpus=1 gpu_name=RTX_4090');
    const args = ['create', 'instance', (offer?.id ?? 0).toString(), '--image', 'ubuntu:24.04', '--ssh'];
    const { new_contract } = await this.raw(boughtSchema, ...args, '--label', mark);
    return new_contract.toString();
  }

  async destroy(id: string): Promise<void> {
    assert.match((await this.run('destroy', 'instance', id, '-y')).stdout, /destroying instance/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#judge[Symbol.asyncDispose]();
  }
}

function onItsOwn(): void {
  const bench = new Bench(NETWORK.build());
  const close = new AsyncDisposableStack();
  let vastai: Vastai;
  let id = 0;

  before(async function () {
    needsJudge(this, 'vastai');
    close.defer(() => bench.close());
    await bench.open();
    vastai = close.use(new Vastai(bench.url));
  });
  after(() => close.disposeAsync());

  it('searches, and understands each offer', async () => {
    const query = ['gpu_name=RTX_4090', 'num_gpus>=2', 'gpu_ram>=20'].join(' ');
    const offers = await vastai.raw(offersSchema, 'search', 'offers', query);
    assert.ok(offers.length > 0);
    assert.ok(offers.every(({ num_gpus }) => num_gpus >= 2));
    const { code, stdout } = await vastai.run('search', 'offers', query);
    assert.equal(code, 0);
    assert.match(stdout, /RTX_4090/);
  });

  it('rents with a label, shows it in a list and by itself, and its user what is left', async () => {
    const [offer] = await vastai.raw(offersSchema, 'search', 'offers', 'num_gpus=1');
    assert.ok(offer !== undefined);
    const { new_contract } = await vastai.raw(
      boughtSchema,
      ...['create', 'instance', offer.id.toString(), '--image', 'ubuntu:24.04', '--disk', '20'],
      ...['--label', 'a-label', '--ssh', '--direct', '--env', '-e TZ=UTC -p 8080:8080'],
    );
    id = new_contract;
    const [listed] = await vastai.instances();
    assert.deepEqual([listed?.id, listed?.label], [id, 'a-label']);
    assert.deepEqual(listed?.extra_env, { TZ: 'UTC', '-p 8080:8080': '1' });
    const shown = await vastai.raw(instanceSchema, 'show', 'instance', id.toString());
    assert.equal(shown.dph_total, listed.dph_total);
    const { credit } = await vastai.raw(userSchema, 'show', 'user');
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
      const { code, stdout, stderr } = await vastai.run(...args);
      assert.ok(code === 0 || code === null, `${args.join(' ')}: ${stdout}${stderr}`);
    }
    assert.equal((await vastai.instances())[0]?.label, 'another-label');
    assert.equal(bench.simulator.ways.attached(id).length, 1);
  });

  it('destroys it, and hears of a second time that it is not there', async () => {
    const name = id.toString();
    assert.match((await vastai.run('destroy', 'instance', name, '-y')).stdout, /destroying instance/);
    assert.deepEqual(await vastai.instances(), []);
    const { stderr } = await vastai.run('destroy', 'instance', name, '-y', '--raw');
    assert.match(stderr, /"status_code": 404/);
    assert.match(stderr, new RegExp(`Instance ${name} not found`));
  });

  it('is told when a search is one too many, and until when', async () => {
    const limited = new VastSimulator({ clock: systemClock, searchesPerDay: 0 });
    await using server = await serveSimulator(limited, {
      clock: systemClock,
      faults: new Faults([], () => 1),
    });
    const { stderr } = await vastai.run('search', 'offers', '--url', server.url);
    assert.match(stderr, /Daily search quota exceeded\. Resets at .* 00:00 UTC/);
  });
}

besideHitch(NETWORK, {
  name: 'vastai',
  onItsOwn,
  needs: test => {
    needsJudge(test, 'vastai');
  },
  lead: ({ url }) => new Vastai(url),
});
