/**
 * The relay's bare connections: for ssh, which brings encryption, keep-alives and framing of its own. Client and agent
 * are joined byte by byte; whoever ends takes the other along once everything has been passed on.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { AgentLink } from './agent-link.ts';
import { refusalSaid } from './relay-refusal.ts';
import { type Asked, switchProtocols, type Switched } from './upgrade.ts';

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ssh\r\n\r\n';

export class RelayBytes {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pairs = new Set<Pair>();

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  get size(): number {
    return this.#pairs.size;
  }

  handle(asked: Asked, path: string, findLink: () => AgentLink): void {
    const request = {
      path,
      headers: { upgrade: 'ssh' },
      refusal: (answer: IncomingMessage) => refusalSaid(answer),
      clock: this.#clock,
      log: this.#log,
    };
    switchProtocols(asked, findLink, request, agent => {
      this.#join(asked, agent);
    });
  }

  /** Ends all of them: whoever wants to goes on over the next daemon. */
  close(): void {
    this.#pairs.forEach(pair => pair.end());
  }

  #join(asked: Asked, agent: Switched): void {
    asked.socket.write(SWITCHING);
    // Not ended with the link: sshd holds the other end itself, and outlives the agent that the link is to.
    const pair = new Pair(asked, agent, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
  }
}

class Pair {
  readonly #client: Duplex;
  readonly #agent: Socket;

  constructor(client: Asked, agent: Switched, ended: () => void) {
    this.#client = client.socket;
    this.#agent = agent.socket;
    this.#agent.write(client.head);
    this.#client.write(agent.head);
    this.#client.pipe(this.#agent);
    this.#agent.pipe(this.#client);
    this.#agent.once('error', () => this.end());
    this.#client.once('error', () => this.end());
    this.#client.once('close', () => this.#agent.destroySoon());
    this.#agent.once('close', () => {
      // What it has sent last may still be on its way.
      this.#client.end();
      ended();
    });
  }

  end(): void {
    this.#client.destroy();
    this.#agent.destroy();
  }
}
