/** What is refused, and what has failed. */
import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';

/** A refusal in words; anything else is a defect. */
export function refusal(error: unknown): null {
  assert.ok(error instanceof HitchError && error.code !== 'INTERNAL', String(error));
  return null;
}
