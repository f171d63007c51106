/** Errors on their way between threads. */
import { HitchError } from '@hitch/contract/src/errors.ts';
import { codeOf } from '../disk-calls.ts';
import type { Failure } from './messages.ts';

export const toFailure = (error: unknown): Failure => ({
  envelope: error instanceof HitchError ? error.toEnvelope() : null,
  message: error instanceof Error ? error.message : String(error),
  code: codeOf(error),
});

export function fromFailure({ envelope, message, code }: Failure): Error {
  if (envelope === null) {
    return Object.assign(new Error(message), code === '' ? {} : { code });
  }
  return new HitchError(envelope.code, envelope.message, {
    ...(envelope.field === undefined ? {} : { field: envelope.field }),
    ...(envelope.next === undefined ? {} : { next: envelope.next }),
  });
}
