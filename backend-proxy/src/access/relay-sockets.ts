/** The relay's sockets: each a pair, client to daemon and daemon to agent, joined message by message. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HitchError, KERNEL_CLOSE } from '@hitch/contract';
import WebSocket, { WebSocketServer } from 'ws';
import type { Clock, Timer } from '../platform/clock.ts';
import { errorText } from '../platform/log.ts';
import type { Log } from '../platform/log.ts';
import type { AgentLink } from './agent-link.ts';
import { refuseSocket, unreachable } from './relay-answer.ts';

const PING_EVERY_MS = 30_000;
const MAX_UNANSWERED_PINGS = 3;
const CONNECT_WITHIN_MS = 15_000;
const CLOSE_WITHIN_MS = 2_000;
const MAX_FRAME_BYTES = 1024 * 1024 * 1024;
/** Above this the side that sends is not read until the other side has taken everything. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;

const OPTIONS = { perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES, skipUTF8Validation: true } as const;

interface Asked {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export class RelaySockets {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pairs = new Set<Pair>();
  #timer: Timer;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
    this.#timer = this.#tendLater();
  }

  get size(): number {
    return this.#pairs.size;
  }

  #tendLater(): Timer {
    return this.#clock.setTimer(() => {
      for (const pair of this.#pairs) {
        pair.ping();
      }
      this.#timer = this.#tendLater();
    }, PING_EVERY_MS);
  }

  handle(asked: Asked, path: string, findLink: () => AgentLink): void {
    asked.socket.on('error', ignore);
    let link: AgentLink;
    try {
      link = findLink();
    } catch (error) {
      refuseSocket(asked.socket, error);
      return;
    }
    const offered = (asked.request.headers['sec-websocket-protocol'] ?? '')
      .split(',')
      .map(name => name.trim())
      .filter(name => /^[\w.-]{1,100}$/.test(name));
    const agent = new WebSocket(agentUrl(link, path), [...new Set(offered)], {
      ...OPTIONS,
      handshakeTimeout: CONNECT_WITHIN_MS,
      headers: { authorization: `Bearer ${link.token}` },
    });
    const leave = (): void => {
      agent.terminate();
    };
    asked.socket.once('close', leave);
    let refusal: HitchError | null = null;
    agent.on('error', error => {
      this.#log.debug('A socket to an agent failed', { error: errorText(error) });
    });
    agent.once('unexpected-response', (request, response) => {
      refusal =
        response.statusCode === 404
          ? new HitchError('NOT_FOUND', 'There is no such socket on this cluster.')
          : response.statusCode === 400
            ? new HitchError('BAD_INPUT', 'The cluster refused this socket.')
            : null;
      request.destroy();
      agent.terminate();
    });
    const failed = (): void => {
      refuseSocket(asked.socket, refusal ?? unreachable());
    };
    agent.once('close', failed);
    agent.once('open', () => {
      agent.off('close', failed);
      agent.pause();
      this.#join(asked, agent, link, leave);
    });
  }

  #join(asked: Asked, agent: WebSocket, link: AgentLink, leave: () => void): void {
    const server = new WebSocketServer({
      ...OPTIONS,
      noServer: true,
      handleProtocols: () => (agent.protocol === '' ? false : agent.protocol),
    });
    server.handleUpgrade(asked.request, asked.socket, asked.head, client => {
      asked.socket.off('error', ignore);
      asked.socket.off('close', leave);
      const pair = new Pair({ client, agent, stream: asked.socket }, () => {
        this.#pairs.delete(pair);
        link.closed.removeEventListener('abort', away);
      });
      const away = (): void => {
        pair.away();
      };
      this.#pairs.add(pair);
      link.closed.addEventListener('abort', away, { once: true });
      agent.resume();
      if (link.closed.aborted) {
        away();
      }
    });
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    const pairs = [...this.#pairs];
    const done = Promise.all(pairs.map(pair => pair.closed));
    for (const pair of pairs) {
      pair.away();
    }
    await Promise.race([done, this.#clock.sleep(CLOSE_WITHIN_MS)]);
    for (const pair of pairs) {
      pair.terminate();
    }
  }
}

const ignore = (): void => undefined;

function agentUrl({ address }: AgentLink, path: string): string {
  return 'socketPath' in address
    ? `ws+unix:${address.socketPath}:${path}`
    : `ws://${address.host}:${address.port.toString()}${path}`;
}

/** The two sockets of one client. Whichever ends takes the other with it. */
class Pair {
  readonly closed: Promise<void>;
  readonly #client: WebSocket;
  readonly #agent: WebSocket;
  #unanswered = { client: 0, agent: 0 };

  /** @param sockets `stream` is what lies under the client's socket. */
  constructor(sockets: { client: WebSocket; agent: WebSocket; stream: Duplex }, ended: () => void) {
    const { client, agent, stream } = sockets;
    this.#client = client;
    this.#agent = agent;
    const together = gather(stream);
    pass(agent, client, together);
    pass(client, agent, () => undefined);
    client.on('error', ignore);
    client.on('pong', () => (this.#unanswered.client = 0));
    agent.on('pong', () => (this.#unanswered.agent = 0));
    agent.on('close', (code, reason) => {
      // What an agent says on purpose is passed on; a broken way, or an agent that goes, is an invitation to return.
      const deliberate = code === 1000 || (code >= 3000 && code <= 4999);
      client.close(
        deliberate ? code : KERNEL_CLOSE.restarting,
        deliberate ? reason : 'the cluster is out of reach',
      );
    });
    this.closed = new Promise(resolve => {
      client.on('close', code => {
        agent.close(code >= 3000 && code <= 4999 ? code : 1000);
        ended();
        resolve();
      });
    });
  }

  /** The agent is out of reach, or the daemon goes down: the client is to come back. */
  away(): void {
    this.#client.close(KERNEL_CLOSE.restarting, 'the way to the cluster is down');
    this.#agent.terminate();
  }

  terminate(): void {
    this.#client.terminate();
    this.#agent.terminate();
  }

  ping(): void {
    if (this.#unanswered.agent >= MAX_UNANSWERED_PINGS) {
      this.away();
    } else if (this.#unanswered.client >= MAX_UNANSWERED_PINGS) {
      this.terminate();
    }
    for (const side of ['client', 'agent'] as const) {
      const socket = side === 'client' ? this.#client : this.#agent;
      // A side that is not read cannot be heard answering.
      if (socket.readyState === WebSocket.OPEN && !socket.isPaused) {
        this.#unanswered[side] += 1;
        socket.ping();
      }
    }
  }
}

/** Has the messages of one read go out in one write: a long print comes in frames of a few kilobytes. */
function gather(stream: Duplex): () => void {
  let corked = false;
  return () => {
    if (!corked) {
      corked = true;
      stream.cork();
      queueMicrotask(() => {
        corked = false;
        stream.uncork();
      });
    }
  };
}

/** @param before called before each message that is sent. */
function pass(from: WebSocket, to: WebSocket, before: () => void): void {
  from.on('message', (data, isBinary) => {
    if (to.readyState !== WebSocket.OPEN || Array.isArray(data)) {
      return;
    }
    before();
    if (to.bufferedAmount < HIGH_WATER_BYTES) {
      to.send(data, { binary: isBinary });
      return;
    }
    from.pause();
    to.send(data, { binary: isBinary }, () => {
      from.resume();
    });
  });
}
