/** RunPod's GraphQL over the same account as its REST: what one buys there, the other lists. */
import { graphql, GraphQLError, parse, validate } from 'graphql';
import * as z from 'zod';
import type { SimAnswer, SimRequest } from '../frame/simulator.ts';
import type { RunpodAccount } from './account.ts';
import { NO_CAPACITY_WORDS, type RunpodGpu } from './catalogue.ts';
import { RUNPOD_GRAPHQL } from './graphql-schema.ts';
import { dollars, perHour, type Purchase } from './purchases.ts';
import { isHitch } from './requests.ts';

const bodySchema = z.looseObject({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});
const podInputSchema = z.looseObject({ podId: z.string() });
const deploySchema = z.looseObject({
  name: z.string(),
  imageName: z.string(),
  gpuTypeId: z.string(),
  gpuCount: z.number().default(1),
  cloudType: z.enum(['ALL', 'SECURE', 'COMMUNITY']).default('ALL'),
  containerDiskInGb: z.number().default(10),
  ports: z.string().default(''),
  env: z.array(z.looseObject({ key: z.string(), value: z.string() })).default([]),
});

export class RunpodGraphql {
  readonly #account: RunpodAccount;
  readonly #complain: (problems: readonly string[]) => void;

  /** @param complain hears what the network refuses of Hitch */
  constructor(account: RunpodAccount, complain: (problems: readonly string[]) => void) {
    this.#account = account;
    this.#complain = complain;
  }

  /** 200 with `errors` for what is refused (dstack, `api_client.py`, `_make_graphql_request`); 400 for a query that it does not
   *  understand, as Apollo servers answer that: assumed. */
  async answer({ body, headers }: SimRequest, mayOnlyRead: boolean): Promise<SimAnswer> {
    const read = bodySchema.safeParse(body);
    const problems = read.success ? problemsOf(read.data.query) : ['POST body missing.'];
    if (!read.success || problems.length > 0) {
      if (isHitch(headers)) {
        this.#complain(problems);
      }
      return { status: 400, body: { errors: problems.map(message => ({ message })) } };
    }
    const { query, variables } = read.data;
    const answer = await graphql({
      schema: RUNPOD_GRAPHQL,
      source: query,
      rootValue: mayOnlyRead ? this.#queries() : { ...this.#queries(), ...this.#mutations() },
      ...(variables === undefined || variables === null ? {} : { variableValues: variables }),
    });
    return { status: 200, body: answer };
  }

  /** Resolvers; what they are given was held against the schema, and is read once more for its types. */
  #queries(): object {
    return {
      gpuTypes: ({ input }: { input?: { id?: string | null } | null }) =>
        this.#account.gpus.filter(({ id }) => (input?.id ?? id) === id).map(gpuType),
      myself: () => this.#myself(),
      pod: ({ input }: { input?: unknown }) => {
        const purchase = this.#account.find(podInputSchema.parse(input).podId, 'pod');
        // Null for one that is not there: `get_pod` hands on whatever stands in `data.pod`.
        return purchase === undefined ? null : this.#pod(purchase);
      },
    };
  }

  /** One that is not here answers null: of a key that may only read, nobody has seen what it answers. */
  #mutations(): object {
    return {
      podFindAndDeployOnDemand: ({ input }: { input?: unknown }) => this.#deploy(input),
      podTerminate: async ({ input }: { input?: unknown }) => {
        const purchase = this.#account.find(podInputSchema.parse(input).podId, 'pod');
        if (purchase === undefined) {
          // That it refuses a second time is assumed; the words are those of its refusals without a reason (runpod-python#239).
          throw new GraphQLError('Something went wrong. Please try again later or contact support.');
        }
        await this.#account.end(purchase);
        return null;
      },
    };
  }

  #myself(): object {
    const standing = this.#account.standing('pod');
    const clusters = this.#account.standing('cluster');
    const rates = [...standing, ...clusters].map(one => ({ amountMicroUsd: perHour(one) }));
    return {
      id: 'user_1',
      email: 'a@example.com',
      pubKey: '',
      clientBalance: this.#account.balance,
      currentSpendPerHr: dollars(rates),
      spendLimit: this.#account.options.spendLimit ?? 80,
      networkVolumes: [],
      // Without the members of clusters, as REST lists them unless they are asked for: assumed.
      pods: () => Promise.all(standing.map(one => this.#pod(one))),
    };
  }

  async #deploy(input: unknown): Promise<object> {
    const { name, imageName, gpuTypeId, gpuCount, cloudType, containerDiskInGb, ports, env } =
      deploySchema.parse(input);
    const order = {
      name,
      type: null,
      image: imageName,
      disk: containerDiskInGb,
      env: Object.fromEntries(env.map(({ key, value }) => [key, value])),
      ports: ports === '' ? [] : ports.split(','),
      gpuId: gpuTypeId,
      count: gpuCount,
      pods: 1,
    };
    // Which of both `ALL` takes first is assumed.
    const clouds = cloudType === 'ALL' ? (['COMMUNITY', 'SECURE'] as const) : [cloudType];
    for (const cloud of clouds) {
      const bought = this.#account.buy('pod', { ...order, cloud });
      if (bought === 'too little money') {
        throw new GraphQLError('Your balance is too low to deploy this pod.');
      }
      if (bought !== 'none left') {
        return this.#pod(bought);
      }
    }
    throw new GraphQLError(NO_CAPACITY_WORDS);
  }

  async #pod(purchase: Purchase): Promise<object> {
    const [pod] = purchase.pods;
    if (pod === undefined) {
      throw new GraphQLError('a purchase without a pod');
    }
    const { status, runs, ageMs, address } = await this.#account.now(purchase, pod);
    const gpu = this.#account.gpus.find(({ id }) => id === purchase.gpuId);
    const ports = address === null ? [] : [{ ip: address.host, publicPort: address.port }];
    return {
      id: pod.id,
      name: purchase.name,
      imageName: purchase.image,
      env: Object.entries(purchase.env).map(([key, value]) => `${key}=${value}`),
      ports: purchase.ports.join(','),
      port: null,
      dockerArgs: '',
      dockerId: null,
      containerDiskInGb: purchase.disk,
      volumeInGb: 0,
      volumeMountPath: null,
      costPerHr: Number(pod.costMicroUsd) / 1e6,
      // What is wanted, not what is: `RUNNING` from the start (sky/provision/runpod/utils.py, `list_instances`).
      desiredStatus: status === 'PROVISIONING' ? 'RUNNING' : status,
      lastStatusChange: new Date(purchase.boughtAtMs).toUTCString(),
      gpuCount: purchase.count,
      memoryInGb: 62,
      vcpuCount: 16,
      podType: 'RESERVED',
      uptimeSeconds: runs ? Math.floor(ageMs / 1000) : 0,
      machineId: `machine-${pod.id}`,
      machine: { podHostId: `${pod.id}-64410065`, gpuDisplayName: gpu?.name ?? purchase.gpuId },
      runtime: runs
        ? { ports: ports.map(port => ({ ...port, isIpPublic: true, privatePort: 22, type: 'tcp' })) }
        : null,
    };
  }
}

function problemsOf(query: string): readonly string[] {
  try {
    return validate(RUNPOD_GRAPHQL, parse(query)).map(({ message }) => message);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Prices are of one GPU an hour. Spot and terms are not simulated: null. */
function gpuType(gpu: RunpodGpu): object {
  const prices = [gpu.secure, gpu.community].flatMap(price => price ?? []);
  return {
    id: gpu.id,
    displayName: gpu.name,
    manufacturer: 'Nvidia',
    memoryInGb: gpu.memory,
    cudaCores: 0,
    maxGpuCount: gpu.max,
    secureCloud: gpu.secure !== null,
    communityCloud: gpu.community !== null,
    securePrice: gpu.secure ?? 0,
    communityPrice: gpu.community ?? 0,
    lowestPrice: ({ input }: { input?: { gpuCount?: number | null } | null }) => ({
      minimumBidPrice: null,
      uninterruptablePrice:
        gpu.availability === 'NONE' || (input?.gpuCount ?? 1) > gpu.max ? null : Math.min(...prices),
    }),
  };
}
