/** Reading a JSON body: bounded, and with a sentence for what is not JSON. */
import type { IncomingMessage } from 'node:http';
import { HitchError } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';

/** The largest JSON body; files travel on their own route. */
export const MAX_JSON_BYTES = 1024 * 1024;

/** The body's value; undefined for an empty one. @throws HitchError TOO_LARGE or BAD_INPUT. */
export async function readJson(request: IncomingMessage, maxBytes = MAX_JSON_BYTES): Promise<unknown> {
  const tooLarge = () =>
    new HitchError('TOO_LARGE', `The request’s body is over ${maxBytes} bytes.`, {
      next: 'Send files with PUT /clusters/<id>/raw-files.',
    });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    throw tooLarge();
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += buffer.length;
    if (bytes > maxBytes) {
      throw tooLarge();
    }
    chunks.push(buffer);
  }
  if (bytes === 0) {
    return undefined;
  }
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new HitchError('BAD_INPUT', 'The request’s body must be JSON, with content-type application/json.');
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (error) {
    throw new HitchError('BAD_INPUT', `The request’s body is not JSON: ${whatIsWrong(error)}.`, {
      cause: error,
    });
  }
}

/** @throws HitchError BAD_INPUT for a body that is not there after so long; its connection ends with the answer. */
export async function readSoon<T>(clock: Clock, ms: number, reading: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimer(() => {
    const seconds = Math.ceil(ms / 1000).toString();
    late.reject(new HitchError('BAD_INPUT', `The request’s body did not arrive within ${seconds} s.`));
  }, ms);
  try {
    return await Promise.race([reading, late.promise]);
  } finally {
    timer.cancel();
    reading.catch(() => undefined);
  }
}

/** V8's words without the piece of the body that it quotes, which may hold a secret. */
function whatIsWrong(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const position = /position \d+/.exec(message)?.[0];
  return position === undefined
    ? 'it ends too early or is not UTF-8'
    : `it cannot be read from ${position} on`;
}
