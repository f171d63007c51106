/** An error as a person reads it: what went wrong, and what to do where that is known. */
import { HitchError } from '@hitch/contract';

export function sentence(error: unknown): string {
  if (error instanceof HitchError) {
    return error.next === undefined ? error.message : `${error.message} ${error.next}`;
  }
  return error instanceof Error ? error.message : String(error);
}
