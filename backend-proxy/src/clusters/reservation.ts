/**
 * What purchases of all clusters here take of an offer, from the moment that one is chosen: two of them never race for
 * the last one, nor for two offers of one physical machine, which exclude each other.
 */
import type { AttemptId, NodeId, Offer } from '@hitch/contract';
import type { AttemptRecord, NodeRecord } from '../ledger/records.ts';
import { isBeyondUs, isFor } from '../ledger/cluster-state.ts';
import type { Parts } from './parts.ts';

/** A purchase that this process is making: in the records only once its intent is stored. */
export interface UnderWay {
  readonly nodeIds: readonly NodeId[];
  readonly offer: Offer;
  readonly sinceMs: number;
}

/** `perhaps`: by a purchase that may come to nothing. */
export type Reserved = 'no' | 'perhaps' | 'yes';

interface Holder {
  readonly id: AttemptId;
  readonly offer: Offer;
  readonly sinceMs: number;
  readonly isCertain: boolean;
  /** Machines of it. */
  readonly count: number;
}

/** Who may hold something that `node` could want. */
export function holdersBeside(
  { ledger, underWay }: Pick<Parts, 'ledger' | 'underWay'>,
  node: NodeRecord,
): readonly Holder[] {
  const holders: Holder[] = [];
  for (const { attempts } of ledger.states()) {
    for (const attempt of attempts) {
      if (mayHold(attempt) && !isFor(attempt, node.id) && !underWay.has(attempt.id)) {
        const { id, offer, createdAtMs: sinceMs, state, members } = attempt;
        holders.push({ id, offer, sinceMs, isCertain: state === 'owned', count: members.length });
      }
    }
  }
  for (const [id, { nodeIds, offer, sinceMs }] of underWay) {
    if (!nodeIds.includes(node.id)) {
      holders.push({ id, offer, sinceMs, isCertain: false, count: nodeIds.length });
    }
  }
  return holders;
}

function mayHold(attempt: AttemptRecord): boolean {
  const { state } = attempt;
  return state === 'intended' || state === 'owned' || (state === 'quarantined' && !isBeyondUs(attempt));
}

/** Whether `holders` have or may have all there is of an offer. */
export function reservedBy(holders: readonly Holder[], offer: Offer): Reserved {
  // What was bought before the network said how many there are, it has taken off.
  const since = holders.filter(
    holder => holder.sinceMs >= offer.fetchedAtMs && holder.offer.provider === offer.provider,
  );
  if (
    isReserved(
      since.filter(({ isCertain }) => isCertain),
      offer,
    )
  ) {
    return 'yes';
  }
  return isReserved(since, offer) ? 'perhaps' : 'no';
}

function isReserved(holders: readonly Holder[], offer: Offer): boolean {
  const same = holders.reduce((sum, holder) => sum + (holder.offer.id === offer.id ? holder.count : 0), 0);
  const isOnItsHost = ({ offer: { id, hostId } }: Holder): boolean =>
    hostId !== undefined && hostId === offer.hostId && id !== offer.id;
  return same >= Math.max(1, offer.stock) || holders.some(isOnItsHost);
}
