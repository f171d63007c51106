/** Simulated Prime Intellect in a run: pods that let in whoever’s key the account had when they were made. */
import { costOver } from '@hitch/contract';
import { type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import type { AttemptRecord } from '../../../backend-proxy/src/ledger/records.ts';
import { PrimeProvider } from '../../../backend-proxy/src/providers/prime/prime-provider.ts';
import { PRIME_ROWS } from '../../simulators/prime/availability.ts';
import { isOver, type PrimePod, progressOf } from '../../simulators/prime/pods.ts';
import { PRIME_KEY, type PrimeOptions, PrimeSimulator } from '../../simulators/prime/prime-simulator.ts';
import { keyOf } from '../ssh/address-book.ts';
import { type Bill, type ChaosNetwork, type NetworkTools, sumOf } from './network.ts';
import { drawRules } from './rules.ts';
import { SimulatedNetwork } from './simulated.ts';

const MINUTE = 60_000;
/** Micro-dollars: each stretch is rounded up by itself. */
const ROUNDING = 8n;
/** More than a page of either list has. */
const MANY = 101;

type Options = { -readonly [Name in keyof PrimeOptions]: PrimeOptions[Name] };

export function prime(tools: NetworkTools): ChaosNetwork {
  const { clock, seed } = tools;
  const random = seededRandom(seed + 0x9e1e);
  const faults = drawFaults(random);
  // Nothing of it befalls what others rent before the run begins.
  const options: Options = { clock, balance: 1_000_000 };
  const simulator = new PrimeSimulator(options);
  const podsOf = (mark: string) => simulator.pods.filter(({ name }) => name === mark);
  const hasManyKeys = random.next() < 0.2;
  const isFull = random.next() < 0.1;
  const rules = drawRules(random, {
    create: /^POST \/api\/v1\/(?:pods|ssh_keys)/,
    end: /^DELETE /,
    tooOften: [
      {
        route: /./,
        answer: { status: 429, headers: { 'retry-after': '9' }, body: { detail: 'Too many requests' } },
      },
    ],
  });
  return new SimulatedNetwork(
    {
      simulator,
      adapter: transport =>
        new PrimeProvider({
          base: 'https://api.primeintellect.ai',
          clock,
          transport,
          login: () => Promise.resolve({ apiKey: PRIME_KEY }),
        }),
      rules,
      refusesKey: { status: 401, body: { detail: 'Invalid API key' } },
      deaths: BETWEEN_REQUESTS,
      running: id => {
        const pod = simulator.pods.find(each => each.id === id);
        return pod === undefined || !runs(pod, clock.now())
          ? null
          : {
              ref: pod.name ?? id,
              gpuCount: pod.gpuCount,
              gpuModel: pod.gpuName,
              publicKeys: pod.publicKeys,
            };
      },
      accountKeys: () => simulator.sshKeys,
      keysAtPurchase: ({ id }) => simulator.pods.find(pod => pod.id === id)?.publicKeys ?? [],
      manyOthers: isFull ? MANY : 0,
      rentForOthers: mark => rentForOthers(simulator, mark),
      wish: draw => ({
        filter: { markets: draw.next() < 0.3 ? ['spot', 'on_demand'] : ['on_demand'] },
        nodes: 1,
      }),
      billOf: (mark, attempt) => billOf(podsOf(mark), attempt, clock.now()),
      begin: () => {
        for (const name of othersKeys(hasManyKeys)) {
          simulator.addOthersKey(name, keyOf(name));
        }
        Object.assign(options, faults);
      },
      calm: () => {
        options.soldOut = false;
        delete options.statusWord;
      },
    },
    tools,
  );
}

/** Keys of other people and of another Hitch; in some runs more than a page of them. */
const othersKeys = (hasMany: boolean): readonly string[] => [
  'hitch-anotherhitch0000',
  'somebody-elses',
  ...(hasMany ? Array.from({ length: MANY }, (_, number) => `their-key-${number.toString()}`) : []),
];

/** Where daemons die that a provider as a whole does not show: the requests behind its calls. */
const BETWEEN_REQUESTS: readonly string[] = [
  'before POST /api/v1/pods',
  'during POST /api/v1/pods',
  'after POST /api/v1/pods',
  'after the failure of POST /api/v1/pods',
  'during POST /api/v1/ssh_keys',
  'after POST /api/v1/ssh_keys',
  'after the failure of POST /api/v1/ssh_keys',
  'after GET /api/v1/ssh_keys',
  'before GET /api/v1/ssh_keys (a later page)',
  'during DELETE /api/v1/ssh_keys/#',
  'after DELETE /api/v1/ssh_keys/#',
  'after GET /api/v1/pods',
  'before GET /api/v1/pods (a later page)',
  'after GET /api/v1/pods/history',
  'during DELETE /api/v1/pods/#',
  'after DELETE /api/v1/pods/#',
];

/** Each as the simulator's own file names its source. */
function drawFaults(random: Random): Partial<Options> {
  const some = (share: number, of: () => Partial<Options>) => (random.next() < share ? of() : {});
  return {
    startMs: randomInt(random, 0, 2 * MINUTE),
    installMs: random.next() < 0.2 ? randomInt(random, 0, 20 * MINUTE) : randomInt(random, 0, MINUTE),
    ...some(0.15, () => ({ soldOut: true })),
    ...some(0.2, () => ({ priceFactor: 1 + random.next() })),
    ...some(0.1, () => ({ statusWord: random.next() < 0.5 ? 'CONTEMPLATING' : 'STOPPED' })),
    ...some(0.3, () => ({ endMs: randomInt(random, 0, 10 * MINUTE) })),
  };
}

const runs = (pod: PrimePod, nowMs: number): boolean => {
  const { status, percent } = progressOf(pod, nowMs);
  return !isOver(pod, nowMs) && status === 'ACTIVE' && percent === 100;
};

async function rentForOthers(simulator: PrimeSimulator, mark: string | null): Promise<void> {
  const [row] = PRIME_ROWS;
  if (row === undefined) {
    return;
  }
  const { cloudId, gpuType, socket, gpuCount, dataCenter, provider } = row;
  await simulator.handle({
    method: 'POST',
    path: '/api/v1/pods',
    query: new URLSearchParams(),
    headers: { authorization: `Bearer ${PRIME_KEY}`, 'user-agent': 'a web page' },
    body: {
      pod: { name: mark, cloudId, gpuType, socket, gpuCount, dataCenterId: dataCenter },
      provider: { type: provider },
    },
  });
}

/**
 * It says when a pod began, and, in its history alone, when it ended: what is counted ends when Hitch was told that it is gone.
 * What is prepaid is paid in any case.
 */
function billOf(pods: readonly PrimePod[], attempt: AttemptRecord, nowMs: number): Bill {
  return {
    Machine: sumOf(
      pods.map(({ perHourMicroUsd, prepaidMicroUsd, boughtAtMs, endedAtMs }) => {
        const endMs = Math.min(nowMs, endedAtMs ?? nowMs);
        const untilMs = Math.max(endMs, attempt.endedAtMs ?? 0);
        const until = (ms: number) => {
          const used = costOver(perHourMicroUsd, Math.max(0, ms));
          return used > prepaidMicroUsd ? used : prepaidMicroUsd;
        };
        return {
          lowest: until(endMs - boughtAtMs) - ROUNDING,
          highest: until(untilMs - Math.min(boughtAtMs, attempt.createdAtMs)) + ROUNDING,
        };
      }),
    ),
  };
}
