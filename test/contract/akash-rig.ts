/** Akash's adapter on the simulator of it. */
import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import * as z from 'zod';
import { AkashProvider } from '../../backend-proxy/src/providers/akash/akash-provider.ts';
import { AKASH_KEY, type AkashOptions, AkashSimulator } from '../simulators/akash/akash-simulator.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import type { SimMachines, SimRequest } from '../simulators/frame/simulator.ts';
import { type SubjectOver, subjectOver } from './simulated-rig.ts';

export const CREATE = /^POST \/v1\/deployments$/;
export const LEASE = /^POST \/v1\/leases$/;
export const LIST = /^GET \/v1\/deployments$/;

export const answering = (status: number, body: unknown): FaultRule['fault'] => ({
  does: 'answer',
  answer: { status, body },
});

export type AkashSubject = SubjectOver<AkashProvider, AkashSimulator>;

/** @param machines left out: where it says that ssh leads there is nothing */
export const akash = (
  options: Partial<AkashOptions> = {},
  rules: readonly FaultRule[] = [],
  machines?: SimMachines,
): AkashSubject =>
  subjectOver({
    simulator: clock =>
      new AkashSimulator({ clock, ...(machines === undefined ? {} : { machines }), ...options }),
    adapter: around =>
      new AkashProvider({
        ...around,
        base: 'https://console-api.akash.network',
        login: () => Promise.resolve({ apiKey: AKASH_KEY }),
        // A container's user is root; one of these is whoever runs the tests.
        sshUser: userInfo().username,
      }),
    rules,
    unknownId: '1700000000000',
    boughtElsewhere: byHand,
  });

export const asked = (method: string, path: string, body?: unknown, agent?: string): SimRequest => ({
  method,
  path,
  query: new URLSearchParams(),
  headers: { 'x-api-key': AKASH_KEY, ...(agent === undefined ? {} : { 'user-agent': agent }) },
  body,
});

/** Ordered and leased by somebody at the network's own pages, in an SDL as people write them. */
export async function byHand(simulator: AkashSimulator): Promise<string> {
  const sdl = [
    'version: "2.0"',
    'services:',
    '  web:',
    '    image: nginx',
    '    expose:',
    '      - port: 80',
    '        to:',
    '          - global: true',
    'profiles:',
    '  compute:',
    '    web:',
    '      resources:',
    '        cpu: { units: 1 }',
    '        memory: { size: 1Gi }',
    '        storage: { size: 1Gi }',
    '        gpu: { units: 1, attributes: { vendor: { nvidia: [{ model: rtx4090 }] } } }',
    '  placement:',
    '    anywhere:',
    '      pricing:',
    '        web: { denom: uact, amount: 100000 }',
    'deployment:',
    '  web:',
    '    anywhere: { profile: web, count: 1 }',
  ].join('\n');
  const created = await simulator.handle(asked('POST', '/v1/deployments', { data: { sdl, deposit: 5 } }));
  const { data } = z
    .object({ data: z.object({ dseq: z.string(), manifest: z.string() }) })
    .parse(created.body);
  const lease = { dseq: data.dseq, gseq: 1, oseq: 1, provider: 'akash1audited' };
  const leased = await simulator.handle(
    asked('POST', '/v1/leases', { manifest: data.manifest, leases: [lease] }),
  );
  assert.equal(leased.status, 200);
  return data.dseq;
}
