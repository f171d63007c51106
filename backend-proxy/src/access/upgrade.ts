/** Has an agent switch protocols for a client that asked the daemon to. */
import { type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HitchError } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { AgentLink } from './agent-link.ts';
import { refuseSocket, unreachable } from './relay-answer.ts';

const CONNECT_WITHIN_MS = 15_000;

/** A client's request to switch, and what came right behind it. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The agent's side of it. */
export interface Switched {
  readonly answer: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
}

export interface UpgradeRequest {
  readonly path: string;
  /** `upgrade` among them; the bearer is the link's. */
  readonly headers: OutgoingHttpHeaders;
  /** What an agent's refusal means to the client. */
  readonly refusal: (answer: IncomingMessage) => Promise<HitchError>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Calls `switched` once the agent has agreed. Otherwise the client is told why not, and its socket ends; a client that
 * leaves meanwhile takes the request along.
 */
export function switchProtocols(
  asked: Asked,
  findLink: () => AgentLink,
  { path, headers, refusal, clock, log }: UpgradeRequest,
  switched: (agent: Switched, link: AgentLink) => void,
): void {
  const client = asked.socket;
  client.on('error', ignore);
  let link: AgentLink;
  try {
    link = findLink();
  } catch (error) {
    refuseSocket(client, error);
    return;
  }
  const outgoing = httpRequest({
    ...link.address,
    path,
    agent: false,
    headers: { host: 'agent', ...headers, authorization: `Bearer ${link.token}`, connection: 'Upgrade' },
  });
  const failed = (error: unknown): void => {
    log.debug('A connection to an agent failed', { error: errorText(error) });
    refuseSocket(client, unreachable(error));
  };
  const leave = (): void => void outgoing.destroy();
  client.once('close', leave);
  // Not a limit of silence: a machine that sends a byte now and then would never come to it.
  const late = clock.setTimer(() => outgoing.destroy(new Error('no answer in time')), CONNECT_WITHIN_MS);
  outgoing.once('close', () => late.cancel());
  outgoing.once('error', failed);
  outgoing.once('response', answer => {
    void refusal(answer).then(error => {
      refuseSocket(client, error);
      answer.destroy();
    });
  });
  outgoing.once('upgrade', (answer, socket, head) => {
    late.cancel();
    outgoing.off('error', failed);
    client.off('close', leave);
    client.off('error', ignore);
    socket.setTimeout(0);
    switched({ answer, socket, head }, link);
  });
  outgoing.end();
}

const ignore = (): void => undefined;
