/** A database that outlives the stores opened on it: for tests and the chaos run. */
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from './sqlite.ts';

/** Work done one after the other, in the order added; a failure does not stop the next. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  add<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
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
