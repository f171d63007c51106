/** 1,000 launches in flight at the simulated networks, their limits off: what the daemon holds, and whether all of it was right. */
import { readFileSync } from 'node:fs';
import { type Cluster, costOver, isOver, type Offer, parseMicroUsd } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { SimRental, Simulator } from '../../simulators/frame/simulator.ts';
import { crowdedNetworks } from '../crowded-networks.ts';
import { type DaemonUnderTest, processorSeconds } from '../daemon-under-test.ts';
import { type Benchmark, figure } from '../figure.ts';
import { startWith } from '../simulated-networks.ts';

/**
 * How many at each. Our adapters keep a pace of their own, whatever a simulator allows (a purchase each 4.5 s at Vast.ai, 60 calls a
 * minute at RunPod, 120 at io.net and Akash), so that these few take as long as all the others at Prime Intellect.
 */
const AT = new Map([
  ['vast', 10],
  ['ionet', 20],
  ['runpod', 20],
  ['akash', 20],
  ['prime', 930],
]);
const ROWS = { vast: 100, ionet: 100, prime: 1_900, akash: 100, nosana: 1, runpod: 60 };
/** No limit of a cluster is reached: the dearest machines are among them. */
const CAP = '900000000';
/** Longer than this takes: a launch that is over is none in flight. */
const NEVER_MS = 24 * 3_600_000;
const LOOK_AGAIN_MS = 1_000;
const PATIENCE_MS = 900_000;
/** What the meter may differ from the bill by: networks that do not say when one began or ended are counted by looks of ours. */
const MOST_OFF_MS = 30_000;

export const launchesAtNetworks: Benchmark = {
  names: ['launches_1000_memory_mb', 'launches_1000_wrong'],
  async run(report) {
    const simulators = crowdedNetworks(ROWS, NEVER_MS);
    const networks = await startWith(simulators);
    const { daemon } = networks;
    try {
      const each = [...AT].map(async ([id, count]) => {
        const quotes: string[] = [];
        for (const offer of await offersOf(daemon, id, count)) {
          const request = { offerIds: [offer.id], engine: 'single' as const, capMicroUsd: CAP };
          quotes.push((await daemon.client.api.quotes.create(request)).id);
        }
        report(`${quotes.length.toString()} quotes of ${id}`);
        return quotes;
      });
      const quotes = (await Promise.all(each)).flat();
      const cpuBefore = processorSeconds(daemon.pid);
      await Promise.all(quotes.map(quoteId => daemon.client.api.clusters.create({ quoteId })));
      await untilAll(daemon, ({ nodes }) => nodes[0]?.phase === 'booting', report, 'bought');
      const memory = mostResidentMegabytes(daemon.pid);
      const cpu = processorSeconds(daemon.pid) - cpuBefore;
      const bought = [...simulators.values()].flatMap(simulator => simulator.rentals());
      for (const { id } of await daemon.client.api.clusters.list()) {
        await daemon.client.api.clusters.stop({ clusterId: id, skipSave: true });
      }
      await untilAll(daemon, isOver, report, 'ended');
      const wrong = await wrongs(daemon, simulators, bought);
      wrong.forEach(report);
      return [
        figure({
          name: 'launches_1000_memory_mb',
          value: memory,
          unit: 'MB',
          target: { atMost: 1_000 },
          note: `the most that the daemon had resident with ${quotes.length.toString()} purchases in flight at five networks; ${cpu.toFixed(0)} s of processor time until all were bought`,
        }),
        figure({
          name: 'launches_1000_wrong',
          value: wrong.length,
          unit: 'faults',
          target: { atMost: 0 },
          note: 'each rented once, all ended, the meter within half a minute of each network’s bill',
        }),
      ];
    } finally {
      await networks.end();
    }
  },
};

/** Each at a place of its own: two of one physical machine exclude each other. */
async function offersOf(
  { client }: DaemonUnderTest,
  network: string,
  count: number,
): Promise<readonly Offer[]> {
  const { offers } = await client.api.offers.query({
    filter: { providers: [network], rentable: true, markets: ['on_demand'], minGpuCount: 1 },
    limit: 1_000,
  });
  const hosts = new Set<string>();
  const found = offers
    .filter(({ together, stock }) => together === undefined && stock > 0)
    .filter(({ id, hostId = id }) => !hosts.has(hostId) && hosts.add(hostId));
  if (found.length < count) {
    throw new Error(`${network} has ${found.length.toString()} offers: ${count.toString()} are wanted.`);
  }
  return found.slice(0, count);
}

async function untilAll(
  { client }: DaemonUnderTest,
  holds: (cluster: Cluster) => boolean,
  report: (progress: string) => void,
  what: string,
): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const all = await client.api.clusters.list();
    const left = all.filter(cluster => !holds(cluster));
    if (left.length === 0) {
      return;
    }
    const where = Map.groupBy(left, ({ nodes }) => nodes[0]?.attempts[0]?.provider ?? 'none yet');
    const counts = [...where].map(([id, own]) => `${own.length.toString()} at ${id}`).join(', ');
    report(`${(all.length - left.length).toString()} of ${all.length.toString()} are ${what}; not ${counts}`);
    const failed = left.find(({ phase }) => phase === 'failed');
    if (failed !== undefined || performance.now() > untilMs) {
      const [{ name, message } = { name: 'none', message: '' }] = failed === undefined ? left : [failed];
      throw new Error(`Not all are ${what}: ${name}: ${message}`);
    }
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
}

/** A sentence for each. */
async function wrongs(
  { client }: DaemonUnderTest,
  simulators: ReadonlyMap<string, Simulator>,
  bought: readonly SimRental[],
): Promise<readonly string[]> {
  const clusters = await client.api.clusters.list();
  const attempts = clusters.flatMap(({ nodes }) => nodes.flatMap(node => node.attempts));
  const wrong: string[] = [];
  const ids = new Set(attempts.flatMap(({ instanceId }) => (instanceId === null ? [] : [instanceId])));
  if (bought.length !== clusters.length || ids.size !== clusters.length) {
    wrong.push(`${clusters.length.toString()} were asked for, and ${bought.length.toString()} rented`);
  }
  for (const [id, simulator] of simulators) {
    const standing = simulator.rentals().filter(({ endedAtMs }) => endedAtMs === null);
    if (standing.length > 0) {
      wrong.push(`${standing.length.toString()} of ${id} were not ended`);
    }
    const billed = simulator.bill().reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0n);
    const own = clusters.filter(({ nodes }) => nodes[0]?.attempts[0]?.provider === id);
    const counted = own.reduce((sum, { usage }) => sum + parseMicroUsd(usage.accruedMicroUsd), 0n);
    const off = counted > billed ? counted - billed : billed - counted;
    const perHour = bought
      .filter(rental =>
        simulator.rentals().some(other => other.id === rental.id && other.mark === rental.mark),
      )
      .reduce((sum, { perHourMicroUsd }) => sum + perHourMicroUsd, 0n);
    if (off > costOver(perHour, MOST_OFF_MS)) {
      wrong.push(`${id} billed ${billed.toString()}, and ${counted.toString()} were counted`);
    }
  }
  return wrong;
}

/** The most that it ever had resident, in MB, as Linux counts it. */
function mostResidentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid.toString()}/status`, 'utf8');
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024) / 1e6;
}
