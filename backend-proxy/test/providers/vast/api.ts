/** Vast.ai's API as its client meets it: what is answered by each test, in shapes that were written by hand, and what was asked. */
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import type { HttpAnswer, HttpRequest } from '../../../src/providers/http/transport.ts';
import { ProviderError } from '../../../src/providers/provider.ts';
import { VastProvider } from '../../../src/providers/vast/vast-provider.ts';

export const signal: AbortSignal = new AbortController().signal;

export interface Asked {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: HttpRequest['headers'];
  readonly body: unknown;
}

export interface Answered {
  readonly status?: number;
  readonly headers?: HttpAnswer['headers'];
  /** A text is sent as it is, everything else as JSON. */
  readonly body: unknown;
}

/** Noon, so that it is half a day to midnight. */
export const NOON = Date.UTC(2026, 10, 3, 12);

/** An adapter whose requests are answered by this, one after the other; the last answer stands. */
export function vast(...answers: readonly (Answered | ((asked: Asked) => Answered))[]) {
  const asked: Asked[] = [];
  const provider = new VastProvider({
    base: 'https://vast.example',
    clock: new VirtualClock(NOON),
    login: () => Promise.resolve({ apiKey: 'a-key-of-the-test' }),
    transport: request => {
      const one = askedIn(request);
      const answer = answers[Math.min(asked.length, answers.length - 1)];
      asked.push(one);
      return Promise.resolve(sent(typeof answer === 'function' ? answer(one) : (answer ?? { body: {} })));
    },
  });
  return { provider, asked };
}

function askedIn({ method, url, headers, body }: HttpRequest): Asked {
  const { pathname, searchParams } = new URL(url);
  return {
    method,
    path: pathname,
    query: searchParams,
    headers,
    body: body === null ? undefined : (JSON.parse(body) as unknown),
  };
}

const sent = ({ status = 200, headers = {}, body }: Answered): HttpAnswer => ({
  status,
  headers: {
    'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
    date: new Date(NOON).toUTCString(),
    ...headers,
  },
  text: typeof body === 'string' ? body : JSON.stringify(body),
});

export async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ProviderError) {
      return error;
    }
    throw error;
  }
  throw new Error('it did not fail');
}

/** A row of a search. A GB of its disk costs 300 micro-dollars an hour. */
export const offerRow = (of: object = {}): object => ({
  id: 71_003,
  machine_id: 4402,
  host_id: 918,
  num_gpus: 2,
  gpu_name: 'RTX 4090',
  gpu_ram: 24_564,
  cpu_cores: 64,
  cpu_cores_effective: 16,
  cpu_ram: 128_000,
  disk_space: 400.7,
  dph_base: 0.6,
  dph_total: 0.615,
  min_bid: 0.25,
  storage_cost: 0.216,
  reliability2: 0.9931,
  verification: 'verified',
  hosting_type: 0,
  geolocation: 'Lower Saxony, DE',
  cuda_max_good: 12.8,
  inet_down: 812.6,
  inet_up: 640.2,
  duration: 900_000,
  rentable: true,
  rented: false,
  external: null,
  ...of,
});

/** A machine as its own page shows it. */
export const instanceRow = (of: object = {}): object => ({
  id: 5_500_123,
  label: 'hitch-abc',
  actual_status: 'running',
  intended_status: 'running',
  cur_state: 'running',
  next_state: 'running',
  status_msg: 'success, running vastai/base-image\n',
  num_gpus: 2,
  gpu_name: 'RTX 4090',
  is_bid: false,
  verification: 'verified',
  hosting_type: 0,
  dph_base: 0.6,
  dph_total: 0.615,
  storage_total_cost: 0.015,
  disk_space: 50,
  start_date: 1_762_000_000.5,
  end_date: 1_772_000_000,
  public_ipaddr: '198.51.100.7\n',
  ssh_host: 'ssh9.vast.example',
  ssh_port: 31_010,
  image_runtype: 'ssh_direc ssh_proxy',
  ports: { '22/tcp': [{ HostIp: '0.0.0.0', HostPort: '40022' }] },
  ...of,
});
