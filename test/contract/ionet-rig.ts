/** io.net's adapter on the simulator of it. */
import * as z from 'zod';
import { IonetProvider } from '../../backend-proxy/src/providers/ionet/ionet-provider.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import type { SimMachines } from '../simulators/frame/simulator.ts';
import { WebContainers } from '../simulators/frame/web-containers.ts';
import { IONET_KEY } from '../simulators/ionet/door.ts';
import { IonetSimulator, type IonetOptions } from '../simulators/ionet/ionet-simulator.ts';
import type { ProviderSubject } from './provider-rig.ts';
import { type SubjectOver, subjectOver } from './simulated-rig.ts';
import { behindGateway } from './web-rig.ts';

export const DEPLOY = /^POST .*\/deploy$/;
export const LIST = /^GET .*\/deployments$/;
export const answering = (status: number, said: unknown): FaultRule['fault'] => ({
  does: 'answer',
  answer: { status, body: said },
});

export type IonetSubject = SubjectOver<IonetProvider, IonetSimulator>;

/**
 * It has no containers where a test does not say so.
 * @param machines left out: where it says that ssh leads there is nothing
 */
export const ionet = (
  options: Partial<IonetOptions> = {},
  rules: readonly FaultRule[] = [],
  machines?: SimMachines,
): IonetSubject =>
  subjectOver({
    simulator: clock =>
      new IonetSimulator({
        clock,
        containerHardware: [],
        ...(machines === undefined ? {} : { machines }),
        ...options,
      }),
    adapter: around =>
      new IonetProvider({
        ...around,
        base: 'https://api.io.solutions',
        login: () => Promise.resolve({ apiKey: IONET_KEY }),
      }),
    rules,
    boughtElsewhere: simulator => byHand(simulator),
  });

/** Its containers are on the web behind a gateway, whose certificate `ssh`'s program trusts meanwhile. */
export const ionetWithContainers = (
  options: Partial<IonetOptions>,
  rules: readonly FaultRule[],
): Promise<ProviderSubject> =>
  behindGateway(gateway => {
    const subject = ionet({ ...options, containers: new WebContainers(gateway) }, rules);
    return { ...subject, boughtElsewhere: () => containerByHand(subject.simulator) };
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

async function containerByHand(simulator: IonetSimulator): Promise<string> {
  const { body } = await simulator.handle({
    method: 'POST',
    path: '/enterprise/v1/io-cloud/caas/deploy',
    query: new URLSearchParams(),
    headers: { 'x-api-key': IONET_KEY },
    body: {
      resource_private_name: 'my endpoint',
      duration_hours: 2,
      gpus_per_container: 1,
      hardware_id: 'gpu_1x_l40',
      location_ids: ['US'],
      container_config: { replica_count: 1, traffic_port: 8000 },
      registry_config: { image_url: 'vllm/vllm-openai:latest' },
    },
  });
  const { deployment_id: id } = z.object({ deployment_id: z.string() }).parse(body);
  return `container:${id}`;
}
