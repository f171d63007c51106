/** Simulated Akash in a run: orders with a deposit, bids, leases, and a chain that counts by the block. */
import { pick, type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import { AkashProvider } from '../../../backend-proxy/src/providers/akash/akash-provider.ts';
import { sdlOf, type Workload } from '../../../backend-proxy/src/providers/akash/workload.ts';
import { AKASH_KEY, AkashSimulator } from '../../simulators/akash/akash-simulator.ts';
import { environmentOf } from '../../simulators/akash/containers.ts';
import type { AkashLies } from '../../simulators/akash/lies.ts';
import { type Bill, type ChaosNetwork, type NetworkTools, sumOf } from './network.ts';
import { drawRules } from './rules.ts';
import { SimulatedNetwork } from './simulated.ts';

const MINUTE = 60_000;
/** Micro-dollars: the price of an hour is rounded up, and so is each stretch. */
const ROUNDING = 24n;
/** More than a page of its list has. */
const MANY = 101;

export function akash(tools: NetworkTools): ChaosNetwork {
  const { clock, seed } = tools;
  const random = seededRandom(seed + 0xa4a5);
  const isFull = random.next() < 0.1;
  const simulator = new AkashSimulator({
    clock,
    bootMs: randomInt(random, 500, 2 * MINUTE),
    // They are meant to take six seconds, and take a little more or less.
    blockMs: randomInt(random, 5_500, 6_700),
    balance: random.next() < 0.15 ? randomInt(random, 16, 40) : 100_000,
  });
  const lies = drawLies(random);
  const rules = drawRules(random, {
    create: /^POST \/v1\/(?:deployments|leases)/,
    end: /^DELETE /,
    tooOften: [
      {
        route: /./,
        answer: {
          status: 429,
          headers: { 'retry-after': '8' },
          body: { error: 'TooManyRequestsError', message: 'Too many requests', code: 'rate_limited' },
        },
      },
    ],
  });
  return new SimulatedNetwork(
    {
      simulator,
      adapter: transport =>
        new AkashProvider({
          base: 'https://console-api.akash.network',
          clock,
          transport,
          login: () => Promise.resolve({ apiKey: AKASH_KEY }),
        }),
      rules,
      refusesKey: { status: 401, body: { error: 'UnauthorizedError', message: 'Unauthorized' } },
      deaths: BETWEEN_REQUESTS,
      running: id => {
        const deployment = simulator.runningAt(id);
        if (deployment === null) {
          return null;
        }
        const environment = environmentOf(deployment);
        const gpu = Object.values(deployment.sdl.profiles.compute)[0]?.resources.gpu;
        return {
          ref: environment['HITCH_REF'] ?? id,
          gpuCount: gpu?.units ?? 0,
          gpuModel: Object.values(gpu?.attributes?.vendor ?? {})[0]?.[0]?.model ?? '',
          publicKeys: [environment['SSH_PUBKEY'] ?? ''],
          proof: environment['HITCH_PROOF'],
        };
      },
      manyOthers: isFull ? MANY : 0,
      rentForOthers: mark => rentForOthers(simulator, mark),
      wish: () => ({ filter: {}, nodes: 1 }),
      billOf: mark => billOf(simulator, mark),
      begin: () => {
        simulator.lies = lies;
      },
      calm: () => {
        const { noBids: _none, word: _word, noStatus: _status, noHost: _host, ...facts } = simulator.lies;
        const { withholds: _withholds, denom: _denom, ...rest } = facts;
        simulator.lies = rest;
      },
    },
    tools,
  );
}

/** Where daemons die that a provider as a whole does not show: the requests behind its calls. */
const BETWEEN_REQUESTS: readonly string[] = [
  'before POST /v1/deployments',
  'during POST /v1/deployments',
  'after POST /v1/deployments',
  'after the failure of POST /v1/deployments',
  'after GET /v1/bids',
  'before POST /v1/leases',
  'during POST /v1/leases',
  'after POST /v1/leases',
  'after the failure of POST /v1/leases',
  'after GET /v1/deployments/#',
  'after GET /v1/deployments',
  'before GET /v1/deployments (a later page)',
  'during DELETE /v1/deployments/#',
  'after DELETE /v1/deployments/#',
];

/**
 * Each as the simulator's own file names its source. An order whose manifest the console makes otherwise than Hitch
 * (`otherManifest`) is not drawn: it is found by no mark once its answer is lost. The contract's tests have it.
 */
function drawLies(random: Random): AkashLies {
  const some = (share: number, lie: () => AkashLies): AkashLies => (random.next() < share ? lie() : {});
  return {
    ...some(0.15, () => ({ noBids: true })),
    ...some(0.4, () => ({ bidsAfterMs: randomInt(random, 0, 15 * MINUTE) })),
    ...some(0.3, () => ({ withdrawn: randomInt(random, 1, 3) })),
    ...some(0.3, () => ({ bidFactor: 0.7 + random.next() * 0.6 })),
    ...some(0.3, () => ({ evenBids: true })),
    ...some(0.05, () => ({ denom: 'uakt' })),
    ...some(0.1, () => ({ word: 'contemplating' })),
    ...some(0.1, () => ({ noStatus: true })),
    ...some(0.1, () => ({ noHost: true })),
    ...some(0.3, () => ({ listedLeases: pick(random, ['mixed', 'none'] as const) })),
    ...some(0.1, () => ({ withholds: 1 })),
    ...some(0.3, () => ({ endMs: randomInt(random, 0, 10 * MINUTE) })),
    ...some(0.3, () => ({ leaseEndsAfterMs: randomInt(random, 0, 60 * MINUTE) })),
    ...some(0.2, () => ({ managedDeposit: 1 + random.next() * 9 })),
    ...some(0.1, () => ({ noTopUp: true })),
  };
}

async function rentForOthers(simulator: AkashSimulator, mark: string | null): Promise<void> {
  const workload: Workload = {
    image: 'ubuntu:24.04',
    command: null,
    args: null,
    env: [`NAME=${mark ?? ''}`],
    cpuMillis: 1_000,
    memoryMiB: 1_024,
    diskMiB: 10_240,
    gpu: { count: 1, vendor: 'nvidia', model: 'a100', ram: '40Gi', socket: null },
    ports: [{ port: 22, as: 22, proto: 'TCP' }],
  };
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> =>
    (
      await simulator.handle({
        method,
        path,
        query: new URLSearchParams(),
        headers: { 'x-api-key': AKASH_KEY, 'user-agent': 'a web page' },
        body,
      })
    ).body;
  await ask('POST', '/v1/deployments', { data: { sdl: sdlOf(workload, 1_000_000n), deposit: 1 } });
}

/** By the block, of which it says all: to the micro-dollar, but for what is rounded up. */
function billOf(simulator: AkashSimulator, mark: string): Bill {
  const lines = simulator.bill().filter(line => line.mark === mark);
  return {
    Lease: sumOf(lines.map(({ amountMicroUsd: cost }) => ({ lowest: cost - 1n, highest: cost + ROUNDING }))),
  };
}
