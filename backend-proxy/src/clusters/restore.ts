/**
 * Machines that the purchase log knows and the store does not: the store was lost, or an older one was put in
 * its place. Their clusters are made again under their own ids and limits, and the machines are looked for like any
 * purchase without an answer. Nothing is rented in the place of one that is not found.
 */
import { clusterNameSchema } from '@hitch/contract';
import type { Purchase, PurchaseLog } from '../store/purchase-log.ts';
import type { Snapshot } from '../store/store.ts';
import { type ClusterDraft, presentNodes } from './draft.ts';
import type { Parts } from './parts.ts';
import type { AttemptRecord, ClusterRecord, NodeRecord } from './records.ts';
import { beginStop } from './outcomes.ts';
import { isUnfinished } from './summary.ts';
import type { World } from './world.ts';

export const FOUND_AGAIN = 'Its record here was lost: it is looked for.';

/** Brings the purchase log and records together, once, when the daemon starts. @returns the clusters that were made again. */
export async function restoreLost(
  parts: Pick<Parts, 'world' | 'providers' | 'ids' | 'restored'>,
  purchaseLog: PurchaseLog,
  lastSeqs: Snapshot['lastSeqs'],
): Promise<readonly string[]> {
  const { world } = parts;
  const lost = new Map<string, Purchase[]>();
  const stopped = new Map<ClusterRecord['id'], ClusterRecord>();
  for (const purchase of purchaseLog.purchases()) {
    if (purchase.cluster.desired === 'stopped') {
      stopped.set(purchase.cluster.id, purchase.cluster);
    }
    const known = world.attemptByRef(purchase.attempt.ref);
    if (known === undefined) {
      lost.set(purchase.cluster.id, [...(lost.get(purchase.cluster.id) ?? []), purchase]);
    } else if (!isUnfinished(known)) {
      purchaseLog.over(purchase.attempt.ref);
    }
  }
  const names: string[] = [];
  for (const purchases of lost.values()) {
    names.push(await restoreCluster(parts, purchases, lastSeqs));
  }
  for (const cluster of stopped.values()) {
    await stopAsBefore(world, cluster);
  }
  keepUpWith(world, purchaseLog);
  return names;
}

/** A stop that a full disk kept out of the store, or that came after the store that stands here: it was said, and goes on. */
async function stopAsBefore(
  world: World,
  { id, startedAtMs, stopCause, skipSave }: ClusterRecord,
): Promise<void> {
  const now = world.state(id)?.cluster;
  if (now?.desired === 'up' && now.startedAtMs === startedAtMs) {
    await world.change(id, draft => beginStop(draft, stopCause ?? 'user', { skipSave }));
  }
}

/** The purchase log follows the records from here on. */
function keepUpWith(world: World, purchaseLog: PurchaseLog): void {
  const follow = (id: ClusterRecord['id']): void => {
    const state = world.state(id);
    for (const attempt of state?.attempts ?? []) {
      const node = state?.nodes.find(({ id: nodeId }) => nodeId === attempt.nodeId);
      if (!isUnfinished(attempt)) {
        purchaseLog.over(attempt.ref);
      } else if (state !== undefined && node !== undefined && !purchaseLog.has(attempt.ref)) {
        // It came to light after it was called over, an older Hitch bought it, or the purchase log was lost.
        void purchaseLog.reopen({ cluster: state.cluster, node, attempt });
      }
    }
    if (state !== undefined) {
      purchaseLog.changed(state.cluster);
    }
  };
  world.onCommit(ids => ids.forEach(follow));
  for (const { cluster } of world.states()) {
    follow(cluster.id);
  }
}

async function restoreCluster(
  parts: Pick<Parts, 'world' | 'providers' | 'ids' | 'restored'>,
  purchases: readonly Purchase[],
  lastSeqs: Snapshot['lastSeqs'],
): Promise<string> {
  const [first] = purchases;
  if (first === undefined) {
    return '';
  }
  purchases.forEach(({ attempt }) => parts.restored.add(attempt.id));
  return parts.world.change(first.cluster.id, draft => {
    if (!draft.exists) {
      draft.createCluster(clusterAgain(draft, first.cluster, lastSeqs));
    }
    for (const { node, attempt } of purchases) {
      restoreMachine(parts, draft, node, attempt);
    }
    addLostNodes(parts, draft, purchases);
    draft.say({
      kind: 'warning',
      value: 'found_again',
      message: `${draft.cluster.name} was rented, and its records were lost. Its machines are looked for; what they cost counts.`,
    });
    return draft.cluster.name;
  });
}

function clusterAgain(
  draft: ClusterDraft,
  cluster: ClusterRecord,
  lastSeqs: Snapshot['lastSeqs'],
): ClusterRecord {
  return {
    ...cluster,
    leaseEpoch: draft.leaseEpoch,
    name: freeName(draft, cluster.name),
    saved: [],
    lastEventSeq: Math.max(cluster.lastEventSeq, lastSeqs.get(cluster.id) ?? 0),
  };
}

function freeName(draft: ClusterDraft, name: string): string {
  for (let count = 2; draft.nameTaken(name) && count < 1_000; count++) {
    const next = `${name.replace(/-\d+$/, '')}-${count.toString()}`;
    name = clusterNameSchema.safeParse(next).success ? next : `found-${count.toString()}`;
  }
  return name;
}

/** A purchase without an answer is looked for; what is found is taken on where its node still needs a machine. */
function restoreMachine(
  { providers }: Pick<Parts, 'providers'>,
  draft: ClusterDraft,
  node: NodeRecord,
  attempt: AttemptRecord,
): void {
  const capabilities = providers.get(attempt.provider)?.capabilities;
  if (draft.node(node.id) === undefined) {
    draft.addNode({
      ...node,
      phase: 'purchasing',
      phaseSinceMs: draft.nowMs,
      deadlineMs: null,
      message: FOUND_AGAIN,
      attemptId: null,
      wasUp: true,
    });
  }
  const canLook = capabilities?.refVia !== 'none' || attempt.instanceId !== null;
  draft.addAttempt({
    ...attempt,
    state: 'quarantined',
    message: FOUND_AGAIN,
    visibleByMs: canLook ? draft.nowMs + (capabilities?.visibilityDelayMs ?? 0) : null,
    absentSightings: 0,
    endedAtMs: null,
  });
}

/** Places of the cluster that no open purchase speaks of: their machines were gone before. */
function addLostNodes(
  { ids }: Pick<Parts, 'ids'>,
  draft: ClusterDraft,
  purchases: readonly Purchase[],
): void {
  const present = presentNodes(draft.state);
  const last = Math.max(...present.map(({ index }) => index));
  const [like] = purchases;
  for (let index = 0; like !== undefined && index < last; index++) {
    if (!present.some(node => node.index === index)) {
      draft.addNode({
        ...like.node,
        id: ids.next('nod'),
        index,
        phase: 'gone',
        phaseSinceMs: draft.nowMs,
        deadlineMs: null,
        message: 'Its records were lost with the store; no machine of it is left.',
        attemptId: null,
        wasUp: false,
      });
    }
  }
}
