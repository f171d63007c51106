/** `POST /challenge`: proves to a client that this listener wrote the discovery file, before it sends its bearer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { challengeProof } from '@hitch/client-node/src/challenge-proof.ts';
import { challengeAnswerSchema, challengeSchema, HitchError, PROTOCOL } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { readJson } from './body.ts';
import { sendJson } from './envelope.ts';

const MAX_BODY_BYTES = 1024;
/** Each client asks once a connection; many windows opening at once stay far under this. */
const PER_SECOND = 50;

export function createChallenge(options: { challengeKey: string; version: string; clock: Clock }) {
  let windowStart = options.clock.monotonic();
  let answered = 0;

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const now = options.clock.monotonic();
    if (now - windowStart >= 1000) {
      windowStart = now;
      answered = 0;
    }
    answered += 1;
    if (answered > PER_SECOND) {
      throw new HitchError('UNREACHABLE', 'Too many challenges at once; ask again in a second.');
    }
    const parsed = challengeSchema.safeParse(await readJson(request, MAX_BODY_BYTES));
    if (!parsed.success) {
      throw new HitchError('BAD_INPUT', '“nonce” must be 64 lower-case hexadecimal digits.', {
        field: 'nonce',
      });
    }
    sendJson(
      response,
      200,
      challengeAnswerSchema.parse({
        proof: challengeProof(options.challengeKey, parsed.data.nonce),
        protocol: PROTOCOL,
        version: options.version,
      }),
    );
  };
}
