/** Finding the daemon that runs for a home: by its file, its process, and its answer to a challenge. */
import { timingSafeEqual } from 'node:crypto';
import { request } from 'node:http';
import { challengeAnswerSchema, type Discovery } from '@hitch/contract';
import { challengeProof } from './challenge-proof.ts';
import type { Home } from '@hitch/platform/src/paths.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import { isAlive, readDiscovery } from './discovery.ts';

const CHALLENGE_TIMEOUT_MS = 5_000;
const LONGEST_ANSWER = 10_000;

export interface FoundDaemon {
  readonly baseUrl: string;
  readonly token: string;
  readonly discovery: Discovery;
}

/**
 * The daemon that runs for `home`, or null. Whoever else listens on its port is not sent the bearer: the listener
 * has to prove first that it wrote the discovery file.
 */
export async function findDaemon(home: Home): Promise<FoundDaemon | null> {
  const discovery = readDiscovery(home);
  if (discovery === null || !isAlive(discovery.pid)) {
    return null;
  }
  const baseUrl = `http://127.0.0.1:${discovery.port}`;
  return (await proves(baseUrl, discovery.challengeKey))
    ? { baseUrl, token: discovery.token, discovery }
    : null;
}

async function proves(baseUrl: string, challengeKey: string): Promise<boolean> {
  const nonce = Buffer.from(systemRandom.bytes(32)).toString('hex');
  try {
    const parsed = challengeAnswerSchema.safeParse(JSON.parse(await challenge(baseUrl, nonce)));
    const expected = Buffer.from(challengeProof(challengeKey, nonce));
    const given = Buffer.from(parsed.success ? parsed.data.proof : '');
    return given.length === expected.length && timingSafeEqual(given, expected);
  } catch {
    return false;
  }
}

/** The text of the answer, whoever gives it. @throws Error when there is none in time, or a long one. */
function challenge(baseUrl: string, nonce: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request(
      `${baseUrl}/challenge`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        agent: false,
        signal: AbortSignal.timeout(CHALLENGE_TIMEOUT_MS),
      },
      answer => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          if (text.length > LONGEST_ANSWER) {
            answer.destroy(new Error('the answer is too long'));
          }
        });
        answer.once('end', () => resolve(text)).once('error', reject);
      },
    );
    asking.once('error', reject).end(JSON.stringify({ nonce }));
  });
}
