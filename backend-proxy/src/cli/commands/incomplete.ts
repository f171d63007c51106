/** Output that did not all arrive, in the exit code. */
import { format } from '@hitch/contract';
import { CommandFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';

/** The cells ran; what they showed did not all arrive, which nobody must take for all of it. */
export function incompleteFailure(what: string, lostBytes: number, next?: string): CommandFailure {
  const size = lostBytes === 0 ? '' : `: ${format.bytes(lostBytes)}`;
  return new CommandFailure(EXIT.notAll, 'TOO_LARGE', `${what}${size}.`, {
    next: next ?? 'Lines that begin with [Hitch] say where and why.',
  });
}
