/** The store in its caller's thread: the same calls give the same order every time. */
import type { ClusterId } from '@hitch/contract';
import type { EventRecord } from '../ledger/records.ts';
import type { Change, Snapshot, Store, StoreTrouble } from '../ledger/store.ts';
import type { Kinds } from '../ledger/records.ts';
import { type MemoryDisk, Queue } from './memory-disk.ts';
import { SqlStore } from './sql-store.ts';
import { SqliteDatabase } from './sqlite-database.ts';

export interface InlineStoreOptions {
  readonly path: string;
  readonly now: () => number;
  readonly disk?: MemoryDisk;
  /** Left out: all there are. */
  readonly kinds?: Kinds;
}

export class InlineStore implements Store {
  readonly #store: SqlStore;
  readonly #options: InlineStoreOptions;
  readonly #queue: Queue;

  constructor(options: InlineStoreOptions) {
    this.#options = options;
    this.#queue = options.disk?.queue ?? new Queue();
    this.#store = new SqlStore(new SqliteDatabase(options.path, options.disk?.database), options.kinds);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.add(work).catch((error: unknown) => {
      throw this.#store.error(error);
    });
  }

  load(): Promise<Snapshot> {
    return this.#inOrder(() => this.#store.load(this.#options.now()));
  }

  commit(change: Change): Promise<void> {
    return this.#inOrder(() => this.#store.commit(change));
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

  trouble(): Promise<StoreTrouble | null> {
    return this.#inOrder(async () => this.#store.trouble());
  }

  renew(rows: Change, stamp: string): Promise<string | null> {
    return this.#inOrder(() => this.#store.renew(rows, stamp));
  }

  close(): Promise<void> {
    return this.#inOrder(async () => this.#store.close());
  }
}
