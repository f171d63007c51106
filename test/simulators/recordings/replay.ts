/** Holds a recording of a real network against our adapter, which must read it, and our simulator, which must speak as it does. */
import type { Exchange, Recording } from '@hitch/contract';
import type { VirtualClock } from '@hitch/platform/src/clock.ts';
import { AkashProvider } from '../../../backend-proxy/src/providers/akash/akash-provider.ts';
import type { HttpAnswer, Transport } from '../../../backend-proxy/src/providers/http/transport.ts';
import {
  type IonetOptions,
  IonetProvider,
} from '../../../backend-proxy/src/providers/ionet/ionet-provider.ts';
import { PrimeProvider } from '../../../backend-proxy/src/providers/prime/prime-provider.ts';
import { type Provider, ProviderError } from '../../../backend-proxy/src/providers/provider.ts';
import { RunpodProvider } from '../../../backend-proxy/src/providers/runpod/runpod-provider.ts';
import { VastProvider } from '../../../backend-proxy/src/providers/vast/vast-provider.ts';

/** The adapters that can be checked for real, each over another transport than the internet. */
const ADAPTERS: Readonly<Record<string, (options: IonetOptions) => Provider>> = {
  vast: options => new VastProvider(options),
  ionet: options => new IonetProvider(options),
  runpod: options => new RunpodProvider(options),
  akash: options => new AkashProvider(options),
  prime: options => new PrimeProvider(options),
};

/** Where networks say what was billed. */
const BILLS = /billing\/pods|\/charges|\/pods\/history|\/addresses\//;
/** Where they keep keys for ssh by account. */
const KEYS = /\/ssh_keys$/;

export function adapterOver(
  network: string,
  transport: Transport,
  clock: VirtualClock,
  apiKey: string,
): Provider {
  const build = ADAPTERS[network];
  if (build === undefined) {
    throw new Error(`there is no adapter of ${network}`);
  }
  return build({
    base: 'https://api.recording.example',
    clock,
    transport,
    login: () => Promise.resolve({ apiKey }),
  });
}

/** Answers each request as the network did, in their order; the last answer of its kind again where there is no other. */
export function playing(recording: Recording): Transport {
  const left = new Map<string, Exchange[]>();
  for (const exchange of recording.exchanges) {
    const key = routeOf(exchange.method, exchange.path);
    left.set(key, [...(left.get(key) ?? []), exchange]);
  }
  return ({ method, url }) => {
    const answers = left.get(routeOf(method, new URL(url).pathname)) ?? [];
    const next = answers.length > 1 ? answers.shift() : answers[0];
    return Promise.resolve(
      next === undefined || next.status === null
        ? { status: 501, headers: {}, text: '{"error":"nothing like it was recorded"}' }
        : answerOf(next),
    );
  };
}

const answerOf = ({ status, headers, answer }: Exchange): HttpAnswer => ({
  status: status ?? 0,
  headers,
  text: answer === null ? '' : typeof answer === 'string' ? answer : JSON.stringify(answer),
});

/** A path without ids, which are others at each check. */
export const routeOf = (method: string, path: string): string =>
  `${method} ${path
    .split('/')
    .map(part => (/^text-\d+$/.test(part) || (/\d/.test(part) && !/^v\d$/.test(part)) ? '*' : part))
    .join('/')}`;

/** What the adapter does not read of a recording, a sentence each. */
export async function unread(provider: Provider, recording: Recording): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const routes = new Set(recording.exchanges.map(({ method, path }) => routeOf(method, path)));
  const isAsked = (what: RegExp): boolean => [...routes].some(route => what.test(route));
  const ids = new Set(
    recording.exchanges.flatMap(({ method, path }) => {
      const last = path.replace(/\/$/, '').split('/').at(-1) ?? '';
      return method === 'DELETE' && routeOf(method, path).includes('*') ? [decodeURIComponent(last)] : [];
    }),
  );
  const calls: readonly (readonly [string, () => Promise<unknown> | undefined])[] = [
    ['offers', () => provider.offers(signal)],
    ['list', () => provider.list(signal)],
    ['account', () => provider.account?.(signal)],
    ...[...ids].map(id => ['get', () => provider.get(id, signal)] as const),
    ['keys', () => (isAsked(KEYS) ? provider.accountKeys?.list(signal) : undefined)],
    ['bill', () => (isAsked(BILLS) ? provider.bill?.(0, 1, signal) : undefined)],
  ];
  const problems: string[] = [];
  for (const [name, call] of calls) {
    try {
      await call();
    } catch (error) {
      const words = error instanceof ProviderError ? error.message : String(error);
      if (!/nothing like it was recorded|answered 501/.test(words)) {
        problems.push(`${name}: ${words}`);
      }
    }
  }
  return problems;
}

type Shapes = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** The fields of each route's answers, with the kinds of values they had. */
export function shapesOf(exchanges: readonly Exchange[]): Shapes {
  const shapes = new Map<string, Map<string, Set<string>>>();
  for (const { method, path, status, answer } of exchanges) {
    if (status !== null && status >= 200 && status < 300) {
      const route = routeOf(method, path);
      const fields = shapes.get(route) ?? new Map<string, Set<string>>();
      shapes.set(route, fields);
      note(fields, '', answer);
    }
  }
  return shapes;
}

function note(fields: Map<string, Set<string>>, at: string, value: unknown): void {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
  fields.set(at, (fields.get(at) ?? new Set()).add(kind));
  if (Array.isArray(value)) {
    value.forEach(each => {
      note(fields, `${at}[]`, each);
    });
  } else if (typeof value === 'object' && value !== null) {
    Object.entries(value).forEach(([name, each]) => {
      note(fields, `${at}.${name}`, each);
    });
  }
}

/** Where the simulator speaks otherwise than the network did, a line each; what only the network says is no fault. */
export function otherShapes(simulated: Shapes, real: Shapes): readonly string[] {
  const lines: string[] = [];
  for (const [route, fields] of simulated) {
    const known = real.get(route);
    if (known === undefined) {
      continue;
    }
    for (const [field, kinds] of fields) {
      const said = known.get(field);
      const wrong = [...kinds].filter(kind => kind !== 'null' && said?.has(kind) !== true);
      // Below what was null or an empty list there, nothing was seen.
      if (wrong.length > 0 && isSeen(known, field) && !(said?.size === 1 && said.has('null'))) {
        lines.push(
          `${route} ${field}: ${wrong.join(', ')} here, ${said === undefined ? 'not there' : [...said].join(', ')} at the network`,
        );
      }
    }
  }
  return lines;
}

/** Whether something of the kind that would hold the field was seen. */
function isSeen(known: ReadonlyMap<string, ReadonlySet<string>>, field: string): boolean {
  const above = field.endsWith('[]') ? field.slice(0, -2) : field.slice(0, field.lastIndexOf('.'));
  return field === '' || (field.endsWith('[]') ? known.has(field) : known.get(above)?.has('object') === true);
}
