/** What agents say of memory that runs out becomes a warning of the cluster, once each. */
import type { AgentStatus, NodeId } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import type { NodeRecord } from '../ledger/records.ts';
import type { Parts } from './parts.ts';

/** One that an earlier daemon heard is older, by the agent's own clock, as a rule; nobody is helped by it then either. */
const FRESH_MS = 300_000;
/** No honest machine fills up more often, and each is an event in the store. */
const APART_MS = 120_000;

interface Heard {
  readonly saidAtMs: number;
  /** By the monotonic clock. */
  readonly heardAtMs: number;
}

export class MemoryWarnings {
  readonly #parts: Pick<Parts, 'clock' | 'ledger' | 'log'>;
  readonly #heard = new Map<NodeId, Heard>();

  constructor(parts: Pick<Parts, 'clock' | 'ledger' | 'log'>) {
    this.#parts = parts;
  }

  hear({ id, clusterId }: NodeRecord, { memoryWarning, nowMs }: AgentStatus): void {
    const { clock, ledger, log } = this.#parts;
    const before = this.#heard.get(id);
    const heardAtMs = clock.monotonic();
    if (
      memoryWarning === undefined ||
      nowMs - memoryWarning.atMs > FRESH_MS ||
      before?.saidAtMs === memoryWarning.atMs ||
      (before !== undefined && heardAtMs - before.heardAtMs < APART_MS)
    ) {
      return;
    }
    this.#heard.set(id, { saidAtMs: memoryWarning.atMs, heardAtMs });
    ledger
      .change(clusterId, tx => {
        if (tx.node(id) !== undefined) {
          tx.say({ kind: 'warning', value: 'memory', message: memoryWarning.sentence, nodeId: id });
        }
      })
      .catch((error: unknown) => {
        log.warn('A warning of a machine could not be written down.', { error: errorText(error) });
      });
  }

  forget(id: NodeId): void {
    this.#heard.delete(id);
  }
}
