/** One error envelope for every failure of the agent, over HTTP and before an upgrade. */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import { HitchError } from '@hitch/contract';

/** Any error as one that may be shown: a defect gets a sentence without its inner text, which may hold anything. */
export function toHitchError(error: unknown): HitchError {
  return error instanceof HitchError
    ? error
    : new HitchError('INTERNAL', 'The agent failed to answer this request.', {
        next: "Look into the agent's log.",
        cause: error,
      });
}

export function respondJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(body);
}

export function respondError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // A body is under way: the only honest answer left is a broken connection.
    response.destroy();
    return;
  }
  const known = toHitchError(error);
  respondJson(response, known.status, known.toEnvelope());
}

/** Refuses an upgrade with the envelope as the body of a plain HTTP answer. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const known = toHitchError(error);
  const body = JSON.stringify(known.toEnvelope());
  socket.end(
    `HTTP/1.1 ${known.status.toString()} ${STATUS_CODES[known.status] ?? 'Error'}\r\n` +
      'content-type: application/json; charset=utf-8\r\n' +
      'x-content-type-options: nosniff\r\n' +
      `content-length: ${Buffer.byteLength(body).toString()}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
