/**
 * The relay's WebSockets. Client and agent shake hands with each other through the daemon and are joined byte by byte
 * then: a frame costs the daemon no unpacking and no packing. It only follows where the agent's frames end, so that it
 * can say 1012 in the agent's place when the way there is gone. Pings are the agent's and go through to the client.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HitchError, KERNEL_CLOSE } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { AgentLink } from './agent-link.ts';
import { closeFrame, FrameWatch, MOST_FRAME_BYTES } from './frame-watch.ts';
import { unreachable } from './relay-answer.ts';
import { refusalSaid } from './relay-refusal.ts';
import { type Asked, switchProtocols } from './upgrade.ts';

const LOOK_EVERY_MS = 30_000;
/** An agent pings each of its sockets once in that time; one that has been silent for so many looks is gone. */
const MOST_SILENT_LOOKS = 4;
const CLOSE_WITHIN_MS = 2_000;

/** No extensions: the agent speaks without compression. */
const HANDSHAKE = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol'];
const HANDSHAKE_ANSWER = ['sec-websocket-accept', 'sec-websocket-protocol'];

export class RelaySockets {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pairs = new Set<Pair>();
  #timer: Timer;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
    this.#timer = this.#lookLater();
  }

  get size(): number {
    return this.#pairs.size;
  }

  #lookLater(): Timer {
    return this.#clock.setTimer(() => {
      this.#pairs.forEach(pair => pair.look());
      this.#timer = this.#lookLater();
    }, LOOK_EVERY_MS);
  }

  handle(asked: Asked, path: string, findLink: () => AgentLink): void {
    const headers = { ...pick(asked.request, HANDSHAKE), upgrade: 'websocket' };
    switchProtocols(
      asked,
      findLink,
      { path, headers, refusal: refusalOf, clock: this.#clock, log: this.#log },
      (agent, link) => {
        asked.socket.write(switching(pick(agent.answer, HANDSHAKE_ANSWER)));
        const pair = new Pair(asked, agent, { clock: this.#clock, log: this.#log }, () => {
          this.#pairs.delete(pair);
          link.closed.removeEventListener('abort', away);
        });
        const away = (): void => {
          pair.away();
        };
        this.#pairs.add(pair);
        link.closed.addEventListener('abort', away, { once: true });
        if (link.closed.aborted) {
          away();
        }
      },
    );
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    const pairs = [...this.#pairs];
    pairs.forEach(pair => {
      pair.away();
    });
    await Promise.all(pairs.map(pair => pair.closed));
  }
}

const ignore = (): void => undefined;

function pick({ headers }: IncomingMessage, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') {
      found[name] = value;
    }
  }
  return found;
}

function switching(headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n${lines.join('')}\r\n`;
}

function refusalOf(answer: IncomingMessage): Promise<HitchError> {
  switch (answer.statusCode) {
    case 404:
      return refusalSaid(answer, new HitchError('NOT_FOUND', 'There is no such socket on this cluster.'));
    case 400:
    case 405:
    case 426:
      return refusalSaid(answer, new HitchError('BAD_INPUT', 'The cluster refused this socket.'));
    default:
      return Promise.resolve(unreachable());
  }
}

/** The two sockets of one client. Whichever ends takes the other with it. */
class Pair {
  readonly closed: Promise<void>;
  readonly #client: Duplex;
  readonly #agent: Socket;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #fromAgent = new FrameWatch();
  #silentLooks = 0;
  #ending: Timer | null = null;

  constructor(
    client: { readonly socket: Duplex; readonly head: Buffer },
    agent: { readonly socket: Socket; readonly head: Buffer },
    { clock, log }: { readonly clock: Clock; readonly log: Log },
    ended: () => void,
  ) {
    this.#client = client.socket;
    this.#agent = agent.socket;
    this.#clock = clock;
    this.#log = log;
    this.#client.on('error', ignore);
    this.#agent.on('error', ignore);
    this.#agent.write(client.head);
    this.#toClient(agent.head);
    this.#client.pipe(this.#agent);
    this.#agent.on('data', (data: Buffer) => {
      this.#toClient(data);
    });
    this.#client.on('drain', () => {
      this.#agent.resume();
    });
    this.#agent.once('close', () => {
      this.#end('the cluster is out of reach');
    });
    this.closed = new Promise(resolve => {
      this.#client.once('close', () => {
        this.#ending?.cancel();
        // What it said last, a close frame above all, is still on its way.
        this.#agent.destroySoon();
        ended();
        resolve();
      });
    });
  }

  #toClient(data: Buffer): void {
    if (this.#ending !== null || data.length === 0) {
      return;
    }
    this.#silentLooks = 0;
    this.#fromAgent.see(data);
    if (this.#fromAgent.isTooLong) {
      this.#log.warn('A socket of a cluster was broken off: it announced a message over the bound', {
        bound: MOST_FRAME_BYTES,
      });
      this.#client.destroy();
      this.#agent.destroy();
      return;
    }
    if (!this.#client.write(data)) {
      this.#agent.pause();
    }
  }

  /** The agent is out of reach, or the daemon goes down: the client is to come back. */
  away(): void {
    this.#end('the way to the cluster is down');
    this.#agent.destroy();
  }

  /** An agent that is not read cannot be heard. */
  look(): void {
    this.#silentLooks = this.#agent.isPaused() ? 0 : this.#silentLooks + 1;
    if (this.#silentLooks > MOST_SILENT_LOOKS) {
      this.away();
    }
  }

  /**
   * Nothing more comes from the agent. A client that it said goodbye to knows; any other is asked to return, or, in
   * the middle of a frame, where no other fits, just loses its connection.
   */
  #end(reason: string): void {
    if (this.#ending !== null) {
      return;
    }
    if (!this.#fromAgent.isClosing && !this.#fromAgent.isBetween) {
      this.#client.destroy();
      return;
    }
    this.#ending = this.#clock.setTimer(() => this.#client.destroy(), CLOSE_WITHIN_MS);
    // Read on, to see it end; with nobody to pass it to.
    this.#client.unpipe(this.#agent).resume();
    this.#client.end(this.#fromAgent.isClosing ? undefined : closeFrame(KERNEL_CLOSE.restarting, reason));
  }
}
