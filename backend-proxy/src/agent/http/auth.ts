/** The agent's one credential: the bearer from its configuration. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HitchError } from '@hitch/contract';

export type CheckBearer = (headers: IncomingHttpHeaders) => void;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The answer throws UNAUTHORIZED unless the header carries exactly `token`; its time does not depend on the guess. */
export function bearerCheck(token: string): CheckBearer {
  const expected = digest(`Bearer ${token}`);
  return headers => {
    if (!timingSafeEqual(digest(headers.authorization ?? ''), expected)) {
      throw new HitchError('UNAUTHORIZED', "The agent's bearer token is missing or wrong.");
    }
  };
}
