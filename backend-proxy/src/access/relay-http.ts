/** The relay's REST half. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ERRORS, HitchError } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { AgentLink } from './agent-link.ts';
import { dump, type LinkAnswer, sendOverLink } from './link-http.ts';
import { NotUnderstood } from './not-understood.ts';
import { answerError, SAFE_HEADERS, unreachable } from './relay-answer.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
/** Starting a kernel may load an interpreter from a cold disk. */
const ANSWER_WITHIN_MS = 120_000;

/** A whole answer: a notebook with all its outputs, over a slow line. */
const WHOLE_WITHIN_MS = 15 * 60_000;
/** A refusal is a sentence, and perhaps a trace. */
const MOST_REFUSAL_BYTES = 1024 * 1024;
const MOST_BYTES = 256 * 1024 * 1024;

const isJson = (contentType: unknown): boolean =>
  typeof contentType === 'string' && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType);

export class RelayHttp {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #answerMs: number;

  /** @param answerMs the longest that a machine may take until its answer begins, and be silent in it. */
  constructor({ log, clock, answerMs = ANSWER_WITHIN_MS }: { log: Log; clock: Clock; answerMs?: number }) {
    this.#log = log;
    this.#clock = clock;
    this.#answerMs = answerMs;
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
      if (error instanceof NotUnderstood) {
        this.#log.warn('A relayed answer was broken off', { error: errorText(error) });
      } else if (!(error instanceof HitchError)) {
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
      answerWithinMs: this.#answerMs,
      silenceMs: this.#answerMs,
    });
    const late = this.#clock.setTimer(
      () => gone.abort(new Error('the answer took too long')),
      WHOLE_WITHIN_MS,
    );
    try {
      await respond(answer, response);
    } finally {
      late.cancel();
    }
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
  if (Number(length ?? 0) > MOST_BYTES) {
    body.destroy();
    throw tooLong();
  }
  if (statusCode >= 400 && !bodiless) {
    const said = await refusalOf(answer);
    response.writeHead(statusCode, { ...SAFE_HEADERS, 'content-length': said.length });
    response.end(said);
    return;
  }
  const { 'content-type': json, ...safe } = SAFE_HEADERS;
  response.writeHead(statusCode, {
    ...safe,
    ...(bodiless ? {} : { 'content-type': json }),
    ...(typeof length === 'string' ? { 'content-length': length } : {}),
  });
  await pipeline(body, atMost, response);
}

/** Jupyter says of some refusals that they are JSON, and means a plain sentence. @throws HitchError in its place. */
async function refusalOf({ statusCode, body }: LinkAnswer): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of atMost(body)) {
    bytes += chunk.length;
    if (bytes > MOST_REFUSAL_BYTES) {
      throw notInJson(statusCode);
    }
    pieces.push(chunk);
  }
  const said = Buffer.concat(pieces);
  try {
    const value: unknown = JSON.parse(said.toString('utf8'));
    if (typeof value === 'object' && value !== null) {
      return said;
    }
  } catch {
    // It gets a sentence of ours below.
  }
  throw notInJson(statusCode);
}

function notInJson(statusCode: number): HitchError {
  const code = statusCode === 404 ? 'NOT_FOUND' : statusCode === 409 ? 'CONFLICT' : 'BAD_INPUT';
  const said = `Jupyter on the cluster refused this (HTTP ${statusCode.toString()})`;
  return statusCode >= 500
    ? unreachable()
    : new HitchError(code, `${said} in words that are no JSON, which are not passed on.`);
}

const tooLong = (): NotUnderstood =>
  new NotUnderstood(`more than ${MOST_BYTES.toLocaleString('en')} bytes in one answer`);

async function* atMost(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) {
      throw tooLong();
    }
    yield chunk;
  }
}
