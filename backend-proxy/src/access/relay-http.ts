/** The relay's REST half. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { HitchError } from '@hitch/contract';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { errorText } from '../platform/log.ts';
import type { Log } from '../platform/log.ts';
import type { AgentLink } from './agent-link.ts';
import { answerError, SAFE_HEADERS, unreachable } from './relay-answer.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
/** Starting a kernel may load an interpreter from a cold disk. */
const ANSWER_WITHIN_MS = 120_000;
const CONNECT_WITHIN_MS = 5_000;
const CONNECTIONS = 16;

const isJson = (contentType: unknown): boolean =>
  typeof contentType === 'string' && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType);

export class RelayHttp {
  readonly #log: Log;
  readonly #pools = new Map<AgentLink, Pool>();

  constructor({ log }: { log: Log }) {
    this.#log = log;
  }

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    link: () => AgentLink,
  ): Promise<void> {
    try {
      await this.#forward(request, response, path, link());
    } catch (error) {
      if (!(error instanceof HitchError)) {
        this.#log.debug('A relayed request failed', { error: errorText(error) });
      }
      const shown = error instanceof HitchError ? error : unreachable(error);
      answerError(response, shown, shown instanceof NotJson ? 415 : shown.status);
    }
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    link: AgentLink,
  ): Promise<void> {
    const method = METHODS.find(name => name === request.method);
    if (method === undefined) {
      throw new HitchError('BAD_INPUT', `The relay does not take ${String(request.method)}.`);
    }
    const contentType = request.headers['content-type'];
    const hasBody =
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) > 0;
    if (hasBody && !isJson(contentType)) {
      throw new NotJson('Requests to a cluster carry JSON (content-type: application/json).');
    }
    // A client that goes away needs no answer; the agent need not make one.
    const gone = new AbortController();
    response.once('close', () => {
      gone.abort();
    });
    const answer = await this.#pool(link).request({
      method,
      path,
      headers: {
        authorization: `Bearer ${link.token}`,
        accept: 'application/json',
        ...(hasBody ? { 'content-type': 'application/json' } : {}),
        ...(request.headers['content-length'] === undefined || !hasBody
          ? {}
          : { 'content-length': request.headers['content-length'] }),
      },
      ...(hasBody ? { body: request } : {}),
      signal: gone.signal,
    });
    await respond(answer, response);
  }

  #pool(link: AgentLink): Pool {
    const present = this.#pools.get(link);
    if (present !== undefined) {
      return present;
    }
    const { address } = link;
    const unix = 'socketPath' in address;
    const pool = new Pool(unix ? 'http://agent' : `http://${address.host}:${address.port.toString()}`, {
      connections: CONNECTIONS,
      headersTimeout: ANSWER_WITHIN_MS,
      bodyTimeout: ANSWER_WITHIN_MS,
      connect: { timeout: CONNECT_WITHIN_MS, ...(unix ? { socketPath: address.socketPath } : {}) },
    });
    this.#pools.set(link, pool);
    link.closed.addEventListener('abort', () => void this.#end(link), { once: true });
    return pool;
  }

  async #end(link: AgentLink): Promise<void> {
    const pool = this.#pools.get(link);
    this.#pools.delete(link);
    await pool?.destroy();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.keys()].map(link => this.#end(link)));
  }
}

/** Something other than JSON: a page, a picture, a script. */
class NotJson extends HitchError {
  constructor(message: string) {
    super('BAD_INPUT', message);
  }
}

async function respond(answer: Dispatcher.ResponseData, response: ServerResponse): Promise<void> {
  const { statusCode, headers, body } = answer;
  const bodiless = statusCode === 204 || statusCode === 304 || headers['content-length'] === '0';
  if (statusCode === 401 || statusCode >= 502) {
    // Another bearer, or a server behind the agent that is away: for the client both are an absence.
    await body.dump();
    throw unreachable();
  }
  if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) {
    await body.dump();
    throw new NotJson('The cluster answered with a redirect, which is not passed on.');
  }
  if (!bodiless && !isJson(headers['content-type'])) {
    await body.dump();
    throw new NotJson('The cluster answered with something that is not JSON, which is not passed on.');
  }
  const length = headers['content-length'];
  const { 'content-type': json, ...safe } = SAFE_HEADERS;
  response.writeHead(statusCode, {
    ...safe,
    ...(bodiless ? {} : { 'content-type': json }),
    ...(typeof length === 'string' ? { 'content-length': length } : {}),
  });
  await pipeline(body, response);
}
