/**
 * The relay's bare connections: for ssh, which brings encryption, keep-alives and framing of its own. Client and agent
 * are joined byte by byte; whoever ends takes the other along once everything has been passed on.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorEnvelopeSchema, errorFromEnvelope, type HitchError } from '@hitch/contract';
import type { Clock, Timer } from '../platform/clock.ts';
import { errorText, type Log } from '../platform/log.ts';
import { agentClient } from './agent-client.ts';
import type { AgentLink } from './agent-link.ts';
import { unreachable } from './relay-answer.ts';
import { type Asked, switchProtocols, type Switched } from './upgrade.ts';

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ssh\r\n\r\n';
const LONGEST_REFUSAL = 10_000;

/**
 * What counts as somebody at work, over half a minute: a few dozen keys, or a file that comes back. An editor that is
 * only open sends less than half of the first to be told that its machine is still there.
 */
const LOOK_EVERY_MS = 30_000;
const USED_UP_BYTES = 2_048;
const USED_DOWN_BYTES = 256 * 1024;

export class RelayBytes {
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

  handle(asked: Asked, path: string, findLink: () => AgentLink): void {
    const refusal = async (answer: IncomingMessage): Promise<HitchError> => refusalIn(await textOf(answer));
    const request = { path, headers: { upgrade: 'ssh' }, refusal, log: this.#log };
    switchProtocols(asked, findLink, request, (agent, link) => {
      this.#join(asked, agent, link);
    });
  }

  /** Ends all of them: whoever wants to goes on over the next daemon. */
  close(): void {
    this.#timer.cancel();
    this.#pairs.forEach(pair => pair.end());
  }

  #join(asked: Asked, agent: Switched, link: AgentLink): void {
    asked.socket.write(SWITCHING);
    // Not ended with the link: sshd holds the other end itself, and outlives the agent that the link is to.
    const pair = new Pair(asked, agent, link, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
  }

  #lookLater(): Timer {
    return this.#clock.setTimer(() => {
      const used = new Set([...this.#pairs].filter(pair => pair.wasUsed()).map(({ link }) => link));
      for (const link of used) {
        agentClient(link)
          .call.touch()
          .catch((error: unknown) => {
            this.#log.debug('An agent cannot be told that it is in use', { error: errorText(error) });
          });
      }
      this.#timer = this.#lookLater();
    }, LOOK_EVERY_MS);
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const part of answer.setEncoding('utf8')) {
      text += String(part);
      if (text.length > LONGEST_REFUSAL) {
        break;
      }
    }
  } catch {
    // Whatever of it came is all there is.
  }
  return text;
}

/** The agent's own sentence, where it said one. */
function refusalIn(text: string): HitchError {
  try {
    const { data } = errorEnvelopeSchema.safeParse(JSON.parse(text));
    return data === undefined || data.code === 'UNAUTHORIZED' ? unreachable() : errorFromEnvelope(data);
  } catch {
    return unreachable();
  }
}

class Pair {
  readonly link: AgentLink;
  readonly #client: Duplex;
  readonly #agent: Socket;
  #seen = { up: 0, down: 0 };

  constructor(client: Asked, agent: Switched, link: AgentLink, ended: () => void) {
    this.link = link;
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

  /** Since this was asked last. */
  wasUsed(): boolean {
    const before = this.#seen;
    this.#seen = { up: this.#agent.bytesWritten, down: this.#agent.bytesRead };
    return this.#seen.up - before.up >= USED_UP_BYTES || this.#seen.down - before.down >= USED_DOWN_BYTES;
  }

  end(): void {
    this.#client.destroy();
    this.#agent.destroy();
  }
}
