/** What a failure for want of room is called: whose disk it is, how much is free on it, and what can be done. */
import { statfsSync } from 'node:fs';
import { format, HitchError } from '@hitch/contract';
import type { AgentConfig } from '@hitch/contract';
import { isDiskFull } from '@hitch/platform/src/atomic-file.ts';

/** With less than this free nearly every write fails, and a program that fails need not say why. */
const FULL_BELOW_BYTES = 256 * 1024;
const DEEPEST_CAUSE = 4;
/** As Python programs, Jupyter Server among them, tell of it. */
const SAID_BY_PROGRAMS = /\[Errno (?:28|122)\]|No space left on device|Disk quota exceeded/;

interface Room {
  readonly folder: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export class DiskRoom {
  readonly #config: AgentConfig;

  constructor(config: AgentConfig) {
    this.#config = config;
  }

  /** The error as it is to be answered: one sentence about the full disk where that is why, else the error itself. */
  explain(error: unknown): unknown {
    if (isForWantOfRoom(error)) {
      return this.full(sentenceOf(error), error);
    }
    const isUnclear =
      !(error instanceof HitchError) || error.code === 'INTERNAL' || error.code === 'UNREACHABLE';
    return isUnclear && this.#fullest().freeBytes < FULL_BELOW_BYTES
      ? this.full(sentenceOf(error), error)
      : error;
  }

  /** The same for a server of this node that answered with a failure and these words; null where that is not why. */
  explainAnswer(what: string, words: string): HitchError | null {
    return SAID_BY_PROGRAMS.test(words) || this.#fullest().freeBytes < FULL_BELOW_BYTES
      ? this.full(what, null)
      : null;
  }

  full(what: string, cause: unknown): HitchError {
    const { clusterName, nodeId } = this.#config;
    const { freeBytes, totalBytes } = this.#fullest();
    const room = `${format.bytes(freeBytes)} of ${format.bytes(totalBytes)} are free`;
    return new HitchError(
      'STORAGE_FULL',
      `${what === '' ? '' : `${what} `}The disk of ${clusterName} (node ${nodeId}) is too full: ${room}.`,
      {
        next: `Remove what is not needed there: in a cell, in a terminal, or with hitch ssh ${clusterName}. Running programs continue.`,
        cause,
      },
    );
  }

  /** The work folder and the agent's own may lie on two disks. */
  #fullest(): Room {
    const rooms = [this.#config.workFolder, this.#config.stateFolder].map(roomOf);
    return rooms.reduce((fullest, room) => (room.freeBytes < fullest.freeBytes ? room : fullest));
  }
}

function roomOf(folder: string): Room {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { folder, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    // A folder that is not there says nothing about room.
    return { folder, freeBytes: Number.MAX_SAFE_INTEGER, totalBytes: 0 };
  }
}

function isForWantOfRoom(error: unknown): boolean {
  let at = error;
  for (let depth = 0; depth < DEEPEST_CAUSE && at instanceof Error; depth++) {
    if (isDiskFull(at)) {
      return true;
    }
    if (at instanceof HitchError && at.code === 'STORAGE_FULL' && at.cause === undefined) {
      return true;
    }
    at = at.cause;
  }
  return false;
}

/** A defect's own text may hold anything; ours are sentences. */
const sentenceOf = (error: unknown): string =>
  error instanceof HitchError && error.code !== 'INTERNAL' ? error.message : '';
