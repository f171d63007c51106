/** Networks repeat what they were sent, and every error of theirs may end in a log: whole, with what caused it. */
import { errorText } from '@hitch/platform/src/log.ts';
import type { ProviderError } from '../providers/provider.ts';

type Mask = (text: string) => string;

/** As many as a log tells, and more than any adapter hands on; a cause may be its own cause. */
const DEEPEST_CAUSE = 8;

/**
 * Takes out of an error, and of what caused it, what `mask` takes out of a text. Of causes nothing else is kept: what hangs
 * on them (an answer, its headers) is for nobody here.
 */
export function maskError(error: ProviderError, mask: Mask): void {
  maskTexts(error, mask);
  if (error.cause !== undefined) {
    error.cause = withoutSecrets(error.cause, mask, DEEPEST_CAUSE);
  }
}

function withoutSecrets(cause: unknown, mask: Mask, deepest: number): unknown {
  if (!(cause instanceof Error)) {
    return mask(errorText(cause));
  }
  const copy = new Error(cause.message);
  copy.name = cause.name;
  copy.stack = cause.stack ?? '';
  if (cause.cause !== undefined && deepest > 1) {
    copy.cause = withoutSecrets(cause.cause, mask, deepest - 1);
  }
  maskTexts(copy, mask);
  return copy;
}

/** The stack begins with the message as it was when the error was made. */
function maskTexts(error: Error, mask: Mask): void {
  error.message = mask(error.message);
  error.stack = mask(error.stack ?? '');
}
