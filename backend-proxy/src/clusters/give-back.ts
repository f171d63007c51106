/**
 * Machines that go back before anybody has used them, and the next candidate is tried: one that is not what was bought, and one
 * that does not come up in time.
 */
import { showDollars } from '@hitch/contract';
import { isFor, nodesOn } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { totalCost } from '../spend/cost.ts';
import type { Parts } from './parts.ts';
import { failNode, isUnused, nonRefundableWords, terminate, tryNext } from './transitions.ts';

/** Gives it back, with what it has cost, unless other machines of the same purchase are in use already. */
export async function giveBack(
  { ledger }: Pick<Parts, 'ledger'>,
  node: NodeRecord,
  { id }: AttemptRecord,
  wrong: readonly string[],
): Promise<void> {
  await ledger.change(node.clusterId, tx => {
    const [current, attempt] = [tx.node(node.id), tx.attempt(id)];
    const isPresent = current?.phase === 'bootstrapping' && current.attemptId === id;
    if (current === undefined || !isPresent || attempt?.state !== 'owned' || tx.cluster.desired !== 'up') {
      return;
    }
    const why = `${tx.titleOf(attempt.provider)} rented a machine with ${wrong.join('; ')}`;
    tx.noteHost(id, { what: 'failed', message: `${why}.`, isCheck: true });
    if (!nodesOn(tx.state, attempt).every(isUnused)) {
      failNode(tx, current, `${why}. It was rented together with machines that are in use.`);
      return;
    }
    const message = `${why}; it is given back. ${costWords(tx, attempt)}`;
    tx.say({ kind: 'warning', value: 'not_as_bought', message, nodeId: node.id, attemptId: id });
    terminate(tx, attempt, message);
    tryNext(tx, attempt, message);
  });
}

/**
 * Ends a machine that did not come up in time. Another is tried in its place where the approval says so: it bills until its network
 * confirms its end, so until then the cap reckons with both (`spend/budget.ts`).
 */
export async function giveUp(
  { ledger }: Pick<Parts, 'ledger'>,
  node: NodeRecord,
  { id }: AttemptRecord,
  sentence: string,
): Promise<void> {
  await ledger.change(node.clusterId, tx => {
    const [current, attempt] = [tx.node(node.id), tx.attempt(id)];
    if (current?.phase !== node.phase || current.attemptId !== id || tx.cluster.desired !== 'up') {
      return;
    }
    const allowed = ledger.quote(current.quoteId)?.quote.othersIfNotUp ?? 0;
    const before = tx.attempts.filter(
      other => other.notUp !== null && isFor(other, current.id) && other.createdAtMs >= tx.cluster.capFromMs,
    ).length;
    const isAlone = attempt?.state === 'owned' && nodesOn(tx.state, attempt).every(isUnused);
    if (attempt === undefined || !isAlone || before >= allowed) {
      const tried = before === 0 ? '' : ` Nor did ${before.toString()} before it come up.`;
      failNode(tx, current, `${sentence}${tried}`);
      return;
    }
    tx.noteHost(id, { what: 'failed', message: sentence, isCheck: false });
    const which = `${(before + 1).toString()} of ${allowed.toString()}`;
    const message = `${sentence} It is ended; another is tried in its place (${which}). ${costWords(tx, attempt)}`;
    tx.say({ kind: 'warning', value: 'not_up', message, nodeId: node.id, attemptId: id });
    tx.setAttempt(id, { notUp: sentence });
    terminate(tx, attempt, message);
    tryNext(tx, attempt, message);
  });
}

function costWords(tx: ClusterTransaction, attempt: AttemptRecord): string {
  const cost = totalCost(tx.segmentsOf(attempt.id), tx.nowMs);
  return `It has cost ${showDollars(cost)} so far. ${nonRefundableWords(tx, attempt)}`;
}
