/**
 * Every committed event, in one order over all clusters. A watcher holds nothing but its position: it is served from
 * the newest events in memory, or from the store when it is further behind, so that none is lost or said twice and a
 * slow watcher costs nothing.
 */
import { type ClusterEvent, cutText, HitchError, type WatchedEvent } from '@hitch/contract';
import type { Ledger } from './ledger.ts';
import type { EventRecord } from './records.ts';
import type { Store } from './store.ts';

const KEPT = 4096;
const PAGE = 500;

export class EventLog {
  readonly #ledger: Ledger;
  readonly #store: Store;
  /** The newest events, positions without a gap, up to the last committed one. */
  #recent: EventRecord[] = [];
  readonly #sleepers = new Set<() => void>();

  constructor(ledger: Ledger, store: Store) {
    this.#ledger = ledger;
    this.#store = store;
    ledger.onCommit((_, events) => {
      this.#recent.push(...events);
      if (this.#recent.length > 2 * KEPT) {
        this.#recent = this.#recent.slice(-KEPT);
      }
      const woken = [...this.#sleepers];
      this.#sleepers.clear();
      woken.forEach(wake => wake());
    });
  }

  /** The cursor that stands after the newest event. */
  cursor(): string {
    return cursorAt(this.#ledger.lastPosition);
  }

  /**
   * Every event after `cursor` in order, then live ones; without a cursor only live ones. Ends when aborted.
   * @throws HitchError BAD_INPUT when the cursor is not one of this store's.
   */
  watch(cursor: string | undefined, signal: AbortSignal): AsyncIterable<WatchedEvent> {
    return this.#follow(cursor === undefined ? this.#ledger.lastPosition : this.#positionOf(cursor), signal);
  }

  async *#follow(from: number, signal: AbortSignal): AsyncGenerator<WatchedEvent> {
    for (let position = from; !signal.aborted;) {
      const events = await this.#after(position);
      for (const event of events) {
        yield { cursor: cursorAt(event.position), event: toEvent(event) };
        position = event.position;
        if (isOver(signal)) {
          return;
        }
      }
      if (events.length === 0 && position >= this.#ledger.lastPosition) {
        await this.#nextCommit(signal);
      } else if (events.length === 0) {
        // Positions without an event (a store that was cut back): nothing will ever fill them.
        position = this.#recent[0] === undefined ? this.#ledger.lastPosition : this.#recent[0].position - 1;
      }
    }
  }

  async #after(position: number): Promise<readonly EventRecord[]> {
    const [first] = this.#recent;
    if (first !== undefined && first.position <= position + 1) {
      const start = position + 1 - first.position;
      return this.#recent.slice(start, start + PAGE);
    }
    if (position >= this.#ledger.lastPosition) {
      return [];
    }
    // Rows already written but not yet visible are left for later: nobody hears of a change before it stands.
    const last = this.#ledger.lastPosition;
    return (await this.#store.eventsAfter(position, PAGE)).filter(event => event.position <= last);
  }

  #nextCommit(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#sleepers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#sleepers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      if (signal.aborted) {
        wake();
      }
    });
  }

  #positionOf(cursor: string): number {
    const match = /^e([0-9a-z]{1,11})$/.exec(cursor);
    const position = match?.[1] === undefined ? Number.NaN : Number.parseInt(match[1], 36);
    if (!Number.isSafeInteger(position) || position > this.#ledger.lastPosition) {
      throw new HitchError(
        'BAD_INPUT',
        `The event cursor "${cutText(cursor, 40)}" is not one of this daemon's.`,
        {
          field: 'cursor',
          next: 'Ask for the list of clusters and watch without a cursor.',
        },
      );
    }
    return position;
  }
}

/** Asked anew each time: the signal may abort at any wait. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

function cursorAt(position: number): string {
  return `e${position.toString(36)}`;
}

export function toEvent(record: EventRecord): ClusterEvent {
  const { clusterId, seq, atMs, kind, nodeId, attemptId, value, message } = record;
  return { clusterId, seq, atMs, kind, nodeId, attemptId, value, message };
}
