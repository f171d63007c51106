/** io.net's adapter on the simulator of it. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { seededRandom } from '@hitch/platform/src/random.ts';
import * as z from 'zod';
import { IonetProvider } from '../../backend-proxy/src/providers/ionet/ionet-provider.ts';
import { type FaultRule, Faults } from '../simulators/frame/faults.ts';
import type { SimMachines } from '../simulators/frame/simulator.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { IONET_KEY } from '../simulators/ionet/door.ts';
import { IonetSimulator, type IonetOptions } from '../simulators/ionet/ionet-simulator.ts';
import { farWays } from './far-subject.ts';
import type { ProviderSubject } from './provider-rig.ts';

export const DEPLOY = /^POST .*\/deploy$/;
export const LIST = /^GET .*\/deployments$/;
export const answering = (status: number, said: unknown): FaultRule['fault'] => ({
  does: 'answer',
  answer: { status, body: said },
});

export interface IonetSubject extends ProviderSubject {
  readonly provider: IonetProvider;
  readonly simulator: IonetSimulator;
  readonly clock: VirtualClock;
  readonly faults: Faults;
}

/** @param machines left out: where it says that ssh leads there is nothing */
export function ionet(
  options: Partial<IonetOptions> = {},
  rules: readonly FaultRule[] = [],
  machines?: SimMachines,
): IonetSubject {
  const clock = new VirtualClock();
  const simulator = new IonetSimulator({
    clock,
    ...(machines === undefined ? {} : { machines }),
    ...options,
  });
  const ways = farWays();
  const faults = new Faults(rules, () => seededRandom(1).next());
  const open = () =>
    new IonetProvider({
      base: 'https://api.io.solutions',
      transport: transportTo(simulator, { clock, faults }),
      login: () => Promise.resolve({ apiKey: IONET_KEY }),
      clock,
    });
  return {
    provider: open(),
    restarted: open,
    far: ways.far,
    simulator,
    clock,
    faults,
    boughtElsewhere: () => byHand(simulator),
    pass: async ms => clock.jump(ms),
    dispose: async () => {
      await ways.close();
      await simulator.close();
      assert.deepEqual(simulator.complaints, []);
    },
  };
}

/** Rented by somebody at the network's own pages. */
export async function byHand(simulator: IonetSimulator, name = 'my notebook'): Promise<string> {
  const { body } = await simulator.handle({
    method: 'POST',
    path: '/enterprise/v1/io-cloud/vmaas/deploy',
    query: new URLSearchParams(),
    headers: { 'x-api-key': IONET_KEY },
    body: {
      resource_private_name: name,
      duration_hours: 2,
      gpus_per_vm: 1,
      hardware_id: '1RTX4090.16V',
      location_ids: ['US'],
    },
  });
  return z.object({ deployment_id: z.string() }).parse(body).deployment_id;
}
