/**
 * Programs that rent from several networks, on our simulators beside Hitch: their adapters are a third reading of each API,
 * after the network's own and ours.
 */
import assert from 'node:assert/strict';
import { systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { DISK_PER_GIB_HOUR } from '../../../backend-proxy/src/providers/runpod/offers.ts';
import { RUNPOD_KEY, RunpodSimulator } from '../runpod/runpod-simulator.ts';
import { VAST_KEY, VastSimulator } from '../vast/vast-simulator.ts';
import { type Bench, NEVER_MS } from './bench.ts';
import { besideHitch, type Listed, type OwnClient } from './beside-hitch.ts';
import { needsJudge, pythonJudge } from './judge.ts';
import type { JsonRpc } from './json-rpc.ts';

const KIND = 'judges-nightly';
const VAST = {
  id: 'vast',
  title: 'Vast.ai',
  login: { VAST_API_KEY: VAST_KEY },
  build: () => new VastSimulator({ clock: systemClock, bootMs: NEVER_MS }),
};
const RUNPOD = {
  id: 'runpod',
  title: 'RunPod',
  login: { RUNPOD_API_KEY: RUNPOD_KEY },
  build: () => new RunpodSimulator({ clock: systemClock, pullMs: NEVER_MS }),
};

const microUsd = (dollars: number): bigint => BigInt(Math.round(dollars * 1e6));
const contractSchema = z.looseObject({ label: z.string().nullable(), dph_total: z.number() });
const podSchema = z.looseObject({ id: z.string(), name: z.string(), cost: z.number(), disk: z.number() });
const offersSchema = z.array(z.looseObject({ id: z.string(), count: z.number() }));

/** SkyPilot: `sky/provision/vast/utils.py`. */
class Skypilot implements OwnClient {
  readonly #rpc: JsonRpc;

  constructor(url: string) {
    this.#rpc = pythonJudge('skypilot_vast.py', { VAST_URL: url, VAST_API_KEY: VAST_KEY }, KIND);
  }

  async list() {
    const all = await this.#rpc.read(z.record(z.string(), contractSchema), 'list');
    return Object.entries(all).map(([id, { label, dph_total }]) => ({
      id,
      mark: label,
      perHourMicroUsd: microUsd(dph_total),
    }));
  }

  /** Its names of machines say how many GPUs of which model, and how much memory in MB there is at least. */
  async create(mark: string): Promise<string> {
    const order = { instance_type: '1x-RTX_4090-8-16384', region: 'US', disk_size: 16 };
    const id = await this.#rpc.ask('launch', { name: mark, image_name: 'ubuntu:24.04', ...order });
    return z.union([z.string(), z.number()]).parse(id).toString();
  }

  async destroy(id: string): Promise<void> {
    await this.#rpc.ask('remove', { instance_id: id });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rpc[Symbol.asyncDispose]();
  }
}

/** dstack knows no list at either network: it is asked for each that stands there. */
abstract class Dstack implements OwnClient {
  protected readonly rpc: JsonRpc;
  readonly #bench: Bench;

  constructor(bench: Bench, key: string) {
    this.#bench = bench;
    this.rpc = pythonJudge('dstack_adapters.py', { NETWORK_URL: bench.url, NETWORK_KEY: key }, KIND);
  }

  async list(): Promise<readonly Listed[]> {
    const all = await Promise.all(this.#bench.simulator.rentals().map(({ id }) => this.get(id)));
    return all.filter(one => one !== null);
  }

  protected abstract get(id: string): Promise<Listed | null>;
  abstract create(mark: string): Promise<string>;
  abstract destroy(id: string): Promise<void>;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rpc[Symbol.asyncDispose]();
  }
}

/** `backends/vastai/api_client.py`; its offers come from `gpuhunt/providers/vastai.py`. */
class DstackVast extends Dstack {
  constructor(bench: Bench) {
    super(bench, VAST_KEY);
  }

  protected async get(id: string): Promise<Listed | null> {
    const said = await this.rpc.read(contractSchema.nullable(), 'vast_get', { instance_id: id });
    return said && { id, mark: said.label, perHourMicroUsd: microUsd(said.dph_total) };
  }

  async create(mark: string): Promise<string> {
    const offers = await this.rpc.read(offersSchema, 'vast_offers');
    const offer = offers.find(({ count }) => count === 1) ?? assert.fail('it was offered nothing');
    const order = { bundle_id: offer.id, image_name: 'ubuntu:24.04', onstart: 'true', disk_size: 16 };
    return z
      .number()
      .parse(await this.rpc.ask('vast_create', { instance_name: mark, ...order }))
      .toString();
  }

  /** Twice: it takes `no_such_instance` for an end. */
  async destroy(id: string): Promise<void> {
    await this.rpc.ask('vast_destroy', { instance_id: id });
    await this.rpc.ask('vast_destroy', { instance_id: id });
  }
}

/** `backends/runpod/api_client.py`: REST v2, and GraphQL for the community cloud. */
class DstackRunpod extends Dstack {
  constructor(bench: Bench) {
    super(bench, RUNPOD_KEY);
  }

  protected async get(id: string): Promise<Listed | null> {
    const pod = await this.rpc.read(podSchema.nullable(), 'runpod_get', { pod_id: id });
    return (
      pod && {
        id,
        mark: pod.name,
        perHourMicroUsd: microUsd(pod.cost) + DISK_PER_GIB_HOUR * BigInt(pod.disk),
      }
    );
  }

  /** The first by GraphQL, as it rents on the community cloud; the others by REST. */
  async create(mark: string): Promise<string> {
    assert.equal(await this.rpc.ask('runpod_validate'), true);
    const isFirst = mark === 'somebody-elses';
    const order = { name: mark, image_name: 'ubuntu:24.04', gpu_count: 1, container_disk_in_gb: 20 };
    const bought = isFirst
      ? await this.rpc.ask('runpod_create_community', {
          ...order,
          gpu_type_id: 'NVIDIA GeForce RTX 4090',
          cloud_type: 'COMMUNITY',
          ports: '10022/tcp',
          env: { RUNPOD_POD_USER: '0' },
        })
      : await this.rpc.ask('runpod_create', {
          ...order,
          gpu_type_id: 'NVIDIA A40',
          cloud: 'SECURE',
          entrypoint: ['/bin/sh'],
          cmd: ['-c', 'true'],
          ports: ['10022/tcp'],
          env: { RUNPOD_POD_USER: '0' },
        });
    return z.looseObject({ id: z.string() }).parse(bought).id;
  }

  /** Twice: it takes a 404 for an end. */
  async destroy(id: string): Promise<void> {
    await this.rpc.ask('runpod_terminate', { pod_id: id });
    await this.rpc.ask('runpod_terminate', { pod_id: id });
  }
}

const needs = (program: string) => (test: Mocha.Context) => {
  needsJudge(test, program, KIND);
};

besideHitch(VAST, { name: 'SkyPilot on Vast.ai', needs: needs('sky'), lead: ({ url }) => new Skypilot(url) });
besideHitch(VAST, {
  name: 'dstack on Vast.ai',
  needs: needs('dstack'),
  lead: bench => new DstackVast(bench),
});
besideHitch(RUNPOD, {
  name: 'dstack on RunPod',
  needs: needs('dstack'),
  lead: bench => new DstackRunpod(bench),
});
