/**
 * Who may see which port. A client that a person clicked in gets an address with a code; the browser that comes with it first
 * gets a cookie for that port of that machine, which no script can read. Both live in memory: after another start of the daemon a
 * port is opened again.
 */
import { createHash } from 'node:crypto';
import type { ClusterId, PortLink } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { hostOf } from './port-host.ts';

export const CODE_VALID_MS = 60_000;
const MOST_CODES = 100;
const MOST_COOKIES = 1_000;

/**
 * Where the code is turned into a cookie, on the port's own origin. The code stands behind it, since VS Code writes the signs of a
 * query anew where it opens an address (microsoft/vscode#85930).
 */
export const OPEN_PATH = '/.hitch/open/';

export interface PortTarget {
  readonly clusterId: ClusterId;
  readonly nodeIndex: number;
  readonly port: number;
  /** It is Ray's dashboard, which wants its cluster's token. */
  readonly isRay: boolean;
  /** Its host's first part; another machine in the node's place has another one. */
  readonly label: string;
}

interface Code {
  readonly target: PortTarget;
  readonly path: string;
  readonly until: number;
}

export interface Opened {
  readonly cookie: string;
  readonly path: string;
}

/** Looked up by its digest: how long that takes says nothing of the others. */
const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

export class PortLinks {
  readonly #clock: Clock;
  readonly #secret: () => string;
  readonly #daemonPort: () => number;
  /** Both the oldest first. */
  readonly #codes = new Map<string, Code>();
  readonly #cookies = new Map<string, PortTarget>();

  constructor(clock: Clock, secret: () => string, daemonPort: () => number) {
    this.#clock = clock;
    this.#secret = secret;
    this.#daemonPort = daemonPort;
  }

  /** @param path where to begin, with one slash at its start. */
  link(target: PortTarget, path: string): PortLink {
    const now = this.#clock.monotonic();
    const code = this.#secret();
    for (const [digest, { until }] of this.#codes) {
      if (until <= now || this.#codes.size >= MOST_CODES) {
        this.#codes.delete(digest);
      }
    }
    this.#codes.set(digestOf(code), { target, path, until: now + CODE_VALID_MS });
    const origin = `http://${hostOf(target.label, this.#daemonPort())}`;
    return {
      url: `${origin}${OPEN_PATH}${encodeURIComponent(code)}`,
      address: `${origin}${path}`,
      expiresAtMs: this.#clock.now() + CODE_VALID_MS,
    };
  }

  /** Takes the code, if it is one for this host and not too old. It counts once, whoever brings it. */
  open(code: string, label: string): Opened | null {
    const digest = digestOf(code);
    const found = this.#codes.get(digest);
    this.#codes.delete(digest);
    if (found === undefined || found.until <= this.#clock.monotonic() || found.target.label !== label) {
      return null;
    }
    const cookie = this.#secret();
    for (const oldest of this.#cookies.keys()) {
      if (this.#cookies.size < MOST_COOKIES) {
        break;
      }
      this.#cookies.delete(oldest);
    }
    this.#cookies.set(digestOf(cookie), found.target);
    return { cookie, path: found.path };
  }

  /** What a browser with this cookie may see under this host; null: nothing. */
  targetOf(cookie: string, label: string): PortTarget | null {
    const target = this.#cookies.get(digestOf(cookie));
    return target?.label === label ? target : null;
  }
}
