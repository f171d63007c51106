/** The daemon's relayed Jupyter answers, asked for until they come. */
import { HitchError } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Session } from '@hitch/client-node/src/session.ts';

const TRIES = 8;
const TRY_AGAIN_MS = 500;

/**
 * Asks again while the daemon is restarted or the way to the cluster is mended. Only for requests that may be made
 * twice. @throws HitchError
 */
export async function askRelay(
  session: Session,
  clock: Clock,
  path: string,
  request: Pick<RequestInit, 'method' | 'body' | 'headers'> = {},
): Promise<Response> {
  for (let tries = 1; ; tries++) {
    try {
      return await session.client.raw(path, request);
    } catch (error) {
      const lost = error instanceof HitchError && ['UNREACHABLE', 'UNAUTHORIZED'].includes(error.code);
      if (tries === TRIES || !lost) throw error;
      await clock.sleep(TRY_AGAIN_MS * tries);
    }
  }
}
