/** An error as a person reads it: what went wrong, and what to do where that is known. */
import { HitchError } from '@hitch/contract/src/errors.ts';
import { adviceInEditor } from '@hitch/contract/src/network-words.ts';

export function sentence(error: unknown): string {
  if (error instanceof HitchError) {
    return error.next === undefined ? error.message : `${error.message} ${adviceInEditor(error.next)}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Somebody gave it up; nothing to tell. */
export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
