/**
 * What the store refused to take. It stands in memory, in order, until it can be written: ending what costs money must
 * never wait for a disk of this computer.
 */
import type { ClusterId } from '@hitch/contract';
import { mergeChanges } from './merge-changes.ts';
import { ALL_KINDS, type EventRecord, type Kinds } from './records.ts';
import type { Change } from './store.ts';

export interface StoreRefuses {
  readonly sinceMs: number;
  /** The store's own sentence. */
  readonly why: string;
}

export class Owed {
  readonly #kinds: Kinds;
  #change: Change | null = null;
  #refuses: StoreRefuses | null = null;

  constructor(kinds: Kinds = ALL_KINDS) {
    this.#kinds = kinds;
  }

  /** Null: everything is written. */
  get refuses(): StoreRefuses | null {
    return this.#refuses;
  }

  /** What is owed and `changes` as one. */
  with(changes: readonly Change[]): Change {
    return this.#change === null
      ? mergeChanges(changes, this.#kinds)
      : { ...mergeChanges([this.#change, ...changes], this.#kinds), again: true };
  }

  add(changes: readonly Change[], why: string, nowMs: number): void {
    this.#change = this.with(changes);
    this.#refuses = { sinceMs: this.#refuses?.sinceMs ?? nowMs, why };
  }

  settle(): void {
    this.#change = null;
    this.#refuses = null;
  }

  /** Events of one cluster that no file has, oldest first. */
  eventsOf(clusterId: ClusterId, afterSeq: number): readonly EventRecord[] {
    return (this.#change?.events ?? []).filter(
      event => event.clusterId === clusterId && event.seq > afterSeq,
    );
  }
}

/** Whether the change lets money be spent. */
export function spends({ attempts = [], quotes = [], needsDisk: said }: Change): boolean {
  return said === true || quotes.length > 0 || attempts.some(({ state }) => state === 'intended');
}

/** Whether it counts only once it is written: it spends, or takes something out of the records. */
export function needsDisk(change: Change): boolean {
  return spends(change) || (change.forget ?? []).length > 0;
}
