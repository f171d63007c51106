/** One purchase: its intent, stored durably before the network is asked, the one call, and what its answer makes of it. */
import type { Offer } from '@hitch/contract';
import type { ClusterState } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord, QuoteRecord } from '../ledger/records.ts';
import { offerOfAll } from '../ledger/together.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { type Instance, type Provider, ProviderError } from '../providers/provider.ts';
import { capReachedAt, purchaseProblem } from '../spend/budget.ts';
import { SAVE_RESERVE_MS } from '../spend/limits.ts';
import { accountKeyFor, putAccountKey } from './account-keys.ts';
import { isAnothers } from './billing.ts';
import type { PriceProblem } from './firm-prices.ts';
import { intent } from './intent.ts';
import { PHASE_LIMIT_MS } from './limits.ts';
import { letsIn, markOf, requestFor } from './order.ts';
import { NetworkWaits } from './pause.ts';
import { type Parts, providerOf } from './parts.ts';
import { notePrice } from './price.ts';
import { adopt, quarantine } from './transitions.ts';

export function needsMachine(node: NodeRecord): boolean {
  return node.attemptId === null && (node.phase === 'requested' || node.phase === 'purchasing');
}

/** One purchase, of one or several machines, before it is asked for. */
export interface Purchase extends Pick<AttemptRecord, 'id' | 'ref' | 'terms' | 'members'> {
  readonly state: ClusterState;
  readonly cluster: ClusterState['cluster'];
  readonly nodes: readonly NodeRecord[];
  readonly provider: Provider;
  readonly quote: QuoteRecord;
  readonly publicKey: string | null;
}

/** Stores the intent, and asks for it. @throws ProviderError, NotWanted, HitchError */
export async function order(parts: Parts, purchase: Purchase, offered: Offer): Promise<void> {
  const { id, state, cluster, nodes, provider, quote, publicKey } = purchase;
  const offer = offerOfAll(offered, nodes.length);
  // What a web address alone leads to opens its door by a token that is made of it.
  const needsSecret = provider.capabilities.bootSecret || offer.wayIn === 'https';
  const proof = needsSecret ? parts.ids.secret() : null;
  const letIn = letsIn(provider) && publicKey !== null ? { publicKey, proof } : null;
  const request = requestFor({ ...purchase, offer }, { state, quote, letIn });
  const mark = markOf(provider, request);
  let calledAtMs = parts.clock.now();
  let endAtMs: number | null = null;
  const intend = async () => {
    calledAtMs = parts.clock.now();
    const attempt = attemptOf(purchase, offer, { mark, proof, createdAtMs: calledAtMs });
    endAtMs = await keepIntent(parts, purchase, attempt);
  };
  const keyFirst = provider.accountKeys !== undefined && letIn !== null;
  if (keyFirst) {
    // The key is named by the mark: so the intent comes before it, and the purchase after.
    await intend();
    await putAccountKey(parts, provider, {
      clusterId: cluster.id,
      attemptId: id,
      publicKey: letIn.publicKey,
    });
  }
  const instance = await parts.calls
    .provider(
      provider,
      'create',
      signal => provider.create({ ...request, endAtMs }, signal),
      keyFirst ? () => checkWanted(parts, purchase) : intend,
    )
    .catch((error: unknown) => {
      throw keyFirst && error instanceof NetworkWaits ? new ProviderError('retryable', error.message) : error;
    });
  checkAnswer(provider, { mark, isHeld: isHeld(parts, provider, instance.id) }, instance);
  await bought(parts, cluster.id, id, instance, calledAtMs);
}

/** That it is still wanted once its key is there. @throws NotWanted where it is not, which is written down. */
async function checkWanted(parts: Parts, purchase: Purchase): Promise<void> {
  const { id, cluster } = purchase;
  const wanted = await parts.ledger.change(cluster.id, tx => {
    const stillWanted = isWanted(tx, purchase);
    if (!stillWanted && tx.attempt(id)?.state === 'intended') {
      tx.attemptState(id, 'refused', 'Not needed any more.');
    }
    return stillWanted;
  });
  if (!wanted) {
    throw new NotWanted();
  }
}

function attemptOf(
  { id, ref, terms, members, nodes, provider }: Purchase,
  offer: Offer,
  rest: Pick<AttemptRecord, 'mark' | 'proof' | 'createdAtMs'>,
): AttemptRecord {
  const [node] = nodes;
  if (node === undefined) {
    throw new NotWanted();
  }
  return intent(node, offer, provider, { id, ref, terms, members, ...rest });
}

/** Whether, as things stand, these machines are wanted still. */
const isWanted = (tx: ClusterTransaction, { nodes }: Purchase): boolean =>
  tx.cluster.desired === 'up' &&
  nodes.every(({ id }) => {
    const current = tx.node(id);
    return current !== undefined && needsMachine(current);
  });

/**
 * Stores durably that it is asked for. @returns when the network is to end it by itself.
 * @throws NotWanted where, by the time the network may be asked, the machine is not wanted any more.
 */
async function keepIntent(parts: Parts, purchase: Purchase, attempt: AttemptRecord): Promise<number | null> {
  const { cluster, nodes, provider, publicKey } = purchase;
  const [node, ...others] = nodes;
  const { id, ref, offer } = attempt;
  if (node !== undefined) {
    await parts.purchaseLog?.intend({ cluster, node, others, attempt });
  }
  let endAtMs: number | null = null;
  const wanted = await parts.ledger
    .change(cluster.id, tx => {
      const stillWanted = isWanted(tx, purchase) && purchaseProblem(tx.state, offer, tx.nowMs) === null;
      if (stillWanted) {
        const { mark } = attempt;
        tx.addAttempt({ ...attempt, accountKey: accountKeyFor(provider, tx.attempts, { mark, publicKey }) });
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
  return endAtMs;
}

/** It costs more than was agreed to by now, or what it costs is not known: it stands among what was tried. */
export async function noteTooDear(
  parts: Parts,
  purchase: Purchase,
  offered: Offer,
  { message, mayRetry }: PriceProblem,
): Promise<void> {
  const { id, ref, cluster, nodes } = purchase;
  const offer = offerOfAll(offered, nodes.length);
  await parts.ledger.change(cluster.id, tx => {
    if (isWanted(tx, purchase)) {
      // Nothing was asked for under this mark.
      tx.addAttempt(attemptOf(purchase, offer, { mark: ref, proof: null, createdAtMs: tx.nowMs }));
      tx.attemptState(id, 'refused', message, { mayRetry });
    }
  });
}

/** When a network with a native end time ends the machine by itself: after saving had its time, inside the cap. */
export function nativeEndAt(state: ClusterState, nowMs: number): number | null {
  const { caps, save } = state.cluster;
  const stop = caps.stopAtMs === null ? null : caps.stopAtMs + (save.paths.length > 0 ? SAVE_RESERVE_MS : 0);
  const cap = capReachedAt(state, nowMs);
  return stop === null ? cap : cap === null ? stop : Math.min(stop, cap);
}

/** By the time the network may be asked, the machine is not wanted any more. */
export class NotWanted extends Error {}

/** Whether another purchase of ours has this machine. */
function isHeld({ ledger }: Pick<Parts, 'ledger'>, { id }: Provider, instanceId: string): boolean {
  for (const { attempts } of ledger.states()) {
    if (attempts.some(other => other.provider === id && other.instanceId === instanceId)) {
      return true;
    }
  }
  return false;
}

/**
 * An answer about a machine with another's mark (doubled or mixed up on its way), about one that another purchase has, or about
 * one that is gone, says nothing of this purchase, and that machine must not be taken for ours.
 * @throws ProviderError
 */
export function checkAnswer(
  { title }: Pick<Provider, 'title'>,
  { mark, isHeld }: { readonly mark: string; readonly isHeld: boolean },
  instance: Instance,
): void {
  const why = isAnothers(instance, { mark })
    ? 'carries another mark than the one in the order'
    : isHeld
      ? 'is the machine of another purchase'
      : instance.status === 'gone'
        ? 'is gone'
        : null;
  if (why !== null) {
    throw new ProviderError('unknownOutcome', `${title} answered with ${instance.id}, which ${why}.`);
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

/** What became of a purchase whose call failed. */
export async function refused(
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
      tx.attemptState(id, 'refused', error.message, {
        mayRetry: error.kind === 'retryable',
        isOfAccount: error.kind === 'auth',
      });
    }
  });
}
