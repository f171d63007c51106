/**
 * The offers that a network said last, kept in a file for each: a daemon that starts while a network hangs shows them with
 * their age. They are worth nothing but that, so that trouble with the files is logged and no more.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Offer, offerSchema, type ProviderId } from '@hitch/contract';
import { writeFileAtomicAside } from '@hitch/platform/src/atomic-file.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import * as z from 'zod';

const fileSchema = z.object({ fetchedAtMs: z.number(), offers: z.array(z.unknown()) });

export interface Kept {
  readonly offers: readonly Offer[];
  /** When the network said so, ms since the epoch. */
  readonly fetchedAtMs: number;
}

export class KeptOffers {
  readonly #folder: string;
  readonly #log: Log;
  /** One write at a time for each file. */
  readonly #writing = new Map<ProviderId, Promise<void>>();

  constructor({ folder, log }: { readonly folder: string; readonly log: Log }) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Null: nothing was kept, or nothing that can be read. Never rejects. */
  async read(id: ProviderId): Promise<Kept | null> {
    try {
      const { fetchedAtMs, offers } = fileSchema.parse(JSON.parse(await readFile(this.#fileOf(id), 'utf8')));
      const read = offers.flatMap(offer => {
        // Another version of Hitch may have written them.
        const { success, data } = offerSchema.safeParse(offer);
        return success && data.provider === id ? [data] : [];
      });
      return { offers: read, fetchedAtMs };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
        this.#log.warn('The offers that were kept could not be read', {
          provider: id,
          error: errorText(error),
        });
      }
      return null;
    }
  }

  /** Never rejects. */
  write(id: ProviderId, { offers, fetchedAtMs }: Kept): Promise<void> {
    const text = JSON.stringify({ fetchedAtMs, offers });
    const before = this.#writing.get(id) ?? Promise.resolve();
    const written = before
      .then(() => writeFileAtomicAside(this.#fileOf(id), text))
      .catch((error: unknown) => {
        this.#log.warn('Offers could not be kept for a later start', {
          provider: id,
          error: errorText(error),
        });
      });
    this.#writing.set(id, written);
    return written;
  }

  /** Resolves when all that is being written is. */
  async written(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  #fileOf(id: ProviderId): string {
    return join(this.#folder, `${id}.json`);
  }
}
