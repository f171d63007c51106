/**
 * Transactions over the newest records, run one after the other and committed together. Each reads what those before it
 * in the batch wrote, so that two of them cannot both take the last of something.
 */
import type { ClusterId, ProviderId } from '@hitch/contract';
import type { ClusterState } from './cluster-state.ts';
import { KeptRecords } from './kept-records.ts';
import type { KeptKind } from './kind.ts';
import type { Change } from './store.ts';
import { ClusterTransaction, type PhaseLimits } from './transaction.ts';

/** The newest records, whether committed or about to be. */
export interface Newest {
  readonly leaseEpoch: number;
  readonly lastPosition: number;
  state(id: ClusterId): ClusterState | undefined;
  states(): Iterable<ClusterState>;
  /** Records that are reached by their key. */
  readonly kept: KeptRecords;
  /** Whether a cluster of the list has this name; `passing` says which do not count. */
  nameTaken(name: string, passing: (id: ClusterId) => boolean): boolean;
  titleOf(provider: ProviderId): string;
  limitsOf(provider: ProviderId): PhaseLimits;
}

interface Written {
  /** Null: forgotten. */
  readonly states: ReadonlyMap<ClusterId, ClusterState | null>;
  readonly kept: KeptRecords;
  readonly changes: readonly Change[];
  readonly lastPosition: number;
}

/** Reads and writes any records; all that it wrote is committed as one, or nothing of it. */
export class Transaction {
  readonly nowMs: number;
  readonly #newest: Newest;
  readonly #clusters = new Map<ClusterId, ClusterTransaction>();
  readonly #kept: KeptRecords;

  constructor(newest: Newest, nowMs: number) {
    this.#newest = newest;
    this.#kept = new KeptRecords(newest.kept);
    this.nowMs = nowMs;
  }

  /** One cluster, which need not exist yet, to read and to write. */
  cluster(id: ClusterId): ClusterTransaction {
    const open = this.#clusters.get(id);
    if (open !== undefined) {
      return open;
    }
    const cluster = new ClusterTransaction({
      clusterId: id,
      state: this.#newest.state(id) ?? null,
      nowMs: this.nowMs,
      leaseEpoch: this.#newest.leaseEpoch,
      get: (kind, key) => this.get(kind, key),
      put: (kind, record) => this.put(kind, record),
      nameTaken: name => this.#nameTaken(name, id),
      titleOf: provider => this.#newest.titleOf(provider),
      limitsOf: provider => this.#newest.limitsOf(provider),
    });
    this.#clusters.set(id, cluster);
    return cluster;
  }

  /** All clusters, removed ones too, as this transaction has them. */
  *states(): Generator<ClusterState> {
    for (const state of this.#newest.states()) {
      if (!this.#clusters.has(state.cluster.id)) {
        yield state;
      }
    }
    for (const cluster of this.#clusters.values()) {
      if (cluster.exists) {
        yield cluster.state;
      }
    }
  }

  /** A record of any kind that is reached by its key, as this transaction has it. */
  get<R extends object>(kind: KeptKind<R>, key: string): R | undefined {
    return this.#kept.get(kind, key);
  }

  /** All records of such a kind, as this transaction has them. */
  all<R extends object>(kind: KeptKind<R>): Generator<R> {
    return this.#kept.all(kind);
  }

  put<R extends object>(kind: KeptKind<R>, record: R): void {
    this.#kept.put(kind, record);
  }

  #nameTaken(name: string, by: ClusterId): boolean {
    return (
      [...this.#clusters].some(([id, open]) => id !== by && open.exists && hasName(open.state, name)) ||
      this.#newest.nameTaken(name, id => id === by || this.#clusters.has(id))
    );
  }

  finish(): Written {
    const states = new Map<ClusterId, ClusterState | null>();
    const changes: Change[] = [];
    let { lastPosition } = this.#newest;
    for (const [id, open] of this.#clusters) {
      const result = open.finish(lastPosition);
      if (result !== null) {
        states.set(id, result.state);
        changes.push(result.change);
        lastPosition = result.lastPosition;
      }
    }
    // Clusters write of these too, as they finish.
    if (this.#kept.rows.size > 0) {
      changes.push(this.#kept.change());
    }
    return { states, kept: this.#kept, changes, lastPosition };
  }
}

export class Batch implements Newest {
  readonly changes: Change[] = [];
  readonly written = new Map<ClusterId, ClusterState | null>();
  readonly kept: KeptRecords;
  readonly #below: Newest;
  #lastPosition: number;

  constructor(below: Newest) {
    this.#below = below;
    this.kept = new KeptRecords(below.kept);
    this.#lastPosition = below.lastPosition;
  }

  get leaseEpoch(): number {
    return this.#below.leaseEpoch;
  }

  get lastPosition(): number {
    return this.#lastPosition;
  }

  /** @throws what `change` or `check` throws; nothing of it is then in the batch. */
  run<T>(change: (tx: Transaction) => T, nowMs: number, check: (changes: readonly Change[]) => void): T {
    const transaction = new Transaction(this, nowMs);
    const value = change(transaction);
    const { states, kept, changes, lastPosition } = transaction.finish();
    check(changes);
    states.forEach((state, id) => this.written.set(id, state));
    this.kept.takeOver(kept);
    this.changes.push(...changes);
    this.#lastPosition = lastPosition;
    return value;
  }

  state(id: ClusterId): ClusterState | undefined {
    const written = this.written.get(id);
    return written === undefined ? this.#below.state(id) : (written ?? undefined);
  }

  *states(): Generator<ClusterState> {
    for (const state of this.#below.states()) {
      if (!this.written.has(state.cluster.id)) {
        yield state;
      }
    }
    for (const state of this.written.values()) {
      if (state !== null) {
        yield state;
      }
    }
  }

  nameTaken(name: string, passing: (id: ClusterId) => boolean): boolean {
    return (
      [...this.written].some(([id, state]) => state !== null && !passing(id) && hasName(state, name)) ||
      this.#below.nameTaken(name, id => passing(id) || this.written.has(id))
    );
  }

  titleOf(provider: ProviderId): string {
    return this.#below.titleOf(provider);
  }

  limitsOf(provider: ProviderId): PhaseLimits {
    return this.#below.limitsOf(provider);
  }
}

function hasName({ cluster }: ClusterState, name: string): boolean {
  return cluster.name === name && cluster.removedAtMs === null;
}
