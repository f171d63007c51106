/**
 * Nodes on a single machine of one's own listen on its loopback alone, those of several machines at addresses of their own:
 * what stands beside nodes that live must be where they are, or be reached as they are.
 */
import { type ClusterState, isLost, memberOf, presentNodes } from '../ledger/cluster-state.ts';
import type { AttemptRecord, MachineAddress, QuoteRecord } from '../ledger/records.ts';

interface Living {
  readonly attempt: AttemptRecord;
  readonly address: MachineAddress;
}

/** The nodes that were reached already. */
function living(state: ClusterState): readonly Living[] {
  return presentNodes(state)
    .filter(node => !isLost(node))
    .flatMap(node => {
      const attempt = state.attempts.find(({ id, state: is }) => id === node.attemptId && is === 'owned');
      const address = attempt === undefined ? null : (memberOf(attempt, node.id)?.address ?? null);
      return attempt === undefined || address === null ? [] : [{ attempt, address }];
    });
}

/** The machine whose loopback the cluster's nodes are on, so that no other can join; null: there is none. */
export function closedMachine(state: ClusterState): string | null {
  const on = living(state).find(
    ({ address: { ssh, privateAddress } }) => ssh?.kind === 'own' && privateAddress === null,
  );
  return on?.attempt.offer.supplier ?? null;
}

/** Whether a machine is bought that the cluster's others reach at its own address: as those that live, else as it is quoted. */
export function isSpread(state: ClusterState | undefined, { order, offers }: QuoteRecord): boolean {
  if (state !== undefined && closedMachine(state) !== null) {
    return false;
  }
  return (
    (state !== undefined && living(state).some(({ address }) => address.privateAddress !== null)) ||
    ((order?.nodes ?? 1) > 1 && new Set(offers.map(({ supplier }) => supplier)).size > 1)
  );
}
