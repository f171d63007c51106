/**
 * The transport to real networks. It goes by the proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`), but never
 * to this computer itself, and trusts what Node trusts (`NODE_EXTRA_CA_CERTS`).
 */
import type Undici from 'undici';
import type { Dispatcher } from 'undici';
import { withoutProxy } from '@hitch/platform/src/without-proxy.ts';
import { beforeSendingWords, codeOf } from '@hitch/platform/src/why-not-sent.ts';
import { type HttpAnswer, type HttpRequest, type Transport, TransportError } from './transport.ts';

/** Longer than any list of offers; what is longer is refused, not cut. */
const LONGEST_ANSWER_BYTES = 64 * 1024 * 1024;

interface Way {
  readonly undici: typeof Undici;
  readonly dispatcher: Dispatcher;
}

export class WebTransport {
  #way: Promise<Way> | null = null;

  readonly send: Transport = async (request, signal) => {
    if (signal.aborted) {
      throw new TransportError('the call was given up before it was made', {
        mayHaveArrived: false,
        cause: signal.reason,
      });
    }
    const { undici, dispatcher } = await this.#open();
    try {
      const { statusCode, headers, body } = await undici.request(request.url, {
        method: request.method,
        headers: request.headers,
        body: request.body,
        signal,
        dispatcher,
      });
      return { status: statusCode, headers: plainHeaders(headers), text: await textOf(body) };
    } catch (cause) {
      throw cause instanceof TransportError ? cause : asTransportError(cause, request, signal);
    }
  };

  /** What has no answer yet gets none: a network that hangs holds nobody up. */
  async close(): Promise<void> {
    await (await this.#way)?.dispatcher.destroy();
  }

  /**
   * Loaded with the first call: it takes memory, and a daemon without real networks needs none of it. Of a CommonJS module
   * that a bundle loads later only its default export is there.
   */
  #open(): Promise<Way> {
    this.#way ??= import('undici').then(({ default: undici }) => ({
      undici,
      dispatcher: new undici.EnvHttpProxyAgent({ noProxy: withoutProxy(process.env) }),
    }));
    return this.#way;
  }
}

function plainHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): HttpAnswer['headers'] {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')]],
    ),
  );
}

async function textOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const piece = Buffer.from(chunk as Uint8Array);
    bytes += piece.byteLength;
    if (bytes > LONGEST_ANSWER_BYTES) {
      throw new TransportError(
        `the answer is longer than ${(LONGEST_ANSWER_BYTES / 1024 / 1024).toString()} MiB, more than any that makes sense`,
        { mayHaveArrived: true },
      );
    }
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function asTransportError(cause: unknown, { url }: HttpRequest, signal: AbortSignal): TransportError {
  const code = codeOf(cause);
  const host = new URL(url).host;
  const before = beforeSendingWords(code, host);
  if (before !== null) {
    return new TransportError(before, { mayHaveArrived: false, cause });
  }
  const why = signal.aborted
    ? 'no answer came in time'
    : code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
      ? 'the connection broke before the whole answer was there'
      : `the connection failed${code === null ? '' : ` (${code})`}`;
  return new TransportError(why, { mayHaveArrived: true, cause });
}
