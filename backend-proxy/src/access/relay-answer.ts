/** How the relay says no: the envelope, over HTTP or in place of an upgrade. */
import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HitchError } from '@hitch/contract';

/** On everything that comes from a cluster: it is data, whatever its bytes pretend. */
export const SAFE_HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'x-content-type-options': 'nosniff',
  'content-security-policy': 'sandbox',
  'cache-control': 'no-store',
} as const;

function known(error: unknown): HitchError {
  return error instanceof HitchError
    ? error
    : new HitchError('INTERNAL', 'The relay failed.', { next: "Look into the daemon's log.", cause: error });
}

export function answerError(response: ServerResponse, error: unknown, status = known(error).status): void {
  if (response.headersSent) {
    // Half an answer is under way; only breaking it off is honest.
    response.destroy();
    return;
  }
  const body = JSON.stringify(known(error).toEnvelope());
  response.writeHead(status, { ...SAFE_HEADERS, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

export function refuseSocket(socket: Duplex, error: unknown): void {
  const { status } = known(error);
  const body = JSON.stringify(known(error).toEnvelope());
  const headers = Object.entries({
    ...SAFE_HEADERS,
    'content-length': Buffer.byteLength(body).toString(),
    connection: 'close',
  });
  socket.end(
    `HTTP/1.1 ${status.toString()} ${STATUS_CODES[status] ?? 'Error'}\r\n` +
      `${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  );
}

export function unreachable(cause?: unknown): HitchError {
  return new HitchError('UNREACHABLE', 'The cluster does not answer at the moment; its work may continue.', {
    next: 'Hitch keeps trying; nothing needs to be done unless this lasts.',
    ...(cause === undefined ? {} : { cause }),
  });
}
