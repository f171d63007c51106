/**
 * The daemon's stable URLs for what runs on a cluster: Jupyter's kernels, sessions, kernelspecs and contents, kernel
 * sockets, terminals and ssh. JSON and sockets only: nothing that a browser would render comes from a stranger's machine
 * through here. An agent that is out of reach is 503 and close code 1012, never 502 or a death.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { AgentLink } from './agent-link.ts';
import { RelayBytes } from './relay-bytes.ts';
import { unreachable } from './relay-answer.ts';
import { answerSsh } from './relay-ssh.ts';
import { RelayHttp } from './relay-http.ts';
import { RelaySockets } from './relay-sockets.ts';

export interface RelayOptions {
  /** The way to the cluster's head; null: there is none at the moment. @throws HitchError NOT_FOUND */
  readonly linkFor: (clusterId: string) => AgentLink | null;
  /** The way to the node that `ssh` calls so; left out: there is none. @throws HitchError */
  readonly sshLinkFor?: (alias: string) => AgentLink | null;
  /** The longest that a machine may take to answer. */
  readonly answerMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Relay {
  /** Answers a request whose path is one of the relay's. @returns false, untouched, when it is not. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /** The same for an upgrade. The caller has checked bearer, `Host` and `Origin` of both. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Sockets between clients and clusters. */
  readonly openSockets: number;
  /** Tells every client to come back (1012), and ends. */
  close(): Promise<void>;
}

const REST =
  /^\/clusters\/([^/]+)(\/jupyter\/api(?:\/(?:(?:kernels|sessions|kernelspecs|contents)(?:\/.*)?|status|me)?)?)$/;
const KERNEL_SOCKET = /^\/clusters\/([^/]+)\/jupyter\/api(\/kernels\/[^/]+\/channels)$/;
const SSH = /^\/ssh\/([a-z0-9][a-z0-9.-]*)$/;
const TERMINAL_SOCKET = /^\/clusters\/([^/]+)(\/terminals\/[^/]+\/socket)$/;
/** All else that a client may say about a socket stays here: a token in a query is nobody's business. */
const SOCKET_QUERY = ['session_id', 'cursor'];

/** The URL as a URL library reads it, so that `..` and its disguises are gone before a path is looked at. */
function parseUrl(request: IncomingMessage): URL | null {
  return URL.parse(request.url ?? '/', 'http://daemon');
}

export function createRelay(options: RelayOptions): Relay {
  const http = new RelayHttp(options);
  const sockets = new RelaySockets(options);
  const bytes = new RelayBytes(options);
  const open = (found: AgentLink | null): AgentLink => {
    if (found === null || found.closed.aborted) {
      throw unreachable();
    }
    return found;
  };
  const link = (clusterId: string): AgentLink => open(options.linkFor(clusterId));
  return {
    handleRequest: (request, response) => {
      const url = parseUrl(request);
      const alias = SSH.exec(url?.pathname ?? '')?.[1];
      if (alias !== undefined) {
        void answerSsh(request, response, () => open(options.sshLinkFor?.(alias) ?? null), options.clock);
        return true;
      }
      const match = REST.exec(url?.pathname ?? '');
      if (url === null || match === null) {
        return false;
      }
      void http.handle(request, response, `${match[2] ?? ''}${url.search}`, () => link(match[1] ?? ''));
      return true;
    },
    handleUpgrade: (request, socket, head) => {
      const url = parseUrl(request);
      const alias = SSH.exec(url?.pathname ?? '')?.[1];
      if (alias !== undefined) {
        bytes.handle({ request, socket, head }, '/ssh', () => open(options.sshLinkFor?.(alias) ?? null));
        return true;
      }
      const match = KERNEL_SOCKET.exec(url?.pathname ?? '') ?? TERMINAL_SOCKET.exec(url?.pathname ?? '');
      if (url === null || match === null) {
        return false;
      }
      const query = new URLSearchParams();
      for (const name of SOCKET_QUERY) {
        const value = url.searchParams.get(name);
        if (value !== null) {
          query.set(name, value);
        }
      }
      const path = query.size === 0 ? (match[2] ?? '') : `${match[2] ?? ''}?${query.toString()}`;
      sockets.handle({ request, socket, head }, path, () => link(match[1] ?? ''));
      return true;
    },
    get openSockets() {
      return sockets.size + bytes.size;
    },
    close: async () => {
      bytes.close();
      await sockets.close();
    },
  };
}
