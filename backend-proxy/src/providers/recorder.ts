/** Hears what is asked of a network and what it answers, while a person has a recording made of it. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { ProviderId } from '@hitch/contract';
import type { HttpAnswer, HttpRequest, Transport } from './http/transport.ts';

export interface HeardExchange {
  readonly atMs: number;
  readonly request: HttpRequest;
  /** Null: none came. */
  readonly answer: HttpAnswer | null;
}

export interface Heard {
  readonly sinceMs: number;
  readonly exchanges: readonly HeardExchange[];
  /** What came after there was no room left. */
  readonly notKept: number;
}

/** More than a check of half an hour asks; what is above is counted and not kept. */
const MOST_EXCHANGES = 3_000;
const MOST_CHARACTERS = 64 * 1024 * 1024;

interface Running {
  readonly sinceMs: number;
  readonly exchanges: HeardExchange[];
  characters: number;
  notKept: number;
}

export class Recorder {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #running = new Map<ProviderId, Running>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Begins anew. */
  begin(network: ProviderId): void {
    this.#running.set(network, {
      sinceMs: this.#clock.now(),
      exchanges: [],
      characters: 0,
      notKept: 0,
    });
  }

  /** What was heard; null: nobody had it begin, or the daemon was started again meanwhile. */
  end(network: ProviderId): Heard | null {
    const running = this.#running.get(network) ?? null;
    this.#running.delete(network);
    return running;
  }

  /** The transport of one network, heard while it is recorded. */
  hearing(network: ProviderId, transport: Transport): Transport {
    return async (request, signal) => {
      const asked = this.#running.get(network);
      if (asked === undefined) {
        return transport(request, signal);
      }
      let answer: HttpAnswer | null = null;
      try {
        answer = await transport(request, signal);
        return answer;
      } finally {
        this.#keep(asked, { atMs: this.#clock.now() - asked.sinceMs, request, answer });
      }
    };
  }

  #keep(running: Running, exchange: HeardExchange): void {
    const characters = exchange.answer?.text.length ?? 0;
    if (running.exchanges.length >= MOST_EXCHANGES || running.characters + characters > MOST_CHARACTERS) {
      running.notKept += 1;
      return;
    }
    running.characters += characters;
    running.exchanges.push(exchange);
  }
}
