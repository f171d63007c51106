/** Simulated io.net in a run. */
import { pick, type Random, randomInt, seededRandom } from '@hitch/platform/src/random.ts';
import { IonetProvider } from '../../../backend-proxy/src/providers/ionet/ionet-provider.ts';
import { CONTAINER_HARDWARE } from '../../simulators/ionet/container-hardware.ts';
import { type Deployment, statusOf } from '../../simulators/ionet/deployment.ts';
import { IONET_KEY } from '../../simulators/ionet/door.ts';
import { type Hardware, HARDWARE } from '../../simulators/ionet/hardware.ts';
import { IonetSimulator } from '../../simulators/ionet/ionet-simulator.ts';
import type { IonetLies } from '../../simulators/ionet/lies.ts';
import { type Bill, type ChaosNetwork, type NetworkTools, sumOf } from './network.ts';
import { drawRules } from './rules.ts';
import { SimulatedNetwork } from './simulated.ts';

const MINUTE = 60_000;
/** Micro-dollars: one for each hour of the longest that is bought here, and for its stretch. */
const ROUNDING = 8n;
/** Before the ids of containers. */
const PREFIX = 'container:';
const SALT = 0xca47;

export function ionet(tools: NetworkTools): ChaosNetwork {
  const { clock, seed } = tools;
  const random = seededRandom(seed + 0x10e7);
  const simulator = new IonetSimulator({
    clock,
    seed,
    limits: random.next() < 0.4,
    bootMs: randomInt(random, 500, 2 * MINUTE),
    endMs: random.next() < 0.5 ? 20_000 : randomInt(random, 0, 10 * MINUTE),
    // Few, so that several clusters want the same.
    hardware: HARDWARE.map(row => ({ ...row, free: Math.min(row.free, randomInt(random, 1, 4)) })),
    // Drawn apart, so that what a run was before there were any stays what it was.
    containerHardware: containersOf(seededRandom(seed + SALT)),
  });
  const isLate = random.next() < 0.3;
  const lies = drawLies(random, isLate);
  const rules = drawRules(random, {
    create: /^POST .*\/(?:deploy|extend)$/,
    end: /^DELETE /,
    tooOften: [
      {
        route: /\/enterprise\//,
        answer: { status: 429, headers: { 'retry-after': '7' }, body: { detail: 'Too many requests' } },
      },
    ],
  });
  const find = (id: string) =>
    simulator.deployments.find(each => each.id === id.slice(id.startsWith(PREFIX) ? PREFIX.length : 0));
  return new SimulatedNetwork(
    {
      simulator,
      adapter: transport =>
        new IonetProvider({
          base: 'https://api.io.solutions',
          clock,
          transport,
          login: () => Promise.resolve({ apiKey: IONET_KEY }),
        }),
      rules,
      refusesKey: { status: 401, body: { detail: 'Invalid API key' } },
      deaths: BETWEEN_REQUESTS,
      instanceId: ({ id }) => (find(id)?.container === null ? id : `${PREFIX}${id}`),
      running: id => {
        const deployment = find(id);
        return deployment === undefined || statusOf(deployment, clock.now()) !== 'running'
          ? null
          : {
              ref: deployment.name,
              gpuCount: deployment.hardware.cards,
              gpuModel: deployment.hardware.name,
              ...lettingIn(deployment),
            };
      },
      isShown: ({ id }) => isListed(simulator, id, clock.now()),
      timesMore: ({ id }) => find(id)?.timesMore ?? 0,
      rentForOthers: mark => rentForOthers(simulator, mark),
      wish: () => ({ filter: {}, nodes: 1 }),
      billOf: mark => billOf(simulator, mark),
      begin: () => {
        simulator.lies = lies;
      },
      calm: () => {
        const { word: _word, withholds: _withholds, soldOut: _soldOut, ...facts } = simulator.lies;
        simulator.lies = facts;
      },
    },
    tools,
  );
}

function containersOf(random: Random): readonly Hardware[] {
  const rows = random.next() < 0.5 ? CONTAINER_HARDWARE : [];
  return rows.map(row => ({ ...row, free: Math.min(row.free, randomInt(random, 1, 4)) }));
}

/** Whether its list has it: it may come there late, and may leave out the newest rows, each product's by themselves. */
function isListed({ deployments, lies }: IonetSimulator, id: string, nowMs: number): boolean {
  const { listedAfterMs = 0, withholds = 0 } = lies;
  const isContainer = deployments.find(each => each.id === id)?.container !== null;
  const listed = deployments.filter(
    each => (each.container !== null) === isContainer && each.createdAtMs + listedAfterMs <= nowMs,
  );
  return listed.slice(0, Math.max(0, listed.length - withholds)).some(each => each.id === id);
}

const lettingIn = ({ sshKeys, container }: Deployment) =>
  container === null
    ? { publicKeys: Object.values(sshKeys) }
    : {
        publicKeys: [container.environment['SSH_PUBKEY'] ?? ''],
        proof: container.secretEnvironment['HITCH_PROOF'],
      };

/**
 * Where daemons die that a provider as a whole does not show: the requests behind its calls. More hours are bought too rarely
 * for a thousand runs to come by there for certain.
 */
const BETWEEN_REQUESTS: readonly string[] = [
  'after GET /enterprise/v1/io-cloud/vmaas/price',
  'before POST /enterprise/v1/io-cloud/vmaas/deploy',
  'during POST /enterprise/v1/io-cloud/vmaas/deploy',
  'after POST /enterprise/v1/io-cloud/vmaas/deploy',
  'after the failure of POST /enterprise/v1/io-cloud/vmaas/deploy',
  'after GET /enterprise/v1/io-cloud/vmaas/deployment/#',
  'before GET /enterprise/v1/io-cloud/vmaas/deployments (a later page)',
  'during DELETE /enterprise/v1/io-cloud/vmaas/deployment/#',
  'after DELETE /enterprise/v1/io-cloud/vmaas/deployment/#',
];

/** Each as the simulator's own file names its source. */
function drawLies(random: Random, isLate: boolean): IonetLies {
  const some = (share: number, lie: () => IonetLies): IonetLies => (random.next() < share ? lie() : {});
  return {
    firstPage: random.next() < 0.5 ? 1 : 0,
    ...some(0.4, () => ({ emptyDeploy: true })),
    ...some(0.3, () => ({ hiddenMs: randomInt(random, 0, 90_000) })),
    ...(isLate ? { listedAfterMs: randomInt(random, 0, 90_000) } : {}),
    ...some(0.1, () => ({ withholds: 1 })),
    ...some(0.1, () => ({ word: 'contemplating' })),
    ...some(0.3, () => ({ shouts: true })),
    ...some(0.2, () => ({ dearerPercent: randomInt(random, 1, 100) })),
    ...some(0.3, () => ({ feePercent: randomInt(random, 1, 10) })),
    ...some(0.2, () => ({ listsPerGpu: true })),
    ...some(0.1, () => ({ rents: pick(random, HARDWARE.slice(0, 4)) })),
  };
}

async function rentForOthers(simulator: IonetSimulator, mark: string | null): Promise<void> {
  await simulator.handle({
    method: 'POST',
    path: '/enterprise/v1/io-cloud/vmaas/deploy',
    query: new URLSearchParams(),
    headers: { 'x-api-key': IONET_KEY },
    body: {
      resource_private_name: mark ?? 'my notebook',
      duration_hours: 48,
      gpus_per_vm: 8,
      hardware_id: '8H100.80S.176V',
      location_ids: ['FI'],
    },
  });
}

/**
 * It says when each began and ended, and what was paid for how many hours: to the micro-dollar. Of one whose price was first
 * seen when it was over, the hourly price is rounded up.
 */
function billOf(simulator: IonetSimulator, mark: string): Bill {
  const lines = simulator.bill().filter(line => line.mark === mark);
  return {
    GPU: sumOf(lines.map(({ amountMicroUsd: cost }) => ({ lowest: cost, highest: cost + ROUNDING }))),
  };
}
