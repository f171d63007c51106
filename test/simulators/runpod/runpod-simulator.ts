/**
 * RunPod, as far as Hitch and its own clients ask it: REST v2 by its published OpenAPI 2.0.0 (paths and schemas are named at
 * each answer), and the `myself` query of its GraphQL. What it lies about: `RUNNING` is said while the image is fetched
 * (runpodctl#315, dstack#1145), no capacity is a 400 without a code (`createPod`'s table of failures), a stopped pod keeps
 * its old ports (dstack `runpod/compute.py`), and members of a cluster cannot be changed (`Pod.cluster`).
 */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type {
  SimAnswer,
  SimBill,
  SimMachines,
  SimRental,
  SimRequest,
  Simulator,
} from '../frame/simulator.ts';
import { catalogueOf, NO_CAPACITY, NOT_FOUND, problem, RUNPOD_GPUS, type RunpodGpu } from './catalogue.ts';
import { billOf, dollars, perHour, type Purchase, type RunpodPod } from './purchases.ts';
import { createClusterSchema, createPodSchema, isHitch, readBody } from './requests.ts';

export interface RunpodOptions {
  readonly clock: Clock;
  /** Whether it refuses more than 60 calls a minute, as `RateLimit-Policy` of its OpenAPI shows it. */
  readonly limits?: boolean;
  /** Left out: machines are records, and ssh leads nowhere. */
  readonly machines?: SimMachines;
  readonly keys?: readonly string[];
  /** Keys that may look and change nothing (its console makes such). How it refuses them is assumed: nobody has seen it. */
  readonly readOnlyKeys?: readonly string[];
  readonly gpus?: readonly RunpodGpu[];
  /** From the purchase to a container, and from there until its image is fetched. */
  readonly startMs?: number;
  readonly pullMs?: number;
  /** In dollars. */
  readonly balance?: number;
  readonly spendLimit?: number;
  /** What is billed in the place of the list price, as a factor. */
  readonly priceFactor?: number;
  /** What is rented in the place of what was asked for. */
  readonly instead?: { readonly count: number; readonly cloud: 'SECURE' | 'COMMUNITY' };
  /** It has nothing, though its catalogue says so. */
  readonly soldOut?: boolean;
  /** A word that is said in the place of every status. */
  readonly statusWord?: string;
  /** So long it takes to end something. */
  readonly endMs?: number;
  /** The member of this rank is terminated so long after the purchase. */
  readonly loses?: { readonly rank: number; readonly afterMs: number };
}

export class RunpodSimulator implements Simulator {
  readonly id = 'runpod';
  /** What Hitch sent that the network would refuse: of its own adapter nothing may stand here. */
  readonly complaints: string[] = [];
  readonly #options: RunpodOptions;
  readonly #clock: Clock;
  readonly #purchases: Purchase[] = [];
  #last = 0;
  /** When it was asked in the last minute. */
  #calls: number[] = [];

  constructor(options: RunpodOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  async handle(request: SimRequest): Promise<SimAnswer> {
    const { keys = [RUNPOD_KEY], readOnlyKeys = [] } = this.#options;
    const bearer = /^Bearer (.+)$/.exec(request.headers['authorization'] ?? '')?.[1];
    const mayOnlyRead = bearer !== undefined && readOnlyKeys.includes(bearer);
    if (bearer === undefined || !(keys.includes(bearer) || mayOnlyRead)) {
      return request.path === '/graphql'
        ? { status: 401, body: { errors: [{ message: 'Unauthorized' }] } }
        : problem(401, 'Unauthorized', bearer === undefined ? 'missing bearer token' : 'invalid token');
    }
    const changes = request.method !== 'GET' && request.path !== '/graphql';
    return (
      this.#tooOften() ??
      (mayOnlyRead && changes
        ? problem(403, 'Forbidden', 'this API key has no write permission')
        : this.#route(request))
    );
  }

  rentals(): readonly SimRental[] {
    return this.#purchases.map(purchase => ({
      id: purchase.id,
      mark: purchase.name,
      boughtAtMs: purchase.boughtAtMs,
      endedAtMs: this.#isOver(purchase) ? purchase.endedAtMs : null,
      perHourMicroUsd: perHour(purchase),
    }));
  }

  bill(): readonly SimBill[] {
    return this.#purchases.flatMap(purchase => billOf(purchase, this.#clock.now()));
  }

  async close(): Promise<void> {
    await this.#options.machines?.close();
  }

  /** Takes a machine away, as the network does with accounts that owe, or hosts that fail. */
  async take(purchaseId: string): Promise<void> {
    const purchase = this.#find(purchaseId);
    if (purchase !== undefined) {
      await this.#end(purchase);
    }
  }

  #tooOften(): SimAnswer | null {
    const now = this.#clock.now();
    this.#calls = this.#calls.filter(at => at > now - 60_000);
    const [oldest] = this.#calls;
    if (this.#options.limits !== true || oldest === undefined || this.#calls.length < 60) {
      this.#calls.push(now);
      return null;
    }
    const refusal = problem(429, 'Too Many Requests', 'rate limit exceeded for the minute window');
    const seconds = Math.ceil((oldest + 60_000 - now) / 1000).toString();
    return { ...refusal, headers: { ...refusal.headers, 'retry-after': seconds } };
  }

  #route(request: SimRequest): SimAnswer | Promise<SimAnswer> {
    const { method, path } = request;
    const [, kind = '', id = '', rest = ''] =
      /^\/v2\/(pods|clusters)(?:\/([^/]+))?(\/pods)?$/.exec(path) ?? [];
    switch (`${method} ${path}`) {
      case 'GET /v2/catalog/gpus':
        return catalogueOf(this.#options.gpus ?? RUNPOD_GPUS, request.query);
      case 'GET /v2/account/ssh-keys':
        return { status: 200, body: { keys: [] } };
      case 'POST /v2/pods':
        return this.#createPod(request);
      case 'POST /v2/clusters':
        return this.#createCluster(request);
      case 'GET /v2/pods':
        return this.#listPods(request.query);
      case 'GET /v2/clusters':
        return { status: 200, body: { clusters: this.#standing('cluster').map(one => this.#cluster(one)) } };
      case 'GET /v2/billing/pods':
        return this.#billing('pod', request.query);
      case 'GET /v2/billing/clusters':
        return this.#billing('cluster', request.query);
      case 'POST /graphql':
        return this.#graphql();
      default:
    }
    const of = kind === 'clusters' ? 'cluster' : 'pod';
    const purchase = id === '' ? undefined : this.#find(decodeURIComponent(id), of);
    if (purchase === undefined) {
      return NOT_FOUND;
    }
    if (method === 'DELETE' && rest === '') {
      return this.#end(purchase).then(() => ({ status: 204 }));
    }
    if (method === 'GET' && rest === '/pods') {
      return this.#pods(purchase).then(pods => ({ status: 200, body: { pods } }));
    }
    if (method === 'GET' && rest === '') {
      return of === 'cluster'
        ? { status: 200, body: this.#cluster(purchase) }
        : this.#pods(purchase).then(([pod]) => ({ status: 200, body: pod }));
    }
    return problem(405, 'Method Not Allowed', 'The requested method is not allowed for this path.');
  }

  #createPod({ body, headers }: SimRequest): SimAnswer | Promise<SimAnswer> {
    const read = readBody(createPodSchema, body, isHitch(headers));
    if ('problems' in read) {
      return this.#invalid(read.problems, headers);
    }
    const { name, image, disk = 20, env = {}, ports = [], gpu, cloud = 'SECURE' } = read.value;
    const { count = 1, id: gpuId } = gpu;
    const price = this.#priceOf(gpuId, cloud, count);
    const refusal = this.#refusal(price);
    if (price === null || refusal !== null) {
      return refusal ?? NO_CAPACITY;
    }
    const got = this.#options.instead ?? { count, cloud };
    const purchase = this.#bought('pod', {
      name,
      type: null,
      image,
      disk,
      env,
      ports,
      price,
      gpuId,
      ...got,
      pods: 1,
    });
    return this.#pods(purchase).then(([pod]) => ({ status: 201, body: pod }));
  }

  #createCluster({ body, headers }: SimRequest): SimAnswer {
    const read = readBody(createClusterSchema, body, isHitch(headers));
    if ('problems' in read) {
      return this.#invalid(read.problems, headers);
    }
    const { name, type, image, disk = 20, env = {}, ports = [], compute } = read.value;
    const { gpuTypeId: gpuId, gpuCountPerPod: count, podCount: pods } = compute;
    const price = this.#priceOf(gpuId, 'SECURE', count);
    const refusal = this.#refusal(price === null ? null : price * pods);
    if (price === null || refusal !== null) {
      return refusal ?? NO_CAPACITY;
    }
    const made = { name, type, image, disk, env, ports, price, gpuId, count, cloud: 'SECURE' as const, pods };
    return { status: 201, body: this.#cluster(this.#bought('cluster', made)) };
  }

  #refusal(price: number | null): SimAnswer | null {
    const { balance = 100 } = this.#options;
    const left = balance - this.#spent();
    // "Need at least an hour's credit to deploy" (docs, Billing).
    return price !== null && left < price
      ? problem(402, 'Payment Required', 'Your balance is too low to deploy this pod.')
      : null;
  }

  /** Dollars of one pod an hour; null: it cannot be had. */
  #priceOf(gpuId: string, cloud: string, count: number): number | null {
    const { gpus = RUNPOD_GPUS, priceFactor = 1, soldOut = false } = this.#options;
    const gpu = gpus.find(({ id }) => id === gpuId);
    const each = (cloud === 'SECURE' ? gpu?.secure : gpu?.community) ?? null;
    return soldOut || gpu === undefined || each === null || gpu.availability === 'NONE' || count > gpu.max
      ? null
      : each * count * priceFactor;
  }

  #bought(
    of: Purchase['of'],
    made: Pick<
      Purchase,
      'name' | 'type' | 'image' | 'disk' | 'env' | 'ports' | 'gpuId' | 'count' | 'cloud'
    > & {
      readonly price: number;
      readonly pods: number;
    },
  ): Purchase {
    const { price, pods: count, ...rest } = made;
    const number = ++this.#last;
    const id = of === 'cluster' ? `cluster_${number.toString()}` : `pod${number.toString()}`;
    const pods: readonly RunpodPod[] = Array.from({ length: count }, (_, rank) => ({
      id: of === 'cluster' ? `pod${number.toString()}r${rank.toString()}` : id,
      rank,
      costMicroUsd: BigInt(Math.ceil(Math.round(price * 1e8) / 100)),
    }));
    const boughtAtMs = this.#clock.now();
    const purchase: Purchase = { ...rest, of, id, pods, boughtAtMs, endedAtMs: null, addresses: new Map() };
    this.#purchases.push(purchase);
    return purchase;
  }

  #find(id: string, of?: Purchase['of']): Purchase | undefined {
    return this.#purchases.find(
      purchase => purchase.id === id && (of === undefined || purchase.of === of) && !this.#isOver(purchase),
    );
  }

  #standing(of: Purchase['of']): readonly Purchase[] {
    return this.#purchases.filter(purchase => purchase.of === of && !this.#isOver(purchase));
  }

  #isOver({ endedAtMs }: Purchase): boolean {
    return endedAtMs !== null && endedAtMs <= this.#clock.now();
  }

  async #end(purchase: Purchase): Promise<void> {
    const { endMs = 0, machines } = this.#options;
    purchase.endedAtMs ??= this.#clock.now() + endMs;
    await Promise.all(purchase.pods.map(async ({ id }) => machines?.end(id)));
  }

  async #listPods(query: URLSearchParams): Promise<SimAnswer> {
    const withMembers = query.get('includeClusterPods') === 'true';
    const of = [...this.#standing('pod'), ...(withMembers ? this.#standing('cluster') : [])];
    return { status: 200, body: { pods: (await Promise.all(of.map(one => this.#pods(one)))).flat() } };
  }

  #pods(purchase: Purchase): Promise<readonly object[]> {
    return Promise.all(purchase.pods.map(pod => this.#pod(purchase, pod)));
  }

  /** `RUNNING` comes before it runs. */
  #wordAt(boughtAtMs: number): string {
    const { startMs = 2_000 } = this.#options;
    return this.#clock.now() - boughtAtMs < startMs ? 'PROVISIONING' : 'RUNNING';
  }

  /** Schema `Pod`. */
  async #pod(purchase: Purchase, pod: RunpodPod): Promise<object> {
    const { startMs = 2_000, pullMs = 3_000, statusWord, loses } = this.#options;
    const age = this.#clock.now() - purchase.boughtAtMs;
    const isLost = loses !== undefined && loses.rank === pod.rank && age >= loses.afterMs;
    const status = isLost ? 'TERMINATED' : this.#wordAt(purchase.boughtAtMs);
    const runs = status === 'RUNNING' && age >= startMs + pullMs;
    if (isLost) {
      await this.#options.machines?.end(pod.id);
    }
    const address = runs ? await this.#addressOf(purchase, pod) : null;
    return {
      id: pod.id,
      name: purchase.name,
      image: purchase.image,
      args: '',
      disk: purchase.disk,
      ports: purchase.ports,
      env: purchase.env,
      registry: null,
      status: statusWord ?? status,
      actions: ['stop', 'restart', 'terminate'],
      mounts: {},
      gpu: { id: purchase.gpuId, count: purchase.count },
      cloud: purchase.cloud,
      dataCenterId: 'US-KS-2',
      cudaVersion: '12.8',
      ssh: { proxy: null, direct: address },
      template: null,
      cost: isLost ? 0 : Number(pod.costMicroUsd) / 1e6,
      locked: false,
      globalNetworking: { enabled: false },
      // Null while the image is fetched, though it is RUNNING (runpodctl#315).
      runtime: runs ? { uptime: Math.floor(age / 1000), ports: [] } : null,
      ...(purchase.of === 'cluster'
        ? { cluster: { id: purchase.id, rank: pod.rank, ip: `10.65.0.${(pod.rank + 2).toString()}` } }
        : {}),
      createdAt: new Date(purchase.boughtAtMs).toISOString(),
      startedAt: new Date(purchase.boughtAtMs).toISOString(),
    };
  }

  async #addressOf(purchase: Purchase, pod: RunpodPod): Promise<object | null> {
    const { machines } = this.#options;
    const { PUBLIC_KEY: publicKey } = purchase.env;
    if (machines === undefined || publicKey === undefined || !purchase.ports.includes('22/tcp')) {
      return null;
    }
    const starting =
      purchase.addresses.get(pod.id) ??
      machines.start({ id: pod.id, publicKeys: [publicKey], environment: purchase.env });
    purchase.addresses.set(pod.id, starting);
    const { host, port, user } = await starting;
    return { host, port, username: user, command: `ssh ${user}@${host} -p ${port.toString()}` };
  }

  /** Schema `Cluster`. */
  #cluster({ id, name, type, gpuId, count, pods, boughtAtMs }: Purchase): object {
    return {
      id,
      name,
      type,
      compute: { gpuTypeId: gpuId, gpuCountPerPod: count, podCount: pods.length },
      pods: { total: pods.length, byStatus: { [this.#wordAt(boughtAtMs)]: pods.length } },
      createdAt: new Date(boughtAtMs).toISOString(),
    };
  }

  /** `listPodBilling` and `listClusterBilling`: records carry ids and no names. Of the time that is asked for, all of it. */
  #billing(of: Purchase['of'], query: URLSearchParams): SimAnswer {
    const until = Math.min(this.#clock.now(), Date.parse(query.get('endTime') ?? '') || Infinity);
    const records = this.#purchases
      .filter(purchase => purchase.of === of)
      .map(purchase => {
        const lines = billOf(purchase, until);
        const amount = (label: string) => dollars(lines.filter(line => line.label === label));
        return {
          [of === 'pod' ? 'podId' : 'clusterId']: purchase.id,
          totalAmount: dollars(lines),
          gpuAmount: amount('GPU'),
          ...(of === 'pod' ? { cpuAmount: 0 } : {}),
          diskAmount: amount('Disk'),
        };
      });
    return { status: 200, body: { records, metadata: { recordCount: records.length } } };
  }

  #invalid(problems: readonly string[], headers: SimRequest['headers']): SimAnswer {
    if (isHitch(headers)) {
      this.complaints.push(...problems);
    }
    const detail = 'Request validation failed.';
    return {
      ...problem(422, 'Unprocessable Entity', detail),
      body: { title: 'Unprocessable Entity', status: 422, detail, errors: problems },
    };
  }

  #graphql(): SimAnswer {
    const { balance = 100, spendLimit = 80 } = this.#options;
    const clientBalance = balance - this.#spent();
    return {
      status: 200,
      body: {
        data: {
          myself: { id: 'user_1', email: 'a@example.com', clientBalance, spendLimit, pubKey: '', pods: [] },
        },
      },
    };
  }

  #spent(): number {
    return dollars(this.bill());
  }
}

export const RUNPOD_KEY = 'rp-simulated-key-0123456789';
