/** Opens the store: in its own thread for the daemon, in the caller's for tests and the chaos run. */
import type { DatabaseSync } from 'node:sqlite';
import type { ClusterId } from '@hitch/contract';
import type { EventRecord } from '../clusters/records.ts';
import { SqlStore } from './sql-store.ts';
import { openDatabase, sqliteError } from './sqlite.ts';
import type { Change, Snapshot, Store } from './store.ts';
import { ThreadedStore } from './threaded-store.ts';

/** Work done one after the other, in the order added; a failure does not stop the next. */
class Queue {
  #last: Promise<unknown> = Promise.resolve();

  add<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

export interface StoreOptions {
  /** The database file, or `:memory:`. */
  readonly path: string;
  /** False: no thread; the same calls give the same order every time. */
  readonly worker?: boolean;
  readonly now: () => number;
  /** Without a thread: the database to use instead of opening `path`. */
  readonly disk?: MemoryDisk;
}

/**
 * A database in memory on which stores are opened one after the other; it outlives their `close`, as a disk outlives
 * a killed daemon. What a killed daemon had already asked for is written before the next one's questions; what it
 * asks after the next one loaded is refused.
 */
export class MemoryDisk {
  readonly database: DatabaseSync = openDatabase(':memory:');
  readonly queue = new Queue();
}

/** @throws HitchError CONFLICT when another daemon holds it, STORAGE_FULL, VERSION_MISMATCH or INTERNAL, each a sentence. */
export async function openStore(options: StoreOptions): Promise<Store> {
  return options.worker === false ? new InlineStore(options) : ThreadedStore.open(options.path, options.now);
}

class InlineStore implements Store {
  readonly #store: SqlStore;
  readonly #options: StoreOptions;
  readonly #queue: Queue;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#queue = options.disk?.queue ?? new Queue();
    this.#store = new SqlStore(options.path, options.disk?.database);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.add(work).catch((error: unknown) => {
      throw sqliteError(error, this.#options.path);
    });
  }

  load(): Promise<Snapshot> {
    return this.#inOrder(() => this.#store.load(this.#options.now()));
  }

  commit(change: Change): Promise<void> {
    return this.#inOrder(async () => {
      const [problem] = await this.#store.commit([change]);
      if (problem !== null && problem !== undefined) {
        throw problem;
      }
    });
  }

  eventsOf(clusterId: ClusterId, afterSeq: number, limit: number): Promise<readonly EventRecord[]> {
    return this.#inOrder(() => this.#store.eventsOf(clusterId, afterSeq, limit));
  }

  eventsAfter(afterPosition: number, limit: number): Promise<readonly EventRecord[]> {
    return this.#inOrder(() => this.#store.eventsAfter(afterPosition, limit));
  }

  forgottenCost(fromMs: number, toMs: number): Promise<bigint> {
    return this.#inOrder(() => this.#store.forgottenCost(fromMs, toMs));
  }

  close(): Promise<void> {
    return this.#inOrder(async () => this.#store.close());
  }
}
