/** The WebSocket to the door of a machine that a web address alone leads to: by the environment's proxy, over checked TLS. */
import type { IncomingMessage } from 'node:http';
import { withoutProxy } from '@hitch/platform/src/without-proxy.ts';
import { ACCESS_HEADER } from '../machines/far/web-access.ts';
import { beforeSendingWords, codeOf } from '@hitch/platform/src/why-not-sent.ts';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { WebSocket } from 'ws';

const ANSWER_WITHIN_MS = 20_000;
/** What its door sends is far shorter; a longer message comes from something else. */
const LONGEST_MESSAGE = 4 * 1024 * 1024;

export interface WebAddress {
  /** `https://…` */
  readonly url: string;
  /** What opens the door. */
  readonly token: string;
}

/** The socket, open and paused until somebody listens to it; or why there is none, a sentence without its full stop. */
export type Opened = { readonly socket: WebSocket } | { readonly refused: string };

export async function openWebSocket(
  { url, token }: WebAddress,
  environment: NodeJS.ProcessEnv,
): Promise<Opened> {
  const proxy = proxyFor(new URL(url), environment);
  const agent = proxy === null ? undefined : agentOver(proxy);
  if (agent === null) {
    return { refused: 'HTTPS_PROXY is no address of a proxy: it looks like http://proxy.example:3128' };
  }
  const socket = new WebSocket(url.replace(/^https:/, 'wss:'), {
    headers: { [ACCESS_HEADER]: token, 'user-agent': 'hitch' },
    perMessageDeflate: false,
    handshakeTimeout: ANSWER_WITHIN_MS,
    maxPayload: LONGEST_MESSAGE,
    ...(agent === undefined ? {} : { agent }),
  });
  return new Promise(resolve => {
    const { host } = new URL(url);
    socket.once('open', () => {
      socket.pause();
      resolve({ socket });
    });
    socket.once('unexpected-response', (_request, answer: IncomingMessage) => {
      answer.resume();
      resolve({ refused: refusalWords(host, answer.statusCode ?? 0, proxy !== null) });
      socket.terminate();
    });
    socket.on('error', error => resolve({ refused: failureWords(host, error) }));
  });
}

/** Loaded where there is a proxy: without one nobody waits for it. */
function agentOver(proxy: string): HttpsProxyAgent<string> | null {
  try {
    return new HttpsProxyAgent(proxy);
  } catch {
    return null;
  }
}

/** Which proxy leads there, as the daemon's own requests to networks choose it; null: none. */
export function proxyFor({ hostname, port }: URL, environment: NodeJS.ProcessEnv): string | null {
  const named = (name: string): string => environment[name.toLowerCase()] ?? environment[name] ?? '';
  const proxy = named('HTTPS_PROXY') || named('HTTP_PROXY');
  if (proxy === '') {
    return null;
  }
  const direct = withoutProxy(environment)
    .split(/[\s,]+/)
    .map(rule => /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(rule) ?? [])
    .some(
      ([, name = '', only]) =>
        name === '*' ||
        (name !== '' &&
          (only === undefined || only === (port || '443')) &&
          (hostname === name.toLowerCase() || hostname.endsWith(`.${name.toLowerCase()}`))),
    );
  return direct ? null : proxy;
}

function refusalWords(host: string, status: number, isProxied: boolean): string {
  switch (status) {
    case 403:
      return `${host} refuses the machine’s token (403): another machine may have its address by now`;
    case 407:
      return 'the proxy (HTTPS_PROXY) wants a login (407): name it there, as in http://user:password@proxy:3128';
    case 404:
    case 502:
    case 503:
    case 504:
      return `${host} answers ${status.toString()}: the machine behind it does not answer its network yet, or no more`;
    default:
      return `${isProxied ? 'the proxy, or ' : ''}${host} answers ${status.toString()} where the machine’s door was expected`;
  }
}

function failureWords(host: string, error: Error): string {
  const code = codeOf(error);
  return (
    beforeSendingWords(code, host) ??
    (/handshake has timed out/.test(error.message)
      ? `${host} has not answered for ${(ANSWER_WITHIN_MS / 1000).toString()} s`
      : `the connection to ${host} failed (${code ?? error.message})`)
  );
}
