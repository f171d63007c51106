/** The store as its caller sees it when it lives in its own thread. */
import { Worker } from 'node:worker_threads';
import { HitchError, type ClusterId } from '@hitch/contract';
import type { EventRecord } from '../ledger/records.ts';
import type { Change, Snapshot, Store, StoreTrouble } from '../ledger/store.ts';
import { fromEnvelope, type Answer, type Answers, type Request } from './messages.ts';

/** Young generation of the thread, three times a half of it; V8's own choice is 48. */
const STORE_YOUNG_MB = 6;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: HitchError) => void;
}

/** Beside the source it is `worker.ts`; in the bundle `store-worker.mjs` lies beside the program. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './store-worker.mjs', import.meta.url);
}

export class ThreadedStore implements Store {
  readonly #worker: Worker;
  readonly #now: () => number;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #ended: HitchError | null = null;

  private constructor(worker: Worker, now: () => number) {
    this.#worker = worker;
    this.#now = now;
  }

  /** @throws HitchError when the file cannot be opened; see `openDatabase`. */
  static async open(path: string, now: () => number): Promise<ThreadedStore> {
    const worker = new Worker(workerUrl(), {
      workerData: { path },
      name: 'hitch-store',
      // The experimental warning of node:sqlite says nothing to the person who runs Hitch. The process's own flags
      // stay out: a thread refuses those of V8.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // In the thread, what lives longer than a statement is little.
      resourceLimits: { maxYoungGenerationSizeMb: STORE_YOUNG_MB },
    });
    const store = new ThreadedStore(worker, now);
    const opened = new Promise<null>((resolve, reject) => store.#waiting.set(0, { resolve, reject }));
    worker.on('message', (answer: Answer) => store.#receive(answer));
    worker.on('error', error => {
      store.#end(
        new HitchError(
          'INTERNAL',
          `The store's thread failed: ${error instanceof Error ? error.message : 'unknown'}.`,
          {
            cause: error,
          },
        ),
      );
    });
    worker.on('exit', () => store.#end(new HitchError('INTERNAL', 'The store is closed.')));
    await opened;
    return store;
  }

  #receive(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) {
      waiting?.reject(fromEnvelope(answer.error));
    } else {
      waiting?.resolve(answer.value as never);
    }
  }

  #end(error: HitchError): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.values()) {
      waiting.reject(error);
    }
    this.#waiting.clear();
  }

  #ask<K extends Request['kind']>(request: Extract<Request, { kind: K }>): Promise<Answers[K]> {
    if (this.#ended !== null) {
      return Promise.reject(this.#ended);
    }
    const id = this.#nextId++;
    return new Promise<Answers[K]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request });
    });
  }

  load(): Promise<Snapshot> {
    return this.#ask<'load'>({ kind: 'load', nowMs: this.#now() });
  }

  async commit(change: Change): Promise<void> {
    await this.#ask<'commit'>({ kind: 'commit', change });
  }

  eventsOf(clusterId: ClusterId, afterSeq: number, limit: number): Promise<readonly EventRecord[]> {
    return this.#ask<'eventsOf'>({ kind: 'eventsOf', clusterId, after: afterSeq, limit });
  }

  eventsAfter(afterPosition: number, limit: number): Promise<readonly EventRecord[]> {
    return this.#ask<'eventsAfter'>({ kind: 'eventsAfter', after: afterPosition, limit });
  }

  forgottenCost(fromMs: number, toMs: number): Promise<bigint> {
    return this.#ask<'forgottenCost'>({ kind: 'forgottenCost', fromMs, toMs });
  }

  trouble(): Promise<StoreTrouble | null> {
    return this.#ask<'trouble'>({ kind: 'trouble' });
  }

  renew(rows: Change, stamp: string): Promise<string | null> {
    return this.#ask<'renew'>({ kind: 'renew', rows, stamp });
  }

  /** The thread does one after the other: what was asked for before is done. */
  async close(): Promise<void> {
    if (this.#ended !== null) {
      return;
    }
    const exited = new Promise<void>(resolve => this.#worker.once('exit', () => resolve()));
    await this.#ask<'close'>({ kind: 'close' });
    await exited;
  }
}
