/** Simulated RunPod in a run: pods, and clusters of pods that are bought and end as one. */
import { type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import type { AttemptRecord } from '../../../backend-proxy/src/ledger/records.ts';
import { RunpodProvider } from '../../../backend-proxy/src/providers/runpod/runpod-provider.ts';
import { NO_CAPACITY, problem } from '../../simulators/runpod/catalogue.ts';
import { billOf as billedUntil, type Purchase } from '../../simulators/runpod/purchases.ts';
import type { RunpodOptions } from '../../simulators/runpod/account.ts';
import { RUNPOD_KEY, RunpodSimulator } from '../../simulators/runpod/runpod-simulator.ts';
import { type Bill, type ChaosNetwork, type NetworkTools, sumOf } from './network.ts';
import { drawRules } from './rules.ts';
import { SimulatedNetwork } from './simulated.ts';

const MINUTE = 60_000;
/** Micro-dollars: each stretch of each part is rounded up by itself. */
const ROUNDING = 8n;

type Options = { -readonly [Name in keyof RunpodOptions]: RunpodOptions[Name] };

export function runpod(tools: NetworkTools): ChaosNetwork {
  const { clock, seed } = tools;
  const random = seededRandom(seed + 0x2b0d);
  const options = drawOptions(random, { clock });
  const simulator = new RunpodSimulator(options);
  const takesAfterMs = random.next() < 0.3 ? randomInt(random, MINUTE, 60 * MINUTE) : null;
  const purchases = () => [...simulator.account.all('pod'), ...simulator.account.all('cluster')];
  const find = (instanceId: string): Purchase | undefined =>
    purchases().find(purchase => instanceIdOf(purchase) === instanceId);
  const rules = drawRules(random, {
    create: /^POST \/v2\//,
    end: /^DELETE /,
    tooOften: [
      {
        route: /./,
        answer: {
          ...problem(429, 'Too Many Requests', 'rate limit exceeded for the minute window'),
          headers: { 'content-type': 'application/problem+json', 'retry-after': '11' },
        },
      },
    ],
  });
  const soldOut = {
    route: /^POST \/v2\//,
    chance: random.next() * 0.4,
    fault: { does: 'answer', answer: NO_CAPACITY },
  } as const;
  return new SimulatedNetwork(
    {
      simulator,
      adapter: transport =>
        new RunpodProvider({
          base: 'https://api.runpod.io',
          clock,
          transport,
          login: () => Promise.resolve({ apiKey: RUNPOD_KEY }),
        }),
      rules: random.next() < 0.3 ? [...rules, soldOut] : rules,
      refusesKey: problem(401, 'Unauthorized', 'invalid token'),
      deaths: BETWEEN_REQUESTS,
      instanceId: ({ id }) => (id.startsWith('cluster_') ? `clusters/${id}` : id),
      running: (id, rank) => {
        const purchase = find(id);
        return purchase !== undefined && runs(purchase, rank, options, clock.now())
          ? {
              ref: purchase.name,
              gpuCount: purchase.count,
              gpuModel: purchase.gpuId,
              publicKeys: [purchase.env['PUBLIC_KEY'] ?? ''],
              proof: purchase.env['HITCH_PROOF'],
            }
          : null;
      },
      rentForOthers: mark => rentForOthers(simulator, mark),
      wish: draw =>
        draw.next() < 0.35
          ? { filter: { multiNode: true }, nodes: randomInt(draw, 2, 3) }
          : { filter: { multiNode: false }, nodes: 1 },
      billOf: (mark, attempt) =>
        billOf(
          purchases().filter(({ name }) => name === mark),
          attempt,
          options,
          clock.now(),
        ),
      look: nowMs => {
        for (const purchase of purchases()) {
          if (takesAfterMs !== null && purchase.boughtAtMs + takesAfterMs <= nowMs && isOurs(purchase)) {
            void simulator.take(purchase.id);
          }
        }
      },
      calm: () => {
        delete options.statusWord;
        options.soldOut = false;
      },
    },
    tools,
  );
}

const instanceIdOf = ({ of, id }: Purchase): string => (of === 'cluster' ? `clusters/${id}` : id);
const isOurs = ({ image }: Purchase): boolean => image !== OTHERS_IMAGE;

/** Where daemons die that a provider as a whole does not show: the requests behind its calls. */
const BETWEEN_REQUESTS: readonly string[] = [
  'before POST /v2/pods',
  'during POST /v2/pods',
  'after POST /v2/pods',
  'after the failure of POST /v2/pods',
  'during POST /v2/clusters',
  'after POST /v2/clusters',
  'after GET /v2/pods',
  'before GET /v2/clusters',
  'during DELETE /v2/pods/#',
  'after DELETE /v2/pods/#',
  'during DELETE /v2/clusters/#',
];

function drawOptions(random: Random, { clock }: Pick<NetworkTools, 'clock'>): Options {
  const some = (share: number, of: () => Partial<RunpodOptions>) => (random.next() < share ? of() : {});
  return {
    clock,
    limits: random.next() < 0.4,
    startMs: randomInt(random, 0, MINUTE),
    pullMs: random.next() < 0.2 ? randomInt(random, 0, 20 * MINUTE) : randomInt(random, 0, MINUTE),
    balance: random.next() < 0.2 ? randomInt(random, 0, 30) : 100_000,
    ...some(0.2, () => ({ priceFactor: 1 + random.next() })),
    ...some(0.15, () => ({ instead: { count: 1, cloud: 'COMMUNITY' } })),
    ...some(0.1, () => ({ statusWord: random.next() < 0.5 ? 'CONTEMPLATING' : 'EXITED' })),
    ...some(0.3, () => ({ endMs: randomInt(random, 0, 10 * MINUTE) })),
    ...some(0.3, () => ({ loses: { rank: 1, afterMs: randomInt(random, 0, 20 * MINUTE) } })),
  };
}

function runs(
  { boughtAtMs, endedAtMs, pods }: Purchase,
  rank: number,
  options: Options,
  nowMs: number,
): boolean {
  const { startMs = 0, pullMs = 0, loses } = options;
  const age = nowMs - boughtAtMs;
  const isLost = loses !== undefined && loses.rank === rank && age >= loses.afterMs;
  return (
    rank < pods.length && !isLost && age >= startMs + pullMs && (endedAtMs === null || endedAtMs > nowMs)
  );
}

const OTHERS_IMAGE = 'ubuntu:24.04';

async function rentForOthers(simulator: RunpodSimulator, mark: string | null): Promise<void> {
  await simulator.handle({
    method: 'POST',
    path: '/v2/pods',
    query: new URLSearchParams(),
    headers: { authorization: `Bearer ${RUNPOD_KEY}`, 'user-agent': 'a web page' },
    body: { name: mark ?? 'my pod', image: OTHERS_IMAGE, gpu: { id: 'NVIDIA A40', count: 1 } },
  });
}

/**
 * It says when a purchase began, and not when it ended: what is counted ends when Hitch was told that it is gone. Nor does it
 * say when a pod of a cluster was lost, or what that cost before: the hours of such a one are counted or not.
 */
function billOf(
  purchases: readonly Purchase[],
  attempt: AttemptRecord,
  options: Options,
  nowMs: number,
): Bill {
  const of = (label: string) =>
    sumOf(
      purchases.map(purchase => {
        const { boughtAtMs } = purchase;
        const endMs = Math.min(nowMs, purchase.endedAtMs ?? nowMs);
        const untilMs = Math.max(endMs, attempt.endedAtMs ?? 0);
        const line = (until: number, pods = purchase.pods) =>
          billedUntil({ ...purchase, pods, endedAtMs: null }, until).find(each => each.label === label)
            ?.amountMicroUsd ?? 0n;
        const most = line(untilMs + Math.max(0, boughtAtMs - attempt.createdAtMs));
        const whole = purchase.pods.filter(({ rank }) => rank !== options.loses?.rank);
        return { lowest: line(endMs, whole) - ROUNDING, highest: most + ROUNDING };
      }),
    );
  return { GPU: of('GPU'), Disk: of('Disk') };
}
