/** A machine that is not what was bought goes back before it is set up, and the next candidate is tried. */
import { showDollars } from '@hitch/contract';
import { nodesOn } from '../ledger/cluster-state.ts';
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

function costWords(tx: ClusterTransaction, attempt: AttemptRecord): string {
  const cost = totalCost(tx.segmentsOf(attempt.id), tx.nowMs);
  return `It has cost ${showDollars(cost)} so far. ${nonRefundableWords(tx, attempt)}`;
}
