/** The last messages of a kernel that are in its journal, to find where what Jupyter Server sends again begins to be new. */
import { peekFrame } from '@hitch/contract';

/**
 * Only the last one is looked for. Behind it in a journal that was recovered can stand answers that the hub made up
 * itself, three for each cell that was lost.
 */
const REMEMBERED = 1_000;

export class RecentMessages {
  #ids: string[] = [];

  /** A message of the kernel that goes into the journal. */
  add(messageId: string): void {
    this.#ids.push(messageId);
    if (this.#ids.length > 2 * REMEMBERED) {
      this.#ids = this.#ids.slice(-REMEMBERED);
    }
  }

  /** @returns the last index of an id that is remembered; -1 when none is */
  lastIn(messageIds: readonly string[]): number {
    const known = new Set(this.#ids);
    return messageIds.findLastIndex(id => known.has(id));
  }
}

/** Collects the end of a journal while it is recovered; only its frames are taken apart, not all there are. */
export class RecoveredEnd {
  #frames: Uint8Array[] = [];

  see(frame: Uint8Array): void {
    this.#frames.push(frame);
    if (this.#frames.length > 2 * REMEMBERED) {
      this.#frames = this.#frames.slice(-REMEMBERED);
    }
  }

  giveTo(recent: RecentMessages): void {
    for (const frame of this.#frames) {
      recent.add(peekFrame(frame).messageId);
    }
  }
}
