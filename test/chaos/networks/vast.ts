/** Simulated Vast.ai in a run. */
import { costOver } from '@hitch/contract';
import { pick, type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import type { AttemptRecord } from '../../../backend-proxy/src/ledger/records.ts';
import { VastProvider } from '../../../backend-proxy/src/providers/vast/vast-provider.ts';
import { type Contract, endOf, runningAt } from '../../simulators/vast/contracts.ts';
import type { LieRule } from '../../simulators/vast/lies.ts';
import { VAST_KEY, VastSimulator } from '../../simulators/vast/vast-simulator.ts';
import { type Bill, type ChaosNetwork, type NetworkTools, sumOf } from './network.ts';
import { drawRules } from './rules.ts';
import { SimulatedNetwork } from './simulated.ts';

const MINUTE = 60_000;
/** Micro-dollars: each stretch of each part is rounded up by itself. */
const ROUNDING = 8n;

export function vast(tools: NetworkTools): ChaosNetwork {
  const { clock, seed } = tools;
  const random = seededRandom(seed + 0x7a57);
  const simulator = new VastSimulator({
    clock,
    seed,
    machineCount: 22,
    limits: random.next() < 0.4,
    bootMs: randomInt(random, 500, 2 * MINUTE),
  });
  const rules = drawRules(random, {
    create: /^PUT \/api\/v0\/asks\//,
    end: /^DELETE /,
    tooOften: [
      { route: /./, answer: { status: 429, body: 'API requests too frequent: endpoint threshold=3.0' } },
      { route: /bundles/, answer: { status: 429, body: QUOTA } },
    ],
  });
  const lies = drawLies(random);
  const { market } = simulator;
  return new SimulatedNetwork(
    {
      simulator,
      adapter: transport =>
        new VastProvider({
          base: 'https://vast.example',
          clock,
          transport,
          login: () => Promise.resolve({ apiKey: VAST_KEY }),
        }),
      rules,
      refusesKey: { status: 401, body: { success: false, error: 'auth_error', msg: 'Invalid user key' } },
      deaths: BETWEEN_REQUESTS,
      running: id => {
        const contract = market.contract(Number(id));
        return contract === undefined || runningAt(contract, clock.now()) === undefined
          ? null
          : {
              ref: contract.label ?? id,
              gpuCount: contract.gotGpus,
              gpuModel: contract.gotGpuName,
              publicKeys: simulator.ways.keysNow(contract),
              proof: contract.env['HITCH_PROOF'],
            };
      },
      isShown: ({ id }) => (market.contract(Number(id))?.hiddenUntilMs ?? 0) <= clock.now(),
      rentForOthers: (mark, draw) => rentForOthers(simulator, mark, draw),
      wish: draw => ({ filter: { markets: [draw.next() < 0.5 ? 'spot' : 'on_demand'] }, nodes: 1 }),
      billOf: (mark, attempt) => billOf(contractsOf(simulator, mark), attempt, clock.now()),
      calm: () => {
        simulator.lies.clear();
      },
      begin: () => {
        lies.forEach(rule => {
          simulator.lies.add(rule);
        });
      },
    },
    tools,
  );
}

const QUOTA = { success: false, error: 'search_quota_exceeded', msg: 'Daily search quota exceeded' };

/** Where daemons die that a provider as a whole does not show: the requests behind its calls. */
const BETWEEN_REQUESTS: readonly string[] = [
  'before PUT /api/v0/asks/#/',
  'during PUT /api/v0/asks/#/',
  'after PUT /api/v0/asks/#/',
  'after the failure of PUT /api/v0/asks/#/',
  'after GET /api/v1/instances/',
  'before GET /api/v1/instances/ (a later page)',
  'during DELETE /api/v0/instances/#/',
  'after DELETE /api/v0/instances/#/',
  'after GET /api/v0/charges/',
  'during POST /api/v0/instances/#/ssh/',
  'after POST /api/v0/instances/#/ssh/',
];

function drawLies(random: Random): readonly LieRule[] {
  const some = (share: number, most: number, lie: () => LieRule['lie']): readonly LieRule[] =>
    random.next() < share ? [{ lie: lie(), chance: random.next() * most }] : [];
  const minutes = (most: number) => randomInt(random, 0, most * MINUTE);
  return [
    ...some(0.3, 0.5, () => ({ does: 'vanish-offer' })),
    ...some(0.3, 0.5, () => ({ does: 'error-with-contract' })),
    ...some(0.3, 0.4, () => ({ does: 'never-runs' })),
    ...some(0.4, 0.6, () => ({ does: 'slow-boot', ms: minutes(20) })),
    ...some(0.2, 0.4, () => ({ does: 'status', word: 'contemplating' })),
    ...some(0.3, 0.5, () => ({ does: 'dearer', percent: randomInt(random, 1, 100) })),
    ...some(0.2, 0.5, () => ({ does: 'other-machine' })),
    ...some(0.3, 1, () => ({ does: 'no-label' })),
    ...some(0.3, 0.5, () => ({ does: 'page-shift' })),
    ...some(0.3, 0.6, () => ({ does: 'slow-destroy', ms: minutes(10) })),
    ...some(0.4, 0.8, () => ({ does: 'destroy-fails', tries: randomInt(random, 1, 4) })),
    ...some(0.4, 0.6, () => ({ does: 'outbid', afterMs: minutes(30) })),
    ...some(0.3, 0.5, () => ({ does: 'restart', afterMs: minutes(30) })),
    ...some(0.2, 0.3, () => ({ does: 'host-ends', afterMs: minutes(30) })),
    ...some(0.3, 0.8, () => ({ does: 'key-lost-after', afterMs: minutes(30) })),
  ];
}

async function rentForOthers(simulator: VastSimulator, mark: string | null, random: Random): Promise<void> {
  const free = [...simulator.market.asks()].filter(ask => simulator.market.isFree(ask));
  // Some are left for whoever is looked at here.
  const ask = free.length > 10 ? pick(random, free) : null;
  await simulator.handle({
    method: 'PUT',
    path: `/api/v0/asks/${(ask?.id ?? 0).toString()}/`,
    query: new URLSearchParams(),
    headers: { authorization: `Bearer ${VAST_KEY}`, 'user-agent': 'a web page' },
    body: { image: 'ubuntu:24.04', disk: 10, label: mark },
  });
}

const contractsOf = ({ market }: VastSimulator, mark: string): readonly Contract[] =>
  [...market.contracts()].filter(({ label }) => label === mark);

/**
 * The network says when a disk began to be charged, not when a GPU did, nor when either ended: what is counted lies between
 * the disks alone while they stood there, and all of it from the intent until Hitch was told that it is gone.
 */
function billOf(contracts: readonly Contract[], attempt: AttemptRecord, nowMs: number): Bill {
  const of = (part: (contract: Contract) => bigint, isSure: boolean) =>
    sumOf(
      contracts.map(contract => {
        const { createdAtMs } = contract;
        const endMs = endOf(contract, nowMs) ?? nowMs;
        const fromMs = Math.min(createdAtMs, attempt.createdAtMs);
        const untilMs = Math.max(endMs, attempt.endedAtMs ?? 0);
        return {
          lowest: isSure ? costOver(part(contract), endMs - createdAtMs) - ROUNDING : 0n,
          highest: costOver(part(contract), untilMs - fromMs) + ROUNDING,
        };
      }),
    );
  return {
    Disk: of(({ diskMicroUsd }) => diskMicroUsd, true),
    GPU: of(({ gpuMicroUsd }) => gpuMicroUsd, false),
  };
}
