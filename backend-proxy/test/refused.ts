import assert from 'node:assert/strict';
import { type ErrorCode, HitchError } from '@hitch/contract';

/** What a call was refused with: a sentence, under the code that clients act by. */
export async function refused(call: Promise<unknown>, code: ErrorCode): Promise<HitchError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof HitchError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /\.$/);
    return error;
  }
  return assert.fail('it was not refused');
}
