/**
 * One account's calls to a network's HTTP API: the address, the login, JSON that is read tolerantly, and what a failure
 * means for money. How often and how urgently a call is made is the rate limiter's, which has the daemon's calls pass one by
 * one; nothing here waits or tries again.
 */
import { cutText } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import type * as z from 'zod';
import { type LoginValues, ProviderError, type ProviderErrorKind } from '../provider.ts';
import { type HttpAnswer, type HttpRequest, type Transport, TransportError } from './transport.ts';
import { baseProblem } from './base.ts';

/** How long a network that asks to wait, and does not say how long, is waited for. */
const UNSAID_WAIT_MS = 5_000;
const LONGEST_WORDS = 300;

/** An answer that is a refusal. */
export interface Refusal {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly status: number;
  /** By their names in small letters. */
  readonly headers: HttpAnswer['headers'];
  /** The network's own time (ms since the epoch); null: it does not say. */
  readonly atMs: number | null;
  /** What it says, read as JSON; undefined where it is none. */
  readonly body: unknown;
  readonly text: string;
}

/** What a refusal means, where its status does not tell. */
export interface Meaning {
  readonly kind: ProviderErrorKind;
  /** The network's words, without its name; left out: what the answer says. */
  readonly words?: string;
  readonly instanceId?: string;
  readonly retryAfterMs?: number;
  readonly lacks?: 'login' | 'funds';
  /** The network's own name for it, where its adapter tells failures apart by that. */
  readonly code?: string;
}

export interface NetworkHttpOptions {
  /** Such as `Vast.ai`. */
  readonly title: string;
  /** Where its API begins, without a slash at the end, such as `https://console.vast.ai`. */
  readonly base: string;
  readonly transport: Transport;
  /** The login that a person gave, as it is now; null: there is none. */
  readonly login: () => Promise<LoginValues | null>;
  /** The headers that a login is sent in. */
  readonly authorize: (login: LoginValues) => Readonly<Record<string, string>>;
  /** What a refusal of this network means; null: what its status means anywhere. */
  readonly explain?: (refusal: Refusal) => Meaning | null;
  /** A refusal's own words; null: it has none that are known. */
  readonly words?: (body: unknown) => string | null;
}

export interface Call<Schema extends z.ZodType> {
  readonly method: HttpRequest['method'];
  /** Below the base, with a slash first. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `none`: asked without; `given`: with it where there is one; `needed`: not asked without. */
  readonly login: 'none' | 'given' | 'needed';
  /** A login to be tried in the place of the one that was given. */
  readonly tried?: LoginValues;
  /** It buys, ends or alters something: without an answer that makes sense it may have done so. */
  readonly changes: boolean;
  /** What of the answer is used; the rest may be anything. */
  readonly answer: Schema;
}

export interface Said<T> {
  readonly value: T;
  /** The network's own time when it answered (ms since the epoch), from its `Date` header; null: none. */
  readonly atMs: number | null;
}

export class NetworkHttp {
  readonly #options: NetworkHttpOptions;

  /** @throws RangeError for a base that a login must not be sent to. */
  constructor(options: NetworkHttpOptions) {
    const problem = baseProblem(options.base);
    if (problem !== null) {
      throw new RangeError(problem);
    }
    this.#options = options;
  }

  /** Asks once. @throws ProviderError */
  async ask<Schema extends z.ZodType>(
    call: Call<Schema>,
    signal: AbortSignal,
  ): Promise<Said<z.output<Schema>>> {
    const answer = await this.#send(call, signal);
    if (answer.status < 200 || answer.status > 299) {
      throw this.#refusal(answer, call);
    }
    return { value: this.#read(answer, call), atMs: dateOf(answer) };
  }

  /**
   * The same; null where the network does not know what the path names: it says so with 404, in JSON or without a word. In
   * other words somebody on the way says it, who knows nothing of a machine. @throws ProviderError
   */
  async askFor<Schema extends z.ZodType>(
    call: Call<Schema>,
    signal: AbortSignal,
  ): Promise<Said<z.output<Schema>> | null> {
    const answer = await this.#send(call, signal);
    if (answer.status === 404) {
      if (isPage(answer) || (answer.text.trim() !== '' && jsonOf(answer.text) === undefined)) {
        throw new ProviderError(unclear(call), this.#notUnderstood(answer, call));
      }
      return null;
    }
    if (answer.status < 200 || answer.status > 299) {
      throw this.#refusal(answer, call);
    }
    return { value: this.#read(answer, call), atMs: dateOf(answer) };
  }

  async #send(call: Call<z.ZodType>, signal: AbortSignal): Promise<HttpAnswer> {
    const request = await this.#request(call);
    try {
      return await this.#options.transport(request, signal);
    } catch (cause) {
      const mayHaveArrived = !(cause instanceof TransportError) || cause.mayHaveArrived;
      throw new ProviderError(
        mayHaveArrived ? unclear(call) : 'retryable',
        `${this.#options.title} gave no answer: ${errorText(cause)}.`,
        { cause },
      );
    }
  }

  async #request({ method, path, query = {}, body, login, tried }: Call<z.ZodType>): Promise<HttpRequest> {
    const { base, title, authorize } = this.#options;
    const values = login === 'none' ? null : (tried ?? (await this.#kept()));
    if (values === null && login === 'needed') {
      throw new ProviderError('auth', `Nobody is logged in at ${title}.`);
    }
    const shown = values === null ? {} : authorize(values);
    if (!Object.values(shown).every(text => PLAIN.test(text))) {
      throw new ProviderError(
        'auth',
        `Your login at ${title} holds a character that no key has, such as a line break or a curly quote: copy it once more.`,
      );
    }
    const url = new URL(base + path);
    for (const [name, value] of Object.entries(query)) {
      const all = Array.isArray(value) ? value : value === undefined ? [] : [value];
      all.forEach(one => {
        url.searchParams.append(name, String(one));
      });
    }
    return {
      method,
      url: url.href,
      headers: {
        accept: 'application/json',
        'user-agent': 'hitch',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...shown,
      },
      body: body === undefined ? null : JSON.stringify(body),
    };
  }

  /** The login that is kept. Where it cannot be read, as in a keychain that is locked, nothing was sent. */
  async #kept(): Promise<LoginValues | null> {
    const { login, title } = this.#options;
    try {
      return await login();
    } catch (cause) {
      throw new ProviderError(
        'retryable',
        `${title} was not asked, since your login cannot be read: ${errorText(cause)}`,
        { cause },
      );
    }
  }

  #read<Schema extends z.ZodType>(answer: HttpAnswer, call: Call<Schema>): z.output<Schema> {
    const value = answer.text === '' ? undefined : jsonOf(answer.text);
    if (isPage(answer) || (value === undefined && answer.text !== '')) {
      // Also where nothing of the answer is used: somebody else gave it, or its end is missing.
      throw new ProviderError(unclear(call), this.#notUnderstood(answer, call));
    }
    const read = call.answer.safeParse(value);
    if (read.success) {
      return read.data;
    }
    throw new ProviderError(unclear(call), this.#notUnderstood(answer, call, read.error.issues[0]));
  }

  #notUnderstood(answer: HttpAnswer, { method, path }: Call<z.ZodType>, issue?: z.core.$ZodIssue): string {
    const { title } = this.#options;
    if (isPage(answer)) {
      return `${title} answered ${method} ${path} with a web page, not with data: a page to log in to the network of a hotel or an office, or a proxy, may stand between.`;
    }
    if (jsonOf(answer.text) === undefined && answer.text !== '') {
      return `${title} answered ${method} ${path} with what is not JSON, or only a part of it (${answer.text.length.toString()} characters).`;
    }
    const where = issue === undefined || issue.path.length === 0 ? 'it' : issue.path.join('.');
    return `${title} answered ${method} ${path} with data of another shape than is known: ${where}: ${issue?.message ?? 'invalid'}.`;
  }

  #refusal(answer: HttpAnswer, call: Call<z.ZodType>): ProviderError {
    const { title, explain, words } = this.#options;
    if (isPage(answer)) {
      // Whatever its status says, the network did not say it.
      return new ProviderError(unclear(call), this.#notUnderstood(answer, call));
    }
    const body = jsonOf(answer.text);
    const meaning = explain?.(refusalOf(answer, call, body)) ?? meaningOf(answer, call);
    const said =
      meaning.words ?? words?.(body) ?? (body === undefined || typeof body === 'string' ? answer.text : null);
    const plain = said === null ? '' : cutText(said.replace(/\s+/g, ' ').trim(), LONGEST_WORDS);
    const sentence = plain === '' ? `answered ${answer.status.toString()}` : `says: ${plain}`;
    const waits = meaning.retryAfterMs ?? (answer.status === 429 ? waitOf(answer) : undefined);
    return new ProviderError(meaning.kind, `${title} ${withPeriod(sentence)}`, {
      ...(meaning.instanceId === undefined ? {} : { instanceId: meaning.instanceId }),
      ...(waits === undefined ? {} : { retryAfterMs: waits }),
      ...(meaning.lacks === undefined ? {} : { lacks: meaning.lacks }),
      ...(meaning.code === undefined ? {} : { code: meaning.code }),
    });
  }
}

const refusalOf = (answer: HttpAnswer, { method, path }: Call<z.ZodType>, body: unknown): Refusal => ({
  ...answer,
  method,
  path,
  body,
  atMs: dateOf(answer),
});

const unclear = ({ changes }: Pick<Call<z.ZodType>, 'changes'>): ProviderErrorKind =>
  changes ? 'unknownOutcome' : 'retryable';

/** What a status means anywhere. */
function meaningOf({ status }: HttpAnswer, call: Call<z.ZodType>): Meaning {
  switch (status) {
    case 401:
    case 403:
      return { kind: 'auth' };
    case 402:
      return { kind: 'auth', lacks: 'funds' };
    case 429:
      return { kind: 'retryable' };
    case 408:
    case 425:
      return { kind: unclear(call) };
    default:
      return { kind: status >= 400 && status < 500 ? 'permanent' : unclear(call) };
  }
}

/** How long it asks to wait (ms). */
function waitOf(answer: HttpAnswer): number {
  const said = answer.headers['retry-after']?.trim() ?? '';
  if (/^[0-9]{1,6}$/.test(said)) {
    return Number(said) * 1000;
  }
  const until = Date.parse(said);
  const now = dateOf(answer);
  return Number.isNaN(until) || now === null ? UNSAID_WAIT_MS : Math.max(0, until - now);
}

function dateOf({ headers }: HttpAnswer): number | null {
  const at = Date.parse(headers['date'] ?? '');
  return Number.isNaN(at) ? null : at;
}

const isPage = ({ headers, text }: HttpAnswer): boolean =>
  /html/i.test(headers['content-type'] ?? '') || /^\s*<(!doctype|html)/i.test(text);

/** Undefined where it is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a header may hold that somebody's key is in. */
const PLAIN = /^[\x20-\x7e]*$/;

const withPeriod = (sentence: string): string => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);
