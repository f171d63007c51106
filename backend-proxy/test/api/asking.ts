/** Questions to a served API by Node's own client, which sends any Host, Origin and body. */
import { request as httpRequest } from 'node:http';
import { type ErrorEnvelope, errorEnvelopeSchema } from '@hitch/contract';
import { type Served, TOKEN } from './serve.ts';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface Ask {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export const bearer = { authorization: `Bearer ${TOKEN}` };
export const json = { ...bearer, 'content-type': 'application/json' };

export function asking(
  { port }: Pick<Served, 'port'>,
  { path, method = 'GET', headers = {}, body }: Ask,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, agent: false, headers }, answer => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export async function refusalOf(
  served: Pick<Served, 'port'>,
  question: Ask,
): Promise<ErrorEnvelope & { status: number }> {
  const answer = await asking(served, question);
  return { ...errorEnvelopeSchema.parse(JSON.parse(answer.body)), status: answer.status };
}
