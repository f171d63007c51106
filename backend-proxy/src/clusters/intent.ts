/** A purchase before it is asked for. */
import type { Offer } from '@hitch/contract';
import type { AttemptRecord, NodeRecord } from '../ledger/records.ts';
import type { Provider } from '../providers/provider.ts';

export function intent(
  node: NodeRecord,
  offer: Offer,
  { title }: Provider,
  purchase: Pick<AttemptRecord, 'id' | 'ref' | 'mark' | 'proof' | 'terms' | 'members' | 'createdAtMs'>,
): AttemptRecord {
  return {
    ...purchase,
    nodeId: node.id,
    clusterId: node.clusterId,
    provider: offer.provider,
    offer,
    state: 'intended',
    mayRetry: false,
    adopted: null,
    isOfAccount: false,
    notUp: null,
    secondsOver: [],
    instanceId: null,
    toldEndAtMs: null,
    accountKey: null,
    letInAtMs: null,
    seconds: [],
    endsAtMs: null,
    moreTime: [],
    aheadPerHourMicroUsd: 0n,
    paidMicroUsd: null,
    hostSaid: null,
    message: `Asking ${title}.`,
    visibleByMs: null,
    absentSightings: 0,
    endedAtMs: null,
  };
}
