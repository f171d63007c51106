/** Who may speak to the daemon: the right Host, no foreign Origin, and the bearer. The same for sockets. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HitchError } from '@hitch/contract';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export interface Guard {
  /** @throws HitchError FORBIDDEN_ORIGIN. A page of another site, or a name rebound to loopback, ends here. */
  checkPlace(headers: IncomingHttpHeaders): void;
  /** @throws HitchError UNAUTHORIZED, after the same time whatever was guessed. */
  checkBearer(headers: IncomingHttpHeaders): void;
}

/** `port` is asked for on each request: it is not known before the server listens. */
export function createGuard(options: {
  token: string;
  port: () => number;
  /** Origins besides the daemon's own that may call it, such as a team's page. */
  allowedOrigins?: readonly string[];
}): Guard {
  const expected = digest(`Bearer ${options.token}`);
  const allowed = new Set(options.allowedOrigins);
  const hosts = () => ['127.0.0.1', 'localhost'].map(host => `${host}:${options.port()}`);
  return {
    checkPlace(headers) {
      const host = headers.host?.toLowerCase();
      if (host === undefined || !hosts().includes(host)) {
        throw new HitchError(
          'FORBIDDEN_ORIGIN',
          `This daemon answers as 127.0.0.1:${options.port()} or localhost:${options.port()}, not as the Host of this request.`,
        );
      }
      const { origin } = headers;
      if (origin !== undefined && !allowed.has(origin) && !hosts().some(own => origin === `http://${own}`)) {
        throw new HitchError('FORBIDDEN_ORIGIN', 'Pages of this Origin may not call the daemon.');
      }
    },
    checkBearer(headers) {
      if (!timingSafeEqual(digest(headers.authorization ?? ''), expected)) {
        throw new HitchError('UNAUTHORIZED', 'The bearer token is missing or wrong.', {
          next: 'Read the present token from daemon.json in Hitch’s folder; it changes with each start.',
        });
      }
    },
  };
}
