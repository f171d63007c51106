/**
 * The `fetch` that Jupyter uses for a cluster: node-fetch 2 to its caller, always with the daemon's present address and
 * bearer. Requests to anybody else pass through without either.
 */
import nodeFetch, { Headers, Request, type RequestInfo, type RequestInit, type Response } from 'node-fetch';
import type { FoundDaemon } from '@hitch/proxy/src/daemon/find.ts';

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

export function createKernelFetch(deps: KernelFetchDeps): KernelFetch {
  return async (input, init) => {
    const asked = new Request(input instanceof URL ? input.href : input, init);
    if (!deps.isOurs(asked.url)) {
      return nodeFetch(asked);
    }
    // Read once: a stream cannot be sent again.
    const body = READS.has(asked.method) ? undefined : Buffer.from(await asked.arrayBuffer());
    for (let tries = 0; ; tries++) {
      const pauseMs = PAUSES_MS[tries];
      try {
        const response = await send(await deps.current(), asked, init, body);
        if (response.status !== 401 || pauseMs === undefined) {
          return response;
        }
      } catch (error) {
        const again = READS.has(asked.method) || neverArrived(error);
        if (pauseMs === undefined || !again || isAborted(init)) {
          throw error;
        }
      }
      deps.doubt();
      await deps.sleep(pauseMs);
    }
  };
}

const isAborted = (init: RequestInit | undefined): boolean => init?.signal?.aborted === true;

function send(
  daemon: FoundDaemon,
  asked: Request,
  init: RequestInit | undefined,
  body: Buffer | undefined,
): Promise<Response> {
  const { pathname, searchParams } = new URL(asked.url);
  // The daemon wants no token in a URL, where logs would keep it.
  searchParams.delete('token');
  const query = searchParams.size === 0 ? '' : `?${searchParams.toString()}`;
  const headers = new Headers(asked.headers);
  headers.set('authorization', `Bearer ${daemon.token}`);
  headers.delete('host');
  return nodeFetch(`${daemon.baseUrl}${pathname}${query}`, {
    method: asked.method,
    headers,
    redirect: 'error',
    ...(body === undefined || body.length === 0 ? {} : { body }),
    ...(init?.signal === undefined || init.signal === null ? {} : { signal: init.signal }),
  });
}
