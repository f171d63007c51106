/** Requests to servers on this node's loopback (Jupyter Server, Ray's dashboard): `node:http` only, no copies. */
import { request, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions } from 'node:http';
import type { Readable } from 'node:stream';
import { HitchError } from '@hitch/contract';

/** A server on this node and the token it wants. */
export interface Upstream {
  readonly name: string;
  readonly address: { readonly socketPath: string } | { readonly host: string; readonly port: number };
  /** Value of the `Authorization` header. */
  readonly authorization: string;
}

export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Readable;
  readonly signal?: AbortSignal;
}

/** Options for a request or an upgrade to `upstream`. */
export function upstreamOptions(upstream: Upstream, asked: UpstreamRequest): RequestOptions {
  return {
    ...upstream.address,
    method: asked.method,
    path: asked.path,
    headers: { ...asked.headers, host: 'localhost', authorization: upstream.authorization },
    ...(asked.signal === undefined ? {} : { signal: asked.signal }),
  };
}

/**
 * Sends a request and resolves with the answer's head; its body is still to be read.
 * @throws HitchError UNREACHABLE when nobody answers.
 */
export function requestUpstream(upstream: Upstream, asked: UpstreamRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(upstreamOptions(upstream, asked), resolve);
    outgoing.once('error', error =>
      reject(
        new HitchError('UNREACHABLE', `${upstream.name} on this node does not answer.`, {
          next: 'It may still be starting; try again in a moment.',
          cause: error,
        }),
      ),
    );
    if (asked.body === undefined || typeof asked.body === 'string') {
      outgoing.end(asked.body);
    } else {
      asked.body.once('error', error => outgoing.destroy(error));
      asked.body.pipe(outgoing);
    }
  });
}

/** Reads a whole body, refusing more than `limitBytes`. */
export async function readBody(stream: Readable, limitBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > limitBytes) {
      stream.destroy();
      throw new HitchError('TOO_LARGE', `The body is over ${limitBytes.toString()} bytes.`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

const JSON_LIMIT_BYTES = 64 * 1024 * 1024;

/** A JSON request; resolves with the status and the parsed body (undefined where there is none). */
export async function requestJson(
  upstream: Upstream,
  method: string,
  path: string,
  options: { body?: unknown; signal?: AbortSignal } = {},
): Promise<{ status: number; value: unknown }> {
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const answer = await requestUpstream(upstream, {
    method,
    path,
    ...(body === undefined
      ? {}
      : { body, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const text = await readBody(answer, JSON_LIMIT_BYTES);
  return { status: answer.statusCode ?? 0, value: parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
