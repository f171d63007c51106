/**
 * Runs the reconcilers. Each is told the id of a record (a cluster, a node, a purchase, a network) and looks at it
 * afresh; it never runs twice at once for the same id, and no id waits for another. What wakes it: a commit to a cluster
 * that names the id, the time it asked for, and after an error a growing pause; where its network asks to wait, that time.
 */
import type { ClusterId } from '@hitch/contract';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import { NetworkWaits } from './pause.ts';
import { RETRY_FIRST_MS, RETRY_LONGEST_MS } from './limits.ts';

export interface Result {
  /** When to look again, in ms; nothing: only when something changes. */
  readonly requeueAfterMs?: number | undefined;
  /** Not earlier either, whatever changes: what was tried failed, and changes may come from the trying itself. */
  readonly backoff?: boolean;
}

export interface Reconciler<Id extends string = string> {
  readonly name: string;
  /** What of this cluster it has something to do for, now or later. Cheap, no waiting. */
  targets(state: ClusterState): readonly Id[];
  /** What it looks at when the daemon starts, whether a cluster has to do with it or not. */
  readonly atStart?: readonly Id[];
  reconcile(id: Id): Promise<Result>;
}

interface Task {
  readonly reconciler: Reconciler;
  readonly id: string;
  running: boolean;
  queued: boolean;
  /** Something changed while it ran. */
  dirty: boolean;
  failures: number;
  timer: Timer | null;
  /** The timer is a pause that a change does not cut short. */
  pausing: boolean;
}

/** Runs started before the event loop gets its turn. */
const SLICE = 16;

export class Runner {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ledger: Ledger;
  readonly #reconcilers: Reconciler[] = [];
  readonly #tasks = new Map<string, Task>();
  #queue: Task[] = [];
  #pumping = false;
  #stopped = false;

  constructor(options: { clock: Clock; log: Log; ledger: Ledger }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#ledger = options.ledger;
    this.#ledger.onCommit(ids => ids.forEach(id => this.touch(id)));
  }

  add<Id extends string>(reconciler: Reconciler<Id>): void {
    this.#reconcilers.push({
      name: reconciler.name,
      targets: state => reconciler.targets(state),
      atStart: reconciler.atStart ?? [],
      // Ids come from this reconciler's own `targets`.
      reconcile: id => reconciler.reconcile(id as Id),
    });
  }

  /** Looks at every cluster: once, when the daemon starts. */
  start(): void {
    for (const reconciler of this.#reconcilers) {
      reconciler.atStart?.forEach(id => this.#enqueue(this.#task(reconciler, id)));
    }
    for (const id of this.#ledger.clusterIds()) {
      this.touch(id);
    }
  }

  /** Has every reconciler look at this cluster's records soon. */
  touch(clusterId: ClusterId): void {
    const state = this.#ledger.state(clusterId);
    if (state === undefined || this.#stopped) {
      return;
    }
    for (const reconciler of this.#reconcilers) {
      for (const id of reconciler.targets(state)) {
        this.#enqueue(this.#task(reconciler, id));
      }
    }
  }

  /** Has one reconciler look at an id soon, after something that no cluster's record tells. */
  wake(name: string, id: string): void {
    const reconciler = this.#reconcilers.find(one => one.name === name);
    if (reconciler !== undefined && !this.#stopped) {
      this.#enqueue(this.#task(reconciler, id));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#tasks.forEach(({ timer }) => timer?.cancel());
    this.#tasks.clear();
  }

  #task(reconciler: Reconciler, id: string): Task {
    const key = `${reconciler.name} ${id}`;
    const known = this.#tasks.get(key);
    if (known !== undefined) {
      return known;
    }
    const task = {
      reconciler,
      id,
      running: false,
      queued: false,
      dirty: false,
      failures: 0,
      timer: null,
      pausing: false,
    };
    this.#tasks.set(key, task);
    return task;
  }

  #enqueue(task: Task): void {
    if (task.running) {
      task.dirty = true;
      return;
    }
    if (task.queued || task.pausing || this.#stopped) {
      return;
    }
    task.timer?.cancel();
    task.timer = null;
    task.queued = true;
    this.#queue.push(task);
    if (!this.#pumping) {
      this.#pumping = true;
      this.#clock.setTimer(() => this.#pump(), 0);
    }
  }

  #pump(): void {
    this.#pumping = false;
    const slice = this.#queue.splice(0, SLICE);
    for (const task of slice) {
      task.queued = false;
      void this.#run(task);
    }
    if (this.#queue.length > 0 && !this.#stopped) {
      this.#pumping = true;
      this.#clock.setTimer(() => this.#pump(), 0);
    }
  }

  async #run(task: Task): Promise<void> {
    task.running = true;
    task.dirty = false;
    let next: Result;
    try {
      next = await task.reconciler.reconcile(task.id);
      task.failures = 0;
    } catch (error) {
      next = this.#afterFailure(task, error);
    }
    task.running = false;
    this.#settle(task, next);
  }

  #afterFailure(task: Task, error: unknown): Result {
    if (error instanceof NetworkWaits && error.waitMs > 0) {
      // Nothing was tried, and its network said for how long that is so.
      return { requeueAfterMs: Math.min(RETRY_LONGEST_MS, error.waitMs), backoff: true };
    }
    const requeueAfterMs = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** task.failures);
    task.failures += 1;
    this.#log.warn(`${task.reconciler.name} failed; it looks again.`, {
      reason: task.id,
      durationMs: requeueAfterMs,
      error: errorText(error),
    });
    return { requeueAfterMs, backoff: true };
  }

  #settle(task: Task, { requeueAfterMs, backoff = false }: Result): void {
    if (this.#stopped) {
      return;
    }
    task.pausing = backoff && requeueAfterMs !== undefined;
    if (task.dirty && !task.pausing) {
      this.#enqueue(task);
    } else if (requeueAfterMs !== undefined) {
      task.timer = this.#clock.setTimer(
        () => {
          task.timer = null;
          task.pausing = false;
          this.#enqueue(task);
        },
        Math.max(1, Math.ceil(requeueAfterMs)),
      );
    } else {
      this.#tasks.delete(`${task.reconciler.name} ${task.id}`);
    }
  }
}
