/** Nosana's adapter on the simulator of it. */
import assert from 'node:assert/strict';
import * as z from 'zod';
import { NosanaProvider } from '../../backend-proxy/src/providers/nosana/nosana-provider.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import { NOSANA_MARKETS } from '../simulators/nosana/markets.ts';
import { NOSANA_KEY, type NosanaOptions, NosanaSimulator } from '../simulators/nosana/simulator.ts';
import { WebContainers } from '../simulators/frame/web-containers.ts';
import { type SubjectOver, subjectOver } from './simulated-rig.ts';
import { behindGateway } from './web-rig.ts';

export type NosanaSubject = SubjectOver<NosanaProvider, NosanaSimulator>;

/** Its machines are on the web, behind a gateway. */
export const nosanaWithMachines = (
  options: Partial<NosanaOptions>,
  rules: readonly FaultRule[],
): Promise<NosanaSubject> =>
  behindGateway(gateway => nosana({ ...options, machines: new WebContainers(gateway) }, rules));

/** Its machines are records. */
export const nosana = (
  options: Partial<NosanaOptions> = {},
  rules: readonly FaultRule[] = [],
): NosanaSubject =>
  subjectOver({
    simulator: clock => new NosanaSimulator({ clock, ...options }),
    adapter: around =>
      new NosanaProvider({
        ...around,
        base: 'https://api.nosana.com',
        login: () => Promise.resolve({ apiKey: NOSANA_KEY }),
      }),
    rules,
    boughtElsewhere: async simulator => {
      const id = await deployed(simulator, 'web-1');
      await toNosana(simulator, 'POST', `/api/deployments/${id}/start`);
      return id;
    },
  });

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
