/** Nosana's adapter on the simulator of it. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { seededRandom } from '@hitch/platform/src/random.ts';
import * as z from 'zod';
import { NosanaProvider } from '../../backend-proxy/src/providers/nosana/nosana-provider.ts';
import { type FaultRule, Faults } from '../simulators/frame/faults.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { NOSANA_MARKETS } from '../simulators/nosana/markets.ts';
import { NOSANA_KEY, type NosanaOptions, NosanaSimulator } from '../simulators/nosana/simulator.ts';
import { WebContainers } from '../simulators/frame/web-containers.ts';
import { farWays } from './far-subject.ts';
import type { ProviderSubject } from './provider-rig.ts';
import { behindGateway } from './web-rig.ts';

export interface NosanaSubject extends ProviderSubject {
  readonly provider: NosanaProvider;
  readonly simulator: NosanaSimulator;
  readonly clock: VirtualClock;
  readonly faults: Faults;
}

/** Its machines are on the web, behind a gateway. */
export const nosanaWithMachines = (
  options: Partial<NosanaOptions>,
  rules: readonly FaultRule[],
): Promise<NosanaSubject> =>
  behindGateway(gateway => nosana({ ...options, machines: new WebContainers(gateway) }, rules));

/** Its machines are records. */
export function nosana(
  options: Partial<NosanaOptions> = {},
  rules: readonly FaultRule[] = [],
): NosanaSubject {
  const clock = new VirtualClock();
  const simulator = new NosanaSimulator({ clock, ...options });
  const ways = farWays();
  const faults = new Faults(rules, () => seededRandom(1).next());
  const open = () =>
    new NosanaProvider({
      base: 'https://api.nosana.com',
      transport: transportTo(simulator, { clock, faults }),
      login: () => Promise.resolve({ apiKey: NOSANA_KEY }),
      clock,
    });
  return {
    provider: open(),
    restarted: open,
    far: ways.far,
    simulator,
    clock,
    faults,
    boughtElsewhere: async () => {
      const id = await deployed(simulator, 'web-1');
      await toNosana(simulator, 'POST', `/api/deployments/${id}/start`);
      return id;
    },
    pass: async ms => clock.jump(ms),
    dispose: async () => {
      await ways.close();
      await simulator.close();
      assert.deepEqual(simulator.complaints.splice(0), []);
    },
  };
}

/** As somebody else's client asks it. */
export async function toNosana(
  simulator: NosanaSimulator,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${NOSANA_KEY}`, 'user-agent': 'somebody' };
  const answer = await simulator.handle({ method, path, query: new URLSearchParams(), headers, body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** A draft of somebody's, of two replicas. @returns its id */
export async function deployed(simulator: NosanaSimulator, name: string): Promise<string> {
  const body = await toNosana(simulator, 'POST', '/api/deployments/create', {
    name,
    market: NOSANA_MARKETS[0]?.address,
    replicas: 2,
    timeout: 60,
    strategy: 'SIMPLE-EXTEND',
    job_definition: { version: '0.1', type: 'container', ops: [{ id: 'one' }] },
  });
  return z.looseObject({ id: z.string() }).parse(body).id;
}
