/**
 * Journals of kernels that have ended: how long and how much of them is kept. The oldest go first, and what went stands
 * in a list, so that whoever asks for it later is told why it is not there.
 */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { format, HitchError } from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Log } from '@hitch/platform/src/log.ts';

export interface EndedLimits {
  readonly maxAgeMs: number;
  /** Of the journals of all ended kernels together. */
  readonly maxBytesEnded: number;
}

const droppedSchema = z.object({
  kernelId: z.string(),
  reason: z.enum(['age', 'bound']),
  bytes: z.number(),
  /** When the kernel last said something. */
  lastMs: z.number(),
});
type Dropped = z.infer<typeof droppedSchema>;

/** No kernel's id, and so no journal's folder, has a dot. */
const LIST_FILE = 'dropped.json';
export const KERNEL_ID = /^[0-9A-Za-z-]{8,64}$/;
/** Of so many it is known why they are not there; of those before them only that they are not. */
const LONGEST_LIST = 1_000;

interface Journal {
  readonly kernelId: string;
  readonly bytes: number;
  readonly lastMs: number;
}

export class EndedJournals {
  readonly #folder: string;
  readonly #limits: EndedLimits;
  readonly #clock: Clock;
  readonly #log: Log;
  #dropped: readonly Dropped[];

  constructor(options: { folder: string; limits: EndedLimits; clock: Clock; log: Log }) {
    this.#folder = options.folder;
    this.#limits = options.limits;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#dropped = readList(join(options.folder, LIST_FILE));
  }

  /**
   * Removes what is too old, and the oldest of what is too much.
   * @param lives kernels whose journals are not looked at
   * @param letGo called before a journal is removed
   */
  async sweep(
    lives: (kernelId: string) => boolean,
    letGo: (kernelId: string) => Promise<void>,
  ): Promise<void> {
    const ended = this.#journals()
      .filter(({ kernelId }) => !lives(kernelId))
      .sort((a, b) => a.lastMs - b.lastMs);
    let bytes = ended.reduce((sum, journal) => sum + journal.bytes, 0);
    const tooOld = this.#clock.now() - this.#limits.maxAgeMs;
    const gone: Dropped[] = [];
    for (const journal of ended) {
      const isOld = journal.lastMs < tooOld;
      if ((isOld || bytes > this.#limits.maxBytesEnded) && (await this.#remove(journal.kernelId, letGo))) {
        bytes -= journal.bytes;
        gone.push({ ...journal, reason: isOld ? 'age' : 'bound' });
      }
    }
    if (gone.length > 0) {
      this.#note(gone);
    }
  }

  /** @returns whether it went. One that cannot go, which is said, is tried again with the next sweep and keeps no other. */
  async #remove(kernelId: string, letGo: (kernelId: string) => Promise<void>): Promise<boolean> {
    try {
      await letGo(kernelId);
      rmSync(join(this.#folder, kernelId), { recursive: true, force: true });
      return true;
    } catch (error) {
      this.#log.warn('The output of an ended kernel cannot be dropped', {
        kernelId,
        error: errorText(error),
      });
      return false;
    }
  }

  /** Why there is no journal of this kernel, or null where nobody knows of one. */
  whyGone(kernelId: string): HitchError | null {
    const dropped = this.#dropped.find(entry => entry.kernelId === kernelId);
    if (dropped === undefined) {
      return null;
    }
    const why =
      dropped.reason === 'age'
        ? `it was older than ${format.duration(this.#limits.maxAgeMs)}`
        : `the output of ended kernels may take ${format.bytes(this.#limits.maxBytesEnded)} on the machine, and it was the oldest`;
    return new HitchError(
      'NOT_FOUND',
      `The ${format.bytes(dropped.bytes)} that kernel ${kernelId} left are no longer kept: ${why}.`,
      { field: 'kernelId', next: 'Save notebooks while their kernel runs, or soon after.' },
    );
  }

  #note(gone: readonly Dropped[]): void {
    this.#log.warn('The output of ended kernels was dropped', {
      count: gone.length,
      bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
    });
    this.#dropped = [...this.#dropped, ...gone].slice(-LONGEST_LIST);
    try {
      writeFileAtomic(join(this.#folder, LIST_FILE), JSON.stringify(this.#dropped));
    } catch (error) {
      this.#log.warn('What was dropped cannot be kept in its list', { error: errorText(error) });
    }
  }

  #journals(): Journal[] {
    return readdirSync(this.#folder)
      .filter(name => KERNEL_ID.test(name))
      .flatMap(name => this.#journal(name) ?? []);
  }

  /** Null for one that changes at this moment: it is looked at again soon. */
  #journal(kernelId: string): Journal | null {
    const folder = join(this.#folder, kernelId);
    try {
      const files = readdirSync(folder).map(name => statSync(join(folder, name)));
      return {
        kernelId,
        bytes: files.reduce((sum, { size }) => sum + size, 0),
        lastMs: files.reduce((last, { mtimeMs }) => Math.max(last, mtimeMs), statSync(folder).mtimeMs),
      };
    } catch {
      return null;
    }
  }
}

function readList(file: string): readonly Dropped[] {
  try {
    return z.array(droppedSchema).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return [];
  }
}
