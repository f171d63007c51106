/**
 * All records, in memory. A change is first committed to the store and only then visible and published: nothing
 * ever acts on a change that a crash could take back. While the store refuses (a full disk), only what could cost money
 * waits for it: every other change stands in memory and is written when the store takes it (`owed.ts`).
 *
 * Changes are functions over a transaction. Those that arrive while a commit is under way wait, run one after the other on
 * the newest records, and are committed together, so that a thousand clusters share a few commits. Nothing else writes.
 */
import type { AttemptId, ClusterId, NodeId, ProviderId, QuoteId } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { Batch, type Newest, type Transaction } from './batch.ts';
import type { ClusterState } from './cluster-state.ts';
import { spends } from './owed.ts';
import { KeptRecords } from './kept-records.ts';
import { isKept, keyOf } from './kind.ts';
import { quotes } from './kinds/quote.ts';
import { refKey, refs } from './kinds/ref.ts';
import {
  ALL_KINDS,
  type AttemptRecord,
  type EventRecord,
  type Kinds,
  type QuoteRecord,
  type RefRecord,
  rowsOf,
} from './records.ts';
import { type Reserve, StoreKeeper, type StoreMended } from './store-keeper.ts';
import type { Change, Snapshot, Store } from './store.ts';
import type { ClusterTransaction, PhaseLimits } from './transaction.ts';

/** Changes run in one go, at most: keeps a burst from holding the event loop. */
const BATCH = 40;

export type CommitListener = (clusterIds: ReadonlySet<ClusterId>, events: readonly EventRecord[]) => void;

interface Waiting {
  readonly run: (tx: Transaction) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class Ledger implements Newest {
  readonly leaseEpoch: number;
  readonly #clock: Clock;
  readonly #titleOf: (provider: ProviderId) => string;
  readonly #limitsOf: (provider: ProviderId) => PhaseLimits;
  readonly #states = new Map<ClusterId, ClusterState>();
  readonly kept = new KeptRecords();
  readonly #kinds: Kinds;
  readonly #clusterOfNode = new Map<NodeId, ClusterId>();
  readonly #clusterOfAttempt = new Map<AttemptId, ClusterId>();
  readonly #attemptOfRef = new Map<string, AttemptId>();
  readonly #attemptOfMark = new Map<string, AttemptId>();
  readonly #names = new Map<string, ClusterId>();
  readonly #listeners = new Set<CommitListener>();
  readonly #keeper: StoreKeeper;
  #looking: (() => void)[] = [];
  #lastPosition: number;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(options: {
    clock: Clock;
    store: Store;
    snapshot: Snapshot;
    /** A network's name as people know it. */
    titleOf: (provider: ProviderId) => string;
    /** How long a network’s machines may take to come up; left out: as long as any. */
    limitsOf?: (provider: ProviderId) => PhaseLimits;
    /** Room to be given back when the disk is full. */
    reserve?: Reserve;
    onMended?: (mended: StoreMended) => void;
    /** Kinds of the records in the store; left out: all there are. */
    kinds?: Kinds;
  }) {
    const { snapshot, kinds = ALL_KINDS } = options;
    this.#kinds = kinds;
    this.#keeper = new StoreKeeper({ ...options, kinds, rows: () => this.#rows() });
    this.#titleOf = options.titleOf;
    this.#limitsOf = options.limitsOf ?? (() => ({}));
    this.#clock = options.clock;
    this.leaseEpoch = snapshot.leaseEpoch;
    this.#lastPosition = snapshot.lastPosition;
    for (const kind of kinds.filter(isKept)) {
      rowsOf(kind, snapshot).forEach(record => this.kept.put(kind, record));
    }
    const nodes = groupByCluster(snapshot.nodes);
    const attempts = groupByCluster(snapshot.attempts);
    const segments = groupByCluster(snapshot.segments);
    for (const cluster of snapshot.clusters) {
      this.#show(cluster.id, {
        cluster,
        nodes: (nodes.get(cluster.id) ?? []).toSorted(byId),
        attempts: (attempts.get(cluster.id) ?? []).toSorted(byId),
        segments: (segments.get(cluster.id) ?? []).toSorted((a, b) => a.index - b.index),
      });
    }
  }

  get lastPosition(): number {
    return this.#lastPosition;
  }

  clusterIds(): IterableIterator<ClusterId> {
    return this.#states.keys();
  }

  /** All clusters, those that were removed from the list too. */
  states(): IterableIterator<ClusterState> {
    return this.#states.values();
  }

  /** The clusters of the list. */
  listed(): readonly ClusterState[] {
    return [...this.#states.values()].filter(({ cluster }) => cluster.removedAtMs === null);
  }

  state(id: ClusterId): ClusterState | undefined {
    return this.#states.get(id);
  }

  stateOfNode(id: NodeId): ClusterState | undefined {
    const clusterId = this.#clusterOfNode.get(id);
    return clusterId === undefined ? undefined : this.#states.get(clusterId);
  }

  stateOfAttempt(id: AttemptId): ClusterState | undefined {
    const clusterId = this.#clusterOfAttempt.get(id);
    return clusterId === undefined ? undefined : this.#states.get(clusterId);
  }

  attempt(id: AttemptId): AttemptRecord | undefined {
    return this.stateOfAttempt(id)?.attempts.find(attempt => attempt.id === id);
  }

  /** The attempt whose intent this store holds for `ref`. */
  attemptByRef(ref: string): AttemptRecord | undefined {
    const id = this.#attemptOfRef.get(ref);
    return id === undefined ? undefined : this.attempt(id);
  }

  /** The attempt whose intent this store holds for what networks know by `mark`. */
  attemptByMark(mark: string): AttemptRecord | undefined {
    const id = this.#attemptOfMark.get(mark);
    return id === undefined ? undefined : this.attempt(id);
  }

  /** What is kept for ever of a purchase that this store ever intended. */
  ref(provider: ProviderId, mark: string): RefRecord | undefined {
    return this.kept.get(refs, refKey({ provider, mark }));
  }

  clusterByName(name: string): ClusterId | undefined {
    return this.#names.get(name);
  }

  quote(id: QuoteId): QuoteRecord | undefined {
    return this.kept.get(quotes, id);
  }

  nameTaken(name: string, passing: (id: ClusterId) => boolean): boolean {
    const holder = this.#names.get(name);
    return holder !== undefined && !passing(holder);
  }

  titleOf(provider: ProviderId): string {
    return this.#titleOf(provider);
  }

  limitsOf(provider: ProviderId): PhaseLimits {
    return this.#limitsOf(provider);
  }

  /** How the store does: whether it refuses, and what became of one that was lost. */
  get keeper(): Pick<StoreKeeper, 'refuses' | 'mended' | 'owedEvents' | 'end'> {
    return this.#keeper;
  }

  /** Looks whether the store is still there, and writes what is owed; in its turn among the changes. */
  lookAfterStore(): Promise<void> {
    return new Promise(resolve => {
      this.#looking.push(resolve);
      this.#start();
    });
  }

  /** Called after each commit, once the change is visible. */
  onCommit(listener: CommitListener): void {
    this.#listeners.add(listener);
  }

  /**
   * Runs `change` on the newest records and resolves with its value once everything it wrote is durable and visible. What
   * it throws rejects, and nothing of it stays. It may run more than once, and must do nothing else.
   */
  transact<T>(change: (tx: Transaction) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        run: change,
        // The value comes from `change` itself, so its type is T.
        resolve: value => resolve(value as T),
        reject,
      });
      this.#start();
    });
  }

  /** A transaction on one cluster, which need not exist yet. */
  change<T>(clusterId: ClusterId, change: (tx: ClusterTransaction) => T): Promise<T> {
    return this.transact(tx => change(tx.cluster(clusterId)));
  }

  /** Keeps a quote nobody has used yet. */
  async keepQuote(quote: QuoteRecord): Promise<void> {
    await this.transact(tx => tx.put(quotes, quote));
    const nowMs = this.#clock.now();
    for (const old of this.kept.all(quotes)) {
      if (old.usedBy === null && old.quote.expiresAtMs + 3_600_000 < nowMs) {
        this.kept.delete(quotes, old.id);
      }
    }
  }

  #start(): void {
    if (!this.#running) {
      this.#running = true;
      queueMicrotask(() => void this.#work());
    }
  }

  async #work(): Promise<void> {
    for (let alone = 0; this.#waiting.length + this.#looking.length > 0; alone = Math.max(0, alone - 1)) {
      if (this.#looking.length > 0) {
        const done = this.#looking;
        this.#looking = [];
        await this.#keeper.look();
        done.forEach(tell => tell());
        continue;
      }
      const taken = this.#waiting.splice(0, alone > 0 ? 1 : BATCH);
      if (!(await this.#commitTogether(taken, taken.length === 1))) {
        // One of them may be what the store refuses: each alone, so that the others still get through.
        this.#waiting.unshift(...taken);
        alone = taken.length + 1;
      }
    }
    this.#running = false;
  }

  /** @returns false when the store refused and `last` was not set: they may be tried again. */
  async #commitTogether(taken: readonly Waiting[], last: boolean): Promise<boolean> {
    const batch = new Batch(this);
    const done: { waiting: Waiting; value: unknown }[] = [];
    const failed: { waiting: Waiting; error: unknown }[] = [];
    for (const waiting of taken) {
      try {
        const value = batch.run(waiting.run, this.#clock.now(), changes => this.#check(changes));
        done.push({ waiting, value });
      } catch (error) {
        failed.push({ waiting, error });
      }
    }
    try {
      if (batch.changes.length > 0) {
        await this.#keeper.write(batch.changes);
      }
    } catch (error) {
      if (!last) {
        return false;
      }
      if (!this.#keeper.remember(batch.changes, error)) {
        taken.forEach(({ reject }) => reject(error));
        return true;
      }
    }
    this.#publish(batch);
    done.forEach(({ waiting, value }) => waiting.resolve(value));
    failed.forEach(({ waiting, error }) => waiting.reject(error));
    return true;
  }

  /** Everything that is known, as one change. */
  #rows(): Change {
    const states = [...this.#states.values()];
    return {
      clusters: states.map(({ cluster }) => cluster),
      nodes: states.flatMap(({ nodes }) => nodes),
      attempts: states.flatMap(({ attempts }) => attempts),
      segments: states.flatMap(({ segments }) => segments),
      ...this.kept.change(),
    };
  }

  #check(changes: readonly Change[]): void {
    if (changes.some(spends)) {
      this.#keeper.checkRoomToSpend();
    }
  }

  #publish(batch: Batch): void {
    for (const [id, state] of batch.written) {
      if (state === null) {
        this.#hide(id);
      } else {
        this.#show(id, state);
      }
    }
    this.kept.takeOver(batch.kept);
    this.#lastPosition = batch.lastPosition;
    const ids = new Set(batch.written.keys());
    if (ids.size > 0) {
      const events = batch.changes.flatMap(({ events: added }) => added ?? []);
      this.#listeners.forEach(listener => listener(ids, events));
    }
  }

  #show(id: ClusterId, state: ClusterState): void {
    const before = this.#states.get(id);
    this.#states.set(id, state);
    if (state.cluster.removedAtMs === null) {
      this.#names.set(state.cluster.name, id);
    } else if (this.#names.get(state.cluster.name) === id) {
      // Its name is free for another.
      this.#names.delete(state.cluster.name);
    }
    if (before?.nodes.length !== state.nodes.length) {
      state.nodes.forEach(node => this.#clusterOfNode.set(node.id, id));
    }
    if (before?.attempts.length !== state.attempts.length) {
      for (const attempt of state.attempts) {
        this.#clusterOfAttempt.set(attempt.id, id);
        this.#attemptOfRef.set(attempt.ref, attempt.id);
        this.#attemptOfMark.set(attempt.mark, attempt.id);
      }
    }
  }

  #hide(id: ClusterId): void {
    const state = this.#states.get(id);
    this.#states.delete(id);
    if (state === undefined) {
      return;
    }
    if (this.#names.get(state.cluster.name) === id) {
      this.#names.delete(state.cluster.name);
    }
    state.nodes.forEach(node => this.#clusterOfNode.delete(node.id));
    for (const attempt of state.attempts) {
      this.#clusterOfAttempt.delete(attempt.id);
      this.#attemptOfRef.delete(attempt.ref);
      this.#attemptOfMark.delete(attempt.mark);
    }
    for (const kind of this.#kinds.filter(isKept)) {
      const column = kind.goesWith === null ? undefined : kind.columns[kind.goesWith];
      for (const record of column === undefined ? [] : this.kept.all(kind)) {
        if (column?.of(record) === id) {
          this.kept.delete(kind, keyOf(kind, record));
        }
      }
    }
  }
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function groupByCluster<T extends { readonly clusterId: ClusterId }>(
  rows: readonly T[],
): Map<ClusterId, T[]> {
  const groups = new Map<ClusterId, T[]>();
  for (const row of rows) {
    const group = groups.get(row.clusterId);
    if (group === undefined) {
      groups.set(row.clusterId, [row]);
    } else {
      group.push(row);
    }
  }
  return groups;
}
