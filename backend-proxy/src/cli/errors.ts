/** Failures of a command: what is thrown, and how it is shown. */
import { HitchError, type ErrorCode, type ErrorEnvelope } from '@hitch/contract';
import * as z from 'zod';
import { EXIT, exitCodeOf, type ExitCode } from './exit-codes.ts';
import { InterruptedError } from './interrupts.ts';

/** Ends a command with a sentence and an exit code that no error code has. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  readonly code: ErrorCode;
  readonly next: string | undefined;

  /** `code` is what the envelope says under `--json`. */
  constructor(
    exitCode: ExitCode,
    code: ErrorCode,
    message: string,
    options: { next?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.code = code;
    this.next = options.next;
  }
}

export const badInput = (message: string, next?: string): HitchError =>
  new HitchError('BAD_INPUT', message, next === undefined ? {} : { next });

export interface ShownFailure {
  readonly envelope: ErrorEnvelope;
  readonly exitCode: ExitCode;
}

function fromFailure(failure: CommandFailure): ShownFailure {
  const { code, message, next, exitCode } = failure;
  const known = new HitchError(code, message, next === undefined ? {} : { next });
  return { envelope: { ...known.toEnvelope(), retryable: false }, exitCode };
}

/** The message of what was read wrongly is a page of JSON. */
function defectWords(error: unknown): string {
  if (error instanceof z.ZodError) {
    const issue = error.issues[0];
    return `an answer is not what was expected (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** What to show for anything thrown. */
export function describeFailure(error: unknown): ShownFailure {
  if (error instanceof CommandFailure) {
    return fromFailure(error);
  }
  if (error instanceof HitchError) {
    return { envelope: error.toEnvelope(), exitCode: exitCodeOf(error.code) };
  }
  if (error instanceof InterruptedError) {
    return fromFailure(new CommandFailure(EXIT.interrupted, 'CONFLICT', error.message));
  }
  const message = defectWords(error);
  return fromFailure(
    new CommandFailure(EXIT.defect, 'INTERNAL', `Something went wrong in Hitch: ${message}`, {
      next: 'Check this computer with hitch doctor.',
    }),
  );
}
