/** Connections to a port of a node: each is one upgraded request to its agent, which joins it to what listens there. */
import { Agent, type ClientRequestArgs, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { AgentLink } from '../agent-link.ts';
import { unreachable } from '../relay-answer.ts';
import { refusalSaid } from '../relay-refusal.ts';

const OPEN_WITHIN_MS = 15_000;
/** Kept for the next request, of one port. */
const FREE_CONNECTIONS = 8;

/** @throws HitchError: the agent's own sentence, or UNREACHABLE. */
export function openPort(link: AgentLink, port: number, clock: Clock): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      ...link.address,
      path: `/ports/${port.toString()}`,
      agent: false,
      headers: {
        host: 'agent',
        authorization: `Bearer ${link.token}`,
        connection: 'Upgrade',
        upgrade: 'tcp',
      },
    });
    // Not a limit of silence: a machine that sends a byte now and then would never come to it.
    const late = clock.setTimer(() => outgoing.destroy(new Error('no answer in time')), OPEN_WITHIN_MS);
    outgoing.once('close', () => late.cancel());
    outgoing.once('error', error => reject(unreachable(error)));
    outgoing.once('response', answer => {
      void refusalSaid(answer).then(error => {
        reject(error);
        answer.destroy();
      });
    });
    outgoing.once('upgrade', (_, socket, head) => {
      late.cancel();
      socket.setTimeout(0);
      socket.setNoDelay(true);
      if (head.length > 0) {
        socket.unshift(head);
      }
      // A kept connection may break while nobody uses it.
      socket.on('error', () => socket.destroy());
      const end = (): void => void socket.destroy();
      link.closed.addEventListener('abort', end, { once: true });
      socket.once('close', () => link.closed.removeEventListener('abort', end));
      resolve(socket);
    });
    outgoing.end();
  });
}

/** Node's pool of kept connections, over streams of one link. The port is in the name that it keeps them by. */
class PortAgent extends Agent {
  readonly #open: (port: number) => Promise<Duplex>;

  constructor(open: (port: number) => Promise<Duplex>) {
    super({ keepAlive: true, maxFreeSockets: FREE_CONNECTIONS });
    this.#open = open;
  }

  override createConnection(
    { port }: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#open(Number(port)).then(
      stream => callback?.(null, stream),
      // Node's own type has no place for a failure without a stream.
      (error: unknown) => (callback as ((error: unknown) => void) | undefined)?.(error),
    );
  }
}

const agents = new WeakMap<AgentLink, Agent>();

/** The pool of a link; its connections are closed with it. */
export function portAgent(link: AgentLink, clock: Clock): Agent {
  const known = agents.get(link);
  if (known !== undefined) {
    return known;
  }
  const agent = new PortAgent(port => openPort(link, port, clock));
  agents.set(link, agent);
  link.closed.addEventListener('abort', () => agent.destroy(), { once: true });
  return agent;
}
