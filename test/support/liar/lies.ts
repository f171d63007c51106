/**
 * Lies about every route of a contract, made from its schemas: each field missing, of a wrong type, huge, without an end,
 * too deep, with control characters, with a path that nobody asked for; and each answer no HTTP, no JSON, slow, compressed.
 */
import { gzipSync } from 'node:zlib';
import { type Random, pick } from '@hitch/platform/src/random.ts';
import type { Lie, Piece, Route } from './lie.ts';

const MARK = '@@the lie@@';
const KIB64 = 'A'.repeat(64 * 1024);
const CONTROL = '\u001b]52;c;eA==\u0007\u001b[2J\r\n\u0000\u202egpj.\u0085[x](command:y)';
const PATHS = [
  '../outside',
  '/etc/passwd',
  '.bashrc',
  '.ssh/authorized_keys',
  'asked.txt/../../x',
  'C:\\x',
  '..\\x',
  './asked.txt/.',
  '',
];

type Path = readonly (string | number)[];

/** A field and what is said in its place; null: it is missing. */
interface Replacement {
  readonly kind: string;
  readonly pieces: readonly Piece[] | null;
}

/** Every place in a value, the value itself first. */
function* placesIn(value: unknown, at: Path = []): Generator<Path> {
  yield at;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      yield* placesIn(item, [...at, index]);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      yield* placesIn(item, [...at, name]);
    }
  }
}

const fieldsOf = (value: unknown): Readonly<Record<string | number, unknown>> =>
  typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};

function valueAt(value: unknown, [first, ...rest]: Path): unknown {
  return first === undefined ? value : valueAt(fieldsOf(value)[first], rest);
}

function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) {
    return by;
  }
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (index === first ? replaced(item, rest, by) : item));
  }
  const fields = Object.entries(fieldsOf(value)).map(([name, item]) => [
    name,
    name === first ? replaced(item, rest, by) : item,
  ]);
  return Object.fromEntries(fields);
}

function replacements(random: Random, value: unknown): readonly Replacement[] {
  const other = [{}, [], 'text', 7, true, null].filter(
    wrong => typeof wrong !== typeof value || Array.isArray(wrong) !== Array.isArray(value),
  );
  const said = (kind: string, ...pieces: readonly Piece[]): Replacement => ({ kind, pieces });
  return [
    { kind: 'missing', pieces: null },
    said('wrong type', JSON.stringify(pick(random, other))),
    said('huge', '"', { text: KIB64, times: 320 }, '"'),
    said('endless', '"', { text: KIB64, times: -1 }),
    said('endless list', '[', { text: '{},'.repeat(10_000), times: -1 }),
    said('deep', { text: '[', times: 50_000 }, { text: ']', times: 50_000 }),
    said('many', '[', { text: '[],', times: 200_000 }, '[]]'),
    said('control characters', JSON.stringify(CONTROL)),
    said('wrong path', JSON.stringify(pick(random, PATHS))),
    said('odd number', pick(random, ['-1', '1e308', '1e999', '-1e999', '1.5', '9007199254740993'])),
    said('prototype', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
  ];
}

/** Each place of an honest answer with each kind of lie in it, in an order of chance. */
export function liesInside(random: Random, route: Route, honest: unknown): Lie[] {
  const lies: Lie[] = [];
  for (const at of placesIn(honest)) {
    for (const { kind, pieces } of replacements(random, valueAt(honest, at))) {
      // A value that is gone as a whole is an answer of nothing, which stands among the others.
      if (pieces === null && at.length === 0) {
        continue;
      }
      const text = JSON.stringify(replaced(honest, at, pieces === null ? undefined : MARK));
      const [before = '', after = ''] = text.split(JSON.stringify(MARK));
      const name = `${route.name}: ${kind} at ${at.length === 0 ? 'the whole' : at.join('.')}`;
      lies.push(asAnswer(route, name, pieces === null ? [text] : [before, ...pieces, after]));
    }
  }
  return shuffled(random, lies);
}

function asAnswer({ isStream }: Route, name: string, pieces: readonly Piece[]): Lie {
  return isStream
    ? {
        name,
        headers: { 'content-type': 'text/event-stream' },
        pieces: ['event: message\ndata: ', ...pieces, '\n\n'],
      }
    : { name, headers: { 'content-type': 'application/json' }, pieces };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const envelope = (message: string, more: object = {}): string =>
  JSON.stringify({ code: 'CONFLICT', message, retryable: false, ...more });
const [ENVELOPE_START = '', ENVELOPE_END = ''] = envelope(MARK).split(JSON.stringify(MARK));

/** Answers that are wrong whatever was asked. Those that take time come last. */
export function liesAround({ name, isStream }: Route): Lie[] {
  const about = (lie: Lie): Lie => ({ ...lie, name: `${name}: ${lie.name}` });
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString('base64');
  const quick: Lie[] = [
    { name: 'no HTTP', raw: true, pieces: ['GARBAGE\r\n\r\n'] },
    {
      name: 'endless head',
      raw: true,
      pieces: ['HTTP/1.1 200 OK\r\n', { text: 'a: b\r\n'.repeat(100), times: -1 }],
    },
    {
      name: 'endless interim answers',
      raw: true,
      pieces: [{ text: 'HTTP/1.1 102 Go\r\n\r\n', times: 20_000 }],
      breaks: true,
    },
    { name: 'a page', headers: { 'content-type': 'text/html' }, pieces: ['<script>alert(1)</script>'] },
    { name: 'a form', headers: { 'content-type': 'multipart/form-data; boundary=x' }, pieces: ['--x--'] },
    { name: 'endless bytes of no type', headers: {}, pieces: [{ text: KIB64, times: -1 }] },
    { name: 'compressed', headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, pieces: [{ base64: bomb }] },
    { name: 'a redirect', status: 302, headers: { location: 'http://127.0.0.1:1/' }, pieces: [] },
    { name: 'nothing', status: 204, headers: {}, pieces: [] },
    { name: 'an empty body', headers: JSON_TYPE, pieces: [''] },
    { name: 'half a JSON', headers: JSON_TYPE, pieces: ['{"a":'] },
    {
      name: 'no UTF-8',
      headers: JSON_TYPE,
      pieces: [{ base64: Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('base64') }],
    },
    { name: 'endless blanks', headers: JSON_TYPE, pieces: [{ text: ' '.repeat(65_536), times: -1 }] },
    {
      name: 'a long length',
      headers: { ...JSON_TYPE, 'content-length': '99999999999999' },
      pieces: ['{'],
      breaks: true,
    },
    {
      name: 'a length that is too long',
      headers: { ...JSON_TYPE, 'content-length': '100' },
      pieces: ['{'],
      breaks: true,
    },
    { name: 'a failure without an error', status: 500, headers: JSON_TYPE, pieces: ['{"error":true}'] },
    {
      name: 'a failure as a page',
      status: 500,
      headers: { 'content-type': 'text/html' },
      pieces: ['<h1>no</h1>'],
    },
    {
      name: 'an endless failure',
      status: 500,
      headers: JSON_TYPE,
      pieces: [ENVELOPE_START, '"', { text: KIB64, times: -1 }],
    },
    {
      name: 'a long failure',
      status: 409,
      headers: JSON_TYPE,
      pieces: [ENVELOPE_START, JSON.stringify('B'.repeat(30_000)), ENVELOPE_END],
    },
    {
      name: 'a failure that escapes',
      status: 409,
      headers: JSON_TYPE,
      pieces: [envelope(CONTROL, { next: CONTROL, field: CONTROL })],
    },
    {
      name: 'that the bearer is wrong',
      status: 401,
      headers: JSON_TYPE,
      pieces: [envelope('no', { code: 'UNAUTHORIZED' })],
    },
    {
      name: 'an unknown code',
      status: 400,
      headers: JSON_TYPE,
      pieces: [envelope('no', { code: 'NONSENSE' })],
    },
  ];
  const stream: Lie[] = isStream
    ? [
        {
          name: 'events of nothing',
          headers: { 'content-type': 'text/event-stream' },
          pieces: [{ text: ': \n\n'.repeat(1000), times: -1 }],
        },
        {
          name: 'an endless event',
          headers: { 'content-type': 'text/event-stream' },
          pieces: ['data: ', { text: KIB64, times: -1 }],
        },
        {
          name: 'an event that fails',
          headers: { 'content-type': 'text/event-stream' },
          pieces: [`event: error\ndata: ${envelope(CONTROL)}\n\n`],
        },
        {
          name: 'an end',
          headers: { 'content-type': 'text/event-stream' },
          pieces: ['event: done\ndata: {}\n\n'],
        },
      ]
    : [];
  return [...quick, ...stream].map(about);
}

/** Answers that take their time, each until somebody has had enough. */
export function slowLies({ name }: Route): Lie[] {
  return [
    { name: `${name}: silent`, silent: true, pieces: [] },
    {
      name: `${name}: drip by drip`,
      headers: JSON_TYPE,
      pieces: ['{', { text: ' ', times: -1 }],
      everyMs: 100,
    },
  ];
}

export function shuffled<T>(random: Random, things: readonly T[]): T[] {
  return things
    .map(thing => ({ thing, at: random.next() }))
    .sort((one, other) => one.at - other.at)
    .map(({ thing }) => thing);
}
