/** The networks that are simulated, over HTTP in this process, for a daemon in a process of its own that rents there. */
import { systemClock } from '@hitch/platform/src/clock.ts';
import { type KnownSimulator, SIMULATORS, urlVariable } from '../simulators/all.ts';
import { Faults } from '../simulators/frame/faults.ts';
import { serveSimulator } from '../simulators/frame/server.ts';
import type { Simulator } from '../simulators/frame/simulator.ts';
import { type DaemonUnderTest, startDaemon } from './daemon-under-test.ts';

export interface SimulatedNetworks {
  readonly daemon: DaemonUnderTest;
  end(): Promise<void>;
}

/**
 * A daemon that is logged in at each of them and has read their offers.
 * @param simulators by the network's id
 */
export async function startWith(simulators: ReadonlyMap<string, Simulator>): Promise<SimulatedNetworks> {
  const known = SIMULATORS.filter(({ id }) => simulators.has(id));
  const servers = await Promise.all(
    [...simulators.values()].map(simulator =>
      serveSimulator(simulator, { clock: systemClock, faults: new Faults([], () => 1) }),
    ),
  );
  const urls = [...simulators.keys()].map((id, at) => [urlVariable(id), servers[at]?.url ?? '']);
  const daemon = await startDaemon({
    HITCH_PROVIDERS: [...simulators.keys()].join(','),
    ...(Object.fromEntries(urls) as Record<string, string>),
  });
  const logins = known.filter(({ key }) => key !== null);
  for (const { id, key } of logins) {
    await daemon.client.api.networks.login({ provider: id, values: { apiKey: key ?? '' } });
  }
  await untilOffered(daemon, known);
  return {
    daemon,
    end: async () => {
      for (const { id } of logins) {
        await daemon.client.api.networks.logout({ provider: id }).catch(() => undefined);
      }
      await daemon.leave();
      await Promise.all(servers.map(server => server[Symbol.asyncDispose]()));
      await Promise.all([...simulators.values()].map(simulator => simulator.close()));
    },
  };
}

const LOOK_AGAIN_MS = 200;
const PATIENCE_MS = 300_000;

async function untilOffered({ client }: DaemonUnderTest, known: readonly KnownSimulator[]): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const missing: string[] = [];
    for (const { id } of known) {
      const { matched } = await client.api.offers.query({ filter: { providers: [id] }, limit: 1 });
      missing.push(...(matched === 0 ? [id] : []));
    }
    if (missing.length === 0) {
      return;
    }
    if (performance.now() > untilMs) {
      throw new Error(`Nothing is offered at ${missing.join(', ')}.`);
    }
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
}
