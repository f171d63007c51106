/**
 * What a network is asked to rent, and purchases of several steps: what is ordered is advanced until there is a machine.
 * An order that comes to nothing is closed, which gives its deposit back, and the next offer is tried. Each step is the
 * network's own to keep from happening twice, so a daemon that dies between two of them looks and goes on.
 */
import { type ClusterState, isLost, nodesOn } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord, QuoteRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { type ClusterId, format } from '@hitch/contract';
import {
  chargedFromMs,
  type CreateRequest,
  type Instance,
  type Provider,
  ProviderError,
} from '../providers/provider.ts';
import {
  BOOT_LOOK_LONGEST_MS,
  HANDOVER_LIMIT_MS,
  ORDER_LIMIT_MS,
  phaseLimitMs,
  RETRY_FIRST_MS,
} from './limits.ts';
import { isSpread } from './one-machine.ts';
import type { Parts } from './parts.ts';
import { notePrice } from './price.ts';
import type { Result } from './runner.ts';
import { nonRefundableWords, terminate, tryNext } from './transitions.ts';

/** What the network is asked for, as the quote froze it. Its end time is told when it is asked. */
export const requestFor = (
  { ref, offer, terms, members }: Pick<AttemptRecord, 'ref' | 'offer' | 'terms' | 'members'>,
  {
    state,
    quote,
    letIn,
  }: {
    readonly state: ClusterState | undefined;
    readonly quote: QuoteRecord;
    readonly letIn: CreateRequest['letIn'];
  },
): CreateRequest => ({
  ref,
  offer,
  terms,
  members: members.length,
  maxPricePerHourMicroUsd: quote.maxNodePricePerHourMicroUsd * BigInt(members.length),
  letIn,
  spread: isSpread(state, quote),
  endAtMs: null,
});

/** Whether its machines are given a key of ours. */
export const letsIn = ({ capabilities }: Provider): boolean => capabilities.sshKeys !== 'none';

/** The key that opens the cluster's machines; null where no network takes one. @throws HitchError STORAGE_FULL */
export async function publicKeyFor(
  { providers, keyOf }: Pick<Parts, 'providers' | 'keyOf'>,
  id: ClusterId,
): Promise<string | null> {
  return [...providers.values()].some(letsIn) ? keyOf(id) : null;
}

/** By what the network's answers about this request will be known. */
export const markOf = (provider: Provider, request: CreateRequest): string =>
  provider.markOf?.(request) ?? request.ref;

/** One step on. */
export async function advanceOrder(
  parts: Parts,
  provider: Provider,
  {
    node,
    attempt,
    instance,
  }: { readonly node: NodeRecord; readonly attempt: AttemptRecord; readonly instance: Instance },
): Promise<Result> {
  const nowMs = parts.clock.now();
  const state = parts.ledger.state(attempt.clusterId);
  const [first] = state === undefined ? [] : nodesOn(state, attempt).filter(other => !isLost(other));
  if (first?.id !== node.id) {
    // One order for several nodes is advanced for the first of them, so that no two steps are taken at once.
    return { requeueAfterMs: RETRY_FIRST_MS };
  }
  const quote = parts.ledger.quote(node.quoteId);
  const { title } = provider;
  if (provider.advance === undefined || quote === undefined) {
    const why = quote === undefined ? 'the quote is no longer stored' : `${title} takes no further step`;
    await closeOrder(parts, attempt, `The order cannot go on: ${why}`);
    return {};
  }
  const agreedAtMs = isAgreed(instance) ? (chargedFromMs(instance) ?? attempt.createdAtMs) : null;
  if (agreedAtMs === null && nowMs >= attempt.createdAtMs + ORDER_LIMIT_MS) {
    const limit = format.duration(ORDER_LIMIT_MS);
    await closeOrder(parts, attempt, `${title} had no machine for the order within ${limit}`);
    return {};
  }
  const publicKey = letsIn(provider) ? await parts.keyOf(attempt.clusterId) : null;
  const letIn = publicKey === null ? null : { publicKey, proof: attempt.proof };
  const isLate = agreedAtMs !== null && nowMs >= agreedAtMs + HANDOVER_LIMIT_MS;
  const request = { ...requestFor(attempt, { state, quote, letIn }), endAtMs: attempt.toldEndAtMs };
  try {
    const next = await parts.calls.provider(
      provider,
      'advance',
      signal => provider.advance?.(instance, request, signal) ?? Promise.resolve(instance),
    );
    if (next.id === instance.id && next.status !== 'gone') {
      await parts.ledger.change(attempt.clusterId, tx => noteStep(tx, attempt, next, agreedAtMs === null));
    }
    if (isLate && next.status === 'ordered') {
      await closeOrder(parts, attempt, withoutWork(title, next.message));
      return {};
    }
    const waitedMs = nowMs - attempt.createdAtMs;
    const soonMs = Math.min(BOOT_LOOK_LONGEST_MS, Math.max(RETRY_FIRST_MS, waitedMs / 20));
    return { requeueAfterMs: next.status === 'ordered' ? soonMs : RETRY_FIRST_MS };
  } catch (error) {
    if (error instanceof ProviderError && (isFinal(error) || isLate)) {
      const why = error.message.replace(/\.$/, '');
      await closeOrder(parts, attempt, isLate ? withoutWork(title, why) : why);
      return {};
    }
    throw error;
  }
}

/** Whether there is a machine, though it may not know yet what to run. */
export const isAgreed = ({ status, members }: Instance): boolean =>
  status !== 'ordered' || members.length > 0;

/** The order itself will never be filled: certainly nothing was agreed to, and asking again cannot help. */
const isFinal = ({ kind }: ProviderError): boolean =>
  kind === 'capacity' || kind === 'permanent' || kind === 'auth';

/** For one that costs and was not told what to run. */
const withoutWork = (title: string, said: string): string =>
  `${title} has a machine that did not take what to run within ${format.duration(HANDOVER_LIMIT_MS)} (${format.clause(said)})`;

/** A machine was agreed to: it, and each that was ordered with it, has as long to boot as any other, and gets it once. */
function noteStep(tx: ClusterTransaction, attempt: AttemptRecord, next: Instance, isFirst: boolean): void {
  const before = tx.attempt(attempt.id)?.state;
  notePrice(tx, attempt.id, next);
  if (before !== 'owned' || !isFirst || !isAgreed(next)) {
    return;
  }
  for (const { id, phase } of nodesOn(tx.state, attempt)) {
    if (phase === 'booting') {
      tx.setNode(id, { deadlineMs: tx.nowMs + phaseLimitMs('booting', tx.limitsOf(attempt.provider)) });
    }
  }
}

/** Ends it, and has the next offer tried. */
function closeOrder(parts: Parts, { id, clusterId }: AttemptRecord, why: string): Promise<void> {
  return parts.ledger.change(clusterId, tx => {
    const attempt = tx.attempt(id);
    const node = tx.nodes.find(({ attemptId }) => attemptId === id);
    if (attempt?.state !== 'owned' || node?.phase !== 'booting' || tx.cluster.desired !== 'up') {
      return;
    }
    const message = `${why}; it is closed. ${nonRefundableWords(tx, attempt)}`;
    terminate(tx, attempt, message);
    tryNext(tx, attempt, message);
  });
}
