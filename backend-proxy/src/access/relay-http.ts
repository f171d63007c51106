/** The relay's REST half. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ERRORS, HitchError } from '@hitch/contract';
import { errorText } from '../platform/log.ts';
import type { Log } from '../platform/log.ts';
import type { AgentLink } from './agent-link.ts';
import { dump, type LinkAnswer, sendOverLink } from './link-http.ts';
import { answerError, SAFE_HEADERS, unreachable } from './relay-answer.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
/** Starting a kernel may load an interpreter from a cold disk. */
const ANSWER_WITHIN_MS = 120_000;

const isJson = (contentType: unknown): boolean =>
  typeof contentType === 'string' && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType);

export class RelayHttp {
  readonly #log: Log;

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
    const answer = await sendOverLink(link, {
      method,
      path,
      headers: {
        accept: 'application/json',
        ...(hasBody ? { 'content-type': 'application/json' } : {}),
        ...(request.headers['content-length'] === undefined || !hasBody
          ? {}
          : { 'content-length': request.headers['content-length'] }),
      },
      ...(hasBody ? { body: request } : {}),
      signal: gone.signal,
      answerWithinMs: ANSWER_WITHIN_MS,
      silenceMs: ANSWER_WITHIN_MS,
    });
    await respond(answer, response);
  }
}

/** Something other than JSON: a page, a picture, a script. */
class NotJson extends HitchError {
  constructor(message: string) {
    super('BAD_INPUT', message);
  }
}

async function respond(answer: LinkAnswer, response: ServerResponse): Promise<void> {
  const { statusCode, headers, body } = answer;
  const bodiless = statusCode === 204 || statusCode === 304 || headers['content-length'] === '0';
  if (statusCode === 401 || (statusCode >= 502 && statusCode !== ERRORS.STORAGE_FULL.status)) {
    // Another bearer, or a server behind the agent that is away: for the client both are an absence.
    await dump(body);
    throw unreachable();
  }
  if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) {
    await dump(body);
    throw new NotJson('The cluster answered with a redirect, which is not passed on.');
  }
  if (!bodiless && !isJson(headers['content-type'])) {
    await dump(body);
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
