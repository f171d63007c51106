/** The last words of a command that failed. */
import { describeFailure } from './errors.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Io } from './screen/io.ts';

/** Shows what went wrong and what to do, for people or as an envelope. @returns the exit code that says so too. */
export function reportFailure(io: Io, error: unknown, json: boolean): ExitCode {
  const { envelope, exitCode } = describeFailure(error);
  if (json) {
    io.jsonNote(envelope);
  } else {
    io.endOutput();
    io.note(io.styleError('red', 'hitch:'), ` ${envelope.message}`);
    if (envelope.next !== undefined) {
      io.note(envelope.next);
    }
  }
  return exitCode;
}
