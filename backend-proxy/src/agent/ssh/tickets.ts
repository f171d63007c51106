/**
 * Leave for one connection each. Whoever holds one is led to sshd, which then asks for the key, and to nothing else:
 * what goes on over ssh needs no daemon in its way, and no bearer of the agent outside of it.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@hitch/platform/src/clock.ts';

const VALID_MS = 30_000;

export class Tickets {
  readonly #clock: Clock;
  readonly #makeSecret: () => string;
  /** Until when each counts, by its digest: looking one up says nothing of the others. */
  readonly #valid = new Map<string, number>();

  constructor(clock: Clock, makeSecret: () => string) {
    this.#clock = clock;
    this.#makeSecret = makeSecret;
  }

  issue(): string {
    const now = this.#clock.monotonic();
    for (const [digest, until] of this.#valid) {
      if (until <= now) {
        this.#valid.delete(digest);
      }
    }
    const ticket = this.#makeSecret();
    this.#valid.set(digestOf(ticket), now + VALID_MS);
    return ticket;
  }

  /** Takes the ticket, if it is one for this path. */
  letsIn({ pathname }: URL, { authorization }: IncomingHttpHeaders): boolean {
    const ticket = pathname === '/ssh' ? /^Ticket (.+)$/.exec(authorization ?? '')?.[1] : undefined;
    if (ticket === undefined) {
      return false;
    }
    const digest = digestOf(ticket);
    const until = this.#valid.get(digest);
    this.#valid.delete(digest);
    return until !== undefined && until > this.#clock.monotonic();
  }
}

const digestOf = (ticket: string): string => createHash('sha256').update(ticket).digest('hex');
