/** The daemon's HTTP server: checks who speaks, then sends each request to the API, the relay or a raw route. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { clusterIdSchema, type ClusterId, HitchError, PROTOCOL } from '@hitch/contract';
import { OpenAPIHandler } from '@orpc/openapi/node';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { defectText, type Log } from '@hitch/platform/src/log.ts';
import { AgentCalls } from './agent-calls.ts';
import { readJson, readSoon } from './body.ts';
import { createChallenge } from './challenge.ts';
import { refuseUpgrade, sendError, sendJson, toOrpcError, toShownError } from './envelope.ts';
import { jobOfPath, passLogBytes } from './log-bytes.ts';
import { answerWindow, windowPathOf } from './approval-window.ts';
import { byClusterUrl } from './by-cluster-url.ts';
import { type Bearer, createGuard, LOCAL_ROOT } from './guard.ts';
import type { ApiContext } from './implementer.ts';
import type { ApiParts } from './parts.ts';
import { passRawFile } from './raw-files.ts';
import { router } from './router.ts';
import { refuseUnknownFields } from './unknown-fields.ts';

/** How long requests under way may take to finish when the daemon ends. */
const DRAIN_MS = 5_000;
const SWEEP_MS = 50;

/**
 * How long a connection is kept that nothing is asked over. After Node's own five seconds a client that was busy for a moment
 * would send its next request over one that is just being closed, and have no answer.
 */
const KEPT_MS = 60_000;

/** How slow a client may be, in ms. */
export interface Slowest {
  /** Until the head of a request is there. */
  readonly headersMs: number;
  /** Until the fields of a call are there. */
  readonly bodyMs: number;
  /** Without a byte in either direction: longer than any machine may take to answer. */
  readonly silenceMs: number;
}
const SLOWEST: Slowest = { headersMs: 30_000, bodyMs: 30_000, silenceMs: 300_000 };

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

const RAW_FILES = /^\/clusters\/([^/]+)\/raw-files$/;

/** Routes that a client of another protocol version may still use: to see it, and to take over. */
const ANY_PROTOCOL = new Set(['/api/daemon', '/api/daemon/stop']);

export interface ApiOptions {
  readonly parts: ApiParts;
  readonly token: string;
  readonly pageToken: string;
  readonly challengeKey: string;
  readonly version: string;
  readonly allowedOrigins?: readonly string[];
  readonly slowest?: Partial<Slowest>;
  /** The longest that a machine may take to answer. */
  readonly answerMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ApiServer {
  /** @returns the port. Rejects with Node's own error, such as EADDRINUSE. */
  listen(port: number): Promise<number>;
  /** Ends streams, closes sockets with 1012, lets requests under way finish, then closes. */
  close(): Promise<void>;
}

export function createApiServer(options: ApiOptions): ApiServer {
  const api = new Api(options);
  return { listen: port => api.listen(port), close: () => api.close() };
}

class Api {
  readonly #options: ApiOptions;
  readonly #server: Server;
  readonly #guard;
  readonly #challenge;
  readonly #agents: AgentCalls;
  readonly #handler;
  readonly #closing = new AbortController();

  constructor(options: ApiOptions) {
    const { parts, clock, log } = options;
    this.#options = options;
    this.#guard = createGuard({ ...options, port: () => this.#port() });
    this.#challenge = createChallenge(options);
    this.#agents = new AgentCalls(parts.clusters, clock, options.answerMs);
    this.#handler = new OpenAPIHandler(router, {
      interceptors: [
        async call => {
          try {
            return await call.next();
          } catch (error) {
            // Judged before oRPC's own error stands in its place, whose 503 would read as a defect.
            if (toShownError(error).code === 'INTERNAL') {
              log.error('a request failed', { error: defectText(error) });
            }
            throw toOrpcError(error);
          }
        },
      ],
      clientInterceptors: [
        call => {
          refuseUnknownFields(call.procedure['~orpc'].inputSchema, call.input);
          return call.next();
        },
      ],
      customErrorResponseBodyEncoder: error => toShownError(error.cause ?? error).toEnvelope(),
    });
    const { headersMs, silenceMs } = { ...SLOWEST, ...options.slowest };
    // No limit on a whole request: files are large, and streams of events have no end.
    const how = {
      requestTimeout: 0,
      headersTimeout: headersMs,
      keepAliveTimeout: KEPT_MS,
      requireHostHeader: false,
    };
    this.#server = createServer(how, (request, response) => {
      void this.#answer(request, response);
    });
    // Whoever neither sends nor takes a byte is dropped; streams of events say every few seconds that they are there.
    this.#server.timeout = silenceMs;
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    // Node would refuse these by itself, without a word.
    this.#server.on('checkExpectation', (_, response: ServerResponse) => {
      sendError(
        response,
        new HitchError('BAD_INPUT', 'The header “Expect” asks for what this daemon does not do.'),
      );
    });
    this.#server.on('connect', (_, socket) => {
      refuseUpgrade(
        socket,
        new HitchError('BAD_INPUT', 'This daemon is no proxy: it does not take CONNECT.'),
      );
    });
    this.#server.on('clientError', (_, socket) => {
      refuseUpgrade(socket, new HitchError('BAD_INPUT', 'The request is not HTTP that this daemon reads.'));
    });
  }

  #port(): number {
    const address = this.#server.address() as AddressInfo | null;
    return address?.port ?? 0;
  }

  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
        this.#server.off('error', reject);
        resolve(this.#port());
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#closing.abort();
    this.#options.parts.ports.proxy.close();
    await this.#options.parts.relay.close();
    const { clock } = this.#options;
    const deadline = clock.setTimer(() => this.#server.closeAllConnections(), DRAIN_MS);
    // A kept-alive connection whose last answer ended after `close` would stay for its whole time-out.
    const sweep = { timer: clock.setTimer(() => closeIdle(), 0) };
    const closeIdle = () => {
      this.#server.closeIdleConnections();
      sweep.timer = clock.setTimer(closeIdle, SWEEP_MS);
    };
    await closed;
    deadline.cancel();
    sweep.timer.cancel();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Another origin than the daemon's own, with its own rules: nothing below holds there.
    if (this.#options.parts.ports.proxy.handleRequest(request, response, this.#guard)) {
      return;
    }
    const started = this.#options.clock.monotonic();
    for (const [name, value] of Object.entries(HEADERS)) {
      response.setHeader(name, value);
    }
    const url = requestUrl(request);
    try {
      this.#guard.checkPlace(request.headers);
      if (url.pathname === '/challenge' && request.method === 'POST') {
        await this.#challenge(request, response);
        return;
      }
      const inWindow = windowPathOf(url);
      if (inWindow !== null) {
        const { approvals } = this.#options.parts;
        await answerWindow({ approvals, guard: this.#guard }, inWindow, request, response);
        return;
      }
      if (byClusterUrl(request, url, this.#options.parts.urls) !== null) {
        if (!this.#options.parts.relay.handleRequest(request, response)) {
          throw nothingThere();
        }
        return;
      }
      const bearer = this.#guard.checkBearer(request.headers);
      await this.#route(bearer, url, request, response);
    } catch (error) {
      const shown = toShownError(error);
      if (shown.code === 'INTERNAL') {
        this.#options.log.error('a request failed', { error: defectText(error) });
      }
      // The rest of a refused body is not worth reading.
      if (!response.headersSent && !request.complete) {
        response.setHeader('connection', 'close');
      }
      sendError(response, error);
    } finally {
      this.#options.log.debug('request', {
        method: request.method,
        route: routeName(url),
        status: response.statusCode,
        durationMs: Math.round(this.#options.clock.monotonic() - started),
      });
    }
  }

  async #route(bearer: Bearer, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    checkReach(bearer, url);
    if (url.pathname === '/api/openapi.json' && request.method === 'GET') {
      const { openApiDocument } = await import('@hitch/contract/openapi');
      sendJson(response, 200, await openApiDocument(this.#options.version));
      return;
    }
    const logged = request.method === 'GET' ? jobOfPath(url.pathname) : null;
    if (logged !== null) {
      await passLogBytes(this.#options.parts.jobs, logged, url, response);
      return;
    }
    if (url.pathname.startsWith('/api/')) {
      await this.#callApi(bearer, url, request, response);
      return;
    }
    const rawFiles = RAW_FILES.exec(url.pathname);
    if (rawFiles !== null) {
      await passRawFile(this.#agents, clusterIdOf(rawFiles[1]), url, request, response);
    } else if (!this.#options.parts.relay.handleRequest(request, response)) {
      throw nothingThere();
    }
  }

  async #callApi(
    bearer: Bearer,
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const spoken = request.headers['x-hitch-protocol'];
    if (spoken !== undefined && spoken !== String(PROTOCOL) && !ANY_PROTOCOL.has(url.pathname)) {
      throw new HitchError(
        'VERSION_MISMATCH',
        `This daemon (Hitch ${this.#options.version}) speaks protocol ${PROTOCOL}, the client another one.`,
        { next: 'Update the older of the two.' },
      );
    }
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    const context: ApiContext = {
      parts: this.#options.parts,
      agents: this.#agents,
      fromPage: bearer === 'page',
      localRoot: bearer === 'page' ? localRootOf(request) : null,
      closing: this.#closing.signal,
      afterAnswer: run => response.once('close', run),
    };
    const parsed = Object.assign(request, hasBody ? { body: await this.#readFields(request) } : {});
    const { matched } = await this.#handler.handle(parsed, response, { prefix: '/api', context });
    if (!matched) {
      throw nothingThere();
    }
  }

  /** The fields of a call: an object, soon. */
  async #readFields(request: IncomingMessage): Promise<object | undefined> {
    const { bodyMs } = { ...SLOWEST, ...this.#options.slowest };
    const body = await readSoon(this.#options.clock, bodyMs, readJson(request));
    if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body))) {
      throw new HitchError('BAD_INPUT', 'The request’s body must be an object, as in {"name": "value"}.');
    }
    return body;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    // Silence is the business of those that it is between.
    if (socket instanceof Socket) {
      socket.setTimeout(0);
    }
    if (this.#options.parts.ports.proxy.handleUpgrade(request, socket, head, this.#guard)) {
      return;
    }
    try {
      this.#guard.checkPlace(request.headers);
      const { relay, urls } = this.#options.parts;
      const opened = byClusterUrl(request, requestUrl(request), urls);
      if (opened === null) {
        checkReach(this.#guard.checkBearer(request.headers), requestUrl(request));
      }
      if (this.#closing.signal.aborted) {
        throw new HitchError('UNREACHABLE', 'The daemon is ending; come back in a moment.');
      }
      if (!relay.handleUpgrade(request, socket, head)) {
        throw nothingThere();
      }
      if (opened !== null) {
        urls.keep(opened, socket);
      }
    } catch (error) {
      refuseUpgrade(socket, error);
    }
  }
}

/** @throws HitchError NOT_FOUND for what pages have no use for, such as the bytes of ssh. */
function checkReach(bearer: Bearer, { pathname }: URL): void {
  if (bearer === 'page' && !/^\/(?:api|clusters)\//.test(pathname)) {
    throw nothingThere();
  }
}

/** What a Jupyter server says of itself for a page; it never passes on what the page says. */
function localRootOf(request: IncomingMessage): string {
  try {
    return decodeURIComponent(String(request.headers[LOCAL_ROOT] ?? ''));
  } catch (error) {
    throw new HitchError('BAD_INPUT', 'The root of the Jupyter server is not written as a URL has it.', {
      cause: error,
    });
  }
}

function requestUrl(request: IncomingMessage): URL {
  const path = request.url ?? '/';
  // The origin is checked on its own; here only path and query count. `//x` would be another host.
  return new URL(`http://daemon${path.startsWith('/') ? path.replace(/^\/+/, '/') : '/'}`);
}

function nothingThere(): HitchError {
  return new HitchError('NOT_FOUND', 'There is nothing at this address.', {
    next: 'GET /api/openapi.json lists every route.',
  });
}

/** @throws HitchError NOT_FOUND for what cannot be a cluster's id. */
function clusterIdOf(text: string | undefined): ClusterId {
  const id = clusterIdSchema.safeParse(text);
  if (!id.success) {
    throw nothingThere();
  }
  return id.data;
}

/** A path for the log: ids and names stay out of it. */
function routeName(url: URL): string {
  return url.pathname.split('/').slice(0, 3).join('/');
}
