/** What a listener answers to a client that asks whether it wrote the discovery file. */
import { createHmac } from 'node:crypto';

/** @param challengeKey of the discovery file, which its owner alone can read. @param nonce 64 hexadecimal digits. */
export function challengeProof(challengeKey: string, nonce: string): string {
  return createHmac('sha256', challengeKey).update(nonce).digest('hex');
}
