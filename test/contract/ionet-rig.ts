/** io.net's adapter on the simulator of it. */
import * as z from 'zod';
import { IonetProvider } from '../../backend-proxy/src/providers/ionet/ionet-provider.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import type { SimMachines } from '../simulators/frame/simulator.ts';
import { IONET_KEY } from '../simulators/ionet/door.ts';
import { IonetSimulator, type IonetOptions } from '../simulators/ionet/ionet-simulator.ts';
import { type SubjectOver, subjectOver } from './simulated-rig.ts';

export const DEPLOY = /^POST .*\/deploy$/;
export const LIST = /^GET .*\/deployments$/;
export const answering = (status: number, said: unknown): FaultRule['fault'] => ({
  does: 'answer',
  answer: { status, body: said },
});

export type IonetSubject = SubjectOver<IonetProvider, IonetSimulator>;

/** @param machines left out: where it says that ssh leads there is nothing */
export const ionet = (
  options: Partial<IonetOptions> = {},
  rules: readonly FaultRule[] = [],
  machines?: SimMachines,
): IonetSubject =>
  subjectOver({
    simulator: clock =>
      new IonetSimulator({ clock, ...(machines === undefined ? {} : { machines }), ...options }),
    adapter: around =>
      new IonetProvider({
        ...around,
        base: 'https://api.io.solutions',
        login: () => Promise.resolve({ apiKey: IONET_KEY }),
      }),
    rules,
    boughtElsewhere: simulator => byHand(simulator),
  });

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
