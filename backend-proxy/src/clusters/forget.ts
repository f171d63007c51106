/** Takes the oldest of the clusters that were taken off the list out of the records. Their refs stay, and what they cost. */
import { REMOVED_KEPT } from './limits.ts';
import type { Parts } from './parts.ts';
import type { Reconciler } from './runner.ts';

/** Woken by each cluster that is removed. */
export function createForget(
  { ledger, log }: Pick<Parts, 'ledger' | 'log'>,
  kept = REMOVED_KEPT,
): Reconciler {
  return {
    name: 'forget',
    targets: ({ cluster }) => (cluster.removedAtMs === null ? [] : ['oldest']),
    reconcile: async () => {
      const removed = [...ledger.states()]
        .flatMap(({ cluster: { id, removedAtMs } }) => (removedAtMs === null ? [] : [{ id, removedAtMs }]))
        .sort((a, b) => a.removedAtMs - b.removedAtMs);
      for (const { id } of removed.slice(0, Math.max(0, removed.length - kept))) {
        log.info('A cluster that was removed is forgotten but for its refs: so many are kept whole.', {
          clusterId: id,
          count: kept,
        });
        await ledger.change(id, tx => {
          if (tx.exists && tx.cluster.removedAtMs !== null) {
            tx.forget();
          }
        });
      }
      return {};
    },
  };
}
