/** Copies for jobs that rent, by the engine of all copies: asked for and followed to their end. */
import {
  type Copy,
  type CopyRequest,
  copyRequestSchema,
  errorFromEnvelope,
  HitchError,
  isCopyOver,
  missingCount,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Copies } from '../../copies/copies.ts';

const LOOK_AGAIN_MS = 200;

/** @throws HitchError with what went wrong, or CONFLICT where not all is there. */
export async function copyToEnd(
  { copies, clock }: { readonly copies: Pick<Copies, 'start' | 'get' | 'cancel'>; readonly clock: Clock },
  request: CopyRequest,
  signal: AbortSignal,
): Promise<Copy> {
  let copy = await copies.start(copyRequestSchema.parse(request), null);
  while (!isCopyOver(copy)) {
    try {
      await clock.sleep(LOOK_AGAIN_MS, signal);
    } catch (error) {
      await copies.cancel(copy.id);
      throw error;
    }
    copy = copies.get(copy.id);
  }
  if (copy.problem !== null) {
    throw errorFromEnvelope(copy.problem);
  }
  const missing = missingCount(copy.account);
  if (copy.state !== 'done' || missing > 0) {
    throw new HitchError(
      'CONFLICT',
      `Not all was copied: ${missing.toString()} files or folders are missing.`,
    );
  }
  return copy;
}
