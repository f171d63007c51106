/** The agent's HTTP server: who may come in, and which part answers. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HitchError } from '@hitch/contract';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { CheckBearer } from './auth.ts';
import { refuseUpgrade, respondError } from './envelope.ts';

/** Answers a request under a path of its own; false: not mine. */
export type Route = (url: URL, request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
/** The same for sockets. */
export type UpgradeRoute = (
  url: URL,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
) => Promise<boolean>;

export interface ServerParts {
  readonly checkBearer: CheckBearer;
  /** Leave of another kind for one socket, instead of the bearer. */
  readonly isLetIn?: (url: URL, headers: IncomingMessage['headers']) => boolean;
  readonly routes: readonly Route[];
  readonly upgrades: readonly UpgradeRoute[];
  readonly log: Log;
  /** A failure as it is to be answered. */
  readonly explain: (error: unknown) => unknown;
}

export function createAgentServer(parts: ServerParts): Server {
  // An upload or a stream may take as long as it takes; a request's head may not.
  const server = createServer({ requestTimeout: 0, headersTimeout: 20_000, keepAliveTimeout: 60_000 });
  server.on('request', (request, response) => {
    answer(parts, request, response).catch((error: unknown) => {
      report(parts.log, request, error);
      respondError(response, parts.explain(error));
    });
  });
  server.on('upgrade', (request, socket: Duplex, head) => {
    socket.on('error', () => socket.destroy());
    upgrade(parts, request, socket, head).catch((error: unknown) => {
      report(parts.log, request, error);
      refuseUpgrade(socket, parts.explain(error));
    });
  });
  return server;
}

async function answer(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  parts.checkBearer(request.headers);
  const url = urlOf(request);
  for (const route of parts.routes) {
    if (await route(url, request, response)) {
      return;
    }
  }
  throw nothingAt(url);
}

async function upgrade(
  parts: ServerParts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const url = urlOf(request);
  if (parts.isLetIn?.(url, request.headers) !== true) {
    parts.checkBearer(request.headers);
  }
  for (const route of parts.upgrades) {
    if (await route(url, request, socket, head)) {
      return;
    }
  }
  throw nothingAt(url);
}

function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', 'http://agent');
  } catch (error) {
    throw new HitchError('BAD_INPUT', "The request's path is not valid.", { cause: error });
  }
}

const nothingAt = (url: URL): HitchError =>
  new HitchError('NOT_FOUND', `The agent has nothing at ${url.pathname}.`);

function report(log: Log, request: IncomingMessage, error: unknown): void {
  const code = error instanceof HitchError ? error.code : 'INTERNAL';
  const entry = { code, method: request.method, route: request.url?.split('?')[0], error: errorText(error) };
  if (code === 'INTERNAL') {
    log.error('A request failed', entry);
  } else {
    log.debug('A request was refused', entry);
  }
}
