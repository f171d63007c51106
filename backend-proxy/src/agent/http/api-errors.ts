/** Errors on their way through oRPC: in as anything, out as the one envelope. */
import { ORPCError } from '@orpc/server';
import { errorEnvelopeSchema, HitchError } from '@hitch/contract';
import { toHitchError } from './envelope.ts';

type AnyOrpcError = ORPCError<string, unknown>;
const isOrpcError = (error: unknown): error is AnyOrpcError => error instanceof ORPCError;

/** Makes oRPC travel with our status and sentence; done once, it stays as it is. */
export function asOrpcError(error: unknown): AnyOrpcError {
  if (isOrpcError(error) && errorEnvelopeSchema.safeParse(error.data).success) {
    return error;
  }
  const known = isOrpcError(error) ? fromOrpc(error) : toHitchError(error);
  return new ORPCError(known.code, {
    status: known.status,
    message: known.message,
    data: known.toEnvelope(),
    cause: error,
  });
}

/** What oRPC itself refuses: input that does not fit the schema, a path without a procedure. */
function fromOrpc(error: ORPCError<string, unknown>): HitchError {
  if (error.status === 404) {
    return new HitchError('NOT_FOUND', 'The agent has nothing there.', { cause: error });
  }
  if (error.status >= 500) {
    return toHitchError(error);
  }
  const issue = firstIssue(error.data);
  return new HitchError('BAD_INPUT', issue === null ? 'The request is not valid.' : sentenceOf(issue), {
    ...(issue === null || issue.field === '' ? {} : { field: issue.field }),
    cause: error,
  });
}

/** Our own schemas go on from the field (`must be …`); zod's own messages are sentences by themselves. */
function sentenceOf({ field, message }: { field: string; message: string }): string {
  const subject = field === '' ? 'The request' : field;
  return /^[a-z]/.test(message) ? `${subject} ${message}.` : `${subject} is not valid: ${message}.`;
}

function firstIssue(data: unknown): { field: string; message: string } | null {
  if (typeof data !== 'object' || data === null || !('issues' in data) || !Array.isArray(data.issues)) {
    return null;
  }
  const issue: unknown = data.issues[0];
  if (
    typeof issue !== 'object' ||
    issue === null ||
    !('message' in issue) ||
    typeof issue.message !== 'string'
  ) {
    return null;
  }
  const path = 'path' in issue && Array.isArray(issue.path) ? issue.path.map(String).join('.') : '';
  return { field: path, message: issue.message };
}
