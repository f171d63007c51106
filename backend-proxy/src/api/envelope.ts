/** One error envelope on every failure, over HTTP and before an upgrade. */
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HitchError, isAbort } from '@hitch/contract';
import { ORPCError } from '@orpc/server';
import { inputError } from './input-errors.ts';

/** Any failure as one that may be shown. A defect gets a sentence without its inner text, which may hold anything. */
export function toShownError(error: unknown): HitchError {
  if (error instanceof HitchError) {
    return error;
  }
  if (error instanceof ORPCError && error.status < 500) {
    return inputError(error as ORPCError<string, unknown>);
  }
  if (hasLeft(error)) {
    return new HitchError('UNREACHABLE', 'The connection ended before the request was answered.', {
      cause: error,
    });
  }
  if (isAbort(error)) {
    return new HitchError('UNREACHABLE', 'The call took too long and was given up.', { cause: error });
  }
  return new HitchError(
    'INTERNAL',
    'Hitch failed to answer this request; the daemon’s log has the details.',
    {
      next: 'Run hitch doctor, and try again.',
      cause: error,
    },
  );
}

/** Node's error for a connection that whoever is at its other end broke off: nobody's defect here. */
function hasLeft(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ((error.code === 'ECONNRESET' && error.message === 'aborted') ||
      error.code === 'ERR_STREAM_PREMATURE_CLOSE')
  );
}

/** The same for oRPC, which carries the envelope as its error's data. */
export function toOrpcError(error: unknown): ORPCError<string, unknown> {
  const shown = toShownError(error);
  return new ORPCError(shown.code, {
    status: shown.status,
    message: shown.message,
    data: shown.toEnvelope(),
    cause: error,
  });
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // An answer is under way: breaking the connection is the only honest end left.
    response.destroy();
    return;
  }
  const shown = toShownError(error);
  sendJson(response, shown.status, shown.toEnvelope());
}

/** Refuses an upgrade with the envelope as the body of a plain answer. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const shown = toShownError(error);
  const body = JSON.stringify(shown.toEnvelope());
  socket.on('error', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${shown.status} ${STATUS_CODES[shown.status] ?? 'Error'}`,
      'content-type: application/json; charset=utf-8',
      'x-content-type-options: nosniff',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
