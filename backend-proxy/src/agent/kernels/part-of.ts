/** Reading a part of a kernel's message, which a kernel may fill with anything. */
import { framePart, KernelFrameError } from '@hitch/contract';
import type { JsonObject } from '@hitch/contract';

/** The part, or an empty one where it is none: what cannot be read tells nothing, and must not end the agent. */
export function partOf(frame: Uint8Array, part: 'metadata' | 'content'): JsonObject {
  try {
    return framePart(frame, part);
  } catch (error) {
    if (error instanceof KernelFrameError) {
      return {};
    }
    throw error;
  }
}
