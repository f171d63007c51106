/**
 * Machines that the purchase log knows and the store does not: the store was lost, or an older one was put in
 * its place. Their clusters are made again under their own ids and limits, and the machines are looked for like any
 * purchase without an answer. Nothing is rented in the place of one that is not found.
 */
import { isUnfinished, othersFor, presentNodes } from '../ledger/cluster-state.ts';
import { refKey, refOf, refs } from '../ledger/kinds/ref.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AttemptRecord, ClusterRecord, NodeRecord } from '../ledger/records.ts';
import type { Snapshot } from '../ledger/store.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import type { Purchase, PurchaseLog } from '../store/purchase-log.ts';
import type { Parts } from './parts.ts';
import { beginStop, freeName } from './transitions.ts';

export const FOUND_AGAIN = 'Its record here was lost: it is looked for.';

/** Brings the purchase log and records together, once, when the daemon starts. @returns the clusters that were made again. */
export async function restoreLost(
  parts: Pick<Parts, 'ledger' | 'providers' | 'ids' | 'restored'>,
  purchaseLog: PurchaseLog,
  lastSeqs: Snapshot['lastSeqs'],
): Promise<readonly string[]> {
  const { ledger } = parts;
  await bringRefsTogether(ledger, purchaseLog);
  const lost = new Map<string, Purchase[]>();
  const stopped = new Map<ClusterRecord['id'], ClusterRecord>();
  for (const purchase of purchaseLog.purchases()) {
    if (purchase.cluster.desired === 'stopped') {
      stopped.set(purchase.cluster.id, purchase.cluster);
    }
    const known = ledger.attemptByRef(purchase.attempt.ref);
    if (known === undefined) {
      lost.set(purchase.cluster.id, [...(lost.get(purchase.cluster.id) ?? []), purchase]);
    } else if (!isUnfinished(known)) {
      purchaseLog.over(known.ref, ledger.ref(known.provider, known.mark) ?? null);
    }
  }
  const names: string[] = [];
  for (const purchases of lost.values()) {
    names.push(await restoreCluster(parts, purchases, lastSeqs));
  }
  for (const cluster of stopped.values()) {
    await stopAsBefore(ledger, cluster);
  }
  keepUpWith(ledger, purchaseLog);
  return names;
}

/** A store that was lost takes the refs of what is over from the purchase log, which takes those that it lacks. */
async function bringRefsTogether(ledger: Ledger, purchaseLog: PurchaseLog): Promise<void> {
  const inLog = new Map([...purchaseLog.refs()].map(ref => [refKey(ref), ref]));
  const lost = [...inLog.values()].filter(({ provider, mark }) => ledger.ref(provider, mark) === undefined);
  if (lost.length > 0) {
    await ledger.transact(tx => lost.forEach(ref => tx.put(refs, ref)));
  }
  const over = [...ledger.kept.all(refs)].filter(({ overAtMs }) => overAtMs !== null);
  const lacking = over.filter(ref => !inLog.has(refKey(ref)));
  purchaseLog.keep(lacking, () => ledger.kept.all(refs));
}

/** Purchases of a store that an older Hitch wrote have no refs of their own. */
export async function noteRefs(ledger: Ledger): Promise<void> {
  const missing = [...ledger.states()].flatMap(({ cluster, attempts }) =>
    attempts.flatMap(attempt =>
      ledger.ref(attempt.provider, attempt.mark) === undefined ? [refOf(cluster, attempt, undefined)] : [],
    ),
  );
  if (missing.length > 0) {
    await ledger.transact(tx => missing.forEach(ref => tx.put(refs, ref)));
  }
}

/** A stop that a full disk kept out of the store, or that came after the store that stands here: it was said, and goes on. */
async function stopAsBefore(
  ledger: Ledger,
  { id, startedAtMs, stopCause, skipSave }: ClusterRecord,
): Promise<void> {
  const now = ledger.state(id)?.cluster;
  if (now?.desired === 'up' && now.startedAtMs === startedAtMs) {
    await ledger.change(id, tx => beginStop(tx, stopCause ?? 'user', { skipSave }));
  }
}

/** The purchase log follows the records from here on. */
function keepUpWith(ledger: Ledger, purchaseLog: PurchaseLog): void {
  const follow = (id: ClusterRecord['id']): void => {
    const state = ledger.state(id);
    for (const attempt of state?.attempts ?? []) {
      const node = state?.nodes.find(({ id: nodeId }) => nodeId === attempt.nodeId);
      if (!isUnfinished(attempt)) {
        purchaseLog.over(attempt.ref, ledger.ref(attempt.provider, attempt.mark) ?? null);
      } else if (state !== undefined && node !== undefined && !purchaseLog.has(attempt.ref)) {
        // It came to light after it was called over, an older Hitch bought it, or the purchase log was lost.
        void purchaseLog.reopen({ cluster: state.cluster, node, others: othersFor(state, attempt), attempt });
      }
    }
    if (state !== undefined) {
      purchaseLog.changed(state.cluster);
    }
  };
  ledger.onCommit(ids => ids.forEach(follow));
  for (const { cluster } of ledger.states()) {
    follow(cluster.id);
  }
}

async function restoreCluster(
  parts: Pick<Parts, 'ledger' | 'providers' | 'ids' | 'restored'>,
  purchases: readonly Purchase[],
  lastSeqs: Snapshot['lastSeqs'],
): Promise<string> {
  const [first] = purchases;
  if (first === undefined) {
    return '';
  }
  purchases.forEach(({ attempt }) => parts.restored.add(attempt.id));
  return parts.ledger.change(first.cluster.id, tx => {
    if (!tx.exists) {
      tx.createCluster(clusterAgain(tx, first.cluster, lastSeqs));
    }
    for (const { node, others, attempt } of purchases) {
      restoreMachine(parts, tx, [node, ...others], attempt);
    }
    addLostNodes(parts, tx, purchases);
    tx.say({
      kind: 'warning',
      value: 'found_again',
      message: `${tx.cluster.name} was rented, and its records were lost. Its machines are looked for; what they cost counts.`,
    });
    return tx.cluster.name;
  });
}

function clusterAgain(
  tx: ClusterTransaction,
  cluster: ClusterRecord,
  lastSeqs: Snapshot['lastSeqs'],
): ClusterRecord {
  return {
    ...cluster,
    leaseEpoch: tx.leaseEpoch,
    name: freeName(tx, cluster.name),
    saved: [],
    lastEventSeq: Math.max(cluster.lastEventSeq, lastSeqs.get(cluster.id) ?? 0),
  };
}

/** A purchase without an answer is looked for; what is found is taken on where its node still needs a machine. */
function restoreMachine(
  { providers }: Pick<Parts, 'providers'>,
  tx: ClusterTransaction,
  nodes: readonly NodeRecord[],
  attempt: AttemptRecord,
): void {
  const capabilities = providers.get(attempt.provider)?.capabilities;
  for (const node of nodes.filter(({ id }) => tx.node(id) === undefined)) {
    tx.addNode({
      ...node,
      phase: 'purchasing',
      phaseSinceMs: tx.nowMs,
      deadlineMs: null,
      message: FOUND_AGAIN,
      attemptId: null,
      wasUp: true,
    });
  }
  const canLook = capabilities?.refVia !== 'none' || attempt.instanceId !== null;
  tx.addAttempt({
    ...attempt,
    state: 'quarantined',
    message: FOUND_AGAIN,
    visibleByMs: canLook ? tx.nowMs + (capabilities?.visibilityDelayMs ?? 0) : null,
    absentSightings: 0,
    endedAtMs: null,
  });
}

/** Places of the cluster that no open purchase speaks of: their machines were gone before. */
function addLostNodes(
  { ids }: Pick<Parts, 'ids'>,
  tx: ClusterTransaction,
  purchases: readonly Purchase[],
): void {
  const present = presentNodes(tx.state);
  const last = Math.max(...present.map(({ index }) => index));
  const [like] = purchases;
  for (let index = 0; like !== undefined && index < last; index++) {
    if (!present.some(node => node.index === index)) {
      tx.addNode({
        ...like.node,
        id: ids.next('nod'),
        index,
        phase: 'gone',
        phaseSinceMs: tx.nowMs,
        deadlineMs: null,
        message: 'Its records were lost with the store; no machine of it is left.',
        attemptId: null,
        wasUp: false,
      });
    }
  }
}
