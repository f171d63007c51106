/**
 * Buys a machine for each node that has none. The attempt's row and ref are stored before the network is asked;
 * an attempt is never repeated: after any answer but a yes the next one is another row with another ref.
 */
import { HitchError, type NodeId, type Offer } from '@hitch/contract';
import { type ClusterState, isFor, presentNodes } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord, QuoteRecord } from '../ledger/records.ts';
import { type Instance, type Provider, ProviderError } from '../providers/provider.ts';
import { capReachedAt, purchaseProblem } from '../spend/budget.ts';
import { SAVE_RESERVE_MS } from '../spend/limits.ts';
import { offerOfAll } from '../ledger/together.ts';
import { plainTerms } from '../ledger/terms.ts';
import { isAnothers } from './billing.ts';
import { chooseOffer } from './choose-offer.ts';
import { NetworkWaits } from './pause.ts';
import { intent } from './intent.ts';
import { PHASE_LIMIT_MS, RETRY_FIRST_MS } from './limits.ts';
import { failNode, adopt, quarantine } from './transitions.ts';
import { letsIn, markOf, publicKeyFor, requestFor } from './order.ts';
import { type Parts, providerOf } from './parts.ts';
import { notePrice } from './price.ts';
import type { Result, Reconciler } from './runner.ts';

function needsMachine(node: NodeRecord): boolean {
  return node.attemptId === null && (node.phase === 'requested' || node.phase === 'purchasing');
}

export function createLaunch(parts: Parts): Reconciler<NodeId> {
  return {
    name: 'launch',
    targets: state =>
      state.cluster.desired === 'up'
        ? presentNodes(state)
            .filter(needsMachine)
            .map(({ id }) => id)
        : [],
    reconcile: nodeId => launch(parts, nodeId),
  };
}

async function launch(parts: Parts, nodeId: NodeId): Promise<Result> {
  const state = parts.ledger.stateOfNode(nodeId);
  const node = state?.nodes.find(({ id }) => id === nodeId);
  if (state === undefined || node === undefined || state.cluster.desired !== 'up' || !needsMachine(node)) {
    return {};
  }
  const orphan = state.attempts.find(
    attempt => isFor(attempt, nodeId) && attempt.state === 'intended' && !parts.underWay.has(attempt.id),
  );
  if (orphan !== undefined) {
    return lookForOrphan(parts, orphan);
  }
  if (node.phase === 'requested') {
    await parts.ledger.change(state.cluster.id, tx =>
      tx.nodePhase(nodeId, 'purchasing', 'Looking for a machine.', PHASE_LIMIT_MS.purchasing),
    );
    return { requeueAfterMs: 1 };
  }
  const publicKey = await publicKeyFor(parts, state.cluster.id);
  if (isBeingBought(parts, nodeId)) {
    // With others, for the first of them: whatever comes of it wakes this one.
    return { requeueAfterMs: WAIT_FOR_OTHERS_MS };
  }
  // Without a wait from here until it stands among the purchases under way.
  const choice = chooseOffer(parts, state, node, offer => nodesFor(parts, state, node, offer).length);
  switch (choice.kind) {
    case 'wait':
      await sayWaiting(parts, node, choice.sentence);
      return { requeueAfterMs: choice.ms };
    case 'none':
      await parts.ledger.change(state.cluster.id, tx => {
        const current = tx.node(nodeId);
        if (current !== undefined && needsMachine(current) && tx.cluster.desired === 'up') {
          failNode(tx, current, choice.sentence);
        }
      });
      return {};
    case 'offer': {
      const nodes = nodesFor(parts, state, node, choice.offer);
      // What is one purchase is bought for the first of its nodes, and wakes the others.
      return nodes[0]?.id === node.id
        ? buy(parts, state, nodes, { ...choice, publicKey })
        : { requeueAfterMs: WAIT_FOR_OTHERS_MS };
    }
  }
}

const WAIT_FOR_OTHERS_MS = 1_000;

/** Whether this process is buying a machine for it now, alone or among others. */
const isBeingBought = ({ underWay }: Pick<Parts, 'underWay'>, nodeId: NodeId): boolean =>
  [...underWay.values()].some(({ nodeIds }) => nodeIds.includes(nodeId));

/** The nodes that one purchase of this offer is for, by their index. */
function nodesFor(
  parts: Pick<Parts, 'underWay'>,
  state: ClusterState,
  node: NodeRecord,
  { together, stock }: Offer,
): readonly NodeRecord[] {
  if (together === undefined) {
    return [node];
  }
  const waiting = presentNodes(state).filter(
    other =>
      needsMachine(other) &&
      other.quoteId === node.quoteId &&
      !isBeingBought(parts, other.id) &&
      !state.attempts.some(attempt => attempt.state === 'intended' && isFor(attempt, other.id)),
  );
  return waiting.slice(0, Math.max(1, Math.min(together.max, stock)));
}

/** An intent without an answer, left by a daemon that died: look for it once, then go on without it. */
async function lookForOrphan(parts: Parts, orphan: AttemptRecord): Promise<Result> {
  const provider = providerOf(parts, orphan.provider);
  const found =
    provider.capabilities.refVia === 'none'
      ? undefined
      : await parts.lists.askNear(provider, orphan.offer).then(
          ({ byMark }) => byMark.get(orphan.mark),
          () => undefined,
        );
  await parts.ledger.change(orphan.clusterId, tx => {
    const attempt = tx.attempt(orphan.id);
    if (attempt?.state !== 'intended') {
      return;
    }
    if (found === undefined) {
      quarantine(tx, providerOf(parts, attempt.provider), attempt, 'Hitch stopped before the answer came.');
    } else {
      adopt(tx, attempt, found, attempt.createdAtMs);
      notePrice(tx, attempt.id, found);
    }
  });
  return { requeueAfterMs: 1 };
}

/** When a network with a native end time ends the machine by itself: after saving had its time, inside the cap. */
export function nativeEndAt(state: ClusterState, nowMs: number): number | null {
  const { caps, save } = state.cluster;
  const stop = caps.stopAtMs === null ? null : caps.stopAtMs + (save.paths.length > 0 ? SAVE_RESERVE_MS : 0);
  const cap = capReachedAt(state, nowMs);
  return stop === null ? cap : cap === null ? stop : Math.min(stop, cap);
}

interface Chosen {
  readonly offer: Offer;
  readonly quote: QuoteRecord;
  readonly publicKey: string | null;
}

async function buy(
  parts: Parts,
  state: ClusterState,
  nodes: readonly NodeRecord[],
  { offer: offered, quote, publicKey }: Chosen,
): Promise<Result> {
  const { cluster } = state;
  const [node] = nodes;
  if (node === undefined) {
    return {};
  }
  const offer = offerOfAll(offered, nodes.length);
  const provider = providerOf(parts, offer.provider);
  const id = parts.ids.next('att');
  let calledAtMs = parts.clock.now();
  let endAtMs: number | null = null;
  const proof = provider.capabilities.bootSecret ? parts.ids.secret() : null;
  const letIn = letsIn(provider) && publicKey !== null ? { publicKey, proof } : null;
  const members = nodes.map(({ id: nodeId }) => ({ nodeId, address: null }));
  const request = requestFor(
    { ref: parts.ids.ref(), offer, terms: quote.terms[offer.id] ?? plainTerms(offer), members },
    { state, quote, letIn },
  );
  const { ref, terms } = request;
  const mark = markOf(provider, request);
  /** False when, by the time the network may be asked, the machine is not wanted any more. */
  let wanted = false;
  const intend = async () => {
    calledAtMs = parts.clock.now();
    const attempt = intent(node, offer, provider, {
      id,
      ref,
      mark,
      proof,
      terms,
      members,
      createdAtMs: calledAtMs,
    });
    await parts.purchaseLog?.intend({ cluster, node, others: nodes.slice(1), attempt });
    wanted = await parts.ledger
      .change(cluster.id, tx => {
        const stillWanted =
          tx.cluster.desired === 'up' &&
          nodes.every(({ id: nodeId }) => {
            const current = tx.node(nodeId);
            return current !== undefined && needsMachine(current);
          }) &&
          purchaseProblem(tx.state, offer, tx.nowMs) === null;
        if (stillWanted) {
          tx.addAttempt(attempt);
          const message = `Renting ${provider.title}: ${offerWords(offer, nodes.length)}.`;
          nodes.forEach(({ id: nodeId }) =>
            tx.nodePhase(nodeId, 'purchasing', message, PHASE_LIMIT_MS.purchasing),
          );
          endAtMs = offer.termMs === undefined ? nativeEndAt(tx.state, tx.nowMs) : null;
          tx.setAttempt(id, { toldEndAtMs: endAtMs });
        }
        return stillWanted;
      })
      .catch((error: unknown) => {
        // Only here is it certain that the network was not asked.
        parts.purchaseLog?.over(ref, null);
        throw error;
      });
    if (!wanted) {
      parts.purchaseLog?.over(ref, null);
      throw new NotWanted();
    }
  };
  // Without a wait since it was chosen, so that nobody else can have chosen it.
  parts.underWay.set(id, { nodeIds: nodes.map(other => other.id), offer, sinceMs: calledAtMs });
  try {
    const instance = await parts.calls.provider(
      provider,
      'create',
      signal => provider.create({ ...request, endAtMs }, signal),
      intend,
    );
    checkAnswer(provider, mark, instance);
    await bought(parts, cluster.id, id, instance, calledAtMs);
  } catch (error) {
    if (error instanceof NotWanted) {
      return { requeueAfterMs: 1 };
    }
    if (error instanceof NetworkWaits) {
      // It was not asked: the next look takes another network's offer, or says for how long this one asks to wait.
      return { requeueAfterMs: error.waitMs > 0 ? 1 : RETRY_FIRST_MS };
    }
    if (!(error instanceof ProviderError)) {
      await noteNotAsked(parts, node, error);
      throw error;
    }
    await refused(parts, cluster.id, id, error);
  } finally {
    parts.underWay.delete(id);
  }
  return { requeueAfterMs: 1 };
}

/** The network was not asked: the purchase could not be written down. */
async function noteNotAsked(parts: Parts, node: NodeRecord, error: unknown): Promise<void> {
  if (error instanceof HitchError && error.code === 'STORAGE_FULL') {
    await sayWaiting(parts, node, error.message);
  }
}

/** Says in the node's row what its purchase waits for. */
async function sayWaiting(parts: Parts, { id, clusterId }: NodeRecord, sentence?: string): Promise<void> {
  if (
    sentence !== undefined &&
    parts.ledger.stateOfNode(id)?.nodes.find(node => node.id === id)?.message !== sentence
  ) {
    await parts.ledger.change(clusterId, tx => {
      const current = tx.node(id);
      if (current !== undefined && needsMachine(current)) {
        tx.nodePhase(id, 'purchasing', sentence);
      }
    });
  }
}

class NotWanted extends Error {}

/**
 * An answer about a machine with another's mark (doubled or mixed up on its way), or about one that is gone, says nothing
 * of this purchase, and that machine must not be taken for ours. @throws ProviderError
 */
function checkAnswer(provider: Provider, mark: string, instance: Instance): void {
  const isWrong = isAnothers(instance, { mark });
  if (isWrong || instance.status === 'gone') {
    const why = isWrong ? 'carries another mark than the one in the order' : 'is gone';
    throw new ProviderError(
      'unknownOutcome',
      `${provider.title} answered with ${instance.id}, which ${why}.`,
    );
  }
}

function offerWords({ gpuCount, gpuModel }: Offer, machines: number): string {
  const one = gpuModel === null ? 'a machine without GPU' : `${gpuCount.toString()}× ${gpuModel}`;
  return machines === 1 ? one : `${machines.toString()} machines together, each ${one}`;
}

async function bought(
  parts: Parts,
  clusterId: AttemptRecord['clusterId'],
  id: AttemptRecord['id'],
  instance: Instance,
  calledAtMs: number,
): Promise<void> {
  await parts.ledger.change(clusterId, tx => {
    const attempt = tx.attempt(id);
    if (attempt?.state === 'intended') {
      adopt(tx, attempt, instance, calledAtMs);
      notePrice(tx, id, instance);
    }
  });
}

async function refused(
  parts: Parts,
  clusterId: AttemptRecord['clusterId'],
  id: AttemptRecord['id'],
  error: ProviderError,
): Promise<void> {
  await parts.ledger.change(clusterId, tx => {
    const attempt = tx.attempt(id);
    if (attempt?.state !== 'intended') {
      return;
    }
    if (error.instanceId !== null) {
      // It exists although the call failed: it is looked at, then given back.
      tx.setAttempt(id, { instanceId: error.instanceId });
      quarantine(tx, providerOf(parts, attempt.provider), attempt, error.message);
    } else if (error.kind === 'unknownOutcome') {
      quarantine(tx, providerOf(parts, attempt.provider), attempt, error.message);
    } else {
      tx.attemptState(id, 'refused', error.message, { mayRetry: error.kind === 'retryable' });
    }
  });
}
