/**
 * How many changes of an agent's status are taken over. Each may be an event in the store, and an agent that lies can make
 * one every moment: beyond what honest machines do, a change waits for its turn.
 */
import type { AgentStatus, NodeId } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';

/** A cluster of a hundred nodes that starts has some two changes for each. */
export const CHANGES_AT_ONCE = 300;
/** Then one in so long. */
export const CHANGE_EVERY_MS = 30_000;

interface Heard {
  essence: string;
  left: number;
  /** When `left` was last counted. */
  countedAtMs: number;
  isOver: boolean;
}

/** `held`: it is not its turn yet · `firstHeld`: the same, and worth saying. */
export type Turn = 'taken' | 'held' | 'firstHeld';

export class HeardChanges {
  readonly #clock: Clock;
  readonly #heard = new Map<NodeId, Heard>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asked for each status of a node. */
  turnOf(nodeId: NodeId, status: AgentStatus): Turn {
    const now = this.#clock.monotonic();
    const essence = essenceOf(status);
    const known = this.#heard.get(nodeId);
    if (known === undefined) {
      this.#heard.set(nodeId, { essence, left: CHANGES_AT_ONCE, countedAtMs: now, isOver: false });
      return 'taken';
    }
    if (known.essence === essence) {
      return 'taken';
    }
    const earned = Math.floor((now - known.countedAtMs) / CHANGE_EVERY_MS);
    known.left = Math.min(CHANGES_AT_ONCE, known.left + earned);
    known.countedAtMs += earned * CHANGE_EVERY_MS;
    known.isOver &&= known.left < CHANGES_AT_ONCE / 2;
    if (known.left > 0) {
      known.left -= 1;
      known.essence = essence;
      return 'taken';
    }
    const turn = known.isOver ? 'held' : 'firstHeld';
    known.isOver = true;
    return turn;
  }

  forget(nodeId: NodeId): void {
    this.#heard.delete(nodeId);
  }
}

/** What is written down of a status when it changes. */
function essenceOf({ jupyter, engine }: AgentStatus): string {
  return [
    jupyter.state,
    jupyter.message,
    engine.state,
    engine.message,
    engine.headAddress,
    engine.rayVersion,
  ].join(' ');
}
