/**
 * What of a request reaches a program on a machine, and what of its answer reaches the browser. The program is told that it
 * is asked as `localhost`, which is what it listens as: many refuse any other `Host` and `Origin`.
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** Our own cookie; a program there neither sees nor sets it. */
export const COOKIE = 'hitch-port';
/** The same inside a frame of another site, where browsers send no cookie that is `Strict`. */
export const FRAMED_COOKIE = 'hitch-port-framed';

/** Of one connection, not of the message (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What would say where this proxy is, lie about who asks, or speak for more than this origin. */
const NOT_SENT = new Set(['host', 'origin', 'referer', 'cookie', 'forwarded', 'x-real-ip']);
const NOT_ANSWERED = new Set(['set-cookie', 'location', 'alt-svc', 'strict-transport-security']);

const named = (connection: string | undefined): readonly string[] =>
  (connection ?? '').split(',').map(name => name.trim().toLowerCase());

function endToEnd(headers: IncomingHttpHeaders, left: ReadonlySet<string>): OutgoingHttpHeaders {
  const ofConnection = named(headers.connection);
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) =>
        value !== undefined && !HOP_BY_HOP.has(name) && !left.has(name) && !ofConnection.includes(name),
    ),
  );
}

export interface Place {
  /** Of the browser's side: `6006-gpu-1a2b3c4d.localhost:4711`. */
  readonly host: string;
  /** Of the machine's side. */
  readonly port: number;
  /** For Ray's dashboard: the cluster's own token, which its machines have. */
  readonly rayToken: string | null;
}

const inside = ({ port }: Place): string => `http://localhost:${port.toString()}`;
const outside = ({ host }: Place): string => `http://${host}`;

/** The value of each of our cookies, by the order of their names; null for one that is not there. */
export const ownCookies = (headers: IncomingHttpHeaders, ...names: readonly string[]): (string | null)[] =>
  names.map(wanted => pairsOf(headers.cookie).find(([name]) => name === wanted)?.[1] ?? null);

function pairsOf(cookie: string | undefined): (readonly [string, string, string])[] {
  return (cookie ?? '').split(';').flatMap(part => {
    const pair = part.trim();
    const at = pair.indexOf('=');
    return pair === '' ? [] : [[pair.slice(0, at), pair.slice(at + 1), pair] as const];
  });
}

/** A request's headers as the program there gets them. @param isUpgrade whether it asks for a WebSocket */
export function sentHeaders(
  headers: IncomingHttpHeaders,
  place: Place,
  isUpgrade = false,
): OutgoingHttpHeaders {
  const { origin, referer, cookie, ...others } = headers;
  const theirs = pairsOf(cookie)
    .filter(([name]) => name !== COOKIE && name !== FRAMED_COOKIE)
    .map(([, , pair]) => pair);
  const sent: OutgoingHttpHeaders = {
    ...Object.fromEntries(
      Object.entries(endToEnd(others, NOT_SENT)).filter(([name]) => !/^x-(?:hitch|forwarded)-/.test(name)),
    ),
    host: `localhost:${place.port.toString()}`,
    // For those that write whole addresses of their own into their pages, as Gradio does.
    'x-forwarded-host': place.host,
    'x-forwarded-proto': 'http',
    ...(origin === undefined ? {} : { origin: inside(place) }),
    ...(referer === undefined ? {} : { referer: movedIn(referer, place) }),
    ...(theirs.length === 0 ? {} : { cookie: theirs.join('; ') }),
    ...(isUpgrade ? { connection: 'Upgrade', upgrade: 'websocket' } : {}),
  };
  return place.rayToken === null ? sent : forRay(sent, place.rayToken);
}

/**
 * Ray refuses what a browser would change, by these headers (`is_browser_request` in its `dashboard/optional_utils.py`), since
 * its dashboard knows no origins; here the origin has been checked. It passes a compressed frame on to a hop that cannot read it.
 */
function forRay(headers: OutgoingHttpHeaders, token: string): OutgoingHttpHeaders {
  const plain = Object.entries(headers).filter(
    ([name]) =>
      !/^(?:origin|referer|user-agent|sec-fetch-.*|sec-ch-.*|access-control-request-.*|sec-websocket-extensions)$/.test(
        name,
      ),
  );
  return { ...Object.fromEntries(plain), 'user-agent': 'hitch', authorization: `Bearer ${token}` };
}

/** An answer's headers as the browser gets them. */
export function answeredHeaders(
  { headers }: Pick<IncomingMessage, 'headers'>,
  place: Place,
): OutgoingHttpHeaders {
  const cookies = (headers['set-cookie'] ?? []).flatMap(cookie => cookieHere(cookie) ?? []);
  return {
    ...endToEnd(headers, NOT_ANSWERED),
    ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }),
    ...(headers.location === undefined ? {} : { location: movedOut(headers.location, place) }),
  };
}

/** For this host alone; none of ours. */
function cookieHere(cookie: string): string | null {
  const [pair = '', ...attributes] = cookie.split(';');
  const name = pair.split('=')[0]?.trim();
  return name === COOKIE || name === FRAMED_COOKIE
    ? null
    : [pair, ...attributes.filter(attribute => !/^\s*domain\s*(?:=|$)/i.test(attribute))].join(';');
}

/** An address of this origin as the program knows it; any other stays as it is. */
function movedIn(address: string, place: Place): string {
  const url = URL.parse(address);
  return url?.origin === outside(place) ? `${inside(place)}${url.pathname}${url.search}` : address;
}

/** An address of the program itself, by any of its names, as the browser knows it. */
function movedOut(address: string, place: Place): string {
  const url = URL.parse(address);
  const isItself =
    url?.protocol === 'http:' &&
    url.port === place.port.toString() &&
    ['localhost', '127.0.0.1', '0.0.0.0', '[::1]'].includes(url.hostname);
  return isItself ? `${outside(place)}${url.pathname}${url.search}${url.hash}` : address;
}
