/** Calls of every route of the contract, made from its schemas and then spoilt. */
import { contract } from '@hitch/contract';
import { type AnyContractRouter, isContractProcedure } from '@orpc/contract';
import { pick, type Random } from '@hitch/platform/src/random.ts';
import type { Lie, Piece } from '../support/liar/lie.ts';
import { liesInside } from '../support/liar/lies.ts';
import { type Known, sampleOf } from '../support/liar/sample.ts';
import { nastyText } from './nasty-text.ts';
import type { Case } from './case.ts';

interface ApiRoute {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly input: unknown;
}

const SOME = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
/** What an honest call says. Nothing that a call without any lie would begin is named: no folder here, no running cluster. */
const KNOWN: Known = {
  clusterId: '$cluster',
  quoteId: `quo_${SOME}`,
  approvalId: `apr_${SOME}`,
  copyId: `cop_${SOME}`,
  jobId: `job_${SOME}`,
  nodeId: `nod_${SOME}`,
  kernelId: '$kernel',
  path: 'asked.txt',
  file: '/nowhere/config',
  folder: '/nowhere',
  source: '/nowhere',
  template: 'notebook',
  name: 'fuzz',
  provider: 'sandbox',
  cursor: '0:0',
  offerIds: ['sandbox:rtx-4090-1'],
  maxPricePerHourMicroUsd: '1000000',
  value: 'a secret',
};
const KNOWN_ON: Readonly<Record<string, Known>> = {
  'quotes.create': { environment: null },
  'quotes.again': { environment: null },
  'clusters.changeEnvironment': { clusterId: '$other', environment: null },
  'clusters.create': { quoteId: '$quote' },
  'clusters.stop': { clusterId: '$other' },
  'clusters.remove': { clusterId: '$other' },
  'clusters.save': { clusterId: '$other' },
  'clusters.extend': { clusterId: '$other' },
  'clusters.startAgain': { clusterId: '$other' },
  'copies.start': { clusterId: '$other' },
  'jobs.start': { clusterId: '$other' },
  'templates.draft': { clusterId: '$other' },
  'jobs.quote': { environment: null },
};
/** These do what they say for whoever has the bearer, so that they are asked with a wrong one only. */
const ENDS_THE_RUN = new Set(['daemon.stop']);
/** Where the lie leaves an honest purchase behind. */
const STILL_HONEST = /^clusters\.create: missing at name$/;

export function apiRoutes(router: AnyContractRouter = contract, at: readonly string[] = []): ApiRoute[] {
  if (!isContractProcedure(router)) {
    return Object.entries(router).flatMap(([name, inner]) => apiRoutes(inner, [...at, name]));
  }
  const { route } = router['~orpc'];
  const inputSchema: unknown = router['~orpc'].inputSchema;
  const name = at.join('.');
  const input = inputSchema === undefined ? {} : sampleOf(inputSchema, { ...KNOWN, ...KNOWN_ON[name] });
  return [{ name, method: route.method ?? 'POST', path: `/api${route.path ?? ''}`, input }];
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};

/** Spoils calls; the lies about each route are made once. */
export class ApiCases {
  readonly #random: Random;
  readonly #routes: readonly (ApiRoute & { readonly lies: readonly Lie[] })[];

  constructor(random: Random) {
    this.#random = random;
    this.#routes = apiRoutes().map(route => ({
      ...route,
      lies: liesInside(random, { ...route, isStream: false }, route.input).filter(
        ({ name }) => !STILL_HONEST.test(name),
      ),
    }));
  }

  next(): Case {
    const random = this.#random;
    const route = pick(random, this.#routes);
    const kind = pick(random, ['lie', 'lie', 'lie', 'address', 'address', 'headers', 'raw'] as const);
    const bearer = ENDS_THE_RUN.has(route.name) ? 'wrong' : '$token';
    const base = this.#honest(route, bearer);
    switch (kind) {
      case 'lie':
        return this.#lie(base, route.lies);
      case 'address':
        return this.#address(base, route, bearer);
      case 'headers':
        return this.#headers(base, bearer);
      case 'raw':
        return this.#raw(base);
    }
  }

  #honest(route: ApiRoute, bearer: string): Case {
    return {
      name: route.name,
      head: [
        `${route.method} ${addressOf(route)} HTTP/1.1`,
        'host: 127.0.0.1:$port',
        `authorization: Bearer ${bearer}`,
        'connection: close',
      ],
      body: [],
      length: 'right',
      after: [],
    };
  }

  /** A body with one false place. */
  #lie(base: Case, lies: readonly Lie[]): Case {
    const random = this.#random;
    const unknown = ['{"', nastyText(random, '"\\'), '":1}'].join('');
    const body: readonly Piece[] = random.next() < 0.1 ? [unknown] : pick(random, lies).pieces;
    const type = pick(random, [
      ...Array<string>(8).fill('application/json'),
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json; charset=utf-16',
      'application/octet-stream',
      '\u00ff',
      '',
    ]);
    return {
      ...base,
      name: `${base.name}, a body`,
      head: [...base.head, `content-type: ${type}`],
      body,
      length: pick(random, ['right', 'right', 'chunked']),
    };
  }

  /** Another method, fields of the address that are nonsense, or more of them. */
  #address(base: Case, route: ApiRoute, bearer: string): Case {
    const random = this.#random;
    const names = Object.keys(fieldsOf(route.input));
    const spoilt = names.length === 0 ? '' : pick(random, names);
    const input = { ...fieldsOf(route.input), [spoilt]: nastyText(random) };
    const extra =
      random.next() < 0.3
        ? `&${encodeURIComponent(nastyText(random).toWellFormed())}=1&a[__proto__][x]=1`
        : '';
    const method = random.next() < 0.3 ? nextMethod(random) : route.method;
    const asked = addressOf({ ...route, method: 'GET', input });
    const address = random.next() < 0.2 ? rawAddress(asked, random) : `${asked}${extra}`;
    const honest = this.#honest(route, bearer);
    // A method that spends or ends is met by an address that names nothing of the run.
    const safe = /^(?:POST|DELETE|PUT)$/.test(method) ? address.replaceAll('$quote', `quo_${SOME}`) : address;
    return {
      ...honest,
      name: `${base.name}, an address`,
      head: [`${method} ${safe} HTTP/1.1`, ...honest.head.slice(1)],
    };
  }

  #headers(base: Case, bearer: string): Case {
    const random = this.#random;
    const line = pick(random, [
      'expect: 100-continue',
      'expect: nonsense',
      'origin: null',
      'origin: http://127.0.0.1:$port',
      'host: second',
      'authorization: Bearer x',
      `x-hitch-protocol: ${headerText(random)}`,
      `x-hitch-local-root: %`,
      'transfer-encoding: nonsense',
      'content-length: 5',
      'content-length: -1',
      'content-length: 99999999999999999999',
      'content-length: 0x10',
      'content-encoding: gzip',
      'last-event-id: \u00ff',
      `accept: ${headerText(random)}`,
      'upgrade: h2c',
      'upgrade: ssh',
      `cookie: ${'a=b; '.repeat(5_000)}`,
      `${'a'.repeat(20_000)}: b`,
      ...Array<string>(4).fill(`${headerText(random)}: ${headerText(random)}`),
      ' folded: x',
      ': nothing',
      'a\u0000b: c',
    ]);
    const all = base.head.filter(known => !known.startsWith('connection'));
    const rest = random.next() < 0.2 ? all.slice(2) : all.slice(1);
    const upgrades = line.startsWith('upgrade');
    const connection = upgrades ? ['connection: Upgrade'] : [];
    const version = pick(random, ['1.1', '1.1', '1.1', '1.0', '2.0', '9']);
    const first = (base.head[0] ?? '').replace('HTTP/1.1', `HTTP/${version}`);
    return {
      ...base,
      name: `${base.name}, a header${bearer === '$token' ? '' : ' of a stranger'}`,
      head: [first, ...rest, ...connection, line, ...(upgrades ? [] : ['connection: close'])],
      length: 'none',
    };
  }

  /** Bytes that are no request, half of one, or several at once. */
  #raw(base: Case): Case {
    const random = this.#random;
    const [many, half, open] = [random.next() < 0.3, random.next() < 0.4, random.next() < 0.5];
    if (many) {
      return {
        ...base,
        name: `${base.name}, pipelined`,
        head: base.head.filter(line => !line.startsWith('connection')),
        length: 'none',
        after: [...base.head.flatMap(line => [line, '\r\n']), '\r\n', 'GARBAGE\r\n\r\n'],
      };
    }
    if (half) {
      return {
        ...base,
        name: `${base.name}, half a body`,
        head: [...base.head, 'content-type: application/json', 'content-length: 1000'],
        body: ['{"a":'],
        length: 'none',
      };
    }
    if (open) {
      const chunk = pick(random, [
        'zz\r\n',
        '-1\r\n',
        'ffffffffffffffff\r\n',
        '5\r\nabc\r\n0\r\n\r\n',
        '1;x=y\r\n{\r\n',
      ]);
      return {
        ...base,
        name: `${base.name}, bad chunks`,
        head: [...base.head, 'transfer-encoding: chunked'],
        body: [chunk],
        length: 'none',
      };
    }
    const bytes = Buffer.from(random.bytes(1 + Math.floor(random.next() * 400))).toString('base64');
    return {
      name: 'no request',
      head: ['PRI * HTTP/2.0'],
      body: [{ base64: bytes }],
      length: 'none',
      after: [],
    };
  }
}

export const nextMethod = (random: Random): string =>
  pick(random, [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'OPTIONS',
    'TRACE',
    'CONNECT',
    'PROPFIND',
    'get',
    'NONSENSE',
  ]);

/** What a header may carry: no line may end in it. */
const headerText = (random: Random): string =>
  nastyText(random)
    .replace(/[\r\n]/g, '')
    .slice(0, 2_000);

function rawAddress(address: string, random: Random): string {
  return pick(random, [
    `/${address}`,
    `http://evil.example${address}`,
    address.replaceAll('/', '\\'),
    `${address}/../../..`,
    address.replaceAll('/', '%2f'),
    `${address}?${'a=1&'.repeat(1_000)}`,
    `${address}#x`,
    `${address}%`,
    `${address}%00`,
    `${address}/${'x'.repeat(30_000)}`,
    '*',
    'evil.example:80',
  ]);
}

/** Fields of the path in their places; of a GET the others too, in the query. */
function addressOf({ method, path, input }: ApiRoute): string {
  const fields = fieldsOf(input);
  const text = (value: unknown): string => {
    const plain = typeof value === 'string' ? value : JSON.stringify(value);
    return /^\$\w+$/.test(plain) ? plain : encodeURIComponent(plain.toWellFormed());
  };
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => text(fields[name] ?? ''));
  const rest = Object.entries(fields).filter(([name]) => name !== '' && !path.includes(`{${name}}`));
  const query = rest.map(([name, value]) => `${name}=${text(value)}`).join('&');
  return method !== 'GET' || query === '' ? filled : `${filled}?${query}`;
}
