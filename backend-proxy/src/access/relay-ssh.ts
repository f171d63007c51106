/**
 * The relay's answers about ssh. On this computer a connection need not lead through the daemon: it goes from `ssh-proxy`
 * to the agent's own socket, and outlives the daemon as it outlives the agent.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HitchError, isAbort, type SshWay } from '@hitch/contract';
import { type Clock, within } from '@hitch/platform/src/clock.ts';
import { agentClient } from './agent-client.ts';
import type { AgentLink } from './agent-link.ts';
import { answerError, SAFE_HEADERS, unreachable } from './relay-answer.ts';

/** `ssh` waits meanwhile. */
const ANSWER_WITHIN_MS = 15_000;

/** GET: a way past the daemon. POST: it is used. */
export async function answerSsh(
  { method }: IncomingMessage,
  response: ServerResponse,
  findLink: () => AgentLink,
  clock: Clock,
): Promise<void> {
  try {
    if (method !== 'GET' && method !== 'POST') {
      throw new HitchError('BAD_INPUT', `This address does not take ${String(method)}.`);
    }
    const link = findLink();
    const { call } = agentClient(link);
    const answer: SshWay | object = await within(clock, ANSWER_WITHIN_MS, async signal =>
      method === 'POST'
        ? call.touch(undefined, { signal })
        : { address: link.address, ...(await call.sshTicket(undefined, { signal })) },
    ).catch((error: unknown) => {
      throw isAbort(error) ? unreachable(error) : error;
    });
    response.writeHead(200, SAFE_HEADERS);
    response.end(JSON.stringify(answer));
  } catch (error) {
    answerError(response, error);
  }
}
