/**
 * Between the records and the store: makes room when the disk is full, remembers what the store refuses until it takes
 * it, and writes a store anew that was lost while it was open. Everything is in memory, so nothing of it is lost.
 */
import { type ClusterId, HitchError } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { fileStamp } from '@hitch/platform/src/file-stamp.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { DiskReserve } from '@hitch/platform/src/reserve.ts';
import { needsDisk, Owed, type StoreRefuses } from './owed.ts';
import type { EventRecord, Kinds } from './records.ts';
import { type Change, DAMAGED, type Store, type StoreTrouble } from './store.ts';

export type Reserve = Pick<DiskReserve, 'give' | 'isGiven' | 'keep'>;

/** What became of a store that was lost. */
export interface StoreMended extends StoreTrouble {
  readonly atMs: number;
  /** Where what stood in its place is kept; null: nothing stood there, or it stands there still. */
  readonly keptAs: string | null;
}

export interface StoreKeeperOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly reserve?: Reserve;
  readonly onMended?: (mended: StoreMended) => void;
  /** Left out: all there are. */
  readonly kinds?: Kinds;
  /** Everything that is in memory. */
  readonly rows: () => Change;
}

export class StoreKeeper {
  readonly store: Store;
  readonly #options: StoreKeeperOptions;
  readonly #owed: Owed;
  readonly #mended: StoreMended[] = [];
  #ended = false;

  constructor(options: StoreKeeperOptions) {
    this.store = options.store;
    this.#options = options;
    this.#owed = new Owed(options.kinds);
  }

  /** Since when the store refuses, and why; null: everything is written. */
  get refuses(): StoreRefuses | null {
    return this.#owed.refuses;
  }

  get mended(): readonly StoreMended[] {
    return this.#mended;
  }

  /** Events that no file has yet, oldest first. */
  owedEvents(clusterId: ClusterId, afterSeq: number): readonly EventRecord[] {
    return this.#owed.eventsOf(clusterId, afterSeq);
  }

  /** The daemon ends: nothing is taken in memory any more. */
  end(): void {
    this.#ended = true;
  }

  /** Writes these changes with all that is owed. One at a time. @throws what the store says when it refuses. */
  async write(changes: readonly Change[]): Promise<void> {
    const owed = this.#owed.with(changes);
    try {
      await this.store.commit(owed);
    } catch (error) {
      const isFull = error instanceof HitchError && error.code === 'STORAGE_FULL';
      const helped = isFull ? this.#makeRoom(changes) : await this.#mend();
      if (!helped) {
        throw error;
      }
      await this.store.commit({ ...owed, again: true });
    }
    this.#owed.settle();
  }

  /** Takes what the store has just refused in memory. @returns false for what may not stand there. */
  remember(changes: readonly Change[], error: unknown): boolean {
    const refused = error instanceof HitchError && (error.code === 'STORAGE_FULL' || error.field === DAMAGED);
    if (!refused || this.#ended || changes.some(needsDisk)) {
      return false;
    }
    this.#owed.add(changes, errorText(error), this.#options.clock.now());
    return true;
  }

  /** Looks whether the store is still there, and writes what is owed. */
  async look(): Promise<void> {
    try {
      await this.#mend();
      if (this.#owed.refuses !== null) {
        await this.write([]);
      }
    } catch (error) {
      this.remember([], error);
    }
  }

  /** @throws HitchError STORAGE_FULL while the room that is left is kept for ending what runs. */
  checkRoomToSpend(): void {
    const { reserve } = this.#options;
    if (reserve?.isGiven === true) {
      // Who has just made room need not wait until it is looked for.
      reserve.keep();
    }
    if (reserve?.isGiven === true) {
      throw new HitchError(
        'STORAGE_FULL',
        'The disk is full: the room that is left is kept for ending what runs, so nothing new is begun.',
        { next: 'Free some space, then try again.' },
      );
    }
  }

  /** What lets money be spent gets none of the room that is kept for ending it. */
  #makeRoom(changes: readonly Change[]): boolean {
    return !changes.some(needsDisk) && this.#options.reserve?.give() === true;
  }

  /** @returns whether the store was lost and is there again, with all that is in memory. @throws HitchError STORAGE_FULL. */
  async #mend(): Promise<boolean> {
    const trouble = this.#ended ? null : ((await this.store.trouble?.()) ?? null);
    if (trouble === null || this.store.renew === undefined) {
      return false;
    }
    // What is being written is not in memory yet, so it is not among these rows.
    const rows = this.#owed.with([this.#options.rows()]);
    const nowMs = this.#options.clock.now();
    let keptAs = null;
    if (trouble.isSound) {
      // Whatever somebody took out is put back.
      await this.store.commit({ ...rows, again: true });
    } else {
      keptAs = await this.store.renew({ ...rows, again: true }, fileStamp(nowMs));
    }
    const mended = { atMs: nowMs, ...trouble, keptAs };
    this.#mended.push(mended);
    this.#options.onMended?.(mended);
    return true;
  }
}
