/**
 * Buys a machine for each node that has none. The attempt's row and ref are stored before the network is asked;
 * an attempt is never repeated: after any answer but a yes the next one is another row with another ref.
 */
import { HitchError, type NodeId, type Offer } from '@hitch/contract';
import { type ClusterState, isFor, presentNodes } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord, QuoteRecord } from '../ledger/records.ts';
import { ProviderError } from '../providers/provider.ts';
import { offerOfAll } from '../ledger/together.ts';
import { plainTerms } from '../ledger/terms.ts';
import { chooseOffer } from './choose-offer.ts';
import { NetworkWaits } from './pause.ts';
import { atPriceNow } from './firm-prices.ts';
import { PHASE_LIMIT_MS, RETRY_FIRST_MS } from './limits.ts';
import { failNode, adopt, quarantine } from './transitions.ts';
import { publicKeyFor } from './order.ts';
import { type Parts, providerOf } from './parts.ts';
import { notePrice } from './price.ts';
import { needsMachine, NotWanted, noteTooDear, order, type Purchase, refused } from './purchase.ts';
import type { Result, Reconciler } from './runner.ts';

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
          failNode(tx, current, `${beforeIt(tx.attempts, nodeId)}${choice.sentence}`);
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

/** Why another was to be rented at all, where a machine did not come up. */
function beforeIt(attempts: readonly AttemptRecord[], nodeId: NodeId): string {
  const notUp = attempts.findLast(attempt => isFor(attempt, nodeId) && attempt.notUp !== null)?.notUp ?? null;
  return notUp === null ? '' : `${notUp} No other is in its place: `;
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

interface Chosen {
  readonly offer: Offer;
  readonly quote: QuoteRecord;
  readonly publicKey: string | null;
}

async function buy(
  parts: Parts,
  state: ClusterState,
  nodes: readonly NodeRecord[],
  { offer, quote, publicKey }: Chosen,
): Promise<Result> {
  const { cluster } = state;
  const [node] = nodes;
  if (node === undefined) {
    return {};
  }
  const provider = providerOf(parts, offer.provider);
  const purchase: Purchase = {
    id: parts.ids.next('att'),
    ref: parts.ids.ref(),
    state,
    cluster,
    nodes,
    provider,
    quote,
    terms: quote.terms[offer.id] ?? plainTerms(offer),
    members: nodes.map(({ id: nodeId }) => ({ nodeId, address: null })),
    publicKey,
  };
  const { id } = purchase;
  // Without a wait since it was chosen, so that nobody else can have chosen it.
  parts.underWay.set(id, {
    nodeIds: nodes.map(other => other.id),
    offer: offerOfAll(offer, nodes.length),
    sinceMs: parts.clock.now(),
  });
  try {
    const now = await atPriceNow(parts, provider, { offer, terms: purchase.terms, quote });
    if (now.problem !== null) {
      await noteTooDear(parts, purchase, offer, now.problem);
      return { requeueAfterMs: 1 };
    }
    await order(parts, purchase, now.offer);
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
