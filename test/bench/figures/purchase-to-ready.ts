/** From a purchase to a machine that is ready, beyond what its network takes: of one, and of the last of several at once. */
import { chmodSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { SshdMachines } from '../../simulators/frame/sshd-machines.ts';
import { PRIME_ROWS } from '../../simulators/prime/availability.ts';
import { PrimeSimulator } from '../../simulators/prime/prime-simulator.ts';
import { gpuTools } from '../../support/gpu-tools.ts';
import { withoutOpenssh } from '../../support/openssh.ts';
import { roomyFolder } from '../../support/roomy-folder.ts';
import { type DaemonUnderTest, processorSeconds } from '../daemon-under-test.ts';
import { type Benchmark, figure, median } from '../figure.ts';
import { startWith } from '../simulated-networks.ts';
import { standIns } from '../stand-ins.ts';

/** What the network takes: to start a machine, and to install it. */
const START_MS = 2_000;
const INSTALL_MS = 3_000;
const ROUNDS = 3;
const SEVERAL = 6;
const LOOK_AGAIN_MS = 50;
/** Its price there: nothing of what is rented at once excludes another. */
const OFFER = 'community-4090';

export const purchaseToReady: Benchmark = {
  names: ['purchase_to_ready_added_s', 'purchase_to_ready_of_several_added_s'],
  async run(report) {
    const missing =
      withoutOpenssh() ?? (process.getuid?.() === 0 ? null : 'its machines are reached as root');
    if (missing !== null) {
      report(`skipped: ${missing}`);
      return [];
    }
    const folder = roomyFolder('hp-');
    chmodSync(folder, 0o755);
    const stood = standIns(folder);
    const gpu = gpuTools({ name: 'NVIDIA GeForce RTX 4090', memoryMiB: 24_576 });
    const machines = new SshdMachines([gpu, stood.tools.path]);
    const rows = PRIME_ROWS.filter(({ cloudId }) => cloudId === OFFER);
    const simulator = new PrimeSimulator({
      clock: systemClock,
      machines,
      rows: Array.from({ length: SEVERAL }, (_, at) =>
        rows.map(row => ({ ...row, cloudId: `${row.cloudId}.${at.toString()}` })),
      ).flat(),
      startMs: START_MS,
      installMs: INSTALL_MS,
      balance: 1_000_000,
    });
    const networks = await startWith(new Map([['prime', simulator]]));
    const { daemon } = networks;
    try {
      const { offers } = await daemon.client.api.offers.query({
        filter: { providers: ['prime'], rentable: true },
      });
      const ids = offers
        .filter(({ gpuCount, together }) => gpuCount > 0 && together === undefined)
        .map(({ id }) => id);
      const [first = ''] = ids;
      await addedSeconds(daemon, [first]);
      const before = processorSeconds(daemon.pid);
      const alone: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        alone.push(await addedSeconds(daemon, [first]));
        report(`one: ${alone.at(-1)?.toFixed(2) ?? ''} s`);
      }
      const each = (processorSeconds(daemon.pid) - before) / ROUNDS;
      const several = await addedSeconds(daemon, ids.slice(0, SEVERAL));
      return [
        figure({
          name: 'purchase_to_ready_added_s',
          value: median(alone),
          unit: 's',
          target: { atMost: 2 },
          note: `beside the ${((START_MS + INSTALL_MS) / 1000).toString()} s that the simulated network takes; the machine’s programs and its agent are stand-ins that answer at once; ${each.toFixed(2)} s of the daemon’s processor time for each; some 15 calls by ssh in turn, which other work on this computer (load ${loadavg()[0]?.toFixed(0) ?? '?'}) makes longer`,
        }),
        figure({
          name: 'purchase_to_ready_of_several_added_s',
          value: several,
          unit: 's',
          baseline: median(alone),
          target: { atMost: SEVERAL / 2 },
          of: 'ratio',
          note: `the last of ${SEVERAL.toString()} that were bought at once: were they done one after the other, the ratio would be above ${SEVERAL.toString()}`,
        }),
      ];
    } finally {
      await networks.end();
      await stood.end();
      rmSync(folder, { recursive: true, force: true });
      rmSync(gpu, { recursive: true, force: true });
    }
  },
};

/** Buys these at once. @returns seconds until the last of them is ready, without what the network took */
async function addedSeconds(daemon: DaemonUnderTest, offerIds: readonly string[]): Promise<number> {
  const { api } = daemon.client;
  const quotes = [];
  for (const id of offerIds) {
    quotes.push(await api.quotes.create({ offerIds: [id], engine: 'single', idleMs: 0 }));
  }
  const start = performance.now();
  const clusters = await Promise.all(quotes.map(({ id }) => api.clusters.create({ quoteId: id })));
  await untilReady(daemon, new Set(clusters.map(({ id }) => id)));
  const tookMs = performance.now() - start;
  await Promise.all(clusters.map(({ id }) => daemon.stop(id)));
  return (tookMs - START_MS - INSTALL_MS) / 1000;
}

/** Asks for all of them at once: what asks more often takes time from what it waits for. */
async function untilReady({ client }: DaemonUnderTest, ids: ReadonlySet<string>): Promise<void> {
  for (;;) {
    const own = (await client.api.clusters.list()).filter(({ id }) => ids.has(id));
    const failed = own.find(({ phase }) => phase === 'failed');
    if (failed !== undefined) {
      throw new Error(`${failed.name} failed: ${failed.message}`);
    }
    if (own.every(({ phase }) => phase === 'ready')) {
      return;
    }
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
}
