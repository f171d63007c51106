/** RunPod's REST v2, by its published OpenAPI 2.0.0: the paths and schemas are named at each answer. */
import type { SimAnswer, SimRequest } from '../frame/simulator.ts';
import type { RunpodAccount } from './account.ts';
import { catalogueOf, NO_CAPACITY, NOT_FOUND, problem } from './catalogue.ts';
import { dollars, billOf, type Purchase, type RunpodPod } from './purchases.ts';
import { createClusterSchema, createPodSchema, isHitch, readBody } from './requests.ts';

const NOT_ALLOWED = problem(405, 'Method Not Allowed', 'The requested method is not allowed for this path.');

export class RunpodRest {
  readonly #account: RunpodAccount;
  readonly #complain: (problems: readonly string[]) => void;

  /** @param complain hears what the network refuses of Hitch */
  constructor(account: RunpodAccount, complain: (problems: readonly string[]) => void) {
    this.#account = account;
    this.#complain = complain;
  }

  async answer(request: SimRequest): Promise<SimAnswer> {
    const { method, path, query } = request;
    switch (`${method} ${path}`) {
      case 'GET /v2/catalog/gpus':
        return catalogueOf(this.#account.gpus, query);
      case 'GET /v2/account/ssh-keys':
        return { status: 200, body: { keys: [] } };
      case 'POST /v2/pods':
        return this.#createPod(request);
      case 'POST /v2/clusters':
        return this.#createCluster(request);
      case 'GET /v2/pods':
        return this.#listPods(query);
      case 'GET /v2/clusters':
        return {
          status: 200,
          body: { clusters: this.#account.standing('cluster').map(one => this.#cluster(one)) },
        };
      case 'GET /v2/billing/pods':
        return this.#billing('pod', query);
      case 'GET /v2/billing/clusters':
        return this.#billing('cluster', query);
      default:
        return this.#ofOne(method, path);
    }
  }

  async #ofOne(method: string, path: string): Promise<SimAnswer> {
    const [, kind = '', id = '', rest = ''] =
      /^\/v2\/(pods|clusters)(?:\/([^/]+))?(\/pods)?$/.exec(path) ?? [];
    const of = kind === 'clusters' ? 'cluster' : 'pod';
    const purchase = id === '' ? undefined : this.#account.find(decodeURIComponent(id), of);
    if (purchase === undefined) {
      return NOT_FOUND;
    }
    switch (`${method} ${rest}`) {
      case 'DELETE ':
        await this.#account.end(purchase);
        return { status: 204 };
      case 'GET /pods':
        return { status: 200, body: { pods: await this.#pods(purchase) } };
      case 'GET ':
        return {
          status: 200,
          body: of === 'cluster' ? this.#cluster(purchase) : (await this.#pods(purchase))[0],
        };
      default:
        return NOT_ALLOWED;
    }
  }

  async #createPod({ body, headers }: SimRequest): Promise<SimAnswer> {
    const read = readBody(createPodSchema, body, isHitch(headers));
    if ('problems' in read) {
      return this.#invalid(read.problems, headers);
    }
    const { name, image, disk = 20, env = {}, ports = [], gpu, cloud = 'SECURE' } = read.value;
    const { count = 1, id: gpuId } = gpu;
    const order = { name, type: null, image, disk, env, ports, gpuId, count, cloud, pods: 1 };
    const bought = this.#account.buy('pod', order);
    return typeof bought === 'string'
      ? refusal(bought)
      : { status: 201, body: (await this.#pods(bought))[0] };
  }

  #createCluster({ body, headers }: SimRequest): SimAnswer {
    const read = readBody(createClusterSchema, body, isHitch(headers));
    if ('problems' in read) {
      return this.#invalid(read.problems, headers);
    }
    const { name, type, image, disk = 20, env = {}, ports = [], compute } = read.value;
    const { gpuTypeId: gpuId, gpuCountPerPod: count, podCount: pods } = compute;
    const order = { name, type, image, disk, env, ports, gpuId, count, cloud: 'SECURE' as const, pods };
    const bought = this.#account.buy('cluster', order);
    return typeof bought === 'string' ? refusal(bought) : { status: 201, body: this.#cluster(bought) };
  }

  async #listPods(query: URLSearchParams): Promise<SimAnswer> {
    const withMembers = query.get('includeClusterPods') === 'true';
    const of = [...this.#account.standing('pod'), ...(withMembers ? this.#account.standing('cluster') : [])];
    return { status: 200, body: { pods: (await Promise.all(of.map(one => this.#pods(one)))).flat() } };
  }

  #pods(purchase: Purchase): Promise<readonly object[]> {
    return Promise.all(purchase.pods.map(pod => this.#pod(purchase, pod)));
  }

  /** Schema `Pod`. */
  async #pod(purchase: Purchase, pod: RunpodPod): Promise<object> {
    const { isLost, status, runs, ageMs, address } = await this.#account.now(purchase, pod);
    const [host, port] = [address?.host ?? '', address?.port ?? 0];
    return {
      id: pod.id,
      name: purchase.name,
      image: purchase.image,
      args: '',
      disk: purchase.disk,
      ports: purchase.ports,
      env: purchase.env,
      registry: null,
      status,
      actions: ['stop', 'restart', 'terminate'],
      mounts: {},
      gpu: { id: purchase.gpuId, count: purchase.count },
      cloud: purchase.cloud,
      dataCenterId: 'US-KS-2',
      cudaVersion: '12.8',
      ssh: {
        proxy: null,
        direct:
          address === null
            ? null
            : {
                host,
                port,
                username: address.user,
                command: `ssh ${address.user}@${host} -p ${port.toString()}`,
              },
      },
      template: null,
      cost: isLost ? 0 : Number(pod.costMicroUsd) / 1e6,
      locked: false,
      globalNetworking: { enabled: false },
      // Null while the image is fetched, though it is RUNNING (runpodctl#315).
      runtime: runs ? { uptime: Math.floor(ageMs / 1000), ports: [] } : null,
      ...(purchase.of === 'cluster'
        ? { cluster: { id: purchase.id, rank: pod.rank, ip: `10.65.0.${(pod.rank + 2).toString()}` } }
        : {}),
      createdAt: new Date(purchase.boughtAtMs).toISOString(),
      startedAt: new Date(purchase.boughtAtMs).toISOString(),
    };
  }

  /** Schema `Cluster`. */
  #cluster({ id, name, type, gpuId, count, pods, boughtAtMs }: Purchase): object {
    return {
      id,
      name,
      type,
      compute: { gpuTypeId: gpuId, gpuCountPerPod: count, podCount: pods.length },
      pods: { total: pods.length, byStatus: { [this.#account.wordAt(boughtAtMs)]: pods.length } },
      createdAt: new Date(boughtAtMs).toISOString(),
    };
  }

  /** `listPodBilling` and `listClusterBilling`: records carry ids and no names. Of the time that is asked for, all of it. */
  #billing(of: Purchase['of'], query: URLSearchParams): SimAnswer {
    const until = Math.min(
      this.#account.options.clock.now(),
      Date.parse(query.get('endTime') ?? '') || Infinity,
    );
    const records = this.#account.all(of).map(purchase => {
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
      this.#complain(problems);
    }
    const detail = 'Request validation failed.';
    return {
      ...problem(422, 'Unprocessable Entity', detail),
      body: { title: 'Unprocessable Entity', status: 422, detail, errors: problems },
    };
  }
}

const refusal = (why: 'none left' | 'too little money'): SimAnswer =>
  why === 'none left'
    ? NO_CAPACITY
    : problem(402, 'Payment Required', 'Your balance is too low to deploy this pod.');
