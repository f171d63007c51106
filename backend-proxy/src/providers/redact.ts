/**
 * What of a network's answers may leave this computer in a recording. A text is left out unless it is known to say nothing
 * of a person: what the catalogue says to everybody, and fields that the adapter names. The same text becomes the same
 * word everywhere, so that what belongs together still does.
 */
import type { Exchange } from '@hitch/contract';
import type { Recordable } from './provider.ts';
import type { HeardExchange } from './recorder.ts';

/** Of a catalogue a few rows show its shape. */
const CATALOGUE_ROWS = 5;
const DATE = /^\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?$/;
const NUMBER = /^[+-]?\d{1,20}(?:\.\d{1,20})?$/;
const OF_AN_ACCOUNT = /user|account|owner|team|balance|credit|spend/i;
const ACCOUNT_PATH = /\/(?:users?|account|graphql|wallet|balances?)(?:\/|$)/i;
const MARK = /hitch-[a-z0-9]{8,}/g;
/** Headers of answers that an adapter reads. */
const KEPT_HEADERS = /^(?:content-type|date|retry-after|ratelimit.*|x-ratelimit.*)$/;

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?=[\s,;>]|$)/g, 'person@recording.example'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, '192.0.2.1'],
  [/(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi, '2001:db8::1'],
  [/\b(?:[a-z0-9-]+\.)+(?:com|net|io|ai|org|cloud|dev|app|run)\b/gi, 'machine.example'],
];

export interface RedactOptions extends Recordable {
  /** Without what a login holds. */
  readonly mask: (text: string) => string;
}

export function redacted(heard: readonly HeardExchange[], options: RedactOptions): readonly Exchange[] {
  const redaction = new Redaction(options);
  const read = heard.map(one => ({ one, path: new URL(one.request.url).pathname, answer: bodyOf(one) }));
  // What is said to everybody first: it is no secret anywhere else.
  read.filter(({ path }) => options.catalogue.test(path)).forEach(({ answer }) => redaction.learn(answer));
  return read.map(({ one, path, answer }) => redaction.exchange(one, path, answer));
}

/** As JSON where it is that; a text otherwise; null: none. */
function bodyOf({ answer }: HeardExchange): unknown {
  return answer === null || answer.text === '' ? null : jsonOr(answer.text);
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

class Redaction {
  readonly #options: RedactOptions;
  readonly #public = new Set<string>();
  readonly #words = new Map<string, string>();
  readonly #marks = new Map<string, string>();

  constructor(options: RedactOptions) {
    this.#options = options;
  }

  learn(value: unknown): void {
    if (typeof value === 'string' && value.length > 2) {
      this.#public.add(value);
    } else if (Array.isArray(value)) {
      value.forEach(each => {
        this.learn(each);
      });
    } else if (isObject(value)) {
      Object.values(value).forEach(each => {
        this.learn(each);
      });
    }
  }

  exchange({ atMs, request, answer }: HeardExchange, path: string, body: unknown): Exchange {
    const cut: string[] = [];
    const isCatalogue = this.#options.catalogue.test(path);
    const said = isCatalogue ? shortened(body, cut) : body;
    const isAccount = ACCOUNT_PATH.test(path);
    return {
      atMs,
      method: request.method,
      path: path
        .split('/')
        .map(part => this.#segment(decodeURIComponent(part)))
        .join('/'),
      query: this.#query(new URL(request.url).searchParams),
      sent: request.body === null ? null : this.#value(jsonOr(request.body), '', false),
      status: answer?.status ?? null,
      headers: Object.fromEntries(
        Object.entries(answer?.headers ?? {}).filter(([name]) => KEPT_HEADERS.test(name)),
      ),
      answer: isCatalogue ? this.#said(said) : this.#value(said, '', isAccount),
      cut,
    };
  }

  /** Of a catalogue: hosts have addresses there too. */
  #said(value: unknown): unknown {
    if (typeof value === 'string') {
      return this.#masked(value);
    }
    if (Array.isArray(value)) {
      return value.map(each => this.#said(each));
    }
    return isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.#said(each)]))
      : value;
  }

  #value(value: unknown, field: string, isAccount: boolean): unknown {
    if (typeof value === 'string') {
      return this.#text(value, field);
    }
    if (typeof value === 'number') {
      return isAccount || OF_AN_ACCOUNT.test(field) ? 0 : value;
    }
    if (Array.isArray(value)) {
      return value.map(each => this.#value(each, field, isAccount));
    }
    return isObject(value)
      ? Object.fromEntries(
          Object.entries(value).map(([name, each]) => [
            this.#marked(this.#masked(name)),
            this.#value(each, name, isAccount),
          ]),
        )
      : value;
  }

  #text(text: string, field: string): string {
    if (text === '' || DATE.test(text)) {
      return text;
    }
    if (NUMBER.test(text)) {
      return OF_AN_ACCOUNT.test(field) ? '0' : text;
    }
    if (this.#options.fields.includes(field) || this.#public.has(text)) {
      return this.#marked(this.#masked(text));
    }
    const mark = text.match(MARK)?.[0];
    return mark === text ? this.#marked(text) : this.#word(text);
  }

  #query(params: URLSearchParams): Exchange['query'] {
    const query: Record<string, string[]> = {};
    for (const [name, value] of params) {
      (query[name] ??= []).push(this.#marked(this.#masked(this.#words.get(value) ?? value)));
    }
    return query;
  }

  /** An id in a path is the word that it is elsewhere; words of the API itself stay. */
  #segment(part: string): string {
    const known = this.#words.get(part);
    return known ?? (looksLikeId(part) ? this.#word(part) : this.#marked(part));
  }

  #word(text: string): string {
    const known = this.#words.get(text);
    if (known !== undefined) {
      return known;
    }
    const word = `text-${(this.#words.size + 1).toString()}`;
    this.#words.set(text, word);
    return word;
  }

  #masked(text: string): string {
    return MASKS.reduce((shown, [what, by]) => shown.replace(what, by), this.#options.mask(text));
  }

  #marked(text: string): string {
    return text.replace(MARK, mark => {
      const known = this.#marks.get(mark) ?? `hitch-recording${(this.#marks.size + 1).toString()}`;
      this.#marks.set(mark, known);
      return known;
    });
  }
}

/** Letters and digits mixed, and long: no word of an API's path. Digits alone are a number that names nobody. */
const looksLikeId = (part: string): boolean =>
  !NUMBER.test(part) && ((/\d/.test(part) && !/^v\d$/.test(part)) || part.length > 24);

/** The first rows of each list. */
function shortened(value: unknown, cut: string[]): unknown {
  if (Array.isArray(value)) {
    if (value.length > CATALOGUE_ROWS) {
      cut.push(
        `${(value.length - CATALOGUE_ROWS).toString()} of ${value.length.toString()} rows are left out.`,
      );
    }
    return value.slice(0, CATALOGUE_ROWS).map(each => shortened(each, cut));
  }
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shortened(each, cut)]))
    : value;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
