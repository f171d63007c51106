/** A simulated Vast.ai on a clock that a test moves, and its calls as somebody makes them. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import type { SimAnswer } from '../frame/simulator.ts';
import { VAST_KEY, type VastOptions, VastSimulator } from './vast-simulator.ts';

const offersSchema = z.object({
  offers: z.array(
    z.looseObject({
      id: z.number(),
      machine_id: z.number(),
      num_gpus: z.number(),
      dph_base: z.number(),
      dph_total: z.number(),
      min_bid: z.number(),
      storage_cost: z.number(),
      gpu_name: z.string(),
      verification: z.string(),
    }),
  ),
});
const instanceSchema = z.looseObject({
  id: z.number(),
  label: z.string().nullable(),
  actual_status: z.string().nullable(),
  cur_state: z.string(),
  intended_status: z.string(),
  next_state: z.string(),
  status_msg: z.string().nullable(),
  ports: z.record(z.string(), z.array(z.object({ HostPort: z.string() }))).nullable(),
  num_gpus: z.number(),
  dph_base: z.number(),
});
const shownSchema = z.object({ instances: instanceSchema.nullable() });
const listSchema = z.object({
  total_instances: z.number(),
  next_token: z.string().nullable(),
  instances: z.array(instanceSchema),
});
export const boughtSchema = z.object({ new_contract: z.number() });

interface Asked {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>>;
  readonly key?: string | null;
  readonly agent?: string;
}

export function rig(options: Partial<VastOptions> = {}) {
  const clock = new VirtualClock();
  const simulator = new VastSimulator({ clock, ...options });
  const ask = (method: string, path: string, asked: Asked = {}): Promise<SimAnswer> => {
    const { body, query = {}, key = VAST_KEY, agent = 'somebody/1.0' } = asked;
    return simulator.handle({
      method,
      path,
      query: new URLSearchParams(query),
      headers: { 'user-agent': agent, ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      body,
    });
  };
  const offers = async (filters: object = {}) =>
    offersSchema.parse((await ask('POST', '/api/v0/bundles/', { body: { limit: 1000, ...filters } })).body)
      .offers;
  const order = { image: 'ubuntu:24.04', disk: 20, label: 'hitch-one', runtype: 'ssh_direc ssh_proxy' };
  const rent = (askId: number, more: object = {}) =>
    ask('PUT', `/api/v0/asks/${askId.toString()}/`, { body: { ...order, ...more } });
  const bought = async (askId: number, more: object = {}) =>
    boughtSchema.parse((await rent(askId, more)).body).new_contract;
  const show = async (id: number) =>
    shownSchema.parse((await ask('GET', `/api/v0/instances/${id.toString()}/`)).body).instances;
  const list = async (query: Readonly<Record<string, string>> = {}) =>
    listSchema.parse((await ask('GET', '/api/v1/instances/', { query })).body);
  const destroy = (id: number) => ask('DELETE', `/api/v0/instances/${id.toString()}/`, { body: {} });
  const first = async (filters: object = {}) => {
    const [offer] = await offers(filters);
    assert.ok(offer !== undefined);
    return offer;
  };
  return { clock, simulator, ask, offers, rent, bought, show, list, destroy, first };
}

export const errorOf = ({ status, body }: SimAnswer) => ({
  status,
  error: z.looseObject({ error: z.string() }).parse(body).error,
});
