/** What is done to the records when something ends badly or is found again; each inside one change. */
import { showDollars } from '@hitch/contract';
import {
  type ClusterState,
  isFor,
  isLost,
  memberOf,
  nodesOn,
  presentNodes,
} from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord, StopCause } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { chargedFromMs, type Instance, type Provider } from '../providers/provider.ts';
import { capReachedAt } from '../spend/budget.ts';
import { closeBilling, openBilling } from './billing.ts';
import { PHASE_LIMIT_MS, phaseLimitMs } from './limits.ts';

/** Has the cluster end, unless it is ending already. `message` stays as the reason of a failure. */
export function beginStop(
  tx: ClusterTransaction,
  cause: StopCause,
  options: { message?: string; skipSave?: boolean } = {},
): void {
  if (tx.cluster.desired === 'stopped') {
    return;
  }
  tx.setCluster({
    desired: 'stopped',
    stopCause: cause,
    skipSave: options.skipSave ?? false,
    saveDone: false,
    message: options.message ?? '',
    // The time left for saving counts from here, also where the phase keeps its name.
    phaseSinceMs: tx.nowMs,
  });
}

/** A node that cannot go on. Without its head a cluster is of no use: it ends and stops costing. */
export function failNode(tx: ClusterTransaction, node: NodeRecord, sentence: string): void {
  const attempt = node.attemptId === null ? undefined : tx.attempt(node.attemptId);
  if (attempt?.adopted?.isSetUp === true && attempt.state === 'owned') {
    watchOnly(tx, node, attempt, sentence);
    return;
  }
  noteNotUp(tx, node, sentence);
  tx.nodePhase(node.id, 'failed', sentence);
  if (node.index === 0) {
    beginStop(tx, 'failure', { message: sentence });
  }
}

/** A machine that was adopted has somebody's work on it: where Hitch cannot work there, it is not ended for that. */
function watchOnly(
  tx: ClusterTransaction,
  { id }: NodeRecord,
  attempt: AttemptRecord,
  sentence: string,
): void {
  const { adopted } = attempt;
  if (adopted !== null) {
    tx.setAttempt(attempt.id, { adopted: { ...adopted, isSetUp: false } });
  }
  const message = `Not set up: ${sentence} It is counted, and ended at its limits.`;
  tx.nodePhase(id, 'unreachable', message);
  tx.say({ kind: 'warning', value: 'not_set_up', message, nodeId: id, attemptId: attempt.id });
}

/** What fails after it was ready is what runs there, as far as anybody knows. */
function noteNotUp(tx: ClusterTransaction, { attemptId }: NodeRecord, message: string): void {
  if (attemptId !== null && tx.attempt(attemptId)?.hostSaid === 'bought') {
    tx.noteHost(attemptId, { what: 'failed', message, isCheck: false });
  }
}

/** Has the next candidate tried for the nodes that were to live on a purchase. */
export function tryNext(tx: ClusterTransaction, attempt: AttemptRecord, sentence: string): void {
  for (const { id } of nodesOn(tx.state, attempt)) {
    tx.setNode(id, { attemptId: null });
    tx.nodePhase(id, 'purchasing', sentence, PHASE_LIMIT_MS.purchasing);
  }
}

/** Whether nobody can have used this node yet, so that another machine may simply take its place. */
export function isUnused({ phase }: NodeRecord): boolean {
  return phase === 'requested' || phase === 'purchasing' || phase === 'booting' || phase === 'bootstrapping';
}

/**
 * The network confirms that an owned machine is gone, and we did not end it.
 * @param lastBusyMs when this daemon last heard from the machine that something worked there.
 */
export function loseMachine(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  instance: Instance | null,
  lastBusyMs?: number,
): void {
  const title = tx.titleOf(attempt.provider);
  closeBilling(tx, attempt, instance);
  tx.attemptState(attempt.id, 'gone', `${title} ended the machine.`);
  const nodes = nodesOn(tx.state, attempt).filter(other => !isLost(other));
  const [node] = nodes;
  if (node === undefined || tx.cluster.desired === 'stopped') {
    return;
  }
  const due = dueCause(tx, attempt) ?? (endedIdle(tx, attempt, node, instance, lastBusyMs) ? 'idle' : null);
  if (due === null) {
    noteLost(tx, attempt, `${title} ended the machine.`);
  }
  if (due !== null) {
    beginStop(tx, due);
  } else if (attempt.adopted === null && nodes.every(isUnused)) {
    tryNext(tx, attempt, `${title} took the machine back before it was ready; trying the next offer.`);
  } else {
    const { idleMs } = tx.cluster.caps;
    const sentence =
      attempt.offer.endsBillingAlone && idleMs !== null
        ? `${title} ended the machine: it took it back, or it was idle for ${Math.round(idleMs / 60_000).toString()} minutes.`
        : `${title} took the machine back.`;
    nodes.forEach(other => loseNode(tx, other, sentence));
  }
}

/** A spot machine is taken back for another bidder, which says nothing of its host. */
function noteLost(tx: ClusterTransaction, { id, offer }: AttemptRecord, message: string): void {
  if (offer.market !== 'spot') {
    tx.noteHost(id, { what: 'failed', message, isCheck: false });
  }
}

function loseNode(tx: ClusterTransaction, { id, index }: NodeRecord, sentence: string): void {
  tx.nodePhase(id, 'gone', sentence);
  if (index === 0) {
    beginStop(tx, 'failure', { message: `${sentence} The notebook’s kernel ran on it.` });
  }
}

/** The nodes of a purchase whose own machine its network shows as gone, while the others of it are there. */
export function membersGone(
  state: Pick<ClusterState, 'cluster' | 'nodes'>,
  attempt: AttemptRecord,
  { members }: Instance,
): readonly NodeRecord[] {
  const gone = new Set(members.flatMap(({ rank, status }) => (status === 'gone' ? [rank] : [])));
  return nodesOn(state, attempt).filter(
    node => !isLost(node) && gone.has(memberOf(attempt, node.id)?.rank ?? -1),
  );
}

/** One machine of several in one purchase is gone; what is paid is paid for the rest. */
export function loseMembers(tx: ClusterTransaction, attempt: AttemptRecord, instance: Instance): void {
  if (tx.attempt(attempt.id)?.state !== 'owned' || tx.cluster.desired === 'stopped') {
    return;
  }
  const title = tx.titleOf(attempt.provider);
  const alone =
    attempt.offer.together?.replaceOne === true
      ? ''
      : ' It was rented together with the others, and cannot be replaced alone.';
  const gone = membersGone(tx.state, attempt, instance);
  if (gone.length > 0) {
    noteLost(tx, attempt, `${title} lost the machine.`);
  }
  gone.forEach(node => loseNode(tx, node, `${title} lost the machine.${alone}`));
}

/**
 * Whether the idle rule explains the end of a machine that ends its billing alone. Nobody says so outright: networks
 * only report that it is gone. On demand no network takes a machine back, so the rule is the reason unless something
 * worked there too short a time before; a spot machine is as likely taken back, so its idleness must have been heard.
 */
function endedIdle(
  tx: ClusterTransaction,
  { offer, createdAtMs }: AttemptRecord,
  node: NodeRecord,
  instance: Instance | null,
  lastBusyMs: number | undefined,
): boolean {
  const { idleMs } = tx.cluster.caps;
  if (!offer.endsBillingAlone || idleMs === null || node.index !== 0 || isUnused(node)) {
    return false;
  }
  if (offer.market === 'spot' && lastBusyMs === undefined) {
    return false;
  }
  const endedAtMs = instance?.billedUntilMs ?? tx.nowMs;
  return endedAtMs - (lastBusyMs ?? createdAtMs) >= idleMs;
}

/** The stop time, the end of what was paid for, or the cap, when it has come. */
function dueCause(tx: ClusterTransaction, { endsAtMs, offer }: AttemptRecord): StopCause | null {
  const { stopAtMs } = tx.cluster.caps;
  if (stopAtMs !== null && stopAtMs <= tx.nowMs) {
    return 'stop_time';
  }
  if (offer.termMs !== undefined && endsAtMs !== null && endsAtMs <= tx.nowMs) {
    return 'term';
  }
  const capAtMs = capReachedAt(tx.state, tx.nowMs);
  return capAtMs !== null && capAtMs <= tx.nowMs ? 'cap' : null;
}

export const STARTING = 'The machine is starting.';
export const ORDERED = 'Ordered: waiting for a machine to be offered.';

/** The network confirms that it rented a machine for this attempt: it is ours from here on. */
export function adopt(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  instance: Instance,
  calledAtMs: number,
): void {
  openBilling(tx, attempt, instance, calledAtMs);
  const nodes = presentNodes(tx.state).filter(({ id }) => isFor(attempt, id));
  const wanted =
    tx.cluster.desired === 'up' &&
    nodes.length === attempt.members.length &&
    nodes.every(
      node =>
        node.attemptId === null &&
        isUnused(node) &&
        !tx.attempts.some(
          other => isFor(other, node.id) && other.id !== attempt.id && other.state === 'intended',
        ),
    );
  if (!wanted) {
    terminate(tx, attempt, 'Not needed any more.', instance.id);
    return;
  }
  tx.attemptState(attempt.id, 'owned', `Rented as ${instance.id}.`, {
    instanceId: instance.id,
    endsAtMs: instance.endsAtMs ?? paidUntil(attempt, instance, calledAtMs),
  });
  const said = instance.status === 'ordered' ? ORDERED : STARTING;
  for (const { id } of nodes) {
    tx.setNode(id, { attemptId: attempt.id });
    tx.nodePhase(id, 'booting', said, phaseLimitMs('booting', tx.limitsOf(attempt.provider)));
  }
}

/** When what was bought at once is over; null: it is not sold by terms. */
const paidUntil = (
  { terms: { termMs } }: AttemptRecord,
  instance: Instance,
  calledAtMs: number,
): number | null => (termMs === null ? null : (chargedFromMs(instance) ?? calledAtMs) + termMs);

/** A cluster's name, or one like it where another cluster has it by now. */
export function freeName(tx: ClusterTransaction, name: string): string {
  let free = name;
  for (let number = 2; tx.nameTaken(free); number++) {
    free = `${name.slice(0, 32)}-${number.toString()}`;
  }
  return free;
}

/** Has a machine destroyed. */
export function terminate(
  tx: ClusterTransaction,
  attempt: AttemptRecord,
  why: string,
  instanceId: string | null = attempt.instanceId,
): void {
  tx.attemptState(attempt.id, 'releasing', why, { instanceId, absentSightings: 0 });
}

/** What an attempt costs in any case, for the sentence that says why it was given back. */
export function nonRefundableWords(tx: ClusterTransaction, { id }: AttemptRecord): string {
  const kept = tx
    .segmentsOf(id)
    .reduce((sum, { kind, amountMicroUsd }) => (kind === 'rate' ? sum : sum + amountMicroUsd), 0n);
  return `Non-refundable: ${showDollars(kept)}.`;
}

/** The answer is unclear: the mark is looked for until it is found or confirmed absent. */
export function quarantine(
  tx: ClusterTransaction,
  provider: Provider,
  attempt: AttemptRecord,
  why: string,
): void {
  const { refVia, visibilityDelayMs } = provider.capabilities;
  const known = tx.attempt(attempt.id)?.instanceId ?? null;
  const canLook = refVia !== 'none' || known !== null;
  tx.attemptState(attempt.id, 'quarantined', why, {
    visibleByMs: canLook ? tx.nowMs + visibilityDelayMs : null,
    absentSightings: 0,
  });
}
