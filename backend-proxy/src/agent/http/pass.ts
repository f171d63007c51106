/** Handing a request on to a server of this node, and its answer back, without reading either. */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Duplex } from 'node:stream';
import { HitchError } from '@hitch/contract';
import { refuseUpgrade } from './envelope.ts';
import { readBody, requestUpstream, upstreamOptions, type Upstream } from './upstream.ts';

/** Nothing else of the caller reaches the server: browsers' headers make Ray refuse, ours would break its login. */
const REQUEST_HEADERS = [
  'accept',
  'content-type',
  'content-length',
  'range',
  'if-none-match',
  'if-modified-since',
];
const RESPONSE_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-range',
  'content-disposition',
  'accept-ranges',
  'cache-control',
  'etag',
  'last-modified',
  'location',
  'retry-after',
];

function pick(headers: IncomingMessage['headers'], names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') {
      picked[name] = value;
    }
  }
  return picked;
}

export interface PassOptions {
  /** Called with the answer's head before any of it is passed on; throws to refuse it. */
  readonly check?: (answer: IncomingMessage) => void;
  /** Called with the body of a server's own failure (5xx); what it returns is answered instead. */
  readonly explainFailure?: (body: string) => HitchError | null;
}

/** A server that fails says so shortly. */
const FAILURE_LIMIT_BYTES = 1024 * 1024;

export async function passRequest(
  upstream: Upstream,
  path: string,
  incoming: IncomingMessage,
  response: ServerResponse,
  options: PassOptions = {},
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client went away')));
  const method = incoming.method ?? 'GET';
  const answer = await requestUpstream(upstream, {
    method,
    path,
    headers: pick(incoming.headers, REQUEST_HEADERS),
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: incoming }),
    signal: gone.signal,
  });
  try {
    options.check?.(answer);
  } catch (error) {
    answer.destroy();
    throw error;
  }
  const status = answer.statusCode ?? 500;
  const headers = { ...pick(answer.headers, RESPONSE_HEADERS), 'x-content-type-options': 'nosniff' };
  if (status < 500 || options.explainFailure === undefined) {
    response.writeHead(status, headers);
    await pipeline(answer, response);
    return;
  }
  const body = await readBody(answer, FAILURE_LIMIT_BYTES);
  const explained = options.explainFailure(body);
  if (explained !== null) {
    throw explained;
  }
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

const SOCKET_HEADERS = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol'];

/**
 * Hands an upgrade on as bytes. Extensions are not offered: Ray passes a compressed frame on to a hop that cannot
 * read it and closes as if all were well.
 */
export function passUpgrade(
  upstream: Upstream,
  path: string,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const outgoing = httpRequest({
    ...upstreamOptions(upstream, {
      method: 'GET',
      path,
      headers: { ...pick(incoming.headers, SOCKET_HEADERS), connection: 'Upgrade', upgrade: 'websocket' },
    }),
  });
  const unreachable = (cause?: unknown): void =>
    refuseUpgrade(
      socket,
      new HitchError('UNREACHABLE', `${upstream.name} on this node does not answer.`, { cause }),
    );
  outgoing.once('error', unreachable);
  outgoing.once('response', answer => {
    answer.destroy();
    refuseUpgrade(
      socket,
      answer.statusCode === 404
        ? new HitchError('NOT_FOUND', `${upstream.name} has no such socket.`)
        : new HitchError(
            'UNREACHABLE',
            `${upstream.name} refused the socket with ${String(answer.statusCode)}.`,
          ),
    );
  });
  outgoing.once('upgrade', (answer, inner, innerHead) => {
    outgoing.off('error', unreachable);
    const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: Upgrade', 'upgrade: websocket'];
    for (const name of ['sec-websocket-accept', 'sec-websocket-protocol']) {
      const value = answer.headers[name];
      if (typeof value === 'string') {
        lines.push(`${name}: ${value}`);
      }
    }
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    join(socket, inner, head, innerHead);
  });
  outgoing.end();
}

function join(outer: Duplex, inner: Duplex, outerHead: Buffer, innerHead: Buffer): void {
  inner.write(outerHead);
  outer.write(innerHead);
  outer.pipe(inner).pipe(outer);
  for (const [one, other] of [
    [outer, inner],
    [inner, outer],
  ] as const) {
    one.once('error', () => other.destroy());
    one.once('close', () => other.destroy());
  }
}
