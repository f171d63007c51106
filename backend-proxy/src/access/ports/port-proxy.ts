/**
 * Web pages of programs on a cluster, each on an origin of its own. What comes from there is a stranger's: it runs in no origin of
 * ours, gets no bearer, and reaches nothing but the one port that a person opened. A browser is let in by its cookie alone, and
 * only for what that very origin asks, or a person who types the address.
 */
import { type IncomingMessage, request as httpRequest, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HitchError } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { AgentLink } from '../agent-link.ts';
import { answerError, refuseSocket, unreachable } from '../relay-answer.ts';
import {
  answeredHeaders,
  COOKIE,
  FRAMED_COOKIE,
  ownCookies,
  type Place,
  sentHeaders,
} from './port-headers.ts';
import { hostOf, labelOfHost } from './port-host.ts';
import { OPEN_PATH, type PortLinks, type PortTarget } from './port-links.ts';
import { failing, leadingOn, sendPage } from './port-pages.ts';
import { openPort, portAgent } from './port-stream.ts';

export interface PortWay {
  readonly link: AgentLink;
  /** For Ray's dashboard, which wants its cluster's token; null for all else. */
  readonly rayToken: string | null;
}

export interface PortProxyOptions {
  readonly links: PortLinks;
  /** The way to what was opened. @throws HitchError where its machine is gone or does not answer */
  readonly wayTo: (target: PortTarget) => PortWay;
  /** The daemon's own. */
  readonly port: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const FROM_HITCH = 'Open it again from Hitch: in the editor, or with “hitch open”.';

/** Knows the bearers of the daemon, which must not go to a machine. */
export interface Bearers {
  showsBearer(headers: IncomingMessage['headers']): boolean;
}

interface Entry {
  readonly target: PortTarget;
  /** Let in by the cookie of frames: it is shown inside another page, as the editor's own browser does. */
  readonly isFramed: boolean;
}

export class PortProxy {
  readonly #options: PortProxyOptions;
  readonly #open = new Set<{ destroy(): unknown }>();

  constructor(options: PortProxyOptions) {
    this.#options = options;
  }

  /** Answers a request for a port's host. @returns false, untouched, for every other host. */
  handleRequest(request: IncomingMessage, response: ServerResponse, bearers: Bearers): boolean {
    const label = labelOfHost(request.headers.host, this.#options.port());
    if (label === null) {
      return false;
    }
    this.#answer(label, request, response, bearers).catch((error: unknown) =>
      this.#fail(request, response, error),
    );
    return true;
  }

  /** The same for sockets. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, bearers: Bearers): boolean {
    const label = labelOfHost(request.headers.host, this.#options.port());
    if (label === null) {
      return false;
    }
    this.#upgrade(label, request, { socket, head }, bearers).catch((error: unknown) =>
      refuseSocket(socket, error),
    );
    return true;
  }

  /** Ends all that is under way: a page asks again, and is told. */
  close(): void {
    this.#open.forEach(open => open.destroy());
  }

  async #answer(
    label: string,
    request: IncomingMessage,
    response: ServerResponse,
    bearers: Bearers,
  ): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${hostOf(label, this.#options.port())}`);
    if (url.pathname.startsWith(OPEN_PATH)) {
      this.#enter(label, url, request, response);
      return;
    }
    const { target, isFramed } = this.#letIn(label, request, bearers);
    if (!METHODS.has(request.method ?? '')) {
      throw new HitchError('BAD_INPUT', `A port does not take ${String(request.method)}.`);
    }
    if (request.headers['service-worker'] !== undefined) {
      // It would stay in the browser when the cluster is gone.
      throw new HitchError('FORBIDDEN_ORIGIN', 'Pages of a cluster install no service workers.');
    }
    await this.#forward(target, isFramed, request, response);
  }

  /** A code becomes a cookie. A browser says itself that a person's tab or frame comes, and no script can change it. */
  #enter(label: string, url: URL, request: IncomingMessage, response: ServerResponse): void {
    const { 'sec-fetch-mode': mode = 'navigate', 'sec-fetch-dest': kind = 'document' } = request.headers;
    if (request.method !== 'GET' || mode !== 'navigate' || !['document', 'iframe'].includes(kind)) {
      throw new HitchError('FORBIDDEN_ORIGIN', 'This address is for a person’s browser.');
    }
    const opened = this.#options.links.open(url.pathname.slice(OPEN_PATH.length), label);
    if (opened === null) {
      throw new HitchError('UNAUTHORIZED', 'This address was used before, or is too old.', {
        next: FROM_HITCH,
      });
    }
    sendPage(response, 200, leadingOn(opened.path), {
      'set-cookie':
        kind === 'iframe'
          ? `${FRAMED_COOKIE}=${opened.cookie}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned`
          : `${COOKIE}=${opened.cookie}; Path=/; HttpOnly; SameSite=Strict`,
    });
  }

  /** @throws HitchError for whoever has no cookie for this port, and for what another page asks. */
  #letIn(label: string, { headers }: IncomingMessage, bearers: Bearers): Entry {
    if (bearers.showsBearer(headers)) {
      throw new HitchError('FORBIDDEN_ORIGIN', 'The daemon’s bearer does not go to a machine.', {
        next: 'Ask a port with its cookie alone.',
      });
    }
    const origin = `http://${hostOf(label, this.#options.port())}`;
    const site = headers['sec-fetch-site'] ?? 'same-origin';
    if (
      (headers.origin !== undefined && headers.origin !== origin) ||
      !['same-origin', 'none'].includes(site)
    ) {
      throw new HitchError('FORBIDDEN_ORIGIN', 'Another page may not ask this port.', { next: FROM_HITCH });
    }
    for (const [at, cookie] of ownCookies(headers, COOKIE, FRAMED_COOKIE).entries()) {
      const target = cookie === null ? null : this.#options.links.targetOf(cookie, label);
      if (target !== null) {
        return { target, isFramed: at === 1 };
      }
    }
    throw new HitchError('UNAUTHORIZED', 'This port of a cluster is not open in this browser.', {
      next: FROM_HITCH,
    });
  }

  #place({ label, port }: PortTarget, { rayToken }: PortWay): Place {
    return { host: hostOf(label, this.#options.port()), port, rayToken };
  }

  async #forward(
    target: PortTarget,
    isFramed: boolean,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const way = this.#options.wayTo(target);
    const place = this.#place(target, way);
    const answer = await this.#ask(target, way, place, request, response);
    const headers = answeredHeaders(answer, place);
    response.writeHead(answer.statusCode ?? 502, {
      ...headers,
      ...(isFramed ? {} : { 'content-security-policy': onlyFramedByItself(headers) }),
    });
    response.flushHeaders();
    this.#open.add(response);
    try {
      await pipeline(answer, response);
    } catch (error) {
      this.#options.log.debug('An answer of a port ended early', { error: errorText(error) });
    } finally {
      this.#open.delete(response);
    }
  }

  async #ask(
    target: PortTarget,
    way: PortWay,
    place: Place,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<IncomingMessage> {
    const hasBody =
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) > 0;
    const once = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const outgoing = httpRequest({
          agent: portAgent(way.link, this.#options.clock),
          host: 'localhost',
          port: target.port,
          method: request.method,
          path: request.url,
          headers: sentHeaders(request.headers, place),
        });
        const gone = (): void => void outgoing.destroy();
        response.once('close', gone);
        outgoing.once('close', () => response.off('close', gone));
        outgoing.once('response', resolve);
        outgoing.once('error', (error: NodeJS.ErrnoException) =>
          reject(
            outgoing.reusedSocket && error.code === 'ECONNRESET'
              ? new StaleConnection('a kept connection was closed', { cause: error })
              : error,
          ),
        );
        if (hasBody) {
          request.pipe(outgoing);
        } else {
          outgoing.end();
        }
      });
    const isRepeatable = !hasBody && (request.method === 'GET' || request.method === 'HEAD');
    for (let tries = 0; ; tries += 1) {
      try {
        return await once();
      } catch (error) {
        // The program closed it in the moment it was used again; a few of those that were kept may be so.
        if (!(error instanceof StaleConnection && isRepeatable && tries < MOST_STALE)) {
          throw error instanceof HitchError ? error : noAnswer(target, error);
        }
      }
    }
  }

  async #upgrade(
    label: string,
    request: IncomingMessage,
    { socket, head }: { socket: Duplex; head: Buffer },
    bearers: Bearers,
  ): Promise<void> {
    const { target } = this.#letIn(label, request, bearers);
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      throw new HitchError('BAD_INPUT', 'A port takes WebSockets, and no other change of protocol.');
    }
    const { clock } = this.#options;
    const way = this.#options.wayTo(target);
    const stream = await openPort(way.link, target.port, clock);
    socket.once('close', () => stream.destroy());
    const place = this.#place(target, way);
    const outgoing = httpRequest({
      createConnection: () => stream,
      method: 'GET',
      path: request.url,
      headers: sentHeaders(request.headers, place, true),
    });
    outgoing.once('error', error => refuseSocket(socket, noAnswer(target, error)));
    outgoing.once('response', answer => {
      // The program's own refusal, as a browser tells it to the page: by its status alone.
      const status = answer.statusCode ?? 502;
      answer.destroy();
      socket.end(
        `HTTP/1.1 ${status.toString()} ${STATUS_CODES[status] ?? 'Error'}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      );
    });
    outgoing.once('upgrade', (answer, inner, innerHead) => {
      const lines = Object.entries(answeredHeaders(answer, place)).flatMap(([name, value]) =>
        (Array.isArray(value) ? value : [value]).map(one => `${name}: ${String(one)}`),
      );
      socket.write(
        [
          'HTTP/1.1 101 Switching Protocols',
          'connection: Upgrade',
          'upgrade: websocket',
          ...lines,
          '',
          '',
        ].join('\r\n'),
      );
      this.#join(socket, head, inner, innerHead);
    });
    outgoing.end();
  }

  #join(outer: Duplex, outerHead: Buffer, inner: Duplex, innerHead: Buffer): void {
    this.#open.add(outer);
    inner.write(outerHead);
    outer.write(innerHead);
    outer.pipe(inner).pipe(outer);
    inner.once('error', () => outer.destroy());
    inner.once('close', () => outer.end());
    outer.once('close', () => {
      this.#open.delete(outer);
      inner.destroy();
    });
  }

  /** A page for whoever looks at it, else the envelope of all failures. */
  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const known = error instanceof HitchError ? error : unreachable(error);
    this.#options.log.debug('A request to a port was refused', { code: known.code });
    if (response.headersSent || request.headers['sec-fetch-mode'] !== 'navigate') {
      answerError(response, known);
    } else {
      sendPage(response, known.status, failing(known.message, known.next));
    }
  }
}

const MOST_STALE = 8;

class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}

const noAnswer = ({ port }: PortTarget, cause: unknown): HitchError =>
  new HitchError('UNREACHABLE', `What listens on port ${port.toString()} of the cluster does not answer.`, {
    next: 'It may be starting, or speak no HTTP. Try again in a moment.',
    cause,
  });

/** Beside the program's own policy, which stays: of two, a browser obeys both. */
function onlyFramedByItself(headers: ReturnType<typeof answeredHeaders>): string {
  const theirs = headers['content-security-policy'];
  return [...(typeof theirs === 'string' ? [theirs] : []), "frame-ancestors 'self'"].join(', ');
}
