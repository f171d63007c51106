/** A machine that is not what was bought goes back before anything is set up there, and the next candidate is tried. */
import { showDollars } from '@hitch/contract';
import type { HostFacts } from '../access/host.ts';
import { nodesOn } from '../ledger/cluster-state.ts';
import type { AttemptRecord, NodeRecord } from '../ledger/records.ts';
import type { ClusterTransaction } from '../ledger/transaction.ts';
import { totalCost } from '../spend/cost.ts';
import type { Provider } from '../providers/provider.ts';
import { isFarOff, worseThanBought } from './as-offered.ts';
import type { Parts } from './parts.ts';
import { failNode, isUnused, nonRefundableWords, terminate, tryNext } from './transitions.ts';

/**
 * What is wrong with a machine that was rented; nothing of one's own, which is used as it is, with warnings, nor of one that was
 * adopted, of which nothing was promised.
 */
export function wrongWith({ offer, terms, adopted }: AttemptRecord, facts: HostFacts): readonly string[] {
  // A practice machine behind a real sshd is a part of this computer, and has none of what its offer makes up.
  const isMadeUp = offer.practice && !facts.practice;
  return facts.has === undefined || offer.trust === 'own' || adopted !== null || isMadeUp
    ? []
    : worseThanBought(offer, terms, facts.has);
}

/**
 * A clock that differs from this computer's: which of the two is wrong, the network's time says, for else a computer whose own
 * clock is wrong would give back one machine after the other. Where the network does not answer, no clock counts.
 */
export async function byNetworksClock(
  { calls, clock }: Pick<Parts, 'calls' | 'clock'>,
  provider: Provider,
  facts: HostFacts,
): Promise<HostFacts> {
  const { has } = facts;
  const time = provider.time?.bind(provider);
  if (has === undefined || time === undefined || !isFarOff(has)) {
    return facts;
  }
  const clockAheadS = await calls
    .provider(provider, 'time', signal => time(signal))
    .then(
      networkMs => has.clockAheadS - (networkMs - clock.now()) / 1_000,
      () => 0,
    );
  return { ...facts, has: { ...has, clockAheadS } };
}

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
