/** RunPod: pods, and clusters of pods that reach each other, by its REST API v2. What is left, its GraphQL alone says. */
import { cutText, type Offer, parseMicroUsd } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { microUsdOf } from '../http/dollars.ts';
import { asBearer, loginByKey } from '../http/key-login.ts';
import { type Meaning, NetworkHttp, type Refusal } from '../http/network-http.ts';
import type { Transport } from '../http/transport.ts';
import {
  type AccountSaid,
  type BillLine,
  type CreateRequest,
  type Instance,
  type LoginValues,
  type NextPage,
  type Provider,
  ProviderError,
  type RecordingOf,
  type Traits,
} from '../provider.ts';
import { isVerified } from '../recorded.ts';
import { clusterIdOf, clusterInstanceId, instanceOfCluster, instanceOfPod, isOver } from './instances.ts';
import { containerOf, ID, keyOf, offersOf, SHELVES } from './offers.ts';
import {
  type BillingRecord,
  billingSchema,
  clusterSchema,
  clustersSchema,
  type GpuType,
  gpuTypeSchema,
  gpuTypesSchema,
  graphqlErrorSchema,
  myselfSchema,
  namedSchema,
  podSchema,
  podsSchema,
  problemSchema,
} from './shapes.ts';

export interface RunpodOptions {
  readonly base: string;
  readonly transport: Transport;
  readonly login: () => Promise<LoginValues | null>;
  readonly clock: Clock;
}

/** Its OpenAPI shows this one in `RateLimit-Policy`; what it says in an answer to too many counts more. */
const PER_MINUTE = 60;

/** What a check of it for real may keep of its answers. */
const RECORDING: RecordingOf = {
  version: 1,
  catalogue: /^\/v2\/catalog\//,
  fields: ['status', 'cloud', 'type', 'title', 'username', 'bucketSize'],
};

export class RunpodProvider implements Provider {
  readonly id = ID;
  readonly title = 'RunPod';
  readonly kind = 'network';
  readonly recording = RECORDING;
  readonly verifiedLive = isVerified(ID, RECORDING.version);
  readonly capabilities: Traits = {
    refVia: 'name',
    sshKeys: 'perInstance',
    bootSecret: true,
    privateNetwork: true,
    endsBillingAlone: 'never',
    visibilityDelayMs: 10_000,
    // dstack, which rents there, gives a pod as long (`get_provisioning_timeout`: the pull of the image is in it).
    phaseLimitsMs: { booting: 20 * 60_000 },
    limits: { calls: { perMinute: PER_MINUTE } },
    routes: Object.fromEntries(
      ['offers', 'create', 'get', 'list', 'destroy', 'account', 'bill', 'time'].map(name => [name, 'calls']),
    ),
  };
  readonly login = loginByKey({
    help: 'Made in RunPod’s console under Settings, API Keys.',
    url: 'https://console.runpod.io/user/settings',
    variable: 'RUNPOD_API_KEY',
    offersNeedIt: true,
    scopes: [
      { scope: 'api.runpod.io/v2: read and write', why: 'to list, rent and end pods and clusters' },
      { scope: 'api.runpod.io/graphql: read', why: 'to say what is left on the account' },
    ],
  });
  readonly #http: NetworkHttp;
  readonly #clock: Clock;
  #gpuNames: ReadonlyMap<string, string> = new Map();
  #leftOut: string | null = null;

  constructor({ base, transport, login, clock }: RunpodOptions) {
    this.#clock = clock;
    this.#http = new NetworkHttp({
      title: this.title,
      base,
      transport,
      login,
      authorize: asBearer,
      words,
      explain,
    });
  }

  async offers(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Offer[]> {
    const names = new Map(this.#gpuNames);
    const all: Offer[] = [];
    const odd = new Set<string>();
    for (const [at, shelf] of SHELVES.entries()) {
      if (at > 0) {
        await nextPage?.();
      }
      const { product, cloud, count } = shelf;
      const { value } = await this.#read('/v2/catalog/gpus', gpuTypesSchema, signal, {
        include: 'AVAILABILITY',
        product,
        cloud,
        count,
      });
      const { types, odd: here } = gpuTypesIn(value.gpus);
      here.forEach(name => odd.add(name));
      types.forEach(({ id, name }) => names.set(id, name));
      all.push(...offersOf(shelf, types, this.#clock.now()));
    }
    this.#gpuNames = names;
    this.#leftOut =
      odd.size === 0
        ? null
        : `GPUs of RunPod are left out, since what it says of them is not understood: ${[...odd].join(', ')}.`;
    return all;
  }

  offersLeftOut(): string | null {
    return this.#leftOut;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    const { offer, members } = request;
    const key = keyOf(offer.id);
    if (key === null) {
      throw new ProviderError('permanent', `${offer.id} is no offer of RunPod.`);
    }
    checkTerms(request);
    const { gpuId, count, cloud, product } = key;
    const container = containerOf(request);
    if (product === 'CLUSTER') {
      const compute = { gpuTypeId: gpuId, gpuCountPerPod: count, podCount: members };
      // Their own Ray would start without our token: it is a plain network of machines that is asked for.
      const body = { ...container, type: 'APPLICATION', compute };
      const { value } = await this.#buy('/v2/clusters', body, clusterSchema, signal);
      return instanceOfCluster(value, value.name ?? request.ref, [], this.#gpuNames);
    }
    const body = { ...container, gpu: { id: gpuId, count }, cloud };
    const { value } = await this.#buy('/v2/pods', body, podSchema, signal);
    return instanceOfPod(value, this.#gpuNames);
  }

  async get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    const clusterId = clusterIdOf(instanceId);
    const path =
      clusterId === null
        ? `/v2/pods/${encodeURIComponent(instanceId)}`
        : `/v2/clusters/${encodeURIComponent(clusterId)}/pods`;
    if (clusterId === null) {
      const said = await this.#find(path, podSchema, signal);
      return said === null ? gone(instanceId) : instanceOfPod(said.value, this.#gpuNames);
    }
    const said = await this.#find(path, podsSchema, signal);
    return said === null
      ? gone(instanceId)
      : instanceOfCluster({ id: clusterId, createdAt: null }, null, said.value.pods, this.#gpuNames);
  }

  async list(signal: AbortSignal, nextPage?: NextPage): Promise<readonly Instance[]> {
    const { value: pods } = await this.#read('/v2/pods', podsSchema, signal, { includeClusterPods: true });
    await nextPage?.();
    const { value: clusters } = await this.#read('/v2/clusters', clustersSchema, signal);
    const listed = new Set(clusters.clusters.map(({ id }) => id));
    // A cluster that is being ended may be out of its list before its pods are: they cost for as long as they are there.
    const left = new Set(
      pods.pods.flatMap(pod =>
        pod.cluster === null || listed.has(pod.cluster.id) || isOver(pod) ? [] : [pod.cluster.id],
      ),
    );
    return [
      ...pods.pods.filter(({ cluster }) => cluster === null).map(pod => instanceOfPod(pod, this.#gpuNames)),
      ...[...clusters.clusters, ...[...left].map(id => ({ id, name: null, createdAt: null }))].map(cluster =>
        instanceOfCluster(
          cluster,
          cluster.name,
          pods.pods.filter(pod => pod.cluster?.id === cluster.id),
          this.#gpuNames,
        ),
      ),
    ].filter(({ status }) => status !== 'gone');
  }

  async destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    const clusterId = clusterIdOf(instanceId);
    const path =
      clusterId === null
        ? `/v2/pods/${encodeURIComponent(instanceId)}`
        : `/v2/clusters/${encodeURIComponent(clusterId)}`;
    await this.#http.askFor(
      { method: 'DELETE', path, login: 'needed', changes: true, answer: z.unknown() },
      signal,
    );
  }

  async account(signal: AbortSignal, login?: LoginValues): Promise<AccountSaid> {
    const { value } = await this.#http.ask(
      {
        method: 'POST',
        path: '/graphql',
        body: { query: 'query { myself { id email clientBalance spendLimit } }' },
        login: 'needed',
        ...(login === undefined ? {} : { tried: login }),
        changes: false,
        answer: myselfSchema,
      },
      signal,
    );
    const myself = value.data?.myself ?? null;
    if (myself === null) {
      const why = value.errors?.map(({ message }) => message).join(' ') ?? '';
      // With 200 it says whatever went wrong; only where it is of the key, the key is what is wrong.
      throw why === '' || OF_A_KEY.test(why)
        ? new ProviderError(
            'auth',
            `RunPod does not accept this key: ${why || 'it does not say whose it is'}.`,
          )
        : new ProviderError('retryable', `RunPod could not say who this is: ${why.replace(/\.$/, '')}.`);
    }
    const { id, email, clientBalance, spendLimit } = myself;
    return {
      id,
      name: email ?? id,
      scopes: null,
      // An account may owe something: that is as good as nothing left.
      balanceMicroUsd: clientBalance === null ? null : microUsdOf(Math.max(0, clientBalance)),
      spendLimitPerHourMicroUsd: spendLimit === null ? null : microUsdOf(Math.max(0, spendLimit)),
    };
  }

  async bill(
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
    nextPage?: NextPage,
  ): Promise<readonly BillLine[]> {
    const query = {
      startTime: new Date(fromMs).toISOString(),
      endTime: new Date(toMs).toISOString(),
      bucketSize: 'hour',
    };
    const { value: pods } = await this.#read('/v2/billing/pods', billingSchema, signal, query);
    await nextPage?.();
    const { value: clusters } = await this.#read('/v2/billing/clusters', billingSchema, signal, query);
    return [...pods.records, ...clusters.records].flatMap(linesOf);
  }

  async time(signal: AbortSignal): Promise<number> {
    const { atMs } = await this.#read('/v2/catalog/gpus', z.unknown(), signal);
    if (atMs === null) {
      throw new ProviderError('retryable', 'RunPod’s answer carries no time.');
    }
    return atMs;
  }

  #read<Schema extends z.ZodType>(
    path: string,
    answer: Schema,
    signal: AbortSignal,
    query: Readonly<Record<string, string | number | boolean>> = {},
  ) {
    return this.#http.ask({ method: 'GET', path, query, login: 'needed', changes: false, answer }, signal);
  }

  #find<Schema extends z.ZodType>(path: string, answer: Schema, signal: AbortSignal) {
    return this.#http.askFor({ method: 'GET', path, login: 'needed', changes: false, answer }, signal);
  }

  async #buy<Schema extends z.ZodType>(path: string, body: unknown, answer: Schema, signal: AbortSignal) {
    return this.#http.ask({ method: 'POST', path, body, login: 'needed', changes: true, answer }, signal);
  }
}

const OF_A_KEY = /\b(?:un)?auth|forbidden|permission|not allowed|\b(?:api )?key\b|token/i;

/** What is understood of a catalogue, and what of it is not, by its name. */
function gpuTypesIn(rows: readonly unknown[]): {
  readonly types: readonly GpuType[];
  readonly odd: readonly string[];
} {
  const types: GpuType[] = [];
  const odd: string[] = [];
  for (const row of rows) {
    const read = gpuTypeSchema.safeParse(row);
    if (read.success) {
      types.push(read.data);
    } else {
      odd.push(cutText(namedSchema.safeParse(row).data?.id ?? 'one without a name', 60));
    }
  }
  return { types, odd };
}

/** It takes no limit itself. */
function checkTerms({ offer, terms, maxPricePerHourMicroUsd, members }: CreateRequest): void {
  if (terms.bidPerHourMicroUsd !== null || terms.termMs !== null) {
    throw new ProviderError('permanent', 'RunPod’s offers here take no bid and no term.');
  }
  const { min = 1, max } = offer.together ?? { max: 1 };
  if (members < min || members > max) {
    throw new ProviderError(
      'permanent',
      max === 1
        ? 'RunPod’s pods are rented one at a time.'
        : `RunPod’s clusters have ${min.toString()} to ${max.toString()} pods.`,
    );
  }
  if (parseMicroUsd(offer.pricePerHourMicroUsd) > maxPricePerHourMicroUsd) {
    throw new ProviderError('capacity', 'This costs more than the limit.');
  }
}

/**
 * Its table of failures says that 400 and 403 of a purchase are of this candidate: the next one may be had. A 403 that
 * speaks of the key is of every candidate.
 */
function explain({ method, path, status, body, text }: Refusal): Meaning | null {
  const buys = method === 'POST' && /^\/v2\/(?:pods|clusters)$/.test(path);
  if (buys && status === 403 && OF_A_SCOPE.test(words(body) ?? text)) {
    return { kind: 'auth' };
  }
  return buys && (status === 400 || status === 403) ? { kind: 'capacity' } : null;
}

/** What a key that may only read is told is written down nowhere: known by its words. */
const OF_A_SCOPE = /\b(?:api[ -]?key|token|scopes?|permissions?|read[ -]?only|write access)\b/i;

function words(body: unknown): string | null {
  const { detail, title, errors = [] } = problemSchema.safeParse(body).data ?? {};
  const said = detail ?? title ?? null;
  const wrong = errors.map(
    error => graphqlErrorSchema.safeParse(error).data?.message ?? JSON.stringify(error),
  );
  return said === null && wrong.length === 0 ? null : [said ?? '', ...wrong].join(' ').trim();
}

/** Clusters have GPUs alone on their bill. */
function linesOf(record: BillingRecord): readonly BillLine[] {
  const { podId, clusterId, totalAmount, gpuAmount, cpuAmount, diskAmount } = record;
  const instanceId = clusterId === null ? podId : clusterInstanceId(clusterId);
  if (instanceId === null) {
    return [];
  }
  const parts = [
    { label: 'GPU', amount: gpuAmount },
    { label: 'CPU', amount: cpuAmount },
    { label: 'Disk', amount: diskAmount },
  ].flatMap(({ label, amount }) => (amount === null || amount === 0n ? [] : [{ label, amount }]));
  const named = parts.length === 0 ? [{ label: 'GPU', amount: totalAmount }] : parts;
  return named.map(({ label, amount }) => ({ mark: null, instanceId, label, amountMicroUsd: amount }));
}

const gone = (id: string): Instance => ({
  id,
  mark: null,
  status: 'gone',
  members: [],
  rates: [],
  message: `RunPod knows no ${id}.`,
});
