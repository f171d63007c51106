/**
 * A machine that a network shows again after its cluster was removed and forgotten. What is known of it is its ref: it
 * comes back on the list as a cluster that is to end, with one node and the purchase it was, and what it costs from
 * where the forgotten records stop is counted (`billing.ts`).
 */
import type { ProviderId } from '@hitch/contract';
import type { AttemptRecord, ClusterRecord, NodeRecord, RefRecord } from '../ledger/records.ts';
import { plainTerms } from '../ledger/terms.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import type { Instance, Provider } from '../providers/provider.ts';
import { newNode } from './commands.ts';
import { intent } from './intent.ts';
import type { Parts } from './parts.ts';
import { freeName } from './transitions.ts';
import { clusterWithoutOrder, offerAsKept } from './without-order.ts';

/** The ref of a purchase that was over and of which no other record is left; null: there is none. */
export function forgottenRef(
  { ledger }: Pick<Parts, 'ledger'>,
  provider: ProviderId,
  mark: string,
): RefRecord | null {
  const ref = ledger.ref(provider, mark);
  return ref === undefined || ref.overAtMs === null ? null : ref;
}

/** @param reclaim has a purchase that was over ended once more, inside the transaction. */
export async function bringBack(
  parts: Parts,
  provider: Provider,
  ref: RefRecord,
  instance: Instance,
  reclaim: (tx: ClusterTransaction, attempt: AttemptRecord, instance: Instance) => void,
): Promise<void> {
  const { cluster, node, attempt } = recordsOf(parts, provider, ref);
  // First in the purchase log, so that the bill outlives a store that is lost right after.
  await parts.purchaseLog?.reopen({
    cluster,
    node,
    others: [],
    attempt: { ...attempt, instanceId: instance.id },
  });
  await parts.ledger.change(cluster.id, tx => {
    tx.createCluster({ ...cluster, name: freeName(tx, cluster.name) });
    tx.addNode(node);
    tx.addAttempt(attempt);
    reclaim(tx, attempt, instance);
  });
}

interface Records {
  readonly cluster: ClusterRecord;
  readonly node: NodeRecord;
  readonly attempt: AttemptRecord;
}

function recordsOf({ ids, clock, ledger }: Parts, provider: Provider, ref: RefRecord): Records {
  const nowMs = clock.now();
  const cluster = clusterWithoutOrder(
    { ids, leaseEpoch: ledger.leaseEpoch, nowMs },
    provider,
    ref.clusterName,
  );
  const node: NodeRecord = {
    ...newNode(ids, { nowMs }, cluster.id, cluster.quoteId, 0),
    phase: 'stopping',
    wasUp: true,
  };
  const offer = offerAsKept(provider, ref);
  const bought = {
    id: ids.next('att'),
    ref: ref.ref,
    mark: ref.mark,
    proof: null,
    terms: plainTerms(offer),
    members: [{ nodeId: node.id, address: null }],
    createdAtMs: ref.boughtAtMs,
  };
  const attempt: AttemptRecord = {
    ...intent(node, offer, provider, bought),
    state: 'gone',
    instanceId: ref.instanceId,
    message: 'Its cluster was removed and its records were forgotten.',
    endedAtMs: ref.overAtMs,
  };
  return { cluster, node, attempt };
}
