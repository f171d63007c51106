/** Asking a daemon as no client of ours would: any path, body, Host, Origin and bearer, and the refusal read. */
import { request } from 'node:http';
import { type ErrorCode, errorEnvelopeSchema } from '@hitch/contract';
import WebSocket from 'ws';
import type { DaemonHome } from './daemon-home.ts';

export interface Refused {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string | undefined;
  readonly next?: string | undefined;
}

/** Node's own client: it sends any Host, Origin, path and body as it is. */
export function ask(
  home: DaemonHome,
  method: string,
  path: string,
  options: { body?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string }> {
  const { baseUrl, token } = home.place();
  const headers = {
    authorization: `Bearer ${token}`,
    ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const { port } = new URL(baseUrl);
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, answer => {
      let text = '';
      answer.on('data', (bytes: Buffer) => (text += bytes.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

export async function refusal(...asked: Parameters<typeof ask>): Promise<Refused> {
  const { status, text } = await ask(...asked);
  return { status, ...errorEnvelopeSchema.parse(JSON.parse(text)) };
}

/** The answer to an upgrade that is refused. */
export function refusedSocket(url: string, headers: Record<string, string>): Promise<Refused> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on('error', () => undefined);
    socket.on('open', () => reject(new Error('the socket opened')));
    socket.on('unexpected-response', (_request, answer) => {
      let text = '';
      answer.on('data', (bytes: Buffer) => (text += bytes.toString()));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, ...errorEnvelopeSchema.parse(JSON.parse(text)) });
      });
    });
  });
}
