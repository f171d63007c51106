/**
 * A request that reaches the daemon although it starts anew with another token or port meanwhile. It is sent again only
 * where that is harmless: it never arrived, it only reads, or the daemon did not know the bearer.
 */
import type { DaemonPlace } from './place.ts';

export interface SendDeps {
  readonly place: DaemonPlace;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly sleep: (ms: number) => Promise<void>;
}

const TRIES = 4;
const PAUSE_MS = 150;

function neverArrived(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

export async function sendSurely(deps: SendDeps, first: Request): Promise<Response> {
  const { place } = deps;
  let request = first;
  for (let tries = 1; ; tries++) {
    const attempt = request.clone();
    const last = tries === TRIES || request.signal.aborted;
    try {
      const response = await deps.fetch(attempt);
      if (response.status !== 401 || last) {
        return response;
      }
      await response.body?.cancel();
    } catch (error) {
      if (last || !(request.method === 'GET' || neverArrived(error))) {
        throw error;
      }
    }
    place.doubt();
    await deps.sleep(PAUSE_MS * tries);
    const now = await place.current();
    const from = new URL(request.url);
    const moved = new Request(`${now.baseUrl}${from.pathname}${from.search}`, request);
    moved.headers.set('authorization', `Bearer ${now.token}`);
    request = moved;
  }
}
