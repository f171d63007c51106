/** Opens the store: in its own thread for the daemon, in the caller's for tests and the chaos run. */
import type { Store } from '../ledger/store.ts';
import type { Kinds } from '../ledger/records.ts';
import type { MemoryDisk } from './memory-disk.ts';
import { ThreadedStore } from './threaded-store.ts';

export interface StoreOptions {
  /** The database file, or `:memory:`. */
  readonly path: string;
  /** False: no thread; the same calls give the same order every time. */
  readonly worker?: boolean;
  readonly now: () => number;
  /** Without a thread: the database to use instead of opening `path`. */
  readonly disk?: MemoryDisk;
  /** Without a thread: the kinds of records that it keeps; left out: all there are. */
  readonly kinds?: Kinds;
}

/** @throws HitchError CONFLICT when another daemon holds it, STORAGE_FULL, VERSION_MISMATCH or INTERNAL, each a sentence. */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (options.worker !== false) {
    return ThreadedStore.open(options.path, options.now);
  }
  // Loaded only here: the daemon's own thread does without SQLite and Kysely.
  const { InlineStore } = await import('./inline-store.ts');
  return new InlineStore(options);
}
