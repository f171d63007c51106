/** The way of a copy to an agent: over whatever link there is to it at that moment. */
import { Readable } from 'node:stream';
import { HitchError } from '@hitch/contract';
import type { SendTransfer } from '@hitch/transfer';
import { agentClient } from '../access/agent-client.ts';
import type { AgentLink } from '../access/agent-link.ts';

/** @param linkOf the link of now. @throws HitchError where there is none. */
export function transferOver(linkOf: () => AgentLink): SendTransfer {
  return async ({ path, body, signal }) => {
    const link = linkOf();
    // Kept by what is returned: a signal made of others may be collected while somebody still listens.
    const either = AbortSignal.any([signal, link.closed]);
    try {
      const answer = await agentClient(link).raw({
        method: 'POST',
        path,
        body: Buffer.isBuffer(body) ? body : Readable.from(body, { objectMode: false }),
        signal: either,
      });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: bytesUntil(either, answer.body),
        trailers: () => answer.body.trailers,
        drop: async () => {
          answer.body.destroy();
        },
      };
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof HitchError
        ? error
        : new HitchError('UNREACHABLE', 'The machine’s agent does not answer; its work may continue.', {
            cause: error,
          });
    }
  };
}

async function* bytesUntil(signal: AbortSignal, body: Readable): AsyncGenerator<Uint8Array> {
  for await (const some of body) {
    signal.throwIfAborted();
    if (some instanceof Uint8Array) {
      yield some;
    }
  }
}
