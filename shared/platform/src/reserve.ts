/**
 * Room on the disk of Hitch's folder that is given back when the disk is full, so that ending what costs money can be
 * written down, and a daemon can start. While it is given back nothing new is rented.
 */
import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { HitchError } from '@hitch/contract';
import { errorText, type Log } from './log.ts';

/**
 * SQLite's log grows to 4 MiB before its content goes into the database, which may grow by as much; ending a cluster
 * writes some 50 KB, the daemon's own files another 50.
 */
export const RESERVE_BYTES = 8 * 1024 * 1024;
/** Of a disk with little room no more than this part is taken. */
const PART_OF_FREE = 4;
const SMALLEST_BYTES = 128 * 1024;
const PIECE_BYTES = 64 * 1024;
/** It is made anew once so many times its size are free. */
const ROOM_TIMES = 2;

export class DiskReserve {
  readonly #file: string;
  readonly #log: Log;
  #given = false;
  #isForGood = false;

  constructor(file: string, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  /** The disk was full, and there is not enough room yet to keep the reserve again. */
  get isGiven(): boolean {
    return this.#given;
  }

  /** Makes room on a full disk. @returns whether there was something to give. */
  give(): boolean {
    const had = this.#remove();
    if (!this.#given) {
      this.#given = true;
      this.#log.error('The disk is full: the room that was kept back is used, and nothing new is rented.', {
        bytes: had ? RESERVE_BYTES : 0,
      });
    }
    return had;
  }

  /** Nothing new is begun until the next start, however much room there is: what would be written is not kept. */
  giveForGood(): void {
    this.give();
    this.#isForGood = true;
  }

  /** Keeps the room back, where there is enough. */
  keep(): void {
    if (this.#isForGood) {
      return;
    }
    try {
      if (this.#size() > 0) {
        this.#given = false;
        return;
      }
      const { bavail, bsize } = statfsSync(dirname(this.#file));
      const free = bavail * bsize;
      const bytes = Math.min(RESERVE_BYTES, Math.floor(free / PART_OF_FREE / PIECE_BYTES) * PIECE_BYTES);
      // Where it was needed once it is asked for in full: a disk that has just been full fills up again.
      if (bytes < SMALLEST_BYTES || (this.#given && free < RESERVE_BYTES * ROOM_TIMES)) {
        return;
      }
      this.#write(bytes);
      this.#given = false;
    } catch (error) {
      removeQuietly(`${this.#file}.tmp`);
      this.#log.warn('No room can be kept back on the disk of Hitch’s folder.', { error: errorText(error) });
    }
  }

  /** @returns false also where a disk may not be written at all: then there is nothing to give. */
  #remove(): boolean {
    try {
      const had = this.#size() > 0;
      rmSync(this.#file, { force: true });
      return had;
    } catch {
      return false;
    }
  }

  /** Bytes that no file system can leave out or press together. */
  #write(bytes: number): void {
    const file = openSync(`${this.#file}.tmp`, 'w', 0o600);
    try {
      const piece = Buffer.alloc(PIECE_BYTES);
      for (let at = 0; at < bytes;) {
        at += writeSync(file, randomFillSync(piece), 0, Math.min(piece.length, bytes - at));
      }
    } finally {
      closeSync(file);
    }
    renameSync(`${this.#file}.tmp`, this.#file);
  }

  #size(): number {
    return statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // On a disk that may not be written nothing was left either.
  }
}

/** Tries once more with the reserve's room where the disk is full. @throws what `write` throws. */
export function withRoom(reserve: DiskReserve, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof HitchError) || error.code !== 'STORAGE_FULL' || !reserve.give()) {
      throw error;
    }
    write();
  }
}
