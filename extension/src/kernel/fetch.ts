/**
 * The `fetch` that Jupyter uses for a cluster: node-fetch 2 to its caller, always with the daemon's present address and
 * bearer. Requests to anybody else pass through without either.
 */
import nodeFetch, { Headers, Request, type RequestInfo, type RequestInit, type Response } from 'node-fetch';
import type { FoundDaemon } from '@hitch/client-node/src/find.ts';

export interface KernelFetchDeps {
  readonly isOurs: (url: string) => boolean;
  /** The daemon as it is now, started where there is none. */
  readonly current: () => Promise<FoundDaemon>;
  /** What is known does not hold: look anew. */
  readonly doubt: () => void;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A daemon that is replaced is away for a second or two; a start takes longer. */
const PAUSES_MS = [200, 500, 1_000, 2_000, 4_000];

const READS = new Set(['GET', 'HEAD']);

function neverArrived(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

export type KernelFetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Buffer | undefined;
  readonly signal: RequestInit['signal'];
}

interface ForeignRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Iterable<[string, string]>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** A request of whatever copy of node-fetch its caller has: ours would take it for a URL. */
const isRequest = (input: object): input is ForeignRequest =>
  'url' in input && 'method' in input && 'headers' in input;

async function read(input: RequestInfo | URL, init: RequestInit = {}): Promise<Asked> {
  const foreign = typeof input === 'object' && isRequest(input) ? input : null;
  const url = foreign?.url ?? (typeof input === 'string' ? input : 'href' in input ? input.href : input.url);
  const method = (init.method ?? foreign?.method ?? 'GET').toUpperCase();
  const headers = new Headers(foreign === null ? undefined : [...foreign.headers]);
  for (const [name, value] of new Headers(init.headers)) {
    headers.set(name, value);
  }
  const signal = init.signal ?? (foreign !== null && 'signal' in foreign ? asSignal(foreign.signal) : null);
  return { url, method, headers, signal, body: await bodyOf(method, foreign, init, headers) };
}

const isSignal = (signal: unknown): signal is NonNullable<RequestInit['signal']> =>
  typeof signal === 'object' && signal !== null && 'aborted' in signal && 'addEventListener' in signal;
const asSignal = (signal: unknown): RequestInit['signal'] => (isSignal(signal) ? signal : null);

/** Read once: a stream cannot be sent again. */
async function bodyOf(
  method: string,
  foreign: ForeignRequest | null,
  init: RequestInit,
  headers: Headers,
): Promise<Buffer | undefined> {
  if (READS.has(method)) {
    return undefined;
  }
  if (init.body !== undefined) {
    const own = new Request('http://nobody', { method, body: init.body, headers });
    const type = own.headers.get('content-type');
    if (type !== null) {
      headers.set('content-type', type);
    }
    return Buffer.from(await own.arrayBuffer());
  }
  return foreign === null ? undefined : Buffer.from(await foreign.arrayBuffer());
}

export function createKernelFetch(deps: KernelFetchDeps): KernelFetch {
  return async (input, init) => {
    const asked = await read(input, init);
    if (!deps.isOurs(asked.url)) {
      return send(asked.url, asked, asked.headers);
    }
    for (let tries = 0; ; tries++) {
      const pauseMs = PAUSES_MS[tries];
      try {
        const response = await sendTo(await deps.current(), asked);
        if (response.status !== 401 || pauseMs === undefined) {
          return response;
        }
      } catch (error) {
        const again = READS.has(asked.method) || neverArrived(error);
        if (pauseMs === undefined || !again || asked.signal?.aborted === true) {
          throw error;
        }
      }
      deps.doubt();
      await deps.sleep(pauseMs);
    }
  };
}

function sendTo(daemon: FoundDaemon, asked: Asked): Promise<Response> {
  const { pathname, searchParams } = new URL(asked.url);
  // The daemon wants no token in a URL, where logs would keep it.
  searchParams.delete('token');
  const query = searchParams.size === 0 ? '' : `?${searchParams.toString()}`;
  const headers = new Headers(asked.headers);
  headers.set('authorization', `Bearer ${daemon.token}`);
  headers.delete('host');
  return send(`${daemon.baseUrl}${pathname}${query}`, asked, headers);
}

function send(url: string, { method, body, signal }: Asked, headers: Headers): Promise<Response> {
  return nodeFetch(url, {
    method,
    headers,
    ...(body === undefined || body.length === 0 ? {} : { body }),
    ...(signal === undefined || signal === null ? {} : { signal }),
  });
}
