/** Simulated Nosana in a run: deployments whose jobs wait for a host, and go on costing for a while once they are stopped. */
import { costOver } from '@hitch/contract';
import { type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import { NosanaProvider } from '../../../backend-proxy/src/providers/nosana/nosana-provider.ts';
import { NOSANA_MARKETS } from '../../simulators/nosana/markets.ts';
import { NOSANA_KEY, type NosanaOptions, NosanaSimulator } from '../../simulators/nosana/simulator.ts';
import { type Bill, type ChaosNetwork, type NetworkTools, sumOf } from './network.ts';
import { drawRules } from './rules.ts';
import { SimulatedNetwork } from './simulated.ts';

const MINUTE = 60_000;
/** Micro-dollars: each stretch is rounded up by itself. */
const ROUNDING = 8n;
/** More than a page of its list has. */
const MANY = 101;

export function nosana(tools: NetworkTools): ChaosNetwork {
  const { clock, seed } = tools;
  const random = seededRandom(seed + 0x4054);
  const isFull = random.next() < 0.1;
  const simulator = new NosanaSimulator(drawOptions(random, clock));
  const jobEndsAfterMs = random.next() < 0.3 ? randomInt(random, 0, 60 * MINUTE) : null;
  const rules = drawRules(random, {
    create: /^POST \/api\/deployments\/create/,
    end: /\/stop$/,
    tooOften: [
      {
        route: /./,
        answer: { status: 429, headers: { 'retry-after': '10' }, body: { error: 'Too many requests' } },
      },
    ],
  });
  return new SimulatedNetwork(
    {
      simulator,
      adapter: transport =>
        new NosanaProvider({
          base: 'https://api.nosana.com',
          clock,
          transport,
          login: () => Promise.resolve({ apiKey: NOSANA_KEY }),
        }),
      rules,
      refusesKey: {
        status: 401,
        headers: { 'content-type': 'application/json' },
        body: '"Unauthorized"',
      },
      deaths: BETWEEN_REQUESTS,
      running: id => {
        const order = simulator.runningAt(id);
        if (order === null) {
          return null;
        }
        const environment = order.job_definition.ops[0]?.args?.env ?? {};
        const market = NOSANA_MARKETS.find(({ address }) => address === order.market);
        return {
          ref: order.name,
          gpuCount: market?.slug.includes('8x') === true ? 8 : 1,
          gpuModel: market?.gpu_types?.toSorted((one, other) => one.length - other.length)[0] ?? '',
          publicKeys: [environment['SSH_PUBKEY'] ?? ''],
          proof: environment['HITCH_PROOF'],
        };
      },
      manyOthers: isFull ? MANY : 0,
      rentForOthers: mark => rentForOthers(simulator, mark),
      wish: () => ({ filter: {}, nodes: 1 }),
      billOf: mark => billOf(simulator, mark, clock.now()),
      begin: () => {
        simulator.jobEndsAfterMs = jobEndsAfterMs;
      },
      calm: () => {
        simulator.statusWord = null;
      },
    },
    tools,
  );
}

/** Where daemons die that a provider as a whole does not show: the requests behind its calls. */
const BETWEEN_REQUESTS: readonly string[] = [
  'before POST /api/deployments/create',
  'during POST /api/deployments/create',
  'after POST /api/deployments/create',
  'after the failure of POST /api/deployments/create',
  'after GET /api/deployments',
  'before GET /api/deployments (a later page)',
  'after GET /api/deployments/#',
  'before GET /api/deployments/#/jobs',
  'after GET /api/deployments/#/jobs',
  'during POST /api/deployments/#/stop',
  'after POST /api/deployments/#/stop',
];

/** Each as the simulator's own files name its source. */
function drawOptions(random: Random, clock: NosanaOptions['clock']): NosanaOptions {
  const some = (share: number, of: () => Partial<NosanaOptions>) => (random.next() < share ? of() : {});
  return {
    clock,
    credits: random.next() < 0.15 ? randomInt(random, 0, 3) : 100_000,
    startMs: random.next() < 0.2 ? randomInt(random, 0, 50 * MINUTE) : randomInt(random, 0, 2 * MINUTE),
    stopMs: random.next() < 0.3 ? randomInt(random, 0, 10 * MINUTE) : randomInt(random, 0, MINUTE),
    ...some(0.1, () => ({ statusWord: 'CONTEMPLATING' })),
  };
}

async function rentForOthers(simulator: NosanaSimulator, mark: string | null): Promise<void> {
  const [market] = NOSANA_MARKETS;
  await simulator.handle({
    method: 'POST',
    path: '/api/deployments/create',
    query: new URLSearchParams(),
    headers: { authorization: `Bearer ${NOSANA_KEY}`, 'user-agent': 'a web page' },
    body: {
      name: mark ?? 'mine',
      market: market?.address,
      replicas: 1,
      timeout: 60,
      strategy: 'SIMPLE-EXTEND',
      autostart: true,
      job_definition: { version: '0.1', type: 'container', ops: [{ id: 'one' }] },
    },
  });
}

/**
 * It says when a job began and, of one that is over, when it ended. What nobody read until then is counted from the purchase, and
 * to when Hitch was told that it is gone.
 */
function billOf(simulator: NosanaSimulator, mark: string, nowMs: number): Bill {
  const rentals = simulator.rentals().filter(rental => rental.mark === mark);
  return {
    GPU: sumOf(
      rentals.map(({ boughtAtMs, endedAtMs, perHourMicroUsd }) => {
        const cost = costOver(perHourMicroUsd, Math.max(0, (endedAtMs ?? nowMs) - boughtAtMs));
        return { lowest: cost - ROUNDING, highest: cost + ROUNDING };
      }),
    ),
  };
}
