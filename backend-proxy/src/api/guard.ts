/** Who may speak to the daemon: the right Host, no foreign Origin, and the bearer. The same for sockets. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HitchError } from '@hitch/contract';

/** A Jupyter server's own header: which folder it shows. It passes on none that a page sends. */
export const LOCAL_ROOT = 'x-hitch-local-root';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export type Bearer = 'program' | 'page';

export interface Guard {
  /** @throws HitchError FORBIDDEN_ORIGIN. A page of another site, or a name rebound to loopback, ends here. */
  checkPlace(headers: IncomingHttpHeaders): void;
  /**
   * Whose bearer it is: of the user's own programs, or of what speaks for pages.
   * @throws HitchError UNAUTHORIZED, after the same time whatever was guessed.
   */
  checkBearer(headers: IncomingHttpHeaders): Bearer;
  /** Whether a request shows a bearer of the daemon's, right here or not. */
  showsBearer(headers: IncomingHttpHeaders): boolean;
  /**
   * What comes from the daemon's own window: it has no bearer, and a page elsewhere cannot say that it is here.
   * @throws HitchError FORBIDDEN_ORIGIN
   */
  checkOwnOrigin(headers: IncomingHttpHeaders): void;
}

/** `port` is asked for on each request: it is not known before the server listens. */
export function createGuard(options: {
  token: string;
  pageToken: string;
  port: () => number;
  /** Origins besides the daemon's own that may call it, such as a team's page. */
  allowedOrigins?: readonly string[];
}): Guard {
  const program = digest(`Bearer ${options.token}`);
  const page = digest(`Bearer ${options.pageToken}`);
  const allowed = new Set(options.allowedOrigins);
  const hosts = () => ['127.0.0.1', 'localhost'].map(host => `${host}:${options.port()}`);
  const bearersIn = ({ authorization }: IncomingHttpHeaders) => {
    const given = digest(authorization ?? '');
    return { isProgram: timingSafeEqual(given, program), isPage: timingSafeEqual(given, page) };
  };
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
      const { isProgram, isPage } = bearersIn(headers);
      if (!isProgram && !isPage) {
        throw new HitchError('UNAUTHORIZED', 'The bearer token is missing or wrong.', {
          next: 'Read the present token from daemon.json in Hitch’s folder; it changes with each start.',
        });
      }
      // A bridge of an earlier version has the bearer of programs and says all the same that it speaks for pages.
      return isPage || headers[LOCAL_ROOT] !== undefined ? 'page' : 'program';
    },
    showsBearer(headers) {
      const { isProgram, isPage } = bearersIn(headers);
      return isProgram || isPage;
    },
    checkOwnOrigin({ origin, authorization }) {
      const isOwn = hosts().some(own => origin === `http://${own}`);
      if (!isOwn || authorization !== undefined) {
        throw new HitchError('FORBIDDEN_ORIGIN', 'Only the daemon’s own window may answer here.');
      }
    },
  };
}
