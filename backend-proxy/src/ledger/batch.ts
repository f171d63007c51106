/**
 * Transactions over the newest records, run one after the other and committed together. Each reads what those before it
 * in the batch wrote, so that two of them cannot both take the last of something.
 */
import type { ClusterId, ProviderId, QuoteId } from '@hitch/contract';
import type { ClusterState } from './cluster-state.ts';
import type { QuoteRecord } from './records.ts';
import type { Change } from './store.ts';
import { ClusterTransaction } from './transaction.ts';

/** The newest records, whether committed or about to be. */
export interface Newest {
  readonly leaseEpoch: number;
  readonly lastPosition: number;
  state(id: ClusterId): ClusterState | undefined;
  states(): Iterable<ClusterState>;
  quote(id: QuoteId): QuoteRecord | undefined;
  /** Whether a cluster of the list has this name; `passing` says which do not count. */
  nameTaken(name: string, passing: (id: ClusterId) => boolean): boolean;
  titleOf(provider: ProviderId): string;
}

interface Written {
  /** Null: forgotten. */
  readonly states: ReadonlyMap<ClusterId, ClusterState | null>;
  readonly quotes: readonly QuoteRecord[];
  readonly changes: readonly Change[];
  readonly lastPosition: number;
}

/** Reads and writes any records; all that it wrote is committed as one, or nothing of it. */
export class Transaction {
  readonly nowMs: number;
  readonly #newest: Newest;
  readonly #clusters = new Map<ClusterId, ClusterTransaction>();
  readonly #quotes = new Map<QuoteId, QuoteRecord>();

  constructor(newest: Newest, nowMs: number) {
    this.#newest = newest;
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
      quote: quoteId => this.quote(quoteId),
      putQuote: quote => this.putQuote(quote),
      nameTaken: name => this.#nameTaken(name, id),
      titleOf: provider => this.#newest.titleOf(provider),
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

  quote(id: QuoteId): QuoteRecord | undefined {
    return this.#quotes.get(id) ?? this.#newest.quote(id);
  }

  putQuote(quote: QuoteRecord): void {
    this.#quotes.set(quote.id, quote);
  }

  #nameTaken(name: string, by: ClusterId): boolean {
    return (
      [...this.#clusters].some(([id, open]) => id !== by && open.exists && hasName(open.state, name)) ||
      this.#newest.nameTaken(name, id => id === by || this.#clusters.has(id))
    );
  }

  finish(): Written {
    const states = new Map<ClusterId, ClusterState | null>();
    const quotes = [...this.#quotes.values()];
    const changes: Change[] = quotes.length === 0 ? [] : [{ quotes }];
    let { lastPosition } = this.#newest;
    for (const [id, open] of this.#clusters) {
      const result = open.finish(lastPosition);
      if (result !== null) {
        states.set(id, result.state);
        changes.push(result.change);
        lastPosition = result.lastPosition;
      }
    }
    return { states, quotes, changes, lastPosition };
  }
}

export class Batch implements Newest {
  readonly changes: Change[] = [];
  readonly written = new Map<ClusterId, ClusterState | null>();
  readonly quotes = new Map<QuoteId, QuoteRecord>();
  readonly #below: Newest;
  #lastPosition: number;

  constructor(below: Newest) {
    this.#below = below;
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
    const { states, quotes, changes, lastPosition } = transaction.finish();
    check(changes);
    states.forEach((state, id) => this.written.set(id, state));
    quotes.forEach(quote => this.quotes.set(quote.id, quote));
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

  quote(id: QuoteId): QuoteRecord | undefined {
    return this.quotes.get(id) ?? this.#below.quote(id);
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
}

function hasName({ cluster }: ClusterState, name: string): boolean {
  return cluster.name === name && cluster.removedAtMs === null;
}
