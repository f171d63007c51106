/** Looks while a copy goes on whether its disk still has the room that has to stay free: others write there too. */
import { HitchError } from '@hitch/contract/src/errors.ts';
import { bytes as bytesWords } from '@hitch/contract/src/format.ts';
import type { CopyPlan } from './copy-plan.ts';
import { plainPath } from './names.ts';

/** At most so many bytes arrive between two looks. */
const LONGEST_STEP_BYTES = 32 * 1024 * 1024;

export class RoomWatch {
  readonly #plan: Pick<CopyPlan, 'target' | 'to' | 'spareBytes'>;
  readonly #signal: AbortSignal;
  readonly #full: (error: HitchError) => void;
  readonly #stepBytes: number;
  #arrived = 0;
  #looking: Promise<void> | null = null;

  /** @param full told once there is too little room; what was begun has to go again then. */
  constructor(
    plan: Pick<CopyPlan, 'target' | 'to' | 'spareBytes'>,
    signal: AbortSignal,
    full: (error: HitchError) => void,
  ) {
    this.#plan = plan;
    this.#signal = signal;
    this.#full = full;
    this.#stepBytes = Math.min(LONGEST_STEP_BYTES, Math.floor(plan.spareBytes / 2));
  }

  /** So many more bytes have arrived. */
  moved(bytes: number): void {
    // What is taken back made room of its own.
    this.#arrived += Math.max(0, bytes);
    if (this.#stepBytes > 0 && this.#arrived >= this.#stepBytes && this.#looking === null) {
      this.#arrived = 0;
      this.#looking = this.#look().finally(() => {
        this.#looking = null;
      });
    }
  }

  /** Resolves once the look that is under way, if any, has told what it saw. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { target, to, spareBytes } = this.#plan;
    // Whoever does not answer now is found out by the copy itself.
    const room = await target.room(to, this.#signal).catch(() => null);
    if (room !== null && room < spareBytes) {
      this.#full(
        new HitchError(
          'STORAGE_FULL',
          `There is no room left at ${plainPath(to[0] ?? '') || 'the work folder'}: ${bytesWords(Math.max(0, room))} are free.`,
          { next: `Free some space there; ${bytesWords(spareBytes)} stay free in any case.` },
        ),
      );
    }
  }
}
