/** One HTTP call: address, token, deadline, and the translation of every failure into a {@link RayError}. */
import { request } from 'undici';
import type { Dispatcher } from 'undici';
import type { ZodType } from 'zod';
import { errorFromAnswer } from './answer-error.ts';
import { redact } from './error-text.ts';
import { RayConnectionError, RayError, RayProtocolError } from './errors.ts';

/** The token, or a function asked before each call. */
export type TokenSource = string | (() => string | Promise<string>);

/** What every call accepts. */
export interface CallOptions {
  /** Aborts the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Time limit of one HTTP exchange in milliseconds; the client's own default otherwise. */
  timeoutMs?: number | undefined;
}

export interface Call extends CallOptions {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path from the dashboard's root. Slashes at the end matter to Ray. */
  path: string;
  query?: URLSearchParams;
  json?: unknown;
  bytes?: Uint8Array;
}

export interface TransportOptions {
  baseUrl: URL;
  token: TokenSource | undefined;
  dispatcher: Dispatcher | undefined;
  timeoutMs: number;
  maxResponseBytes: number;
}

/** The end of an error's body is enough: the line that matters is the last. */
const MAX_ERROR_BYTES = 256 * 1024;
const PROBLEMS_NAMED = 3;

export class Transport {
  readonly baseUrl: URL;
  readonly timeoutMs: number;
  readonly #token: TokenSource | undefined;
  readonly #dispatcher: Dispatcher | undefined;
  readonly #maxResponseBytes: number;

  constructor(options: TransportOptions) {
    this.baseUrl = options.baseUrl;
    this.timeoutMs = options.timeoutMs;
    this.#token = options.token;
    this.#dispatcher = options.dispatcher;
    this.#maxResponseBytes = options.maxResponseBytes;
  }

  /** The answer's JSON, checked by `schema`. */
  async json<T>(call: Call, schema: ZodType<T>): Promise<T> {
    return this.parse(call, await this.text(call), schema);
  }

  /** The whole answer as text. */
  async text(call: Call): Promise<string> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.stream(call)) {
      size += chunk.length;
      if (size > this.#maxResponseBytes) {
        throw new RayProtocolError(
          `${describe(call)} was answered with more than ${String(this.#maxResponseBytes)} bytes; ask for less or raise maxResponseBytes`,
        );
      }
      parts.push(chunk);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  /** The answer's bytes as they come. The time limit covers the answer's start; after that, each pause. */
  async *stream(call: Call): AsyncGenerator<Buffer, void, undefined> {
    const deadline = new Deadline(call.timeoutMs ?? this.timeoutMs, call.signal);
    const token = await this.token();
    try {
      const answer = await this.#send(call, token, deadline);
      if (answer.statusCode >= 300) {
        const body = await lastBytes(answer.body);
        throw errorFromAnswer({ ...call, status: answer.statusCode, body, token });
      }
      deadline.met();
      for await (const chunk of answer.body) {
        if (Buffer.isBuffer(chunk)) yield chunk;
      }
    } catch (error) {
      throw this.#translate(call, error, deadline, token);
    } finally {
      deadline.clear();
    }
  }

  /** The bearer token for the next call; undefined where the cluster has none. */
  async token(): Promise<string | undefined> {
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
      throw new TypeError(
        'The token has characters that a header cannot carry (spaces, line ends or letters beyond ASCII)',
      );
    }
    return token;
  }

  /** Where `path` is, in full. */
  url(path: string, query?: URLSearchParams): URL {
    const url = new URL(this.baseUrl);
    url.pathname = `${this.baseUrl.pathname.replace(/\/+$/, '')}${path}`;
    if (query !== undefined) url.search = query.toString();
    return url;
  }

  parse<T>(call: Call, text: string, schema: ZodType<T>): T {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new RayProtocolError(
        `${describe(call)} was answered with something that is not JSON; is this a Ray dashboard?`,
        {
          cause,
        },
      );
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues.map(issue => `${issue.path.join('.') || '(root)'}: ${issue.message}`);
    throw new RayProtocolError(`${describe(call)} was answered in an unknown shape at ${placesIn(where)}`, {
      cause: parsed.error,
    });
  }

  async #send(
    call: Call,
    token: string | undefined,
    { signal, ms: timeoutMs }: Deadline,
  ): Promise<Dispatcher.ResponseData> {
    return request(this.url(call.path, call.query), {
      method: call.method,
      signal,
      bodyTimeout: Number.isFinite(timeoutMs) ? timeoutMs : 0,
      headersTimeout: 0,
      headers: {
        accept: 'application/json, text/plain;q=0.9',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(call.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(call.json === undefined ? {} : { body: JSON.stringify(call.json) }),
      ...(call.bytes === undefined ? {} : { body: call.bytes }),
      ...(this.#dispatcher === undefined ? {} : { dispatcher: this.#dispatcher }),
    });
  }

  #translate(call: Call, error: unknown, deadline: Deadline, token: string | undefined): unknown {
    if (call.signal?.aborted === true) return call.signal.reason;
    if (error instanceof RayError) return error;
    if (deadline.passed) {
      return new RayConnectionError(`${describe(call)} got no answer within ${String(deadline.ms)} ms`, {
        retryable: true,
      });
    }
    const why = redact(error instanceof Error ? messageOf(error) : String(error), token);
    return new RayConnectionError(`${describe(call)} could not reach ${this.baseUrl.origin}: ${why}`, {
      retryable: true,
      cause: error,
    });
  }
}

/** The time limit for the start of an answer, joined with the caller's signal. */
class Deadline {
  readonly ms: number;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timeout: AbortSignal | undefined;
  passed = false;

  constructor(ms: number, caller: AbortSignal | undefined) {
    this.ms = ms;
    this.#caller = caller;
    this.#timeout = Number.isFinite(ms) ? AbortSignal.timeout(ms) : undefined;
    this.#timeout?.addEventListener('abort', this.#onTimeout, { once: true });
    if (caller?.aborted === true) this.#onCallerAbort();
    else caller?.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The answer began: from here on undici's own pause limit counts. */
  met(): void {
    this.#timeout?.removeEventListener('abort', this.#onTimeout);
  }

  clear(): void {
    this.met();
    this.#caller?.removeEventListener('abort', this.#onCallerAbort);
  }

  readonly #onTimeout = (): void => {
    this.passed = true;
    this.#controller.abort();
  };

  readonly #onCallerAbort = (): void => {
    this.#controller.abort(this.#caller?.reason);
  };
}

async function lastBytes(body: AsyncIterable<unknown>): Promise<string> {
  let kept = Buffer.alloc(0);
  for await (const chunk of body) {
    if (Buffer.isBuffer(chunk)) kept = Buffer.concat([kept, chunk]).subarray(-MAX_ERROR_BYTES);
  }
  return kept.toString('utf8');
}

/** The first of many, and how many more there are. */
function placesIn(problems: readonly string[]): string {
  const rest = problems.length - PROBLEMS_NAMED;
  return [...problems.slice(0, PROBLEMS_NAMED), ...(rest > 0 ? [`and ${String(rest)} more`] : [])].join('; ');
}

function describe(call: Call): string {
  return `${call.method} ${call.path}`;
}

/** Node wraps the reasons of several attempts (IPv6, IPv4) in an error whose own message is empty. */
export function messageOf(error: Error): string {
  if (error.message !== '') return error.message;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? first.message : error.name;
}
